/* Shared by the files of this package: one wanted resource while the plan is being made. */
#ifndef RAGSTACK_PLAN_INTERNAL_H
#define RAGSTACK_PLAN_INTERNAL_H

#include "pkg/base/vector.h"
#include "pkg/plan/plan.h"

enum visit { UNVISITED, VISITING, VISITED };

struct entry {
    const struct resource *resource;
    struct reference_list references;
    const struct found *found;   /* the current one; NULL: to be made */
    const struct found *foreign; /* bears its name, but is not ours */
    struct value *want;          /* filled; LATE fields only after the second pass */
    VECTOR(struct difference) differences;
    enum visit visit;
    bool selected; /* by --target */
};

struct planning {
    struct arena *arena;
    struct target *target;
    const struct plan_options *options;
    struct entry *entries;
    size_t count;
    struct map by_id;                      /* id -> struct entry * */
    struct map by_former_id;               /* `was` -> struct entry * */
    VECTOR(const struct found *) leftover; /* ours, but no longer wanted or superseded */
    bool *goes;                            /* by index of leftover: selected by --target */
};

bool entry_is_new(const struct entry *entry); /* will be created, or made anew */
bool entry_is_replaced(const struct entry *entry);
int entry_generation(const struct entry *entry); /* of what will stand after the plan is done */
const char *entry_name(const struct planning *planning, const struct entry *entry);

/* reference_lookup over a struct planning: what is known about the world after the plan. */
const struct value *planning_lookup(void *data, const char *id, const char *attribute);
/* Resolves the fields of one pass into entry->want, and compares them with what was found. */
void entry_compare(struct planning *planning, struct entry *entry, bool late);
void entry_compare_tags(struct planning *planning, struct entry *entry);

/* -- select.c -- */
/* ERR_USAGE for a target that is none. */
int check_targets(const struct planning *planning, const struct found_list *found,
                  struct error *error);
/* Sets entry->selected and planning->goes. */
void select_steps(struct planning *planning);

/* The texts by which others refer to it: its id, name and ARN. NULL for those that are too short to
 * be told from other words. */
enum { FOUND_TEXTS = 4, SHORTEST_TEXT = 6 };
void found_texts(const struct found *found, const char *texts[FOUND_TEXTS]);

#endif
