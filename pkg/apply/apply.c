#include "pkg/apply/apply.h"

#include <string.h>

#include "pkg/apply/internal.h"

enum { AT_ONCE = 24 };

enum run_state {
    RUN_PENDING,
    RUN_UNDER_WAY,
    RUN_DONE,
    RUN_FAILED,
    RUN_SKIPPED,     /* something that it needs failed */
    RUN_INTERRUPTED, /* it only waited, and the user did not want to */
};

struct node_run {
    struct walk *walk;
    size_t index;
    enum run_state state;
    int needs;          /* nodes that it still waits for */
    size_t released_by; /* the node that ended last among those; its own index if none */
    int64_t start_ms, end_ms;
    struct error error;
};

bool walk_interrupted(const struct walk *walk)
{
    return walk->options->interrupted && *walk->options->interrupted;
}

static bool is_allowed(const char *const *allowed, const char *id)
{
    for (; allowed && *allowed; allowed++) {
        if (strcmp(*allowed, id) == 0)
            return true;
    }
    return false;
}

bool walk_consented(const struct walk *walk, const char *id)
{
    return is_allowed(walk->options->allow_data_loss, id);
}

static bool only_waits(const struct node *node)
{
    return node->kind == NODE_READY || node->kind == NODE_COMPLETE || node->kind == NODE_GONE;
}

static int typical_s(const struct node *node)
{
    return only_waits(node) ? (int)(node->work_ms / 1000) : 0;
}

void walk_report(struct task *task, struct walk *walk, const struct node *node,
                 enum progress_kind kind, const char *detail)
{
    if (!walk->options->progress)
        return;
    const struct node_run *run = &walk->runs[node - walk->graph.items];
    struct progress progress = {
        .kind = kind,
        .type = node->step->type,
        .id = node->step->id,
        .verb = node_verb(node),
        .detail = detail,
        .elapsed_ms = run->start_ms ? task_now_ms(task) - run->start_ms : 0,
        .typical_s = typical_s(node),
        .done = walk->result->done,
        .total = (int)walk->graph.count,
    };
    walk->options->progress(walk->options->data, &progress);
}

/* -- one node -- */

static int do_node(struct task *task, struct walk *walk, const struct node *node,
                   struct error *error)
{
    switch (node->kind) {
    case NODE_MAKE:
        return make_node(task, walk, node, error);
    case NODE_CONNECT:
        return connect_node(task, walk, node, error);
    case NODE_DISCONNECT:
        return disconnect_node(task, walk, node, error);
    case NODE_REMOVE:
        return remove_node(task, walk, node, error);
    case NODE_READY:
    case NODE_COMPLETE:
    case NODE_GONE:
        return wait_node(task, walk, node, error);
    }
    return 0;
}

static void skip_dependants(struct task *task, struct walk *walk, const struct node *failed)
{
    size_t *stack = arena_array(walk->arena, walk->graph.count + 1, sizeof *stack), depth = 0;
    stack[depth++] = (size_t)(failed - walk->graph.items);
    while (depth) {
        const struct node *node = &walk->graph.items[stack[--depth]];
        for (size_t i = 0; i < node->next_count; i++) {
            struct node_run *run = &walk->runs[node->next[i]];
            if (run->state != RUN_PENDING)
                continue;
            run->state = RUN_SKIPPED;
            walk->result->skipped++;
            walk_report(task, walk, &walk->graph.items[run->index], PROGRESS_SKIP, NULL);
            stack[depth++] = run->index;
        }
    }
}

static void release_dependants(struct walk *walk, const struct node_run *run)
{
    const struct node *node = &walk->graph.items[run->index];
    for (size_t i = 0; i < node->next_count; i++) {
        struct node_run *next = &walk->runs[node->next[i]];
        next->released_by = run->index;
        next->needs--;
    }
}

static void finish(struct task *task, struct node_run *run, int result)
{
    struct walk *walk = run->walk;
    const struct node *node = &walk->graph.items[run->index];
    run->end_ms = task_now_ms(task);
    if (result == 0) {
        run->state = RUN_DONE;
        walk->result->done++;
        release_dependants(walk, run);
        walk_report(task, walk, node, PROGRESS_DONE, NULL);
        return;
    }
    if (result == ERR_CANCELLED && (walk_interrupted(walk) || walk->options->detach)) {
        run->state = RUN_INTERRUPTED;
        walk_report(task, walk, node, walk_interrupted(walk) ? PROGRESS_FAIL : PROGRESS_SKIP,
                    run->error.message);
        return;
    }
    run->state = RUN_FAILED;
    walk->result->failed++;
    if (node->step->mark.line)
        error_place(&run->error, node->step->mark);
    walk_report(task, walk, node, PROGRESS_FAIL, run->error.message);
    skip_dependants(task, walk, node);
}

