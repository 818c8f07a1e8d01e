/* Files to text: UTF-8, with Markdown's headings where the file has headings, lines end with \n.
 * All of it blocks, and touches nothing but what it is given: any thread may call it. */
#ifndef RAGSTACK_CONVERT_CONVERT_H
#define RAGSTACK_CONVERT_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

struct converted {
    const char *title; /* the first heading, or the file's name without its ending */
    const char *text;  /* NUL-terminated, without NUL inside; never blank */
    size_t length;
};

/* The largest file that is read. */
enum { CONVERT_FILE_MAXIMUM = 64 << 20 };

/* Is this name's ending one of a kind that is known? */
bool convert_knows(const char *name);
/* The endings, for messages: ".md .txt ...". */
const char *convert_endings(struct arena *arena);

/* Names without a known ending are taken for text. ERR_INPUT says why a file has no text that can
 * be had: no such encoding, a scan, too large, no pdftotext on this machine; ERR_NOT_FOUND when it
 * is not there; ERR_FAILED when it cannot be read. */
int convert_file(struct arena *arena, const char *path, struct converted *out, struct error *error);
/* The same for bytes at hand; a PDF is ERR_INPUT. */
int convert_bytes(struct arena *arena, const char *name, const char *bytes, size_t length,
                  struct converted *out, struct error *error);

#endif
