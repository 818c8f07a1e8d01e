/* The files of templates/, compiled in: what `init` and `ci --write` write out. */
#ifndef RAGSTACK_CMD_TEMPLATE_H
#define RAGSTACK_CMD_TEMPLATE_H

#include "pkg/base/arena.h"

/* The text of templates/<name>; panics when there is none. */
const char *template_text(const char *name);
/* The same with every "@KEY@" replaced: template_fill(arena, "ragstack.yaml", "STACK", "acme",
 * NULL). */
const char *template_fill(struct arena *arena, const char *name, ...) __attribute__((sentinel));

#endif
