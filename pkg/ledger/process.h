/* Is the process that holds a lock still there? Only its own machine can tell. */
#ifndef RAGSTACK_LEDGER_PROCESS_H
#define RAGSTACK_LEDGER_PROCESS_H

#include <stdbool.h>

#include "pkg/base/arena.h"

/* What tells this process apart from all others, also after a restart of the machine, in a
 * container of the same name, or when its number is used again; NULL where the system does not say.
 */
const char *process_mark(struct arena *arena);
/* True only when it is sure: the mark is of this machine's present run, and that process has
 * ended. NULL and marks of other machines: false. */
bool process_is_gone(const char *mark);

#endif
