/* One resource: what it should be, against what it is. */
#include <string.h>

#include "pkg/plan/internal.h"

bool entry_is_replaced(const struct entry *entry)
{
    for (size_t i = 0; i < entry->differences.count; i++) {
        if (entry->found && entry->differences.items[i].replaces)
            return true;
    }
    return false;
}

bool entry_is_new(const struct entry *entry)
{
    return !entry->found || entry_is_replaced(entry);
}

int entry_generation(const struct entry *entry)
{
    if (!entry->found)
        return 1;
    return entry->found->generation + entry_is_replaced(entry);
}

const char *entry_name(const struct planning *planning, const struct entry *entry)
{
    if (entry->found && !entry_is_replaced(entry))
        return entry->found->name;
    return type_name(planning->arena, entry->resource->type, planning->target->identity,
                     entry->resource->id, entry->want ? entry->want : entry->resource->props,
                     entry_generation(entry));
}

static const struct value *known(const struct value *value)
{
    return value && value->kind != VALUE_NULL && !value_has_unknown(value) ? value : NULL;
}

static const struct value *lookup_new(struct planning *planning, const struct entry *entry,
                                      const char *attribute)
{
    const struct field *field = type_field(entry->resource->type, attribute);
    bool name = strcmp(attribute, "name") == 0; /* with its generation, unlike the file's */
    if (field && !name && !(field->flags & COMPUTED) && known(value_get(entry->want, attribute)))
        return value_get(entry->want, attribute);
    return value_string(planning->arena, type_predict(planning->arena, entry->resource->type,
                                                      planning->target->identity,
                                                      entry_name(planning, entry), attribute));
}

static const struct value *lookup_found(struct planning *planning, const struct entry *entry,
                                        const char *attribute)
{
    const struct field *field = type_field(entry->resource->type, attribute);
    const struct value *want = value_get(entry->want, attribute);
    if (strcmp(attribute, "name") == 0)
        return value_string(planning->arena, entry->found->name);
    if (field && !(field->flags & COMPUTED) && want && want->kind != VALUE_NULL)
        return want;
    const struct value *have = value_get(entry->found->props, attribute);
    if (known(have))
        return have;
    if (strcmp(attribute, "id") == 0)
        return value_string(planning->arena, entry->found->physical_id);
    return NULL;
}

const struct value *planning_lookup(void *data, const char *id, const char *attribute)
{
    struct planning *planning = data;
    const struct entry *entry = map_get(&planning->by_id, id);
    if (strcmp(id, STACK_REFERENCE) == 0)
        return identity_attribute(planning->arena, planning->target->identity, attribute);
    if (!entry)
        return NULL;
    return known(entry_is_new(entry) ? lookup_new(planning, entry, attribute)
                                     : lookup_found(planning, entry, attribute));
}

/* -- differences -- */

/* Also under its former id. */
static const struct value *last_applied(const struct planning *planning,
                                        const struct resource *resource)
{
    const struct value *all = planning->options ? planning->options->last_applied : NULL;
    const struct value *last = value_get(all, resource->id);
    return last || !resource->was ? last : value_get(all, resource->was);
}

/* Does the file say what it said at the last deployment? */
static bool said_before(const struct planning *planning, const struct entry *entry,
                        const struct field *field, const struct value *last)
{
    struct arena *arena = planning->arena;
    const struct resource *resource = entry->resource;
    const char *name = field ? field->name : "tags";
    const struct value *before = value_get(last, name);
    if (!field)
        return value_equal(before ? before : value_map(arena),
                           resource->tags ? resource->tags : value_map(arena));
    if (before && value_equal(before, value_get(resource->props, name)))
        return true; /* references included */
    return field_equal(arena, field, value_get(entry->want, name),
                       value_get(type_fill(arena, resource->type, last), name));
}

/* Said as before: then it is the cloud that moved. */
static enum why why_differs(const struct planning *planning, const struct entry *entry,
                            const struct field *field, const struct value *want)
{
    const struct value *last = last_applied(planning, entry->resource);
    if (value_has_unknown(want))
        return WHY_REFERENCE;
    if (!field && strcmp(entry->found->id, entry->resource->id) != 0)
        return WHY_FILE; /* renamed */
    if (!last)
        return WHY_DIFFERS;
    return said_before(planning, entry, field, last) ? WHY_DRIFT : WHY_FILE;
}

static bool is_empty(const struct found *found)
{
    return found->contents && !*found->contents;
}

/* A number that may only grow, and is wanted smaller. */
static bool shrinks(const struct field *field, const struct value *want, const struct value *have)
{
    return (field->flags & GROWS) && value_as_int(want, 0) < value_as_int(have, 0);
}

static void add_difference(struct planning *planning, struct entry *entry,
                           const struct field *field, const struct value *want,
                           const struct value *have)
{
    const struct resource_type *type = entry->resource->type;
    bool replaces =
        field && ((field->flags & REPLACE) || !type->update || shrinks(field, want, have));
    struct difference difference = {
        .change = {field, field ? field->name : "tags", have, want},
        .why = why_differs(planning, entry, field, want),
        .replaces = replaces,
        .loses_data = field && !is_empty(entry->found) &&
                      ((field->flags & DATA) || (replaces && (type->flags & HOLDS_DATA))),
    };
    const struct value *said = field ? value_get(entry->resource->props, field->name) : NULL;
    difference.mark = said && said->mark.line ? said->mark : entry->resource->mark;
    vector_push(planning->arena, &entry->differences, difference);
}

static void compare_field(struct planning *planning, struct entry *entry, const struct field *field)
{
    const struct value *want = value_get(entry->want, field->name);
    const struct value *have = value_get(entry->found->props, field->name);
    if (field_compared(field, want) && !field_equal(planning->arena, field, want, have))
        add_difference(planning, entry, field, want, have);
}

/* Resolves the fields that belong to this pass; the others of entry->want stay as they are. */
static void resolve_pass(struct planning *planning, struct entry *entry, bool late)
{
    struct value *props = value_map(planning->arena);
    for (const struct field *field = entry->resource->type->fields; field->name; field++) {
        const struct value *said = value_get(entry->resource->props, field->name);
        if (said && !!(field->flags & LATE) == late)
            value_set(planning->arena, props, field->name,
                      reference_resolve(planning->arena, said, planning_lookup, planning));
    }
    struct value *filled = type_fill(planning->arena, entry->resource->type, props);
    if (!late) {
        entry->want = filled;
        return;
    }
    for (const struct field *field = entry->resource->type->fields; field->name; field++) {
        if (field->flags & LATE)
            value_set(planning->arena, entry->want, field->name, value_get(filled, field->name));
    }
}

void entry_compare(struct planning *planning, struct entry *entry, bool late)
{
    resolve_pass(planning, entry, late);
    if (!entry->found)
        return;
    for (const struct field *field = entry->resource->type->fields; field->name; field++) {
        if (!!(field->flags & LATE) == late)
            compare_field(planning, entry, field);
    }
}

void entry_compare_tags(struct planning *planning, struct entry *entry)
{
    if (!entry->found || (entry->resource->type->flags & NO_TAGS))
        return;
    struct value *want =
        identity_tags(planning->arena, planning->target->identity, entry->resource->id,
                      entry->found->generation, entry->resource->tags);
    if (!value_equal(want, entry->found->tags))
        add_difference(planning, entry, NULL, want, entry->found->tags);
}
