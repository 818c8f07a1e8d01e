/* Waiting as data: one poll for every kind. */
#include <string.h>

#include "pkg/apply/internal.h"

enum {
    SHORTEST_POLL_S = 1,
    LONGEST_POLL_S = 15,
    POLLS_IN_TYPICAL = 30,
    NEW_THINGS_SHOW_MS = 60000,
    FAILED_LOOKS = 5, /* in a row, before a wait is given up */
};

struct waiting {
    struct task *task;
    struct walk *walk;
    const struct node *node; /* whose progress it is */
    const struct wait *wait;
    const struct found *subject;
    bool until_gone;
    int64_t started_ms;
    int failed_looks;
    struct found *last;
    const char *told;
};

static int64_t poll_ms(const struct wait *wait)
{
    int seconds = wait->poll_s ? wait->poll_s : wait->typical_s / POLLS_IN_TYPICAL;
    if (seconds > LONGEST_POLL_S)
        seconds = LONGEST_POLL_S;
    return (seconds < SHORTEST_POLL_S ? SHORTEST_POLL_S : seconds) * 1000;
}

static bool may_pass(int code)
{
    return code == ERR_LOST_REPLY || code == ERR_THROTTLED || code == ERR_TIMEOUT ||
           code == ERR_FAILED;
}

/* One look: 1 when it is as wanted, 0 when it is to be looked at again. A look that fails is not
 * the end of a wait of many minutes. */
static int look(struct waiting *waiting, const char **seen, struct error *error)
{
    struct walk *walk = waiting->walk;
    int result = observe_one(waiting->task, walk->arena, walk->plan->target, waiting->subject,
                             &waiting->last, error);
    if (result < 0 && may_pass(result) && ++waiting->failed_looks < FAILED_LOOKS) {
        *seen = "not to be seen now";
        return 0;
    }
    if (result < 0)
        return result;
    waiting->failed_looks = 0;
    if (waiting->until_gone) {
        *seen = "still there";
        return !waiting->last;
    }
    if (waiting->last) {
        enum wait_state state = wait_judge(walk->arena, waiting->wait, waiting->last->props, seen);
        if (state == WAIT_FAILED)
            return error_set(error, ERR_FAILED, "%s is %s", waiting->last->name, *seen);
        return state == WAIT_REACHED;
    }
    *seen = "not there";
    if (task_now_ms(waiting->task) - waiting->started_ms > NEW_THINGS_SHOW_MS)
        return error_set(error, ERR_NOT_FOUND, "%s is not there any more", waiting->subject->name);
    return 0;
}

static int check_interrupt(const struct waiting *waiting, const char *seen, struct error *error)
{
    if (!walk_interrupted(waiting->walk))
        return 0;
    return error_set(error, ERR_CANCELLED, "interrupted while %s is %s", waiting->subject->name,
                     seen);
}

/* Until the next look; an interruption, where there can be one, is seen within a second. */
static int pause_between(const struct waiting *waiting, const char *seen, struct error *error)
{
    int64_t left_ms = poll_ms(waiting->wait);
    int64_t slice_ms = waiting->walk->options->interrupted ? 1000 : left_ms;
    int result = check_interrupt(waiting, seen, error);
    for (; left_ms > 0 && result == 0; left_ms -= slice_ms) {
        result = task_sleep(waiting->task, left_ms < slice_ms ? left_ms : slice_ms, error);
        if (result == 0)
            result = check_interrupt(waiting, seen, error);
    }
    return result;
}

static int wait_for(struct waiting *waiting, struct error *error)
{
    const struct wait *wait = waiting->wait;
    waiting->started_ms = task_now_ms(waiting->task);
    for (;;) {
        const char *seen = NULL;
        int result = look(waiting, &seen, error);
        if (result != 0)
            return result < 0 ? result : 0;
        if (task_now_ms(waiting->task) - waiting->started_ms > (int64_t)wait->longest_s * 1000)
            return error_set(error, ERR_TIMEOUT,
                             "waited %d min, and %s is %s: look at it, and run again",
                             wait->longest_s / 60, waiting->subject->name, seen);
        if (!waiting->told || strcmp(waiting->told, seen) != 0)
            walk_report(waiting->task, waiting->walk, waiting->node, PROGRESS_WAIT,
                        waiting->told = seen);
        result = pause_between(waiting, seen, error);
        if (result < 0)
            return result;
    }
}

static int wait_for_state(struct task *task, struct walk *walk, const struct node *node,
                          struct state *state, const struct wait *wait, struct error *error)
{
    struct waiting waiting = {
        .task = task, .walk = walk, .node = node, .wait = wait, .subject = state->have};
    int result = wait_for(&waiting, error);
    if (result == 0)
        state->have = waiting.last;
    return result;
}

/* -- for the nodes -- */

/* What takes long is left to the next run. */
static int look_once(struct waiting *waiting, struct error *error)
{
    const char *seen = NULL;
    int result = look(waiting, &seen, error);
    if (result != 0)
        return result < 0 ? result : 0;
    return error_set(error, ERR_CANCELLED, "left to the next run: %s is still there",
                     waiting->subject->name);
}

int wait_node(struct task *task, struct walk *walk, const struct node *node, struct error *error)
{
    const struct resource_type *type = node->step->type;
    if (node->kind != NODE_GONE)
        return wait_for_state(task, walk, node, state_of(walk, node->step),
                              node->kind == NODE_READY ? &type->ready : &type->complete, error);
    struct waiting waiting = {.task = task,
                              .walk = walk,
                              .node = node,
                              .wait = &type->gone,
                              .subject = node->step->found,
                              .until_gone = true};
    if (walk->options->detach && type->gone.typical_s > DETACHED_S)
        return look_once(&waiting, error);
    return wait_for(&waiting, error);
}

static bool pending(struct walk *walk, const struct state *state, const struct wait *wait)
{
    const char *seen;
    return wait->field && state->have && value_get(state->have->props, wait->field) &&
           wait_judge(walk->arena, wait, state->have->props, &seen) == WAIT_PENDING;
}

int wait_until(struct task *task, struct walk *walk, const struct node *node, struct state *state,
               unsigned flags, struct error *error)
{
    int result = 0;
    if ((flags & (READY | COMPLETE)) && pending(walk, state, &state->type->ready))
        result = wait_for_state(task, walk, node, state, &state->type->ready, error);
    if (result == 0 && (flags & COMPLETE) && pending(walk, state, &state->type->complete))
        result = wait_for_state(task, walk, node, state, &state->type->complete, error);
    return result;
}
