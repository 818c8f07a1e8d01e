/* DB parameter groups: what a stack sets is owned whole; the rest is the engine's default.
 * Source: Amazon RDS API Reference, CreateDBParameterGroup and its siblings. */
#include <string.h>

#include "pkg/cloud/rds.h"
#include "pkg/cloud/types.h"

enum { AT_ONCE = 20 }; /* parameters in one call */

static const struct field fields[] = {
    {.name = "family",
     .wire = "DBParameterGroupFamily",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "engine and major version: postgres17"},
    {.name = "description",
     .wire = "Description",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"parameters of a database\"",
     .summary = "for people"},
    {.name = "parameters",
     .type = FIELD_MAP,
     .flags = AFTER,
     .unset = "{}",
     .summary = "values by name, as RDS writes them; static ones take effect at the next reboot"},
    {.name = "arn",
     .reply = "DBParameterGroupArn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its ARN"},
    {.name = "methods",
     .type = FIELD_MAP,
     .flags = COMPUTED,
     .summary = "how each parameter was applied: immediate, or pending-reboot"},
    {0},
};

/* Those that somebody set, by this member. Without a source it is one of them: only the full list
 * has others. */
static struct value *user_parameters(struct arena *arena, const struct value *items,
                                     const char *member)
{
    struct value *map = value_map(arena), *item;
    value_each(item, items)
    {
        const char *name = value_text(item, "ParameterName");
        const char *source = value_text(item, "Source");
        const char *value = value_text(item, member);
        if (name && value && (!source || strcmp(source, "user") == 0))
            value_set_text(arena, map, name, value);
    }
    return map;
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *items = NULL;
    struct value *parameters =
        rds_named(arena, "DBParameterGroupName", value_text(item, "DBParameterGroupName"));
    value_set_text(arena, parameters, "Source", "user");
    int result =
        cloud_list(task, observation, &aws_rds, "DescribeDBParameters", parameters, &items, error);
    value_set(arena, props, "parameters", user_parameters(arena, items, "ParameterValue"));
    value_set(arena, props, "methods", user_parameters(arena, items, "ApplyMethod"));
    return result;
}

static const struct rds_kind kind = {
    .arn_prefix = "pg:",
    .operation = "DescribeDBParameterGroups",
    .name_member = "DBParameterGroupName",
    .items = "DBParameterGroups.DBParameterGroup",
    .arn = "DBParameterGroupArn",
    .decode = decode,
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return rds_observe(task, observation, &kind, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    value_set_text(action->arena, parameters, "DBParameterGroupName", action->name);
    rds_add_tags(action, parameters);
    int result =
        cloud_call(task, action, &aws_rds, "CreateDBParameterGroup", parameters, &reply, error);
    if (result == 0)
        rds_take_made(action, value_get(reply, "DBParameterGroup"));
    return result;
}

/* -- changing parameters -- */

static struct value *row(struct arena *arena, const char *name, const char *value,
                         const char *method)
{
    struct value *map = value_map(arena);
    value_set_text(arena, map, "ParameterName", name);
    if (value)
        value_set_text(arena, map, "ParameterValue", value);
    return value_set_text(arena, map, "ApplyMethod", method);
}

/* Static parameters refuse "immediate"; "pending-reboot" is right for those that nothing is known
 * of. */
static const char *method_for(const struct value *known, const char *name)
{
    const char *type = value_text(value_find(known, "ParameterName", name), "ApplyType");
    return type && strcmp(type, "dynamic") == 0 ? "immediate" : "pending-reboot";
}

/* What RDS knows of these parameters, set or not. */
static int describe(struct task *task, struct action *action, const struct value *names,
                    struct value **known, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *filter = value_map(arena), *reply = NULL;
    struct value *parameters = rds_named(arena, "DBParameterGroupName", action->have->name);
    value_set_text(arena, filter, "Name", "parameter-name");
    value_set(arena, filter, "Values", value_wrap(arena, "Value", value_copy(arena, names)));
    value_set(arena, parameters, "Filters",
              value_wrap(arena, "Filter", value_push(arena, value_list(arena), filter)));
    int result =
        cloud_call(task, action, &aws_rds, "DescribeDBParameters", parameters, &reply, error);
    *known = value_at(reply, "Parameters.Parameter");
    return result;
}

/* The names whose value differs, or that `to` has and `from` has not. */
static struct value *names_beyond(struct arena *arena, const struct value *to,
                                  const struct value *from)
{
    struct value *names = value_list(arena);
    for (size_t i = 0; i < value_count(to); i++) {
        const struct value_entry *entry = value_entry(to, i);
        const char *want = value_as_text(arena, entry->value);
        const char *have = value_as_text(arena, value_get(from, entry->key));
        if (!have || !want || strcmp(want, have) != 0)
            value_push_text(arena, names, entry->key);
    }
    return names;
}

static struct value *names_missing(struct arena *arena, const struct value *from,
                                   const struct value *to)
{
    struct value *names = value_list(arena);
    for (size_t i = 0; i < value_count(from); i++) {
        if (!value_get(to, value_entry(from, i)->key))
            value_push_text(arena, names, value_entry(from, i)->key);
    }
    return names;
}

/* Sends the parameters of `names` in as many calls as it takes; `values` NULL for a reset. */
static int send(struct task *task, struct action *action, const char *operation,
                const struct value *names, const struct value *values, const struct value *known,
                struct error *error)
{
    struct arena *arena = action->arena;
    int result = 0;
    for (size_t i = 0; result == 0 && i < value_count(names); i += AT_ONCE) {
        struct value *list = value_list(arena);
        for (size_t j = i; j < value_count(names) && j < i + AT_ONCE; j++) {
            const char *name = value_item(names, j)->string.text;
            value_push(arena, list,
                       row(arena, name, value_as_text(arena, value_get(values, name)),
                           method_for(known, name)));
        }
        struct value *parameters = rds_named(arena, "DBParameterGroupName", action->have->name);
        value_set(arena, parameters, "Parameters", value_wrap(arena, "Parameter", list));
        result = cloud_call(task, action, &aws_rds, operation, parameters, NULL, error);
    }
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const struct value *want = value_get(action->want, "parameters");
    const struct value *have = value_get(action->have->props, "parameters");
    struct value *set = names_beyond(arena, want, have), *all = value_copy(arena, set), *name;
    struct value *reset = names_missing(arena, have, want), *known = NULL;
    value_each(name, reset) value_push(arena, all, value_copy(arena, name));
    int result = value_count(all) ? describe(task, action, all, &known, error) : 0;
    if (result == 0)
        result = send(task, action, "ModifyDBParameterGroup", set, want, known, error);
    if (result == 0)
        result = send(task, action, "ResetDBParameterGroup", reset, NULL, known, error);
    return result;
}

static int remove_group(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_rds, "DeleteDBParameterGroup",
                        rds_named(action->arena, "DBParameterGroupName", action->have->name),
                        error);
}

static const struct patience patience[] = {
    {"InvalidDBParameterGroupState", NULL,
     "it is being changed, or a database that is being deleted still uses it", 2700, 0},
    {0},
};

static const char *const computed_by_name[] = {
    "arn=arn:{partition}:rds:{region}:{account}:pg:{name}", NULL};

const struct resource_type rds_parameter_group = {
    .kind = "rds.parameter_group",
    .summary = "parameters of the database engine",
    .flags = NAMED,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_group,
    .retag = rds_retag,
    .patience = patience,
    .computed_by_name = computed_by_name,
};
