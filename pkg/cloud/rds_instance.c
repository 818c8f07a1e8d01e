/* DB instances. No password is ever made here: the master user signs in by IAM, or RDS manages its
 * secret.
 * Source: Amazon RDS API Reference, CreateDBInstance and its siblings; Amazon RDS User Guide,
 * "Viewing DB instance status". */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/cloud/rds.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "engine",
     .wire = "Engine",
     .type = FIELD_STRING,
     .flags = REPLACE | DATA,
     .unset = "\"postgres\"",
     .summary = "database engine"},
    {.name = "version",
     .wire = "EngineVersion",
     .type = FIELD_STRING,
     .flags = AT_LEAST | STICKY,
     .allowed = "^[0-9]+([.][0-9]+)*$",
     .summary = "at least this; a major version alone takes RDS's default minor of it; never a "
                "downgrade"},
    {.name = "class",
     .wire = "DBInstanceClass",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^db[.].+",
     .summary = "instance class"},
    {.name = "storage_gb",
     .wire = "AllocatedStorage",
     .type = FIELD_INT,
     .flags = GROWS | AT_LEAST,
     .unset = "20",
     .allowed = "20..65536",
     .summary = "at least this: it grows in place, and RDS cannot shrink it"},
    {.name = "max_storage_gb",
     .wire = "MaxAllocatedStorage",
     .type = FIELD_INT,
     .allowed = "21..65536",
     .summary = "RDS grows the storage up to this by itself; unset: it does not"},
    {.name = "storage_type",
     .wire = "StorageType",
     .type = FIELD_STRING,
     .unset = "\"gp3\"",
     .allowed = "gp2|gp3",
     .summary = "kind of storage"},
    {.name = "encrypted",
     .wire = "StorageEncrypted",
     .type = FIELD_BOOL,
     .flags = REPLACE | DATA,
     .unset = "true",
     .summary = "storage, snapshots and logs are encrypted"},
    {.name = "kms_key",
     .wire = "KmsKeyId",
     .type = FIELD_STRING,
     .flags = REPLACE | DATA | STICKY,
     .allowed = "^arn:.+",
     .summary = "ARN of the key that encrypts; unset: the account's key for RDS"},
    {.name = "db_name",
     .wire = "DBName",
     .type = FIELD_STRING,
     .flags = REPLACE | DATA | STICKY,
     .summary = "database that is made inside the instance"},
    {.name = "master_user",
     .wire = "MasterUsername",
     .type = FIELD_STRING,
     .flags = REPLACE | DATA,
     .unset = "\"ragadmin\"",
     .summary = "the first user"},
    {.name = "master_auth",
     .type = FIELD_STRING,
     .unset = "\"iam-db-auth\"",
     .allowed = "iam-db-auth|managed-secret",
     .summary = "how the first user signs in: by IAM, or with a secret that RDS keeps and rotates"},
    {.name = "iam_auth",
     .wire = "EnableIAMDatabaseAuthentication",
     .reply = "IAMDatabaseAuthenticationEnabled",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "users may sign in with IAM tokens"},
    {.name = "multi_az",
     .wire = "MultiAZ",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "a standby in a second zone"},
    {.name = "backup_days",
     .wire = "BackupRetentionPeriod",
     .type = FIELD_INT,
     .unset = "7",
     .allowed = "0..35",
     .summary = "automatic backups are kept for this long; 0: there are none"},
    {.name = "backup_window",
     .wire = "PreferredBackupWindow",
     .type = FIELD_STRING,
     .flags = STICKY,
     .summary = "daily, in UTC: 03:00-03:30"},
    {.name = "maintenance_window",
     .wire = "PreferredMaintenanceWindow",
     .type = FIELD_STRING,
     .flags = STICKY | CASELESS,
     .summary = "weekly, in UTC: sun:04:00-sun:04:30"},
    {.name = "auto_minor_upgrade",
     .wire = "AutoMinorVersionUpgrade",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "RDS takes new minor versions by itself"},
    {.name = "deletion_protection",
     .wire = "DeletionProtection",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "AWS refuses to delete the instance until this is off"},
    {.name = "copy_tags_to_snapshot",
     .wire = "CopyTagsToSnapshot",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "snapshots bear the instance's tags"},
    {.name = "performance_insights",
     .wire = "EnablePerformanceInsights",
     .reply = "PerformanceInsightsEnabled",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "query statistics, kept for seven days"},
    {.name = "log_exports",
     .wire = "EnableCloudwatchLogsExports.member",
     .reply = "EnabledCloudwatchLogsExports.member",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "logs that go to CloudWatch: postgresql, upgrade"},
    {.name = "subnet_group",
     .wire = "DBSubnetGroupName",
     .reply = "DBSubnetGroup.DBSubnetGroupName",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "name of the subnet group"},
    {.name = "parameter_group",
     .wire = "DBParameterGroupName",
     .reply = "DBParameterGroups.DBParameterGroup[0].DBParameterGroupName",
     .type = FIELD_STRING,
     .flags = STICKY,
     .summary = "name of the parameter group; unset: the engine's default"},
    {.name = "groups",
     .wire = "VpcSecurityGroupIds.VpcSecurityGroupId",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .summary = "security groups"},
    {.name = "public",
     .wire = "PubliclyAccessible",
     .type = FIELD_BOOL,
     .unset = "false",
     .allowed = "false",
     .summary = "never: a database has no address outside its network"},
    {.name = "endpoint",
     .reply = "Endpoint.Address",
     .type = FIELD_STRING,
     .flags = COMPUTED | READY,
     .summary = "host name"},
    {.name = "port",
     .reply = "Endpoint.Port",
     .type = FIELD_INT,
     .flags = COMPUTED | READY,
     .summary = "port"},
    {.name = "arn",
     .reply = "DBInstanceArn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its ARN"},
    {.name = "resource_id",
     .reply = "DbiResourceId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "db-...: what rds-db:connect policies name"},
    {.name = "secret_arn",
     .reply = "MasterUserSecret.SecretArn",
     .type = FIELD_STRING,
     .flags = COMPUTED | READY,
     .summary = "the first user's secret, with master_auth: managed-secret"},
    {.name = "schema",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "what the schema function brought it to"},
    {.name = "status",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "available, when nothing is pending either"},
    {.name = "pending",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "what RDS has still to apply, or what a bad status comes from"},
    {.name = "parameter_status",
     .reply = "DBParameterGroups.DBParameterGroup[0].ParameterApplyStatus",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "in-sync, or pending-reboot: static parameters wait for a reboot"},
    {0},
};

