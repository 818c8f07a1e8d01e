/* RDS Proxy: one door to the database that pools connections, IAM end to end. Its target group
 * `default` and the registered target are part of it.
 * Source: Amazon RDS API Reference, CreateDBProxy, ModifyDBProxyTargetGroup, RegisterDBProxyTargets
 * and DescribeDBProxyTargets. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/rds.h"
#include "pkg/cloud/types.h"

#define TARGET_GROUP "default" /* every proxy has it, and no other */

static const struct field fields[] = {
    {.name = "engine_family",
     .wire = "EngineFamily",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"POSTGRESQL\"",
     .allowed = "POSTGRESQL|MYSQL",
     .summary = "which protocol it speaks"},
    {.name = "default_auth",
     .wire = "DefaultAuthScheme",
     .type = FIELD_STRING,
     .unset = "\"IAM_AUTH\"",
     .allowed = "IAM_AUTH|NONE",
     .summary = "IAM_AUTH: clients and the proxy itself sign in by IAM; NONE: by `secrets`"},
    {.name = "secrets",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "ARNs of secrets with username and password, for default_auth: NONE"},
    {.name = "require_tls",
     .wire = "RequireTLS",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "clients have to use TLS"},
    {.name = "role",
     .wire = "RoleArn",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "ARN of the role with which it connects to the database"},
    {.name = "subnets",
     .wire = "VpcSubnetIds.member",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | REPLACE | UNORDERED,
     .summary = "subnets in at least two zones"},
    {.name = "groups",
     .wire = "VpcSecurityGroupIds.member",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .summary = "security groups"},
    {.name = "idle_client_timeout_s",
     .wire = "IdleClientTimeout",
     .type = FIELD_INT,
     .unset = "1800",
     .allowed = "1..28800",
     .summary = "idle clients are disconnected after this long"},
    {.name = "debug_logging",
     .wire = "DebugLogging",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "logs every statement, for a day: they may hold what nobody should read"},
    {.name = "target",
     .type = FIELD_STRING,
     .flags = REQUIRED | LATE | READY,
     .summary = "name of the database instance behind it"},
    {.name = "users",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = LATE | WRITE_ONLY,
     .summary = "database users that have to exist before it signs in"},
    {.name = "max_connections_percent",
     .wire = "MaxConnectionsPercent",
     .type = FIELD_INT,
     .flags = LATE,
     .unset = "100",
     .allowed = "1..100",
     .summary = "share of the database's connections that it may open"},
    {.name = "max_idle_connections_percent",
     .wire = "MaxIdleConnectionsPercent",
     .type = FIELD_INT,
     .flags = LATE,
     .unset = "50",
     .allowed = "0..100",
     .summary = "share of the database's connections that it keeps open unused; at most "
                "max_connections_percent"},
    {.name = "borrow_timeout_s",
     .wire = "ConnectionBorrowTimeout",
     .type = FIELD_INT,
     .flags = LATE,
     .unset = "120",
     .allowed = "0..3600",
     .summary = "a client waits this long for a connection"},
    {.name = "session_pinning_filters",
     .wire = "SessionPinningFilters.member",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = LATE | UNORDERED,
     .unset = "[]",
     .allowed = "EXCLUDE_VARIABLE_SETS",
     .summary = "what does not tie a client to one connection"},
    {.name = "init_query",
     .wire = "InitQuery",
     .type = FIELD_STRING,
     .flags = LATE,
     .unset = "\"\"",
     .summary = "statements that are run on every new connection"},
    {.name = "endpoint",
     .reply = "Endpoint",
     .type = FIELD_STRING,
     .flags = COMPUTED | READY,
     .summary = "host name"},
    {.name = "arn",
     .reply = "DBProxyArn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its ARN"},
    {.name = "resource_id",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "prx-...: what rds-db:connect policies name"},
    {.name = "status",
     .reply = "Status",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "available, when it takes connections"},
    {.name = "target_health",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "AVAILABLE, when it reaches the database and can sign in"},
    {.name = "target_reason",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "why it does not"},
    {0},
};

/* -- what descriptions say -- */

/* "arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0a1": the last part. */
static void set_resource_id(struct arena *arena, struct value *props)
{
    const char *arn = value_text(props, "arn");
    if (arn && strrchr(arn, ':'))
        value_set_text(arena, props, "resource_id", strrchr(arn, ':') + 1);
}

