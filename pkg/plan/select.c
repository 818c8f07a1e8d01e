/* What --target leaves of a plan. */
#include <string.h>

#include "pkg/plan/internal.h"

static bool selected(const struct planning *planning, const struct resource_type *type,
                     const char *id)
{
    const char *const *targets = planning->options ? planning->options->targets : NULL;
    if (!targets || !targets[0])
        return true;
    const char *whole = arena_printf(planning->arena, "%s.%s", type->kind, id);
    for (; *targets; targets++) {
        if (strcmp(*targets, id) == 0 || strcmp(*targets, whole) == 0)
            return true;
    }
    return false;
}

/* Selects it and all that it needs. */
static void select_with_needs(struct planning *planning, struct entry *first, struct entry **stack)
{
    size_t depth = 0;
    if (!first->selected)
        stack[depth++] = first;
    first->selected = true;
    while (depth) {
        const struct entry *entry = stack[--depth];
        for (size_t i = 0; i < entry->references.count; i++) {
            struct entry *to = map_get(&planning->by_id, entry->references.items[i].id);
            if (to && !to->selected)
                stack[depth++] = to;
            if (to)
                to->selected = true;
        }
    }
}

/* It cannot stay as it is: what it refers to goes, and another takes its place. */
static bool follows_replacement(struct planning *planning, const struct entry *entry)
{
    for (size_t i = 0; i < entry->references.count && entry->found; i++) {
        const struct entry *to = map_get(&planning->by_id, entry->references.items[i].id);
        if (to && to->selected && entry_is_replaced(to))
            return true;
    }
    return false;
}

static void select_wanted(struct planning *planning)
{
    struct entry **stack = arena_array(planning->arena, planning->count + 1, sizeof *stack);
    for (size_t i = 0; i < planning->count; i++) {
        struct entry *entry = &planning->entries[i];
        if (selected(planning, entry->resource->type, entry->resource->id))
            select_with_needs(planning, entry, stack);
    }
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < planning->count; i++) {
            struct entry *entry = &planning->entries[i];
            if (entry->selected || !follows_replacement(planning, entry))
                continue;
            select_with_needs(planning, entry, stack);
            more = true;
        }
    }
}

int check_targets(const struct planning *planning, const struct found_list *found,
                  struct error *error)
{
    const char *const *targets = planning->options ? planning->options->targets : NULL;
    for (; targets && *targets; targets++) {
        const char *dot = strrchr(*targets, '.');
        const char *id = dot ? dot + 1 : *targets;
        bool there = map_get(&planning->by_id, id) != NULL;
        for (size_t i = 0; i < found->count && !there; i++)
            there = strcmp(found->items[i].id, id) == 0;
        if (!there)
            return error_set(error, ERR_USAGE,
                             "--target %s: there is no such resource; `ragstack "
                             "diff --expand` lists them",
                             *targets);
    }
    return 0;
}

/* -- of what goes -- */

void found_texts(const struct found *found, const char *texts[FOUND_TEXTS])
{
    const char *all[FOUND_TEXTS] = {found->physical_id, found->name, value_text(found->props, "id"),
                                    value_text(found->props, "arn")};
    for (size_t i = 0; i < FOUND_TEXTS; i++)
        texts[i] = all[i] && strlen(all[i]) >= SHORTEST_TEXT ? all[i] : NULL;
}

static bool mentions(const struct value *value, const struct map *texts)
{
    if (value_is(value, VALUE_STRING))
        return map_get(texts, value->string.text) != NULL;
    for (size_t i = 0; value_is(value, VALUE_LIST) && i < value->list.count; i++) {
        if (mentions(value->list.items[i], texts))
            return true;
    }
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value->map.count; i++) {
        if (mentions(value->map.entries[i].value, texts))
            return true;
    }
    return false;
}

/* Does it stand on one of them? */
static bool stands_on(const struct found *found, const struct map *texts)
{
    for (const struct field *field = found->type->fields; field->name; field++) {
        bool holds = field->type != FIELD_DOCUMENT && !(field->flags & COMPUTED) &&
                     (!(field->flags & LATE) || (field->flags & BLOCKS));
        if (holds && mentions(value_get(found->props, field->name), texts))
            return true;
    }
    return false;
}

static void let_go(struct planning *planning, size_t index, struct map *gone)
{
    const char *texts[FOUND_TEXTS];
    planning->goes[index] = true;
    found_texts(planning->leftover.items[index], texts);
    for (size_t i = 0; i < FOUND_TEXTS; i++) {
        if (texts[i])
            map_put(gone, texts[i], planning);
    }
}

/* What stands on something that goes has to go, too. */
static void select_leftover(struct planning *planning)
{
    struct map gone = map_in(planning->arena);
    planning->goes =
        arena_array(planning->arena, planning->leftover.count + 1, sizeof *planning->goes);
    for (size_t i = 0; i < planning->leftover.count; i++) {
        const struct found *found = planning->leftover.items[i];
        if (selected(planning, found->type, found->id))
            let_go(planning, i, &gone);
    }
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < planning->leftover.count; i++) {
            if (planning->goes[i] || !stands_on(planning->leftover.items[i], &gone))
                continue;
            let_go(planning, i, &gone);
            more = true;
        }
    }
}

void select_steps(struct planning *planning)
{
    select_wanted(planning);
    select_leftover(planning);
}
