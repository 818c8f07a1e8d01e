#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/plan/plan.h"

/* One kind being observed. */
struct look {
    struct observation observation;
    struct found_list *out;
    struct arena *arena;
};

static void take(struct observation *observation, const struct found *found)
{
    struct look *look = observation->sink;
    struct found copy = *found;
    copy.type = observation->type;
    if (copy.generation < 1)
        copy.generation = 1;
    if (!copy.name)
        copy.name = copy.physical_id;
    copy.props = type_fill(look->arena, observation->type, found->props);
    for (const struct field *field = observation->type->fields; field->name; field++) {
        if (field->flags & (COMPUTED | STICKY))
            value_set(look->arena, copy.props, field->name, value_get(found->props, field->name));
    }
    vector_push(look->arena, look->out, copy);
}

static int look_at_kind(struct task *task, void *argument, struct error *error)
{
    struct look *look = argument;
    int result = look->observation.type->observe(task, &look->observation, error);
    if (result < 0)
        error_wrap(error, "cannot look at %s", look->observation.type->kind);
    return result;
}

static void want_names(struct arena *arena, const struct target *target,
                       const struct resource_list *wanted, struct observation *observation)
{
    observation->wanted = arena_array(arena, wanted->count + 1, sizeof *observation->wanted);
    for (size_t i = 0; i < wanted->count; i++) {
        const struct resource *resource = &wanted->items[i];
        if (resource->type != observation->type)
            continue;
        const char *ids[] = {resource->id, resource->was};
        for (size_t j = 0; j < 2 && ids[j] && observation->wanted_count < wanted->count; j++)
            observation->wanted[observation->wanted_count++] = (struct wanted_name){
                ids[j],
                type_name(arena, resource->type, target->identity, ids[j], resource->props, 1), 1};
    }
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
        looks[i].out = out;
        looks[i].arena = arena;
        looks[i].observation = (struct observation){.target = target->data,
                                                    .arena = arena,
                                                    .type = target->types[i],
                                                    .add = take,
                                                    .sink = &looks[i]};
        want_names(arena, target, wanted, &looks[i].observation);
    }
    return task_each(task, "observe", look_at_kind, looks, sizeof *looks, count, 0, error);
}

int observe_one(struct task *task, struct arena *arena, struct target *target,
                const struct found *known, struct found **out, struct error *error)
{
    struct found_list list = {0};
    struct look look = {.out = &list, .arena = arena};
    struct wanted_name name = {known->id, known->name, known->generation};
    look.observation = (struct observation){.target = target->data,
                                            .arena = arena,
                                            .type = known->type,
                                            .add = take,
                                            .sink = &look,
                                            .wanted = &name,
                                            .wanted_count = known->name ? 1 : 0,
                                            .only = known};
    *out = NULL;
    int result = look_at_kind(task, &look, error);
    for (size_t i = 0; result == 0 && i < list.count; i++) {
        bool same = known->physical_id ? strcmp(list.items[i].physical_id, known->physical_id) == 0
                                       : strcmp(list.items[i].id, known->id) == 0 &&
                                             list.items[i].generation == known->generation;
        if (same && !list.items[i].foreign)
            *out = &list.items[i];
    }
    return result;
}
