/* Shared by the files of this package: one converter a kind. */
#ifndef RAGSTACK_CONVERT_INTERNAL_H
#define RAGSTACK_CONVERT_INTERNAL_H

#include "pkg/base/buffer.h"
#include "pkg/convert/convert.h"

/* As UTF-8 with \n, in the arena: by its byte order mark, else UTF-8, else Windows-1252. ERR_INPUT
 * for what is no text. */
int text_decode(struct arena *arena, const char *bytes, size_t length, const char **out,
                size_t *out_length, struct error *error);

/* Each fills text and, when the file says one, title. */
typedef int converter(struct arena *arena, const char *bytes, size_t length, struct converted *out,
                      struct error *error);
converter convert_text, convert_markdown, convert_html;
/* Runs pdftotext. */
int convert_pdf(struct arena *arena, const char *path, struct converted *out, struct error *error);

/* The first line that is a heading ("# x", or underlined with === or ---); NULL if none. */
const char *first_heading(struct arena *arena, const char *text);

#endif