/* -- what a description says -- */

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static void add_word(struct buffer *words, const char *word)
{
    buffer_printf(words, "%s%s", words->length ? ", " : "", word);
}

/* Empty elements say nothing. */
static bool says_something(const struct value *value)
{
    bool compound = value_is(value, VALUE_MAP) || value_is(value, VALUE_LIST);
    return value && value->kind != VALUE_NULL && (!compound || value_count(value) > 0);
}

/* Whatever has been asked for and is not in force yet; "" when nothing is. */
static const char *pending_words(struct arena *arena, const struct value *item)
{
    const struct value *values = value_get(item, "PendingModifiedValues"), *group;
    struct buffer words = BUFFER(4096);
    for (size_t i = 0; value_is(values, VALUE_MAP) && i < value_count(values); i++) {
        if (says_something(value_entry(values, i)->value))
            add_word(&words, value_entry(values, i)->key);
    }
    value_each(group, value_at(item, "VpcSecurityGroups.VpcSecurityGroupMembership"))
    {
        const char *status = value_text(group, "Status");
        if (status && strcmp(status, "active") != 0)
            add_word(&words, arena_printf(arena, "%s is %s",
                                          value_text(group, "VpcSecurityGroupId"), status));
    }
    const char *applied =
        value_text_at(item, "DBParameterGroups.DBParameterGroup[0].ParameterApplyStatus");
    if (applied && strcmp(applied, "applying") == 0)
        add_word(&words, "parameters");
    const char *text = arena_strdup(arena, buffer_string(&words));
    buffer_free(&words);
    return text;
}