/* What is missing, when AWS gives this reason. */
static const struct {
    const char *reason, *advice;
} advices[] = {
    {"UNREACHABLE", "the proxy does not reach the database: its security group must let port 5432 "
                    "out to the database's group, and that one in from it"},
    {"CONNECTION_FAILED", "the database refuses the connection: see whether it is available and "
                          "has connections left"},
    {"AUTH_FAILURE",
     "the database refuses the proxy's sign-in: the proxy's role must allow rds-db:connect on the "
     "database's resource id, iam_auth must be on, and the database user must have the role "
     "rds_iam"},
    {"PENDING_PROXY_CAPACITY", "the proxy is still getting its capacity"},
    {"INVALID_REPLICATION_STATE", "the target is a replica that does not replicate"},
    {"PROMOTED", "the target was promoted"},
};

static const char *reason_words(struct arena *arena, const struct value *health)
{
    const char *reason = value_text(health, "Reason"), *said = value_text(health, "Description");
    for (size_t i = 0; reason && i < COUNT_OF(advices); i++) {
        if (strcmp(advices[i].reason, reason) == 0)
            return said && *said
                       ? arena_printf(arena, "%s: %s (%s)", reason, advices[i].advice, said)
                       : arena_printf(arena, "%s: %s", reason, advices[i].advice);
    }
    return reason ? reason : "";
}

/* All that is registered, "a, b" when somebody added one; the first that is not well tells. */
static void set_targets(struct arena *arena, const struct value *targets, struct value *props)
{
    const char *names = NULL, *health = NULL, *reason = "";
    const struct value *target;
    value_each(target, targets)
    {
        const char *name = value_text(target, "RdsResourceId");
        const char *state = value_text_at(target, "TargetHealth.State");
        if (name)
            names = names ? arena_printf(arena, "%s, %s", names, name) : name;
        if (!health || strcmp(health, "AVAILABLE") == 0) {
            health = state;
            reason = reason_words(arena, value_get(target, "TargetHealth"));
        }
    }
    value_set(arena, props, "target", value_string(arena, names));
    value_set_text(arena, props, "target_health", health ? health : "NONE");
    value_set_text(arena, props, "target_reason", reason);
}

static void set_pool(struct arena *arena, const struct resource_type *type,
                     const struct value *groups, struct value *props)
{
    const struct value *group = value_find(groups, "TargetGroupName", TARGET_GROUP);
    const struct value *pool = cloud_decode(arena, type, value_get(group, "ConnectionPoolConfig"));
    for (size_t i = 0; i < value_count(pool); i++)
        value_set(arena, props, value_entry(pool, i)->key, value_entry(pool, i)->value);
}

static void set_secrets(struct arena *arena, const struct value *item, struct value *props)
{
    struct value *secrets = value_list(arena), *auth;
    value_each(auth, value_at(item, "Auth.member"))
    {
        if (value_text(auth, "SecretArn"))
            value_push(arena, secrets, value_get(auth, "SecretArn"));
    }
    value_set(arena, props, "secrets", secrets);
}

/* A proxy that is being made or goes away answers nothing about its targets. */
static bool has_targets(const struct value *props)
{
    const char *status = value_text(props, "status");
    return status && strcmp(status, "creating") != 0 && strcmp(status, "deleting") != 0;
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *name = rds_named(arena, "DBProxyName", value_text(item, "DBProxyName"));
    struct cloud_read reads[] = {
        {.service = &aws_rds,
         .operation = "DescribeDBProxyTargets",
         .parameters = name,
         .how = READ_LIST},
        {.service = &aws_rds,
         .operation = "DescribeDBProxyTargetGroups",
         .parameters = name,
         .how = READ_LIST},
    };
    set_resource_id(arena, props);
    set_secrets(arena, item, props);
    if (!has_targets(props))
        return 0;
    int result = cloud_get_all(task, observation, reads, COUNT_OF(reads), error);
    if (result == 0) {
        set_targets(arena, reads[0].reply, props);
        set_pool(arena, observation->type, reads[1].reply, props);
    }
    return result;
}

static const struct rds_kind kind = {
    .arn_prefix = "db-proxy:",
    .operation = "DescribeDBProxies",
    .name_member = "DBProxyName",
    .items = "DBProxies.member",
    .arn = "DBProxyArn",
    .status = "Status",
    .decode = decode,
};

/* -- finding: the inventory knows ARNs with resource ids, RDS describes by names -- */

struct names {
    struct candidate *items;
    size_t count, capacity;
};

static void add_name(struct arena *arena, struct names *names, struct candidate candidate)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i].name, candidate.name) == 0) {
            names->items[i] = candidate.arn ? candidate : names->items[i];
            return;
        }
    }
    vector_push(arena, names, candidate);
}