static int run_node(struct task *task, void *argument, struct error *error)
{
    struct node_run *run = argument;
    struct walk *walk = run->walk;
    const struct node *node = &walk->graph.items[run->index];
    int *counter = only_waits(node) ? &walk->waiting : &walk->running;
    (void)error; /* kept in the run: one failure does not end the walk */
    run->start_ms = task_now_ms(task);
    if (!only_waits(node))
        walk_report(task, walk, node, PROGRESS_START, NULL);
    int result = do_node(task, walk, node, &run->error);
    --*counter;
    finish(task, run, result);
    signal_all(&walk->changed);
    return 0;
}

/* -- the walk -- */

/* Of the nodes that may start, the one with the longest way to the end; NULL if none. */
static struct node_run *next_run(struct walk *walk)
{
    int limit = walk->options->at_once ? walk->options->at_once : AT_ONCE;
    struct node_run *best = NULL;
    for (size_t i = 0; i < walk->graph.count; i++) {
        struct node_run *run = &walk->runs[i];
        const struct node *node = &walk->graph.items[i];
        if (run->state != RUN_PENDING || run->needs > 0 ||
            (!only_waits(node) && walk->running >= limit))
            continue;
        if (!best || node->rank_ms > walk->graph.items[best->index].rank_ms)
            best = run;
    }
    return best;
}

static void start(struct task *self, struct walk *walk, struct node_run *run)
{
    const struct node *node = &walk->graph.items[run->index];
    run->state = RUN_UNDER_WAY;
    ++*(only_waits(node) ? &walk->waiting : &walk->running);
    const char *name = arena_printf(walk->arena, "%s %s", node_verb(node), node->step->id);
    task_detach(task_start(task_loop(self), name, run_node, run));
}

static void walk_nodes(struct task *self, struct walk *walk)
{
    for (;;) {
        struct node_run *run;
        while (!walk_interrupted(walk) && (run = next_run(walk)))
            start(self, walk, run);
        if (walk->running + walk->waiting == 0)
            return;
        struct error ignored;
        task_mask_cancel(self, true); /* what runs is finished, also after a cancellation */
        task_wait(self, &walk->changed, 0, "a step to end", &ignored);
        task_mask_cancel(self, false);
    }
}

/* -- what came of it -- */

static void collect_failures(struct walk *walk)
{
    struct apply_result *result = walk->result;
    result->failures =
        arena_array(walk->arena, (size_t)result->failed + 1, sizeof *result->failures);
    for (size_t i = 0; i < walk->graph.count; i++) {
        if (walk->runs[i].state == RUN_FAILED)
            result->failures[result->failure_count++] =
                (struct apply_failure){walk->graph.items[i].step, walk->runs[i].error};
    }
}

/* Done is a step whose nodes all are. */
static void collect_outcomes(struct walk *walk)
{
    const struct plan *plan = walk->plan;
    enum step_outcome *outcomes = arena_array(walk->arena, plan->step_count + 1, sizeof *outcomes);
    for (size_t i = 0; i < plan->step_count; i++)
        outcomes[i] = STEP_DONE;
    for (size_t i = 0; i < walk->graph.count; i++) {
        enum step_outcome *outcome = &outcomes[walk->graph.items[i].step - plan->steps];
        if (walk->runs[i].state == RUN_FAILED)
            *outcome = STEP_FAILED;
        else if (walk->runs[i].state != RUN_DONE && *outcome == STEP_DONE)
            *outcome = STEP_NOT_TRIED;
    }
    walk->result->outcomes = outcomes;
}

static void collect_attributes(struct walk *walk)
{
    walk->result->attributes = value_map(walk->arena);
    for (size_t i = 0; i < walk->states.count; i++) {
        const struct state *state = walk->states.entries[i].value;
        if (!state->have || walk->plan->down)
            continue;
        struct found whole = *state->have;
        if (state->want)
            whole.props = value_merge(walk->arena, whole.props, state->want);
        value_set(walk->arena, walk->result->attributes, walk->states.entries[i].key,
                  found_attributes(walk->arena, &whole));
    }
}