/* Statuses in which it serves and takes changes as if it were available. */
static const char *const as_good_as_available[] = {"storage-optimization", NULL};

static const struct {
    const char *status, *advice;
} advices[] = {
    {"failed", "it cannot be recovered; its automatic backups can be restored"},
    {"incompatible-network", "its subnets or security groups are gone, or have no free address"},
    {"incompatible-parameters", "a parameter of its group does not fit its class or version"},
    {"incompatible-option-group", "its option group does not fit"},
    {"incompatible-restore", "it could not be restored"},
    {"inaccessible-encryption-credentials", "its KMS key is disabled or not accessible"},
    {"insufficient-capacity", "AWS has no such instance free in these zones"},
    {"storage-full", "raise storage_gb"},
    {"stopped", "start it (StartDBInstance); only then it can be changed"},
};

static const char *advice_for(const char *status)
{
    for (size_t i = 0; i < COUNT_OF(advices); i++) {
        if (strcmp(advices[i].status, status) == 0)
            return advices[i].advice;
    }
    return "";
}

/* Right after a change RDS still says "available", while the change is pending. */
static void decode_status(struct arena *arena, const struct value *item, struct value *props)
{
    const char *status = value_text(item, "DBInstanceStatus");
    const char *pending = pending_words(arena, item);
    status = status ? status : "unknown";
    if (is_one_of(status, as_good_as_available))
        status = "available";
    if (strcmp(status, "available") == 0 && *pending)
        status = "changes pending";
    value_set_text(arena, props, "status", status);
    value_set_text(arena, props, "pending", *pending ? pending : advice_for(status));
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *groups = value_list(arena), *group;
    (void)task;
    (void)error;
    value_each(group, value_at(item, "VpcSecurityGroups.VpcSecurityGroupMembership"))
    {
        const char *status = value_text(group, "Status");
        if (!status || strcmp(status, "removing") != 0)
            value_push(arena, groups, value_get(group, "VpcSecurityGroupId"));
    }
    value_set(arena, props, "groups", groups);
    value_set_text(arena, props, "master_auth",
                   value_text_at(item, "MasterUserSecret.SecretArn") ? "managed-secret"
                                                                     : "iam-db-auth");
    if (value_equal(value_get(props, "max_storage_gb"), value_get(props, "storage_gb")))
        value_remove(props, "max_storage_gb");
    decode_status(arena, item, props);
    return 0;
}

static const struct rds_kind kind = {
    .arn_prefix = "db:",
    .operation = "DescribeDBInstances",
    .name_member = "DBInstanceIdentifier",
    .items = "DBInstances.DBInstance",
    .arn = "DBInstanceArn",
    .status = "DBInstanceStatus",
    .tags = "TagList.Tag",
    .decode = decode,
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return rds_observe(task, observation, &kind, error);
}

/* -- create -- */

static void set_master_auth(struct action *action, struct value *parameters)
{
    bool by_secret = value_is_text(value_get(action->want, "master_auth"), "managed-secret");
    bool had_secret = action->have && value_is_text(value_get(action->have->props, "master_auth"),
                                                    "managed-secret");
    if (!by_secret)
        value_set_text(action->arena, parameters, "MasterUserAuthenticationType", "iam-db-auth");
    else if (action->have)
        value_set_text(action->arena, parameters, "MasterUserAuthenticationType", "password");
    if (by_secret || had_secret)
        value_set_bool(action->arena, parameters, "ManageMasterUserPassword", by_secret);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = cloud_encode(arena, action->type, action->want), *reply = NULL;
    value_set_text(arena, parameters, "DBInstanceIdentifier", action->name);
    set_master_auth(action, parameters);
    rds_add_tags(action, parameters);
    int result = rds_create(task, action, &kind, "CreateDBInstance", parameters, &reply, error);
    if (result == 0) {
        rds_take_made(action, value_get(reply, "DBInstance"));
        decode_status(arena, value_get(reply, "DBInstance"), action->made);
    }
    return result;
}

