/* A plan beside the stack file of a commit: `diff --base`, `ci --base`. */
#ifndef RAGSTACK_CMD_BASE_H
#define RAGSTACK_CMD_BASE_H

#include "cmd/ragstack/session.h"

/* Of a plan of the whole stack: loads and expands the stack file as the revision has it, and marks
 * the plan's changes by it (pkg/plan/base.h). Nothing is called: what was found is in the plan. A
 * file, or an environment of it, that the commit does not have, is a file without resources.
 * ERR_USAGE: git knows no such revision; ERR_INPUT: the file was not valid then. */
int base_compare(struct session *session, struct plan *plan, const char *revision,
                 struct error *error);

#endif
