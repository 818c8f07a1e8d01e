/* Takes the steps out of a plan that would touch data, and those whose things the data needs. */
#ifndef RAGSTACK_CMD_REFUSAL_H
#define RAGSTACK_CMD_REFUSAL_H

#include <stdio.h>

#include "pkg/plan/plan.h"

struct refusal {
    struct step step;
    const char *why; /* a sentence */
};
struct refusal_list {
    struct refusal *items;
    size_t count, capacity;
};

/* Refused is every step of a kind that holds data, but for making a new one; every step that loses
 * data; and the removal of what a thing that stays refers to. Pure. */
void plan_refuse_data(struct arena *arena, struct plan *plan, struct refusal_list *out);
void refusals_print(FILE *out, const struct refusal_list *refusals);

#endif
