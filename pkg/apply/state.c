/* What is known of each resource during the walk, and references to it. */
#include <string.h>

#include "pkg/apply/internal.h"

void states_index(struct walk *walk)
{
    const struct plan *plan = walk->plan;
    walk->states = map_in(walk->arena);
    for (size_t i = 0; i < plan->wanted->count; i++) {
        struct state *state = arena_new_of(walk->arena, struct state);
        state->resource = &plan->wanted->items[i];
        state->type = state->resource->type;
        state->have = (struct found *)plan->current[i];
        map_put(&walk->states, state->resource->id, state);
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].kind == STEP_REPLACE)
            state_of(walk, &plan->steps[i])->have = NULL;
    }
}

struct state *state_of(struct walk *walk, const struct step *step)
{
    return map_get(&walk->states, step->id);
}

static const struct value *known(const struct value *value)
{
    return value && value->kind != VALUE_NULL && !value_has_unknown(value) ? value : NULL;
}

/* What refers to itself while it is made: all that its name tells. */
static const struct value *predicted(struct walk *walk, const struct state *state,
                                     const char *attribute)
{
    const struct identity *identity = walk->plan->target->identity;
    int generation = state->node ? state->node->step->generation : 1;
    if (!state->resource)
        return NULL;
    const char *name = type_name(walk->arena, state->type, identity, state->resource->id,
                                 state->resource->props, generation);
    return known(value_string(walk->arena,
                              type_predict(walk->arena, state->type, identity, name, attribute)));
}

static const struct value *lookup(void *data, const char *id, const char *attribute)
{
    struct walk *walk = data;
    const struct state *state = map_get(&walk->states, id);
    if (strcmp(id, STACK_REFERENCE) == 0)
        return identity_attribute(walk->arena, walk->plan->target->identity, attribute);
    if (!state)
        return NULL;
    const struct field *field = type_field(state->type, attribute);
    bool name = strcmp(attribute, "name") == 0; /* with its generation, unlike the file's */
    if (name && state->have)
        return known(value_string(walk->arena, state->have->name));
    if (field && !name && !(field->flags & COMPUTED) && known(value_get(state->want, attribute)))
        return value_get(state->want, attribute);
    if (!state->have)
        return predicted(walk, state, attribute);
    if (known(value_get(state->have->props, attribute)))
        return value_get(state->have->props, attribute);
    if (strcmp(attribute, "id") == 0)
        return known(value_string(walk->arena, state->have->physical_id));
    return known(value_string(walk->arena,
                              type_predict(walk->arena, state->type, walk->plan->target->identity,
                                           state->have->name, attribute)));
}

/* Some attributes (an endpoint's address) are not in the reply that made the thing. */
static int look_again(struct task *task, struct walk *walk, const struct reference *reference,
                      struct error *error)
{
    struct state *state = map_get(&walk->states, reference->id);
    struct found *found = NULL;
    if (state && state->have) {
        int result = observe_one(task, walk->arena, walk->plan->target, state->have, &found, error);
        if (result < 0)
            return result;
    }
    if (found)
        state->have = found;
    if (!lookup(walk, reference->id, reference->attribute))
        return error_set_at(error, ERR_FAILED, reference->mark,
                            "${%s.%s} has no value, although \"%s\" was made", reference->id,
                            reference->attribute, reference->id);
    return 0;
}

/* What this run made is ready by the order of the nodes; what an earlier run began may not be. */
static int wait_for_referred(struct task *task, struct walk *walk, const struct node *node,
                             const struct reference *reference, struct error *error)
{
    struct state *to = map_get(&walk->states, reference->id);
    if (!to || !to->have)
        return 0;
    const struct field *attribute = type_field(to->type, reference->attribute);
    unsigned flags = reference->field ? reference->field->flags : 0;
    if (attribute && (attribute->flags & COMPUTED))
        flags |= attribute->flags;
    return wait_until(task, walk, node, to, flags, error);
}

static int resolve_references(struct task *task, struct walk *walk, const struct node *node,
                              const struct resource *resource, bool late, struct error *error)
{
    struct reference_list references = {0};
    int result = resource_references(walk->arena, resource, &references, error);
    for (size_t i = 0; result == 0 && i < references.count; i++) {
        const struct reference *reference = &references.items[i];
        bool in_late = reference->field && (reference->field->flags & LATE);
        if (in_late != late)
            continue;
        result = wait_for_referred(task, walk, node, reference, error);
        if (result == 0 && !lookup(walk, reference->id, reference->attribute))
            result = look_again(task, walk, reference, error);
    }
    return result;
}

int state_resolve(struct task *task, struct walk *walk, const struct node *node,
                  struct state *state, bool late, struct error *error)
{
    int result = resolve_references(task, walk, node, state->resource, late, error);
    if (result < 0)
        return result;
    struct value *props = value_map(walk->arena);
    for (size_t i = 0; i < value_count(state->resource->props); i++) {
        const struct value_entry *entry = value_entry(state->resource->props, i);
        const struct field *field = type_field(state->type, entry->key);
        if (field && (late || !(field->flags & LATE)))
            value_set(walk->arena, props, entry->key,
                      reference_resolve(walk->arena, entry->value, lookup, walk));
    }
    state->want = type_fill(walk->arena, state->type, props);
    return 0;
}
