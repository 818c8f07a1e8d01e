#include "cmd/ragstack/reference.h"

#include <string.h>

#include "pkg/cloud/cloud.h"
#include "pkg/cloud/metrics.h"
#include "pkg/stack/stack.h"

const char *field_type_name(enum field_type type)
{
    static const char *const names[] = {
        [FIELD_STRING] = "string",     [FIELD_INT] = "int",   [FIELD_REAL] = "real",
        [FIELD_BOOL] = "bool",         [FIELD_LIST] = "list", [FIELD_MAP] = "map",
        [FIELD_DOCUMENT] = "document",
    };
    return names[type];
}

const struct flag_row field_flag_rows[] = {
    {REQUIRED, "required", "must be said"},
    {REPLACE, "replace", "cannot change in place: a change replaces the resource"},
    {COMPUTED, "computed", "found in the cloud: can be referred to, not set"},
    {WRITE_ONLY, "write_only", "cannot be observed, and is not compared"},
    {UNORDERED, "unordered", "the order of the list means nothing"},
    {AT_LEAST, "at_least", "at least this version; never a downgrade"},
    {DATA, "data", "a change loses data, and needs consent"},
    {STICKY, "sticky", "when the file leaves it open, what exists is kept"},
    {AFTER, "after", "set right after the resource is made"},
    {LATE, "late", "set once all that it refers to exists"},
    {COMPLETE, "complete", "waits until what it refers to is complete"},
    {READY, "ready", "waits until what it refers to is ready"},
    {GROWS, "grows", "can grow in place, never shrink"},
    {CASELESS, "caseless", "compared without regard to case"},
    {BLOCKS, "blocks", "taken away first when what it refers to is deleted"},
    {POLICY, "policy", "an IAM policy"},
    {0, NULL, NULL},
};

const struct flag_row type_flag_rows[] = {
    {HOLDS_DATA, "holds_data", "holds data: deleting or replacing it needs consent"},
    {DELETE_FIRST, "delete_first", "a replacement deletes the old one first"},
    {NAMED, "named", "has a name that is unique while it is in use"},
    {NO_TAGS, "no_tags", "takes no tags"},
    {HIDDEN, "hidden", "not for `resources:`"},
    {UNLISTED, "unlisted", "found by its name alone"},
    {0, NULL, NULL},
};

static struct value *flags_to_value(struct arena *arena, const struct flag_row *rows,
                                    unsigned flags)
{
    struct value *list = value_list(arena);
    for (; rows->name; rows++) {
        if (flags & rows->flag)
            value_push_text(arena, list, rows->name);
    }
    return list;
}

static struct value *fields_to_value(struct arena *arena, const struct field *fields);

static struct value *field_to_value(struct arena *arena, const struct field *field)
{
    struct value *row = value_map(arena);
    value_set_text(arena, row, "name", field->name);
    value_set_text(arena, row, "type", field_type_name(field->type));
    if (field->type == FIELD_LIST)
        value_set_text(arena, row, "item",
                       field_type_name(field->fields ? FIELD_MAP : field->item));
    value_set(arena, row, "flags", flags_to_value(arena, field_flag_rows, field->flags));
    value_set(arena, row, "unset", field_unset(arena, field));
    if (field->allowed)
        value_set_text(arena, row, "allowed", field->allowed);
    if (field->key)
        value_set_text(arena, row, "key", field->key);
    if (field->summary)
        value_set_text(arena, row, "summary", field->summary);
    return value_set(arena, row, "fields",
                     field->fields ? fields_to_value(arena, field->fields) : NULL);
}

static struct value *fields_to_value(struct arena *arena, const struct field *fields)
{
    struct value *list = value_list(arena);
    for (; fields->name; fields++)
        value_push(arena, list, field_to_value(arena, fields));
    return list;
}

static struct value *alarm_to_value(struct arena *arena, const struct alarm_rule *rule)
{
    const struct metric *metric = &metrics[metric_number(rule->metric)];
    struct value *row = value_map(arena);
    value_set_text(arena, row, "id", arena_printf(arena, "alarm-%s", rule->id));
    value_set_text(arena, row, "key", arena_printf(arena, "watch.alarms.%s", rule->key));
    value_set_text(arena, row, "namespace", metric->namespace);
    value_set_text(arena, row, "metric", metric->name);
    value_set_text(arena, row, "dimension", metric->dimension);
    value_set_text(arena, row, "value", metric->value);
    value_set_text(arena, row, "statistic", metric->statistic);
    value_set_int(arena, row, "period_s", rule->period_s);
    value_set_int(arena, row, "periods", rule->periods);
    value_set_text(arena, row, "comparison", rule->comparison);
    value_set(arena, row, "scale", value_real(arena, rule->scale));
    return value_set_text(arena, row, "missing_data", rule->missing);
}

struct value *reference_tables(struct arena *arena)
{
    struct value *document = value_map(arena), *kinds = value_list(arena);
    value_set_int(arena, document, "schema", 1);
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "kind", (*type)->kind);
        value_set_text(arena, row, "summary", (*type)->summary);
        value_set(arena, row, "flags", flags_to_value(arena, type_flag_rows, (*type)->flags));
        value_set_bool(arena, row, "updates", (*type)->update != NULL);
        value_push(arena, kinds,
                   value_set(arena, row, "fields", fields_to_value(arena, (*type)->fields)));
    }
    value_set(arena, document, "kinds", kinds);
    struct value *alarms = value_list(arena);
    for (const struct alarm_rule *rule = alarm_rules; rule->id; rule++)
        value_push(arena, alarms, alarm_to_value(arena, rule));
    value_set(arena, document, "alarms", alarms);
    return value_set(arena, document, "stack", fields_to_value(arena, stack_fields));
}
