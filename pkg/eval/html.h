/* HTML and SVG, element by element: what is put in is escaped, so no text can end up as markup. */
#ifndef RAGSTACK_EVAL_HTML_H
#define RAGSTACK_EVAL_HTML_H

#include "pkg/base/buffer.h"

/* <name key="value" ...>: pairs of texts, ends with NULL. */
void html_open(struct buffer *out, const char *name, ...) __attribute__((sentinel));
void html_close(struct buffer *out, const char *name);
/* An element without content (SVG's line, rect, circle). */
void html_empty(struct buffer *out, const char *name, ...) __attribute__((sentinel));
void html_text(struct buffer *out, const char *format, ...) PRINTF_LIKE(2, 3);
/* <name class="class">text</name>; NULL class: none. */
void html_element(struct buffer *out, const char *name, const char *class, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