static bool is_from_inventory(const struct candidate *candidate)
{
    return candidate->arn && strncmp(candidate->name, "prx-", 4) == 0;
}

/* The candidates by name; those of the inventory by the name that a thing with their tags got. */
static struct names names_of(struct observation *observation, const struct candidate *candidates,
                             size_t count)
{
    const struct cloud *cloud = observation->target;
    struct names names = {0};
    for (size_t i = 0; i < count; i++) {
        struct candidate candidate = candidates[i];
        const char *id;
        int generation;
        if (is_from_inventory(&candidate)) {
            if (!identity_owns(&cloud->identity, candidate.tags, &id, &generation))
                continue;
            candidate.name = type_name(observation->arena, observation->type, &cloud->identity, id,
                                       NULL, generation);
        }
        add_name(observation->arena, &names, candidate);
    }
    return names;
}

/* The row of the inventory with this ARN, when no name led to it. */
static const struct candidate *missed(const struct candidate *candidates, size_t count,
                                      const struct names *names, const char *arn)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].arn && strcmp(names->items[i].arn, arn) == 0)
            return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_from_inventory(&candidates[i]) && strcmp(candidates[i].arn, arn) == 0)
            return &candidates[i];
    }
    return NULL;
}

/* What was taken in bears any name, and only a list tells it. */
static int observe_others(struct task *task, struct observation *observation,
                          const struct candidate *candidates, size_t count,
                          const struct names *names, struct error *error)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any = any || (is_from_inventory(&candidates[i]) &&
                      missed(candidates, count, names, candidates[i].arn));
    if (!any)
        return 0;
    struct value *items = NULL, *item;
    struct names others = {0};
    int result = cloud_list(task, observation, &aws_rds, "DescribeDBProxies", NULL, &items, error);
    if (result < 0)
        return result;
    value_each(item, items)
    {
        const char *arn = value_text(item, "DBProxyArn"), *name = value_text(item, "DBProxyName");
        const struct candidate *row = arn ? missed(candidates, count, names, arn) : NULL;
        if (row && name)
            add_name(observation->arena, &others, (struct candidate){name, arn, row->tags});
    }
    return rds_observe_candidates(task, observation, &kind, others.items, others.count, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "rds", kind.arn_prefix, &candidates);
    struct names names = names_of(observation, candidates, count);
    int result = rds_observe_candidates(task, observation, &kind, names.items, names.count, error);
    return result == 0 ? observe_others(task, observation, candidates, count, &names, error)
                       : result;
}

/* -- verbs -- */

static void set_auth(struct action *action, struct value *parameters)
{
    struct arena *arena = action->arena;
    const struct value *secrets = value_get(action->want, "secrets"), *secret;
    struct value *list = value_list(arena);
    value_each(secret, secrets)
    {
        struct value *auth = value_map(arena);
        value_set_text(arena, auth, "AuthScheme", "SECRETS");
        value_set(arena, auth, "SecretArn", value_copy(arena, secret));
        value_set_text(arena, auth, "IAMAuth", "REQUIRED");
        value_push(arena, list, auth);
    }
    if (value_count(list) || (action->have && action_changes(action, "secrets")))
        value_set(arena, parameters, "Auth", value_wrap(arena, "member", list));
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    value_set_text(action->arena, parameters, "DBProxyName", action->name);
    set_auth(action, parameters);
    rds_add_tags(action, parameters);
    int result = rds_create(task, action, &kind, "CreateDBProxy", parameters, &reply, error);
    if (result == 0) {
        rds_take_made(action, value_get(reply, "DBProxy"));
        set_resource_id(action->arena, action->made);
    }
    return result;
}

/* What belongs to the target group, and not to the proxy itself. */
static bool is_pool_setting(const struct field *field)
{
    return (field->flags & LATE) && field->wire;
}

/* ModifyDBProxy names the groups otherwise. */
static int modify_proxy(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode_changes(action->arena, action);
    struct value *groups = value_get(parameters, "VpcSecurityGroupIds");
    bool changed = action_changes(action, "secrets");
    for (size_t i = 0; i < action->change_count; i++)
        changed = changed || !(action->changes[i].field->flags & LATE);
    if (!changed)
        return 0;
    for (const struct field *field = fields; field->name; field++) {
        if (is_pool_setting(field))
            value_remove(parameters, field->wire);
    }
    value_remove(parameters, "VpcSecurityGroupIds");
    value_set(action->arena, parameters, "SecurityGroups", groups);
    value_set_text(action->arena, parameters, "DBProxyName", action->have->name);
    set_auth(action, parameters);
    return cloud_call(task, action, &aws_rds, "ModifyDBProxy", parameters, NULL, error);
}

