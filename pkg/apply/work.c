/* The work of each kind of node. A verb that lost a reply is never blindly repeated: what is there
 * is observed first, and then only what is missing is done. */
#include <string.h>

#include "pkg/apply/internal.h"

enum { ATTEMPTS = 4 };

/* A verb that waits: what for is progress, and an interruption ends it. */
struct verb_wait {
    struct task *task;
    struct walk *walk;
    const struct node *node;
    const char *told;
    int64_t since_ms; /* 0: it has not waited yet */
};

static int verb_waits(void *data, const char *what, struct error *error)
{
    struct verb_wait *wait = data;
    int64_t now_ms = task_now_ms(wait->task);
    wait->since_ms = wait->since_ms ? wait->since_ms : now_ms;
    if (walk_interrupted(wait->walk))
        return error_set(error, ERR_CANCELLED, "interrupted while waiting: %s", what);
    if (wait->walk->options->detach && now_ms - wait->since_ms >= DETACHED_S * 1000)
        return error_set(error, ERR_CANCELLED, "left to the next run: %s", what);
    if (!wait->told || strcmp(wait->told, what) != 0)
        walk_report(wait->task, wait->walk, wait->node, PROGRESS_WAIT, wait->told = what);
    return 0;
}

static struct action action_for(struct task *task, struct walk *walk, struct state *state,
                                const char *id)
{
    struct verb_wait *wait = arena_new_of(walk->arena, struct verb_wait);
    *wait = (struct verb_wait){task, walk, state->node, NULL, 0};
    return (struct action){.target = walk->plan->target->data,
                           .arena = walk->arena,
                           .type = state->type,
                           .id = id,
                           .want = state->want,
                           .have = state->have,
                           .name = state->have ? state->have->name : NULL,
                           .generation = state->have ? state->have->generation : 1,
                           .consented = walk_consented(walk, id),
                           .made = value_map(walk->arena),
                           .waiting = verb_waits,
                           .waiting_data = wait};
}

static struct value *tags_of(struct walk *walk, const struct state *state, int generation)
{
    return identity_tags(walk->arena, walk->plan->target->identity, state->resource->id, generation,
                         state->resource->tags);
}

/* -- changing in place -- */

/* Which fields of the pass differ between want and have. */
static void find_changes(struct walk *walk, const struct state *state, bool late,
                         struct action *action)
{
    VECTOR(struct change) changes = {0};
    for (const struct field *field = state->type->fields; field->name; field++) {
        const struct value *want = value_get(state->want, field->name);
        const struct value *have = value_get(state->have->props, field->name);
        if (!!(field->flags & LATE) == late && field_compared(field, want) &&
            !field_equal(walk->arena, field, want, have))
            vector_push(walk->arena, &changes, ((struct change){field, field->name, have, want}));
    }
    action->changes = changes.items;
    action->change_count = changes.count;
}

/* What stands after the verb: what was wanted, and what the replies told. */
static void take_result(struct walk *walk, struct state *state, const struct action *action)
{
    struct found *have = arena_new_of(walk->arena, struct found);
    *have = *state->have;
    have->props = value_merge(walk->arena, have->props, action->made);
    for (size_t i = 0; i < action->change_count; i++)
        value_set(walk->arena, have->props, action->changes[i].field->name,
                  value_copy(walk->arena, action->changes[i].after));
    have->tags = action->tags ? value_copy(walk->arena, action->tags) : have->tags;
    state->have = have;
}

static int change_once(struct task *task, struct walk *walk, struct state *state, bool late,
                       struct error *error)
{
    struct action action = action_for(task, walk, state, state->resource->id);
    int result = 0;
    find_changes(walk, state, late, &action);
    if (!late && !(state->type->flags & NO_TAGS)) {
        struct value *tags = tags_of(walk, state, state->have->generation);
        if (!value_equal(tags, state->have->tags)) {
            action.tags = tags;
            result = state->type->retag ? state->type->retag(task, &action, error) : 0;
        }
    }
    if (result == 0 && action.change_count && state->type->update)
        result = state->type->update(task, &action, error);
    if (result == 0)
        take_result(walk, state, &action);
    return result;
}

static int look_again(struct task *task, struct walk *walk, struct state *state,
                      struct error *error)
{
    struct found *found = NULL;
    int result = observe_one(task, walk->arena, walk->plan->target, state->have, &found, error);
    if (result == 0 && !found)
        return error_set(error, ERR_NOT_FOUND, "%s is not there any more",
                         state->have->physical_id);
    if (result == 0)
        state->have = found;
    return result;
}

static int change(struct task *task, struct walk *walk, struct state *state, bool late,
                  struct error *error)
{
    int result = change_once(task, walk, state, late, error);
    for (int attempt = 1; result == ERR_LOST_REPLY && attempt < ATTEMPTS; attempt++) {
        result = look_again(task, walk, state, error);
        if (result == 0)
            result = change_once(task, walk, state, late, error);
    }
    return result;
}

/* -- making -- */

static void tell_made(struct walk *walk, const struct state *state)
{
    if (walk->plan->target->made && state->have->physical_id)
        walk->plan->target->made(walk->plan->target, state->have->physical_id);
}

