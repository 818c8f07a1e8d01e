/* The order of a plan's work, as a graph. Pure.
 *
 * A step becomes up to six nodes, so that a dependant waits only for what it really needs: made,
 * ready or complete. Removal has nodes of its own, by what was found. */
#ifndef RAGSTACK_PLAN_GRAPH_H
#define RAGSTACK_PLAN_GRAPH_H

#include "pkg/plan/plan.h"

enum node_kind {
    NODE_MAKE,       /* create, or update in place */
    NODE_READY,      /* waits for type->ready */
    NODE_CONNECT,    /* sets the LATE fields */
    NODE_COMPLETE,   /* waits for type->complete */
    NODE_DISCONNECT, /* takes away LATE fields that block a removal */
    NODE_REMOVE,
    NODE_GONE, /* waits until it is not found any more */
};

struct node {
    enum node_kind kind;
    const struct step *step;
    size_t *next; /* nodes that need this one */
    size_t next_count, next_capacity;
    int needs;       /* how many nodes it needs: the walk counts down */
    int64_t work_ms; /* typical */
    int64_t rank_ms; /* the longest typical way from its start to the end of everything */
};

struct graph {
    struct node *items;
    size_t count, capacity;
};

/* ERR_FAILED when the work cannot be ordered (names the resources in the circle). */
int graph_build(struct arena *arena, const struct plan *plan, struct graph *out,
                struct error *error);
/* The longest chain by typical times: the least that a run can take. */
int64_t graph_critical_ms(const struct graph *graph);
const char *node_verb(const struct node *node); /* "create", "wait until ready", "delete" ... */

#endif
