/* Walks the steps of a plan with tasks: up and down by the same walk.
 *
 * A node starts when what it needs is ready, longest remaining path first; a failure stops only
 * what depends on it; readiness is waited for only where a dependant or the end of the run needs
 * it. Every state it can leave behind is one from which the next run goes on. */
#ifndef RAGSTACK_APPLY_APPLY_H
#define RAGSTACK_APPLY_APPLY_H

#include "pkg/plan/plan.h"

enum progress_kind {
    PROGRESS_START, /* a node begins */
    PROGRESS_WAIT,  /* it is made, and now waited for; also every time the reason changes */
    PROGRESS_DONE,
    PROGRESS_FAIL,
    PROGRESS_SKIP, /* something that it needs failed; with a detail: it is left to the next run */
};
struct progress {
    enum progress_kind kind;
    const struct resource_type *type;
    const char *id;
    const char *verb;   /* "create", "update", "connect", "delete" ... */
    const char *detail; /* state waited for, or the error's message; may be NULL */
    int64_t elapsed_ms;
    int typical_s;
    int done, total; /* nodes */
};

struct apply_options {
    int at_once; /* nodes at a time; 0: 24 */
    void (*progress)(void *data, const struct progress *progress);
    void *data;
    const char *const *allow_data_loss; /* ids; ends with NULL; NULL: none */
    /* Deletes: what takes long is not waited for. What is left so is no failure; the outcomes tell
     * it. */
    bool detach;
    const bool *interrupted; /* becomes true on Ctrl-C: nothing new starts, what runs is finished */
};

/* What became of a step; not tried: something that it needs failed, or the walk was interrupted. */
enum step_outcome { STEP_NOT_TRIED, STEP_FAILED, STEP_DONE };

struct apply_result {
    int done, failed, skipped;
    enum step_outcome *outcomes; /* by the plan's steps; NULL when nothing was tried */
    /* One row a node that failed, root causes first. */
    struct apply_failure {
        const struct step *step;
        struct error error;
    } * failures;
    size_t failure_count;
    /* Attributes of everything after the walk: {"ID": {"attribute": ..}}. */
    struct value *attributes;
    /* Where the time went: the longest chain, as [{"id":, "verb":, "ms":}]. */
    struct value *critical_path;
    int64_t elapsed_ms;
    /* The least that these steps could have taken in this order, each as long as it took: the
     * longest chain of the graph. elapsed_ms over it is the scheduler's own part. */
    int64_t bound_ms;
};

/* ERR_EXISTS when a step is blocked; ERR_DATA_LOSS when one loses data and is not in
 * `allow_data_loss`. Pure: apply_run checks the same. */
int apply_check(const struct plan *plan, const char *const *allow_data_loss, struct error *error);

/* 0; ERR_PARTIAL when some nodes failed or were interrupted; ERR_DATA_LOSS (nothing done) when a
 * step loses data without consent. */
int apply_run(struct task *task, struct arena *arena, const struct plan *plan,
              const struct apply_options *options, struct apply_result *result,
              struct error *error);
/* Gives something that exists the tags of this stack: `have` is what was found, `tags` all that it
 * must carry. Nothing else of it changes. */
int apply_adopt(struct task *task, struct arena *arena, const struct target *target,
                const struct found *have, const struct value *tags, struct error *error);
#endif