static struct value *pool_settings(const struct action *action)
{
    struct arena *arena = action->arena;
    struct value *settings = value_map(arena);
    for (const struct field *field = fields; field->name; field++) {
        const struct value *want = value_get(action->want, field->name);
        bool empty = field->type == FIELD_STRING && value_is_text(want, "");
        if (!is_pool_setting(field) || (empty && !action_changes(action, field->name)))
            continue;
        if (field->type != FIELD_LIST)
            value_set(arena, settings, field->wire, value_copy(arena, want));
        else if (value_count(want) || action_changes(action, field->name))
            value_set(arena, settings, "SessionPinningFilters",
                      value_wrap(arena, "member", value_copy(arena, want)));
    }
    return settings;
}

static int modify_pool(struct task *task, struct action *action, struct error *error)
{
    bool changed = false;
    for (size_t i = 0; i < action->change_count; i++)
        changed = changed || is_pool_setting(action->changes[i].field);
    if (!changed)
        return 0;
    struct value *parameters = rds_named(action->arena, "DBProxyName", action->have->name);
    value_set_text(action->arena, parameters, "TargetGroupName", TARGET_GROUP);
    value_set(action->arena, parameters, "ConnectionPoolConfig", pool_settings(action));
    return cloud_call(task, action, &aws_rds, "ModifyDBProxyTargetGroup", parameters, NULL, error);
}

static struct value *target_call(const struct action *action, const char *names)
{
    struct arena *arena = action->arena;
    struct value *parameters = rds_named(arena, "DBProxyName", action->have->name);
    struct value *list = value_list(arena);
    for (size_t length; *names; names += length + strspn(names + length, ", ")) {
        length = strcspn(names, ",");
        value_push_text(arena, list, arena_strndup(arena, names, length));
    }
    value_set_text(arena, parameters, "TargetGroupName", TARGET_GROUP);
    return value_set(arena, parameters, "DBInstanceIdentifiers", value_wrap(arena, "member", list));
}

/* One target: whatever else is registered goes first. */
static int change_target(struct task *task, struct action *action, struct error *error)
{
    const char *want = value_text(action->want, "target");
    const char *have = value_text(action->have->props, "target");
    int result = 0;
    if (!action_changes(action, "target"))
        return 0;
    if (have)
        result = cloud_remove(task, action, &aws_rds, "DeregisterDBProxyTargets",
                              target_call(action, have), error);
    if (result < 0 || !want)
        return result;
    result = cloud_call(task, action, &aws_rds, "RegisterDBProxyTargets", target_call(action, want),
                        NULL, error);
    if (result < 0 && strcmp(error->aws_code, "DBProxyTargetAlreadyRegisteredFault") == 0) {
        error_clear(error);
        return 0;
    }
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = modify_proxy(task, action, error);
    if (result == 0)
        result = modify_pool(task, action, error);
    return result == 0 ? change_target(task, action, error) : result;
}

static int remove_proxy(struct task *task, struct action *action, struct error *error)
{
    if (value_is_text(value_get(action->have->props, "status"), "deleting"))
        return 0;
    return cloud_remove(task, action, &aws_rds, "DeleteDBProxy",
                        rds_named(action->arena, "DBProxyName", action->have->name), error);
}

static const struct patience patience[] = {
    {"InvalidDBProxyStateFault", NULL, "the proxy is busy", 1800, 15},
    {"InvalidDBInstanceState", NULL, "the database is busy", 2700, 15},
    {"InvalidParameterValue", "role", "the role is not known to RDS yet", 120, 0},
    {"InvalidParameterCombination", "assume", "the role is not known to RDS yet", 120, 0},
    {"InvalidSubnet", NULL, "the new subnets are not known to RDS yet", 90, 0},
    {0},
};

const struct resource_type rds_proxy = {
    .kind = "rds.proxy",
    .summary = "RDS Proxy: pools the functions' connections to the database, by IAM",
    .flags = NAMED,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_proxy,
    .retag = rds_retag,
    .ready = {.field = "status",
              .wanted = "available",
              .failing = "incompatible-network|insufficient-resource-limits|suspended|deleting",
              .typical_s = 240,
              .longest_s = 3600},
    .complete = {.field = "target_health",
                 .wanted = "AVAILABLE",
                 .reason = "target_reason",
                 .typical_s = 120,
                 .longest_s = 1500},
    .gone = {.typical_s = 240, .longest_s = 3600},
    .patience = patience,
};
