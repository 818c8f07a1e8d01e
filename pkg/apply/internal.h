/* Shared by the files of this package. */
#ifndef RAGSTACK_APPLY_INTERNAL_H
#define RAGSTACK_APPLY_INTERNAL_H

#include "pkg/apply/apply.h"
#include "pkg/base/vector.h"
#include "pkg/plan/graph.h"

enum { DETACHED_S = 60 }; /* what takes longer is not waited for in a detached run */

/* What is known of one resource while the walk goes on. */
struct state {
    const struct resource *resource; /* NULL: the file does not have it */
    const struct resource_type *type;
    struct found *have;      /* NULL: not made yet */
    struct value *want;      /* resolved with what is known now */
    const struct node *node; /* under way */
};

struct walk {
    struct arena *arena;
    const struct plan *plan;
    const struct apply_options *options;
    struct apply_result *result;
    struct graph graph;
    struct node_run *runs; /* by node index */
    struct map states;     /* id -> struct state * */
    struct signal changed;
    int running, waiting; /* tasks under way: at work, and only waiting */
    int64_t started_ms;
};

void states_index(struct walk *walk);
struct state *state_of(struct walk *walk, const struct step *step);
/* Resolves the fields of one pass with the attributes of what is made by now; waits for what an
 * earlier run left unfinished, and looks again where an attribute is missing. */
int state_resolve(struct task *task, struct walk *walk, const struct node *node,
                  struct state *state, bool late, struct error *error);

/* The work of the nodes; each is one function from (walk, node) to an error code. */
int make_node(struct task *task, struct walk *walk, const struct node *node, struct error *error);
int connect_node(struct task *task, struct walk *walk, const struct node *node,
                 struct error *error);
int disconnect_node(struct task *task, struct walk *walk, const struct node *node,
                    struct error *error);
int remove_node(struct task *task, struct walk *walk, const struct node *node, struct error *error);
int wait_node(struct task *task, struct walk *walk, const struct node *node, struct error *error);

/* Waits until what exists is ready or complete, by the flags READY and COMPLETE, if it was last
 * seen otherwise; the wait is progress of `node`. */
int wait_until(struct task *task, struct walk *walk, const struct node *node, struct state *state,
               unsigned flags, struct error *error);

bool walk_interrupted(const struct walk *walk);
/* Did the user name this resource in --allow-data-loss? */
bool walk_consented(const struct walk *walk, const char *id);
void walk_report(struct task *task, struct walk *walk, const struct node *node,
                 enum progress_kind kind, const char *detail);

#endif