/* Each node ends, at the soonest, its own time after the last that it needs. */
static int64_t longest_chain_ms(const struct walk *walk)
{
    size_t count = walk->graph.count, done = 0, ready = 0;
    int *needs = arena_array(walk->arena, count + 1, sizeof *needs);
    size_t *order = arena_array(walk->arena, count + 1, sizeof *order);
    int64_t *begin_ms = arena_array(walk->arena, count + 1, sizeof *begin_ms), longest_ms = 0;
    for (size_t i = 0; i < count; i++) {
        needs[i] = walk->graph.items[i].needs;
        if (needs[i] == 0)
            order[ready++] = i;
    }
    for (; done < ready; done++) {
        const struct node *node = &walk->graph.items[order[done]];
        const struct node_run *run = &walk->runs[order[done]];
        int64_t end_ms = begin_ms[order[done]] + run->end_ms - run->start_ms;
        longest_ms = end_ms > longest_ms ? end_ms : longest_ms;
        for (size_t i = 0; i < node->next_count; i++) {
            size_t next = node->next[i];
            begin_ms[next] = end_ms > begin_ms[next] ? end_ms : begin_ms[next];
            if (--needs[next] == 0)
                order[ready++] = next;
        }
    }
    return longest_ms;
}

/* Back from what ended last, along what each node had to wait for. */
static void collect_critical_path(struct walk *walk)
{
    size_t last = 0;
    for (size_t i = 1; i < walk->graph.count; i++) {
        if (walk->runs[i].end_ms > walk->runs[last].end_ms)
            last = i;
    }
    VECTOR(size_t) chain = {0};
    for (size_t at = last; walk->graph.count;) {
        vector_push(walk->arena, &chain, at);
        if (walk->runs[at].released_by == at)
            break;
        at = walk->runs[at].released_by;
    }
    walk->result->critical_path = value_list(walk->arena);
    while (chain.count-- > 0) {
        const struct node_run *run = &walk->runs[chain.items[chain.count]];
        struct value *row = value_map(walk->arena);
        value_set_text(walk->arena, row, "id", walk->graph.items[run->index].step->id);
        value_set_text(walk->arena, row, "verb", node_verb(&walk->graph.items[run->index]));
        value_set_int(walk->arena, row, "ms", run->end_ms - run->start_ms);
        value_push(walk->arena, walk->result->critical_path, row);
    }
}

int apply_check(const struct plan *plan, const char *const *allow_data_loss, struct error *error)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if (step->blocked)
            return error_set_at(error, ERR_EXISTS, step->mark, "%s %s: %s", step->type->kind,
                                step->id, step->blocked);
        if (step->loses_data && !is_allowed(allow_data_loss, step->id))
            return error_set_at(error, ERR_DATA_LOSS, step->mark,
                                "%s %s would lose its data (%s); nothing was changed. If that is "
                                "meant, say --allow-data-loss=%s",
                                step->type->kind, step->id, step->reason, step->id);
    }
    return 0;
}

static int outcome(const struct walk *walk, struct error *error)
{
    const struct apply_result *result = walk->result;
    if (result->failed)
        return error_set(error, ERR_PARTIAL, "%d of %zu steps failed, %d were not tried",
                         result->failed, walk->graph.count, result->skipped);
    bool left = (size_t)result->done < walk->graph.count;
    if (left && (walk_interrupted(walk) || !walk->options->detach))
        return error_set(error, ERR_PARTIAL, "interrupted: %zu of %zu steps are left",
                         walk->graph.count - (size_t)result->done, walk->graph.count);
    return 0;
}

int apply_run(struct task *task, struct arena *arena, const struct plan *plan,
              const struct apply_options *options, struct apply_result *result, struct error *error)
{
    *result = (struct apply_result){0};
    struct walk *walk = arena_new_of(arena, struct walk);
    *walk = (struct walk){.arena = arena,
                          .plan = plan,
                          .options = options,
                          .result = result,
                          .started_ms = task_now_ms(task)};
    int code = apply_check(plan, options->allow_data_loss, error);
    if (code == 0)
        code = graph_build(arena, plan, &walk->graph, error);
    if (code < 0)
        return code;
    walk->runs = arena_array(arena, walk->graph.count + 1, sizeof *walk->runs);
    for (size_t i = 0; i < walk->graph.count; i++)
        walk->runs[i] = (struct node_run){
            .walk = walk, .index = i, .released_by = i, .needs = walk->graph.items[i].needs};
    states_index(walk);
    walk_nodes(task, walk);
    collect_failures(walk);
    collect_outcomes(walk);
    collect_attributes(walk);
    collect_critical_path(walk);
    result->elapsed_ms = task_now_ms(task) - walk->started_ms;
    result->bound_ms = longest_chain_ms(walk);
    return outcome(walk, error);
}