/* Looks for what a lost reply may have made. *state->have stays NULL when there is nothing. */
static int find_own(struct task *task, struct walk *walk, struct state *state,
                    const struct action *action, struct error *error)
{
    struct found expected = {.type = state->type,
                             .id = action->id,
                             .name = action->name,
                             .generation = action->generation};
    int result = 0;
    for (int attempt = 0; attempt < ATTEMPTS && !state->have && result == 0; attempt++) {
        if (attempt)
            result = task_sleep(task, 500 << attempt, error); /* what is new shows late */
        if (result == 0)
            result =
                observe_one(task, walk->arena, walk->plan->target, &expected, &state->have, error);
    }
    if (result == 0 && state->have)
        tell_made(walk, state);
    return result;
}

/* A new thing has what create gives it; AFTER and LATE fields are as the cloud makes them. */
static void take_new(struct walk *walk, struct state *state, const struct action *action)
{
    struct found *have = arena_new_of(walk->arena, struct found);
    struct value *props = value_copy(walk->arena, state->want);
    for (const struct field *field = state->type->fields; field->name; field++) {
        if (field->flags & (AFTER | LATE))
            value_set(walk->arena, props, field->name, field_unset(walk->arena, field));
    }
    *have = (struct found){.type = state->type,
                           .id = action->id,
                           .generation = action->generation,
                           .physical_id = action->physical_id,
                           .name = action->name ? action->name : action->physical_id,
                           .props = value_merge(walk->arena, props, action->made),
                           .tags = (struct value *)action->tags};
    state->have = have;
    tell_made(walk, state);
}

static int create(struct task *task, struct walk *walk, struct state *state, int generation,
                  struct error *error)
{
    struct action action = action_for(task, walk, state, state->resource->id);
    action.generation = generation;
    action.name = type_name(walk->arena, state->type, walk->plan->target->identity, action.id,
                            state->want, generation);
    action.tags = tags_of(walk, state, generation);
    int result = ERR_LOST_REPLY;
    for (int attempt = 0; attempt < ATTEMPTS && result == ERR_LOST_REPLY && !state->have;
         attempt++) {
        result = state->type->create(task, &action, error);
        if (action.physical_id && result == 0)
            take_new(walk, state, &action);
        if (result != ERR_LOST_REPLY && result != ERR_EXISTS)
            return result;
        struct error first = *error;
        int looked = find_own(task, walk, state, &action, error);
        if (looked < 0)
            return looked;
        *error = first;
    }
    if (!state->have && result == ERR_EXISTS)
        return error_wrap(error,
                          "the name %s is taken by something that is not this stack's: take it in "
                          "with `ragstack adopt %s.%s %s`, take it away, or give \"%s\" another id",
                          action.name, action.type->kind, action.id, action.name, action.id);
    return state->have ? 0 : result;
}

int make_node(struct task *task, struct walk *walk, const struct node *node, struct error *error)
{
    struct state *state = state_of(walk, node->step);
    state->node = node;
    int result = state_resolve(task, walk, node, state, false, error);
    if (result == 0 && state->have)
        result = wait_until(task, walk, node, state, READY, error);
    else if (result == 0)
        result = create(task, walk, state, node->step->generation, error);
    return result == 0 ? change(task, walk, state, false, error) : result;
}

int connect_node(struct task *task, struct walk *walk, const struct node *node, struct error *error)
{
    struct state *state = state_of(walk, node->step);
    state->node = node;
    int result = state_resolve(task, walk, node, state, true, error);
    if (result == 0)
        result = wait_until(task, walk, node, state, READY, error);
    return result == 0 ? change(task, walk, state, true, error) : result;
}

/* -- removing -- */

/* Takes away what there is of the fields that block others. */
static int disconnect_once(struct task *task, struct walk *walk, struct state *state,
                           struct error *error)
{
    state->want = value_copy(walk->arena, state->have->props);
    for (const struct field *field = state->type->fields; field->name; field++) {
        if (field->flags & BLOCKS)
            value_set(walk->arena, state->want, field->name, field_unset(walk->arena, field));
    }
    struct action action = action_for(task, walk, state, state->node->step->id);
    find_changes(walk, state, true, &action);
    return action.change_count ? state->type->update(task, &action, error) : 0;
}

/* That something is not found may be about one of several parts, of which the others still stand
 * (EC2 revokes all of the rules or none): only a look tells. */
int disconnect_node(struct task *task, struct walk *walk, const struct node *node,
                    struct error *error)
{
    struct state state = {
        .type = node->step->type, .have = (struct found *)node->step->found, .node = node};
    int result = disconnect_once(task, walk, &state, error);
    for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
        if (result != ERR_LOST_REPLY && result != ERR_NOT_FOUND)
            return result;
        result = look_again(task, walk, &state, error);
        if (result == ERR_NOT_FOUND)
            return 0;
        if (result == 0)
            result = disconnect_once(task, walk, &state, error);
    }
    return result;
}

int remove_node(struct task *task, struct walk *walk, const struct node *node, struct error *error)
{
    struct state state = {
        .type = node->step->type, .have = (struct found *)node->step->found, .node = node};
    struct action action = action_for(task, walk, &state, node->step->id);
    action.want = state.have->props;
    action.keep_data = !(walk->plan->down && action.consented);
    int result = ERR_LOST_REPLY;
    for (int attempt = 0; attempt < ATTEMPTS && result == ERR_LOST_REPLY; attempt++)
        result = state.type->remove(task, &action, error);
    return result == ERR_NOT_FOUND ? 0 : result;
}