/* -- update -- */

/* It can never take changes as things stand: no use in waiting for "available". */
static int check_changeable(const struct action *action, struct error *error)
{
    const char *status = value_text(action->have->props, "status");
    if (!status || !*advice_for(status) || strcmp(status, "storage-full") == 0 ||
        strcmp(status, "incompatible-parameters") == 0)
        return 0;
    return error_set(error, ERR_CONFLICT, "%s cannot be changed while it is %s: %s",
                     action->have->name, status, advice_for(status));
}

static struct value *beyond(struct arena *arena, const struct value *list,
                            const struct value *other)
{
    struct value *rest = value_list(arena), *item, *known;
    value_each(item, list)
    {
        bool found = false;
        value_each(known, other) found = found || value_equal(item, known);
        if (!found)
            value_push(arena, rest, value_copy(arena, item));
    }
    return rest;
}

/* Changes name the difference, where creation names the whole. */
static void set_log_exports(struct action *action, struct value *parameters)
{
    struct arena *arena = action->arena;
    const struct value *want = value_get(action->want, "log_exports");
    const struct value *have = value_get(action->have->props, "log_exports");
    struct value *on = beyond(arena, want, have), *off = beyond(arena, have, want);
    struct value *exports = value_map(arena);
    if (value_count(on))
        value_set(arena, exports, "EnableLogTypes", value_wrap(arena, "member", on));
    if (value_count(off))
        value_set(arena, exports, "DisableLogTypes", value_wrap(arena, "member", off));
    value_remove(parameters, "EnableCloudwatchLogsExports");
    value_set(arena, parameters, "CloudwatchLogsExportConfiguration", exports);
}

static void set_version(struct action *action, struct value *parameters)
{
    const char *want = value_text(action->want, "version");
    const char *have = value_text(action->have->props, "version");
    if (want && have && strtol(want, NULL, 10) > strtol(have, NULL, 10)) {
        value_set_bool(action->arena, parameters, "AllowMajorVersionUpgrade", true);
        /* A new major version wants a parameter group of its family in the very same call. */
        value_set(action->arena, parameters, "DBParameterGroupName",
                  value_copy(action->arena, value_get(action->want, "parameter_group")));
    }
}

/* RDS stops growing the storage by itself when the limit is what there is. */
static void unset_max_storage(struct action *action, struct value *parameters)
{
    int64_t want = value_int_at(action->want, "storage_gb", 0);
    int64_t have = value_int_at(action->have->props, "storage_gb", 0);
    value_set_int(action->arena, parameters, "MaxAllocatedStorage", want > have ? want : have);
}

static int update(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = cloud_encode_changes(arena, action);
    value_set_text(arena, parameters, "DBInstanceIdentifier", action->have->name);
    value_set_bool(arena, parameters, "ApplyImmediately", true);
    if (action_changes(action, "master_auth"))
        set_master_auth(action, parameters);
    if (action_changes(action, "log_exports"))
        set_log_exports(action, parameters);
    if (action_changes(action, "version"))
        set_version(action, parameters);
    if (action_changes(action, "max_storage_gb") && !value_get(parameters, "MaxAllocatedStorage"))
        unset_max_storage(action, parameters);
    int result = check_changeable(action, error);
    return result == 0
               ? cloud_call(task, action, &aws_rds, "ModifyDBInstance", parameters, NULL, error)
               : result;
}

/* -- remove -- */

