/* What is known of each resource during the walk, and references to it. */
#include <string.h>

#include "pkg/apply/internal.h"

static struct state *add_state(struct walk *walk, const char *id, const struct resource_type *type)
{
    struct state *state = map_get(&walk->states, id);
    if (state && state->type == type)
        return state;
    state = arena_new_of(walk->arena, struct state);
    state->type = type;
    map_put(&walk->states, id, state);
    return state;
}

void states_index(struct walk *walk)
{
    walk->states = map_in(walk->arena);
    for (size_t i = 0; i < walk->plan->found.count; i++) {
        struct found *found = &walk->plan->found.items[i];
        if (found->foreign)
            continue;
        struct state *state = add_state(walk, found->id, found->type);
        if (!state->have || state->have->generation < found->generation)
            state->have = found;
    }
    for (size_t i = 0; i < walk->plan->wanted->count; i++) {
        const struct resource *resource = &walk->plan->wanted->items[i];
        add_state(walk, resource->id, resource->type)->resource = resource;
    }
    for (size_t i = 0; i < walk->plan->step_count; i++) { /* also those under a former id */
        const struct step *step = &walk->plan->steps[i];
        if (step->kind == STEP_UPDATE || step->kind == STEP_REPLACE)
            state_of(walk, step)->have =
                step->kind == STEP_UPDATE ? (struct found *)step->found : NULL;
        if (step->kind == STEP_CREATE)
            state_of(walk, step)->have = NULL;
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

static const struct value *lookup(void *data, const char *id, const char *attribute)
{
    struct walk *walk = data;
    const struct state *state = map_get(&walk->states, id);
    if (strcmp(id, STACK_REFERENCE) == 0)
        return identity_attribute(walk->arena, walk->plan->target->identity, attribute);
    if (!state)
        return NULL;
    const struct field *field = type_field(state->type, attribute);
    if (strcmp(attribute, "name") == 0) /* with its generation, unlike the file's */
        return state->have ? known(value_string(walk->arena, state->have->name)) : NULL;
    if (field && !(field->flags & COMPUTED) && known(value_get(state->want, attribute)))
        return value_get(state->want, attribute);
    if (!state->have)
        return NULL;
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

static int resolve_references(struct task *task, struct walk *walk, const struct resource *resource,
                              bool late, struct error *error)
{
    struct reference_list references = {0};
    int result = resource_references(walk->arena, resource, &references, error);
    for (size_t i = 0; result == 0 && i < references.count; i++) {
        const struct reference *reference = &references.items[i];
        bool in_late = reference->field && (reference->field->flags & LATE);
        if (in_late == late && !lookup(walk, reference->id, reference->attribute))
            result = look_again(task, walk, reference, error);
    }
    return result;
}

int state_resolve(struct task *task, struct walk *walk, struct state *state, bool late,
                  struct error *error)
{
    int result = resolve_references(task, walk, state->resource, late, error);
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
