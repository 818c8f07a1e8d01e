#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/plan/plan.h"

/* One kind being observed. */
struct look {
    struct observation observation;
    struct found_list found;
    struct arena *arena;
};

/* The cloud's own tags cannot be changed by anybody. */
static struct value *without_aws_tags(struct arena *arena, const struct value *tags)
{
    if (!tags)
        return NULL;
    struct value *ours = value_map(arena);
    for (size_t i = 0; i < value_count(tags); i++) {
        const struct value_entry *entry = value_entry(tags, i);
        if (strncmp(entry->key, "aws:", 4) != 0)
            value_set(arena, ours, entry->key, entry->value);
    }
    return ours;
}

static void take(struct observation *observation, const struct found *found)
{
    struct look *look = observation->sink;
    struct found copy = *found;
    copy.type = observation->type;
    copy.tags = without_aws_tags(look->arena, found->tags);
    if (copy.generation < 1)
        copy.generation = 1;
    if (!copy.name)
        copy.name = copy.physical_id;
    copy.props = type_fill(look->arena, observation->type, found->props);
    for (const struct field *field = observation->type->fields; field->name; field++) {
        if (field->flags & (COMPUTED | STICKY))
            value_set(look->arena, copy.props, field->name, value_get(found->props, field->name));
    }
    vector_push(look->arena, &look->found, copy);
}

static int look_at_kind(struct task *task, void *argument, struct error *error)
{
    struct look *look = argument;
    int result = look->observation.type->observe(task, &look->observation, error);
    if (result < 0)
        error_wrap(error, "cannot look at %s", look->observation.type->kind);
    return result;
}

/* Whatever order the replies came in: the same world is the same list. */
static int by_id(const void *a, const void *b)
{
    const struct found *one = a, *other = b;
    int order = strcmp(one->id, other->id);
    if (order == 0)
        order = (one->generation > other->generation) - (one->generation < other->generation);
    return order ? order : strcmp(one->physical_id, other->physical_id);
}

static void take_kind(struct arena *arena, struct look *look, struct found_list *out)
{
    if (look->found.count)
        qsort(look->found.items, look->found.count, sizeof *look->found.items, by_id);
    for (size_t i = 0; i < look->found.count; i++)
        vector_push(arena, out, look->found.items[i]);
}

int observe_all(struct task *task, struct arena *arena, struct target *target,
                const struct resource_list *wanted, struct found_list *out, struct error *error)
{
    int result = target->prepare ? target->prepare(task, target, wanted, error) : 0;
    if (result < 0)
        return result;
    size_t count = 0;
    while (target->types[count])
        count++;
    struct look *looks = arena_array(arena, count + 1, sizeof *looks);
    for (size_t i = 0; i < count; i++) {
        looks[i].arena = arena;
        looks[i].observation = (struct observation){.target = target->data,
                                                    .arena = arena,
                                                    .type = target->types[i],
                                                    .add = take,
                                                    .sink = &looks[i]};
        observation_want(&looks[i].observation, target->identity, wanted);
    }
    result = task_each(task, "observe", look_at_kind, looks, sizeof *looks, count, 0, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        take_kind(arena, &looks[i], out);
    return result;
}

static int look_for(struct task *task, struct arena *arena, struct target *target,
                    const struct found *known, struct found_list *out, struct error *error)
{
    struct look look = {.arena = arena};
    struct wanted_name name = {known->id, known->name, known->generation};
    look.observation = (struct observation){.target = target->data,
                                            .arena = arena,
                                            .type = known->type,
                                            .add = take,
                                            .sink = &look,
                                            .wanted = &name,
                                            .wanted_count = known->name ? 1 : 0,
                                            .only = known};
    int result = look_at_kind(task, &look, error);
    *out = look.found;
    return result;
}

int observe_any(struct task *task, struct arena *arena, struct target *target,
                const struct found *known, struct found **out, struct error *error)
{
    struct found_list list = {0};
    int result = look_for(task, arena, target, known, &list, error);
    *out = result == 0 && list.count ? &list.items[0] : NULL;
    return result;
}

int observe_one(struct task *task, struct arena *arena, struct target *target,
                const struct found *known, struct found **out, struct error *error)
{
    struct found_list found = {0};
    const struct found_list *list = &found;
    *out = NULL;
    int result = look_for(task, arena, target, known, &found, error);
    for (size_t i = 0; result == 0 && i < list->count; i++) {
        bool same = known->physical_id ? strcmp(list->items[i].physical_id, known->physical_id) == 0
                                       : strcmp(list->items[i].id, known->id) == 0 &&
                                             list->items[i].generation == known->generation;
        if (same && !list->items[i].foreign)
            *out = &list->items[i];
    }
    return result;
}
