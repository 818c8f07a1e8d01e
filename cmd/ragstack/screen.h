/* A whole terminal for one page that is drawn again and again: what was on it comes back at the
 * end.
 */
#ifndef RAGSTACK_CMD_SCREEN_H
#define RAGSTACK_CMD_SCREEN_H

#include <stdbool.h>

#include "pkg/base/buffer.h"
#include "pkg/task/task.h"

/* On stdin and stdout; false when they are no terminal that can do it. Ctrl-C is a key until
 * screen_close. */
bool screen_open(void);
void screen_close(void);
void screen_size(int *columns, int *lines);
/* Shows these lines (each ends with a newline) from the top; they fit. */
void screen_draw(const struct buffer *page);
/* Waits at most so long for a key: *key is 0 when none was pressed. Gives the baton back. */
int screen_key(struct task *task, int patience_ms, int *key, struct error *error);

enum { KEY_INTERRUPT = 3, KEY_ESCAPE = 27 };

#endif