static int unprotect(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = rds_named(action->arena, "DBInstanceIdentifier", action->have->name);
    value_set_bool(action->arena, parameters, "DeletionProtection", false);
    value_set_bool(action->arena, parameters, "ApplyImmediately", true);
    return cloud_remove(task, action, &aws_rds, "ModifyDBInstance", parameters, error);
}

/* Of these RDS makes no snapshot any more. */
static const char *const beyond_snapshot[] = {"failed", "incompatible-restore",
                                              "incompatible-network", NULL};

/* "<name>-final-20260131235959"; NULL when the data may go without. */
static int choose_snapshot(struct task *task, const struct action *action, const char **snapshot,
                           struct error *error)
{
    const char *status = value_text(action->have->props, "status");
    char now[32];
    *snapshot = NULL;
    if (!action->keep_data)
        return 0;
    if (status && is_one_of(status, beyond_snapshot)) {
        if (action->consented)
            return 0;
        return error_set(error, ERR_DATA_LOSS,
                         "%s is %s (%s): RDS can make no last snapshot of it. If it may go "
                         "without one, say --allow-data-loss=%s",
                         action->have->name, status, advice_for(status), action->id);
    }
    clock_format_basic(task_wall_ms(task), now, sizeof now);
    *snapshot = arena_printf(action->arena, "%s-final-%.8s%.6s", action->have->name, now, now + 9);
    return 0;
}

static int delete_instance(struct task *task, struct action *action, const char *snapshot,
                           struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = rds_named(arena, "DBInstanceIdentifier", action->have->name);
    if (snapshot)
        value_set_text(arena, parameters, "FinalDBSnapshotIdentifier", snapshot);
    value_set_bool(arena, parameters, "SkipFinalSnapshot", !snapshot);
    value_set_bool(arena, parameters, "DeleteAutomatedBackups", action->consented);
    return cloud_remove(task, action, &aws_rds, "DeleteDBInstance", parameters, error);
}

static int remove_instance(struct task *task, struct action *action, struct error *error)
{
    enum { NAMES = 5 };
    const struct value *have = action->have->props;
    const char *snapshot;
    if (value_is_text(value_get(have, "status"), "deleting"))
        return 0;
    int result = choose_snapshot(task, action, &snapshot, error);
    if (result == 0 && value_as_bool(value_get(have, "deletion_protection"), false))
        result = unprotect(task, action, error);
    if (result < 0)
        return result;
    const char *name = snapshot;
    for (int n = 2;; n++) {
        result = delete_instance(task, action, name, error);
        if (result == 0 || n > NAMES || strcmp(error->aws_code, "DBSnapshotAlreadyExists") != 0)
            return result;
        name = arena_printf(action->arena, "%s-%d", snapshot, n);
    }
}

static const struct patience patience[] = {
    {"InvalidDBInstanceState", NULL, "the instance is busy", 2700, 15},
    {"InvalidParameterCombination", "protect", "its deletion protection is being taken off", 120,
     5},
    {"InvalidParameterValue", "service linked role", "AWS makes its role for RDS", 120, 0},
    {"InvalidParameterValue", "service-linked role", "AWS makes its role for RDS", 120, 0},
    {0},
};

static const char *const computed_by_name[] = {
    "arn=arn:{partition}:rds:{region}:{account}:db:{name}", NULL};

const struct resource_type rds_instance = {
    .kind = "rds.instance",
    .summary = "a managed PostgreSQL, without a password and never public",
    .flags = NAMED | HOLDS_DATA,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_instance,
    .retag = rds_retag,
    .ready = {.field = "status",
              .wanted = "available",
              .failing = "failed|incompatible-network|incompatible-parameters|"
                         "incompatible-option-group|incompatible-restore|"
                         "inaccessible-encryption-credentials|insufficient-capacity|storage-full|"
                         "stopping|stopped|deleting",
              .reason = "pending",
              .typical_s = 420,
              .longest_s = 5400},
    .gone = {.typical_s = 300, .longest_s = 5400},
    .patience = patience,
    .computed_by_name = computed_by_name,
};
