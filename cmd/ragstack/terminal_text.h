/* Text that others wrote (log lines, answers, documents), made fit for a terminal. */
#ifndef RAGSTACK_CMD_TERMINAL_TEXT_H
#define RAGSTACK_CMD_TERMINAL_TEXT_H

#include <stdbool.h>

#include "pkg/base/arena.h"
#include "pkg/base/buffer.h"

/* Appends the text; control characters that are not among `allowed`, and what is no UTF-8, go as
 * \xNN: nothing in it can steer a terminal. */
void terminal_text(struct buffer *out, const char *text, size_t length, const char *allowed);

/* The same on lines of at most `width` columns (0: as they are), each after `indent` spaces; ends
 * with a newline. Blank lines stay. */
void terminal_paragraphs(struct buffer *out, const char *text, int indent, int width);

/* The same on one line: runs of white space become one space. In the arena. */
const char *terminal_line(struct arena *arena, const char *text);

/* Columns of the terminal on this descriptor; 0 when it is none. */
int terminal_width(int descriptor);

/* Is there a terminal on this descriptor whose lines can be written over (TERM is not dumb)? */
bool terminal_is_live(int descriptor);

#endif
