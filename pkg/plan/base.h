/* A plan beside a commit: which of its changes come from what was written since, and which were
 * there already. Pure.
 *
 * Three sides: the file now, the file as the commit has it, and what runs. A change that only the
 * file's plan makes is of what was written since; one that both plans make was there already and is
 * not deployed, or has drifted; one that only the commit's plan makes runs already. */
#ifndef RAGSTACK_PLAN_BASE_H
#define RAGSTACK_PLAN_BASE_H

#include "pkg/plan/plan.h"

struct base {
    const char *revision, *commit; /* "main", 40 digits */
    const struct plan *plan;       /* what the commit's file would change */
};

/* Says it of each step and difference (`origin`), and adds the section "base" to the plan. */
void plan_compare_base(struct arena *arena, struct plan *plan, const struct base *base);

#endif
