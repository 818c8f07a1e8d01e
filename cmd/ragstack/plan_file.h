/* A saved plan: what was reviewed, and the fingerprint of the world that it was made for. `up PLAN`
 * plans again and goes on only when the fingerprint is the same. */
#ifndef RAGSTACK_CMD_PLAN_FILE_H
#define RAGSTACK_CMD_PLAN_FILE_H

#include "pkg/plan/plan.h"

/* `targets` (ends with NULL) are part of what was reviewed. */
int plan_file_write(struct arena *arena, const struct plan *plan, const char *const *targets,
                    const char *path, struct error *error);
/* ERR_INPUT when it is no plan. */
int plan_file_parse(struct arena *arena, const char *text, size_t length, const char *path,
                    struct value **out, struct error *error);
int plan_file_read(struct arena *arena, const char *path, struct value **out, struct error *error);
/* ERR_CONFLICT, with what to do, when the plan is for another world or stack. */
int plan_file_check(const struct value *saved, const struct plan *plan, struct error *error);

#endif
