/* Databases: what is asked of RDS, what its answers mean, and what becomes of the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "tests/unit/answering_cloud.h"

static int set_up(void **state)
{
    *state = answering_cloud_new();
    return 0;
}

static int tear_down(void **state)
{
    answering_cloud_free(*state);
    return 0;
}

#define assert_holds(text, part)                      \
    do {                                              \
        if (!strstr((text), (part)))                  \
            fail_msg("no \"%s\" in: %s", part, text); \
    } while (0)
#define assert_holds_not(text, part)                  \
    do {                                              \
        if (strstr((text), (part)))                   \
            fail_msg("\"%s\" is in: %s", part, text); \
    } while (0)

static const char *prop(const struct found *found, const char *name)
{
    const char *text = value_text(found->props, name);
    return text ? text : "(none)";
}

/* -- instances: looking -- */

/* The instance "database" as RDS describes it, with more elements. */
static void describe(struct answering_cloud *cloud, const char *status, const char *more)
{
    const char *name =
        type_name(cloud->arena, &rds_instance, &cloud->cloud->identity, "database", NULL, 1);
    const char *instance = arena_printf(
        cloud->arena,
        "<DBInstances><DBInstance><DBInstanceIdentifier>%s</DBInstanceIdentifier>"
        "<DBInstanceStatus>%s</DBInstanceStatus><Engine>postgres</Engine>"
        "<EngineVersion>17.4</EngineVersion><AllocatedStorage>30</AllocatedStorage>"
        "<MultiAZ>false</MultiAZ><DeletionProtection>true</DeletionProtection>"
        "<DBInstanceArn>arn:aws:rds:eu-west-1:111122223333:db:%s</DBInstanceArn>"
        "<DbiResourceId>db-ABC</DbiResourceId><TagList>%s</TagList>%s</DBInstance></DBInstances>",
        name, status, name, answering_cloud_tags_xml(cloud, "database"), more);
    answering_cloud_answer(cloud, arena_printf(cloud->arena, "DBInstanceIdentifier=%s&", name), 200,
                           answering_cloud_xml(cloud, "DescribeDBInstances", instance));
    answering_cloud_answer(
        cloud, "Action=DescribeDBInstances", 404,
        answering_cloud_error(cloud, "DBInstanceNotFound", "DBInstance not found."));
}

static const struct found *look_at(struct answering_cloud *cloud, const char *status,
                                   const char *more)
{
    struct error error = {0};
    describe(cloud, status, more);
    if (answering_cloud_observe(cloud, &rds_instance, "database", &error))
        fail_msg("%s", error.message);
    assert_int_equal(cloud->found_count, 1);
    return &cloud->found[0];
}

static void an_instance_is_found_by_its_tags(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found = look_at(cloud, "available", "");
    assert_false(found->foreign);
    assert_string_equal(found->id, "database");
    assert_string_equal(prop(found, "resource_id"), "db-ABC");
    assert_string_equal(prop(found, "version"), "17.4");
    assert_string_equal(prop(found, "master_auth"), "iam-db-auth");
    assert_int_equal(value_int_at(found->props, "storage_gb", 0), 30);
    assert_int_equal(answering_cloud_count(cloud, "Filters"), 0);
    assert_int_equal(cloud->fake->unexpected, 0);
}

static void an_instance_without_our_tags_is_foreign(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "Action=DescribeDBInstances", 200,
        answering_cloud_xml(cloud, "DescribeDBInstances",
                            arena_printf(cloud->arena,
                                         "<DBInstances><DBInstance>"
                                         "<DBInstanceIdentifier>%s</DBInstanceIdentifier>"
                                         "</DBInstance></DBInstances>",
                                         type_name(cloud->arena, &rds_instance,
                                                   &cloud->cloud->identity, "database", NULL, 1))));
    assert_int_equal(answering_cloud_observe(cloud, &rds_instance, "database", &error), 0);
    assert_true(cloud->found_count >= 1);
    assert_true(cloud->found[0].foreign);
}

static const struct {
    const char *status, *more, *seen, *pending;
} states[] = {
    {"available", "<PendingModifiedValues/>", "available", ""},
    {"storage-optimization", "", "available", ""},
    {"creating", "", "creating", ""},
    {"available",
     "<PendingModifiedValues><DBInstanceClass>db.m7g.large</DBInstanceClass>"
     "<PendingCloudwatchLogsExports/></PendingModifiedValues>",
     "changes pending", "DBInstanceClass"},
    {"available",
     "<VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>"
     "<Status>adding</Status></VpcSecurityGroupMembership></VpcSecurityGroups>",
     "changes pending", "sg-1 is adding"},
    {"available",
     "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>p</DBParameterGroupName>"
     "<ParameterApplyStatus>applying</ParameterApplyStatus></DBParameterGroup>"
     "</DBParameterGroups>",
     "changes pending", "parameters"},
    {"available",
     "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>p</DBParameterGroupName>"
     "<ParameterApplyStatus>pending-reboot</ParameterApplyStatus></DBParameterGroup>"
     "</DBParameterGroups>",
     "available", ""},
    {"storage-full", "", "storage-full", "raise storage_gb"},
};

static void pending_changes_are_no_readiness(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        const struct found *found = look_at(cloud, states[i].status, states[i].more);
        assert_string_equal(prop(found, "status"), states[i].seen);
        assert_string_equal(prop(found, "pending"), states[i].pending);
        answering_cloud_free(cloud);
    }
}

static void limits_and_secrets_are_read(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found = look_at(cloud, "available",
                                        "<MaxAllocatedStorage>30</MaxAllocatedStorage>"
                                        "<MasterUserSecret><SecretArn>arn:s</SecretArn>"
                                        "</MasterUserSecret>");
    assert_string_equal(prop(found, "master_auth"), "managed-secret");
    assert_string_equal(prop(found, "secret_arn"), "arn:s");
    assert_true(value_is(value_get(found->props, "max_storage_gb"), VALUE_NULL));
}

/* -- instances: making -- */

#define WANT                                                                                  \
    "{\"class\":\"db.t4g.micro\",\"version\":\"17\",\"storage_gb\":20,\"groups\":[\"sg-1\"]," \
    "\"subnet_group\":\"subnets\",\"log_exports\":[\"postgresql\"]}"

static void creation_bears_tags_and_no_password(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "Action=CreateDBInstance", 200,
        answering_cloud_xml(cloud, "CreateDBInstance",
                            "<DBInstance><DBInstanceStatus>creating</DBInstanceStatus>"
                            "<DBInstanceArn>arn:x</DBInstanceArn>"
                            "<DbiResourceId>db-ABC</DbiResourceId></DBInstance>"));
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", WANT, NULL);
    assert_int_equal(answering_cloud_run(cloud, rds_instance.create, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "Action=CreateDBInstance", 0);
    assert_holds(sent, "Tags.Tag.1.Key=ragstack%3Astack&Tags.Tag.1.Value=acme");
    assert_holds(sent, "PubliclyAccessible=false");
    assert_holds(sent, "MasterUserAuthenticationType=iam-db-auth");
    assert_holds(sent, "EngineVersion=17&");
    assert_holds(sent, "EnableCloudwatchLogsExports.member.1=postgresql");
    assert_holds_not(sent, "Password");
    assert_string_equal(action.physical_id, action.name);
    assert_string_equal(value_text(action.made, "resource_id"), "db-ABC");
}

/* Answers "the name is taken", and once more after the look at who has it. */
static void take_name(struct answering_cloud *cloud, const char *status)
{
    answering_cloud_answer(cloud, "Action=CreateDBInstance", 400,
                           answering_cloud_error(cloud, "DBInstanceAlreadyExists", "it is taken"));
    answering_cloud_answer(cloud, "Action=CreateDBInstance", 200,
                           answering_cloud_xml(cloud, "CreateDBInstance", "<DBInstance/>"));
    describe(cloud, status, "");
}

static void what_goes_away_is_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    int64_t before_ms = cloud->clock.now_ms;
    take_name(cloud, "deleting");
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", WANT, NULL);
    assert_int_equal(answering_cloud_run(cloud, rds_instance.create, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=CreateDBInstance"), 2);
    assert_true(cloud->clock.now_ms - before_ms >= 15000);
}

static void a_name_that_is_taken_is_not_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    take_name(cloud, "available");
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", WANT, NULL);
    assert_int_equal(answering_cloud_run(cloud, rds_instance.create, &action, &error), ERR_EXISTS);
    assert_string_equal(error.aws_code, "DBInstanceAlreadyExists");
    assert_int_equal(answering_cloud_count(cloud, "Action=CreateDBInstance"), 1);
}

static void what_goes_away_is_not_found(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    describe(cloud, "deleting", "");
    assert_int_equal(answering_cloud_observe(cloud, &rds_instance, "database", &error), 0);
    assert_int_equal(cloud->found_count, 0);
}

static void a_secret_is_the_fallback(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "Action=CreateDBInstance", 200,
                           answering_cloud_xml(cloud, "CreateDBInstance", "<DBInstance/>"));
    struct action action = answering_cloud_action(
        cloud, &rds_instance, "database",
        "{\"class\":\"c\",\"groups\":[],\"subnet_group\":\"s\",\"master_auth\":\"managed-secret\"}",
        NULL);
    assert_int_equal(answering_cloud_run(cloud, rds_instance.create, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "Action=CreateDBInstance", 0);
    assert_holds(sent, "ManageMasterUserPassword=true");
    assert_holds_not(sent, "MasterUserAuthenticationType");
}

/* -- instances: changing -- */

/* Changes the described instance into the wanted one, in these fields. */
static const char *change(struct answering_cloud *cloud, const char *more, const char *want,
                          const char *const *changed)
{
    struct error error = {0};
    const struct found *have = look_at(cloud, "available", more);
    answering_cloud_answer(cloud, "Action=ModifyDBInstance", 200,
                           answering_cloud_xml(cloud, "ModifyDBInstance", "<DBInstance/>"));
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", want, have);
    for (; *changed; changed++)
        answering_cloud_change(cloud, &action, *changed);
    if (answering_cloud_run(cloud, rds_instance.update, &action, &error))
        fail_msg("%s", error.message);
    return answering_cloud_sent(cloud, "Action=ModifyDBInstance", 0);
}

static void changes_are_applied_at_once(void **state)
{
    struct answering_cloud *cloud = *state;
    const char *const fields[] = {"class", "log_exports", NULL};
    const char *sent = change(cloud,
                              "<EnabledCloudwatchLogsExports><member>upgrade</member>"
                              "</EnabledCloudwatchLogsExports>",
                              WANT, fields);
    assert_holds(sent, "ApplyImmediately=true");
    assert_holds(sent, "DBInstanceClass=db.t4g.micro");
    assert_holds(sent, "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1=postgresql");
    assert_holds(sent, "CloudwatchLogsExportConfiguration.DisableLogTypes.member.1=upgrade");
    assert_holds_not(sent, "EnableCloudwatchLogsExports");
    assert_holds_not(sent, "EngineVersion");
}

static void a_limit_is_taken_away_by_being_what_there_is(void **state)
{
    const char *const fields[] = {"max_storage_gb", NULL};
    assert_holds(change(*state, "<MaxAllocatedStorage>100</MaxAllocatedStorage>", WANT, fields),
                 "MaxAllocatedStorage=30");
}

static void a_major_version_takes_its_parameters_along(void **state)
{
    struct answering_cloud *cloud = *state;
    const char *const fields[] = {"version", NULL};
    const char *sent = change(cloud, "",
                              "{\"class\":\"c\",\"version\":\"18\",\"groups\":[],"
                              "\"subnet_group\":\"s\",\"parameter_group\":\"p18\"}",
                              fields);
    assert_holds(sent, "EngineVersion=18&");
    assert_holds(sent, "AllowMajorVersionUpgrade=true");
    assert_holds(sent, "DBParameterGroupName=p18");
}

static void a_minor_version_is_no_major_one(void **state)
{
    const char *const fields[] = {"version", NULL};
    const char *sent = change(
        *state, "", "{\"class\":\"c\",\"version\":\"17.6\",\"groups\":[],\"subnet_group\":\"s\"}",
        fields);
    assert_holds(sent, "EngineVersion=17.6");
    assert_holds_not(sent, "AllowMajorVersionUpgrade");
}

static void a_busy_instance_is_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    int64_t before_ms = cloud->clock.now_ms;
    const char *const fields[] = {"class", NULL};
    const char *busy = answering_cloud_error(cloud, "InvalidDBInstanceState",
                                             "Database instance is not in available state.");
    answering_cloud_answer(cloud, "Action=ModifyDBInstance", 400, busy);
    answering_cloud_answer(cloud, "Action=ModifyDBInstance", 400, busy);
    change(cloud, "", WANT, fields);
    assert_int_equal(answering_cloud_count(cloud, "Action=ModifyDBInstance"), 3);
    assert_true(cloud->clock.now_ms - before_ms >= 30000);
}

static void a_stopped_instance_is_not_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look_at(cloud, "stopped", "");
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", WANT, have);
    answering_cloud_change(cloud, &action, "class");
    assert_int_equal(answering_cloud_run(cloud, rds_instance.update, &action, &error),
                     ERR_CONFLICT);
    assert_holds(error.message, "start it");
    assert_int_equal(answering_cloud_count(cloud, "Action=ModifyDBInstance"), 0);
}

/* -- instances: removing -- */

static struct action removal(struct answering_cloud *cloud, const char *status)
{
    const struct found *have = look_at(cloud, status, "");
    answering_cloud_answer(cloud, "Action=ModifyDBInstance", 200,
                           answering_cloud_xml(cloud, "ModifyDBInstance", "<DBInstance/>"));
    struct action action = answering_cloud_action(cloud, &rds_instance, "database", WANT, have);
    action.keep_data = true;
    return action;
}

static void removal_keeps_a_last_snapshot(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "available");
    answering_cloud_answer(cloud, "Action=DeleteDBInstance", 200,
                           answering_cloud_xml(cloud, "DeleteDBInstance", "<DBInstance/>"));
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error), 0);
    assert_holds(answering_cloud_sent(cloud, "Action=ModifyDBInstance", 0),
                 "DeletionProtection=false");
    const char *sent = answering_cloud_sent(cloud, "Action=DeleteDBInstance", 0);
    assert_holds(sent, arena_printf(cloud->arena, "FinalDBSnapshotIdentifier=%s-final-2026",
                                    action.have->name));
    assert_holds(sent, "SkipFinalSnapshot=false");
    assert_holds(sent, "DeleteAutomatedBackups=false");
}

static void consent_lets_the_data_go(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "available");
    action.keep_data = false;
    action.consented = true;
    answering_cloud_answer(cloud, "Action=DeleteDBInstance", 200,
                           answering_cloud_xml(cloud, "DeleteDBInstance", "<DBInstance/>"));
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "Action=DeleteDBInstance", 0);
    assert_holds(sent, "SkipFinalSnapshot=true");
    assert_holds(sent, "DeleteAutomatedBackups=true");
    assert_holds_not(sent, "FinalDBSnapshotIdentifier");
}

static void a_snapshot_name_that_is_taken_is_not_the_end(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "available");
    answering_cloud_answer(cloud, "Action=DeleteDBInstance", 400,
                           answering_cloud_error(cloud, "DBSnapshotAlreadyExists", "it exists"));
    answering_cloud_answer(cloud, "Action=DeleteDBInstance", 200,
                           answering_cloud_xml(cloud, "DeleteDBInstance", "<DBInstance/>"));
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error), 0);
    assert_holds(answering_cloud_sent(cloud, "Action=DeleteDBInstance", 1), "-2&");
}

static void what_is_being_deleted_is_left_alone(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "available");
    value_set_text(cloud->arena, action.have->props, "status", "deleting");
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=ModifyDBInstance"), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteDBInstance"), 0);
}

static void what_cannot_be_kept_needs_consent(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "failed");
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error),
                     ERR_DATA_LOSS);
    assert_holds(error.message, "--allow-data-loss=database");
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteDBInstance"), 0);
}

static void what_is_gone_is_removed(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct action action = removal(cloud, "available");
    answering_cloud_answer(cloud, "Action=DeleteDBInstance", 404,
                           answering_cloud_error(cloud, "DBInstanceNotFound", "gone"));
    assert_int_equal(answering_cloud_run(cloud, rds_instance.remove, &action, &error), 0);
}

/* -- parameter groups -- */

static const struct found *parameter_group(struct answering_cloud *cloud, const char *parameters)
{
    struct error error = {0};
    const char *name = type_name(cloud->arena, &rds_parameter_group, &cloud->cloud->identity,
                                 "parameters", NULL, 1);
    const char *arn = arena_printf(cloud->arena, "arn:aws:rds:eu-west-1:111122223333:pg:%s", name);
    answering_cloud_list(cloud, arn, "parameters");
    answering_cloud_answer(
        cloud, "Action=DescribeDBParameterGroups", 200,
        answering_cloud_xml(
            cloud, "DescribeDBParameterGroups",
            arena_printf(cloud->arena,
                         "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>%s"
                         "</DBParameterGroupName><DBParameterGroupFamily>postgres17"
                         "</DBParameterGroupFamily><DBParameterGroupArn>%s"
                         "</DBParameterGroupArn></DBParameterGroup></DBParameterGroups>",
                         name, arn)));
    answering_cloud_answer(cloud, "Source=user", 200,
                           answering_cloud_xml(cloud, "DescribeDBParameters", parameters));
    if (answering_cloud_observe(cloud, &rds_parameter_group, "parameters", &error))
        fail_msg("%s", error.message);
    assert_int_equal(cloud->found_count, 1);
    return &cloud->found[0];
}

#define PARAMETER(name, value, source, type)                                   \
    "<Parameter><ParameterName>" name "</ParameterName><ParameterValue>" value \
    "</ParameterValue><Source>" source "</Source><ApplyType>" type "</ApplyType></Parameter>"

static void only_what_somebody_set_is_ours(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found = parameter_group(
        cloud, "<Parameters>" PARAMETER("rds.force_ssl", "1", "user", "dynamic")
                   PARAMETER("work_mem", "4096", "engine-default", "dynamic") "</Parameters>");
    assert_false(found->foreign);
    const struct value *parameters = value_get(found->props, "parameters");
    assert_int_equal(value_count(parameters), 1);
    assert_string_equal(value_text(parameters, "rds.force_ssl"), "1");
    /* The inventory knows its tags: they are not asked for again. */
    assert_int_equal(answering_cloud_count(cloud, "ListTagsForResource"), 0);
}

static void static_parameters_wait_for_a_reboot(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = parameter_group(
        cloud, "<Parameters>" PARAMETER("work_mem", "1", "user", "dynamic") "</Parameters>");
    answering_cloud_answer(
        cloud, "Action=DescribeDBParameters", 200,
        answering_cloud_xml(cloud, "DescribeDBParameters",
                            "<Parameters>" PARAMETER("max_connections", "", "system", "static")
                                PARAMETER("rds.force_ssl", "", "system", "dynamic")
                                    PARAMETER("work_mem", "1", "user", "dynamic") "</Parameters>"));
    answering_cloud_answer(cloud, "Action=ModifyDBParameterGroup", 200,
                           answering_cloud_xml(cloud, "ModifyDBParameterGroup", ""));
    answering_cloud_answer(cloud, "Action=ResetDBParameterGroup", 200,
                           answering_cloud_xml(cloud, "ResetDBParameterGroup", ""));
    struct action action =
        answering_cloud_action(cloud, &rds_parameter_group, "parameters",
                               "{\"family\":\"postgres17\",\"parameters\":{\"rds.force_ssl\":\"1\","
                               "\"max_connections\":\"100\"}}",
                               have);
    answering_cloud_change(cloud, &action, "parameters");
    assert_int_equal(answering_cloud_run(cloud, rds_parameter_group.update, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "Action=ModifyDBParameterGroup", 0);
    assert_holds(sent, "Parameter.1.ParameterName=rds.force_ssl");
    assert_holds(sent, "Parameter.1.ApplyMethod=immediate");
    assert_holds(sent, "Parameter.2.ParameterName=max_connections");
    assert_holds(sent, "Parameter.2.ApplyMethod=pending-reboot");
    assert_holds(answering_cloud_sent(cloud, "Action=ResetDBParameterGroup", 0),
                 "Parameter.1.ParameterName=work_mem");
}

static void twenty_parameters_go_in_a_call(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = parameter_group(cloud, "<Parameters/>");
    struct value *want = value_map(cloud->arena);
    for (int i = 0; i < 41; i++)
        value_set_text(cloud->arena, want, arena_printf(cloud->arena, "p%02d", i), "x");
    answering_cloud_answer(cloud, "Action=DescribeDBParameters", 200,
                           answering_cloud_xml(cloud, "DescribeDBParameters", "<Parameters/>"));
    answering_cloud_answer(cloud, "Action=ModifyDBParameterGroup", 200,
                           answering_cloud_xml(cloud, "ModifyDBParameterGroup", ""));
    struct action action = answering_cloud_action(cloud, &rds_parameter_group, "parameters",
                                                  "{\"family\":\"postgres17\"}", have);
    struct value *all = value_copy(cloud->arena, action.want);
    action.want = value_set(cloud->arena, all, "parameters", want);
    answering_cloud_change(cloud, &action, "parameters");
    assert_int_equal(answering_cloud_run(cloud, rds_parameter_group.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=ModifyDBParameterGroup"), 3);
    assert_holds_not(answering_cloud_sent(cloud, "Action=ModifyDBParameterGroup", 0),
                     "Parameter.21.");
    assert_int_equal(answering_cloud_count(cloud, "Action=ResetDBParameterGroup"), 0);
}

/* -- subnet groups -- */

static void a_subnet_group_in_use_is_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct found have = {.name = "subnets", .physical_id = "subnets"};
    answering_cloud_answer(
        cloud, "Action=DeleteDBSubnetGroup", 400,
        answering_cloud_error(cloud, "InvalidDBSubnetGroupStateFault", "currently in use by demo"));
    answering_cloud_answer(cloud, "Action=DeleteDBSubnetGroup", 200,
                           answering_cloud_xml(cloud, "DeleteDBSubnetGroup", ""));
    struct action action =
        answering_cloud_action(cloud, &rds_subnet_group, "subnets", "{\"subnets\":[]}", &have);
    assert_int_equal(answering_cloud_run(cloud, rds_subnet_group.remove, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=DeleteDBSubnetGroup"), 2);
}

/* -- proxies -- */

#define PROXY_ARN "arn:aws:rds:eu-west-1:111122223333:db-proxy:prx-0a1"

static const char *proxy_xml(struct answering_cloud *cloud, const char *name, const char *status)
{
    return answering_cloud_xml(
        cloud, "DescribeDBProxies",
        arena_printf(cloud->arena,
                     "<DBProxies><member><DBProxyName>%s</DBProxyName><DBProxyArn>" PROXY_ARN
                     "</DBProxyArn><Status>%s</Status><RequireTLS>true</RequireTLS></member>"
                     "</DBProxies>",
                     name, status));
}

static const char *target_xml(struct answering_cloud *cloud, const char *targets)
{
    return answering_cloud_xml(cloud, "DescribeDBProxyTargets",
                               arena_printf(cloud->arena, "<Targets>%s</Targets>", targets));
}

static const struct found *look_at_proxy(struct answering_cloud *cloud, const char *status,
                                         const char *targets)
{
    struct error error = {0};
    const char *name =
        type_name(cloud->arena, &rds_proxy, &cloud->cloud->identity, "proxy", NULL, 1);
    answering_cloud_list(cloud, PROXY_ARN, "proxy");
    answering_cloud_answer(cloud, "Action=DescribeDBProxies", 200, proxy_xml(cloud, name, status));
    answering_cloud_answer(cloud, "Action=DescribeDBProxyTargets&", 200,
                           target_xml(cloud, targets));
    answering_cloud_answer(
        cloud, "Action=DescribeDBProxyTargetGroups", 200,
        answering_cloud_xml(cloud, "DescribeDBProxyTargetGroups",
                            "<TargetGroups><member><TargetGroupName>default</TargetGroupName>"
                            "<Status>available</Status><ConnectionPoolConfig>"
                            "<MaxConnectionsPercent>80</MaxConnectionsPercent>"
                            "<MaxIdleConnectionsPercent>40</MaxIdleConnectionsPercent>"
                            "<ConnectionBorrowTimeout>60</ConnectionBorrowTimeout>"
                            "</ConnectionPoolConfig></member></TargetGroups>"));
    if (answering_cloud_observe(cloud, &rds_proxy, "proxy", &error))
        fail_msg("%s", error.message);
    assert_int_equal(cloud->found_count, 1);
    return &cloud->found[0];
}

#define TARGET(name, health)                                               \
    "<member><RdsResourceId>" name "</RdsResourceId><TargetHealth>" health \
    "</TargetHealth></member>"

static void a_proxy_is_found_by_name_though_its_arn_has_none(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found =
        look_at_proxy(cloud, "available", TARGET("db", "<State>AVAILABLE</State>"));
    assert_false(found->foreign);
    assert_string_equal(prop(found, "resource_id"), "prx-0a1");
    assert_string_equal(prop(found, "target"), "db");
    assert_string_equal(prop(found, "target_health"), "AVAILABLE");
    assert_string_equal(prop(found, "status"), "available");
    assert_int_equal(value_int_at(found->props, "max_connections_percent", 0), 80);
    assert_int_equal(value_int_at(found->props, "borrow_timeout_s", 0), 60);
    /* By its name alone: no account is listed. */
    assert_int_equal(answering_cloud_count(cloud, "Action=DescribeDBProxies"), 1);
    assert_holds(answering_cloud_sent(cloud, "Action=DescribeDBProxies", 0),
                 "DBProxyName=acme-prod-");
}

static void a_proxy_that_was_taken_in_bears_any_name(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_list(cloud, PROXY_ARN, "proxy");
    answering_cloud_answer(cloud, "DBProxyName=acme-prod", 404,
                           answering_cloud_error(cloud, "DBProxyNotFoundFault", "no"));
    answering_cloud_answer(cloud, "Action=DescribeDBProxies", 200,
                           proxy_xml(cloud, "old", "creating"));
    assert_int_equal(answering_cloud_observe(cloud, &rds_proxy, "proxy", &error), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_string_equal(cloud->found[0].name, "old");
    assert_string_equal(cloud->found[0].id, "proxy");
    assert_false(cloud->found[0].foreign);
}

static void a_sick_target_says_what_is_missing(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found =
        look_at_proxy(cloud, "available",
                      TARGET("db", "<State>UNAVAILABLE</State><Reason>AUTH_FAILURE</Reason>"
                                   "<Description>PAM failed</Description>"));
    assert_string_equal(prop(found, "target_health"), "UNAVAILABLE");
    assert_holds(prop(found, "target_reason"), "rds-db:connect");
    assert_holds(prop(found, "target_reason"), "PAM failed");
}

static void a_second_target_is_drift(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look_at_proxy(cloud, "available",
                                             TARGET("db", "<State>AVAILABLE</State>")
                                                 TARGET("other", "<State>UNAVAILABLE</State>"));
    assert_string_equal(prop(have, "target"), "db, other");
    assert_string_equal(prop(have, "target_health"), "UNAVAILABLE");
    answering_cloud_answer(cloud, "Action=DeregisterDBProxyTargets", 200,
                           answering_cloud_xml(cloud, "DeregisterDBProxyTargets", ""));
    answering_cloud_answer(cloud, "Action=RegisterDBProxyTargets", 200,
                           answering_cloud_xml(cloud, "RegisterDBProxyTargets", ""));
    struct action action = answering_cloud_action(
        cloud, &rds_proxy, "proxy",
        "{\"role\":\"r\",\"subnets\":[],\"groups\":[],\"target\":\"db\"}", have);
    answering_cloud_change(cloud, &action, "target");
    assert_int_equal(answering_cloud_run(cloud, rds_proxy.update, &action, &error), 0);
    const char *gone = answering_cloud_sent(cloud, "Action=DeregisterDBProxyTargets", 0);
    assert_holds(gone, "DBInstanceIdentifiers.member.1=db&");
    assert_holds(gone, "DBInstanceIdentifiers.member.2=other");
    assert_holds(answering_cloud_sent(cloud, "Action=RegisterDBProxyTargets", 0),
                 "DBInstanceIdentifiers.member.1=db");
    assert_int_equal(answering_cloud_count(cloud, "Action=ModifyDBProxy&"), 0);
}

static void a_new_proxy_is_not_asked_for_targets(void **state)
{
    struct answering_cloud *cloud = *state;
    const struct found *found = look_at_proxy(cloud, "creating", "");
    assert_string_equal(prop(found, "status"), "creating");
    assert_int_equal(answering_cloud_count(cloud, "Action=DescribeDBProxyTarget"), 0);
}

static void the_pool_and_the_proxy_are_changed_apart(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have =
        look_at_proxy(cloud, "available", TARGET("db", "<State>AVAILABLE</State>"));
    answering_cloud_answer(cloud, "Action=ModifyDBProxy&", 200,
                           answering_cloud_xml(cloud, "ModifyDBProxy", ""));
    answering_cloud_answer(cloud, "Action=ModifyDBProxyTargetGroup", 200,
                           answering_cloud_xml(cloud, "ModifyDBProxyTargetGroup", ""));
    struct action action =
        answering_cloud_action(cloud, &rds_proxy, "proxy",
                               "{\"role\":\"r\",\"subnets\":[\"a\"],\"groups\":"
                               "[\"sg-2\"],\"target\":\"db\",\"require_tls\":true}",
                               have);
    answering_cloud_change(cloud, &action, "groups");
    answering_cloud_change(cloud, &action, "max_connections_percent");
    assert_int_equal(answering_cloud_run(cloud, rds_proxy.update, &action, &error), 0);
    const char *proxy = answering_cloud_sent(cloud, "Action=ModifyDBProxy&", 0);
    assert_holds(proxy, "SecurityGroups.member.1=sg-2");
    assert_holds_not(proxy, "VpcSecurityGroupIds");
    assert_holds_not(proxy, "MaxConnectionsPercent");
    const char *pool = answering_cloud_sent(cloud, "Action=ModifyDBProxyTargetGroup", 0);
    assert_holds(pool, "ConnectionPoolConfig.MaxConnectionsPercent=100");
    assert_holds(pool, "ConnectionPoolConfig.MaxIdleConnectionsPercent=50");
    assert_holds(pool, "TargetGroupName=default");
}

static void a_target_that_is_registered_is_registered(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look_at_proxy(cloud, "available", "");
    answering_cloud_answer(cloud, "Action=RegisterDBProxyTargets", 400,
                           answering_cloud_error(cloud, "InvalidDBInstanceState", "not available"));
    answering_cloud_answer(
        cloud, "Action=RegisterDBProxyTargets", 400,
        answering_cloud_error(cloud, "DBProxyTargetAlreadyRegisteredFault", "it is"));
    struct action action = answering_cloud_action(
        cloud, &rds_proxy, "proxy",
        "{\"role\":\"r\",\"subnets\":[],\"groups\":[],\"target\":\"db\"}", have);
    answering_cloud_change(cloud, &action, "target");
    assert_int_equal(answering_cloud_run(cloud, rds_proxy.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "Action=RegisterDBProxyTargets"), 2);
    assert_int_equal(answering_cloud_count(cloud, "Action=Deregister"), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(an_instance_is_found_by_its_tags),
        CASE(an_instance_without_our_tags_is_foreign),
        CASE(pending_changes_are_no_readiness),
        CASE(limits_and_secrets_are_read),
        CASE(creation_bears_tags_and_no_password),
        CASE(what_goes_away_is_waited_for),
        CASE(a_name_that_is_taken_is_not_waited_for),
        CASE(what_goes_away_is_not_found),
        CASE(a_secret_is_the_fallback),
        CASE(changes_are_applied_at_once),
        CASE(a_limit_is_taken_away_by_being_what_there_is),
        CASE(a_major_version_takes_its_parameters_along),
        CASE(a_minor_version_is_no_major_one),
        CASE(a_busy_instance_is_waited_for),
        CASE(a_stopped_instance_is_not_waited_for),
        CASE(removal_keeps_a_last_snapshot),
        CASE(consent_lets_the_data_go),
        CASE(a_snapshot_name_that_is_taken_is_not_the_end),
        CASE(what_is_being_deleted_is_left_alone),
        CASE(what_cannot_be_kept_needs_consent),
        CASE(what_is_gone_is_removed),
        CASE(only_what_somebody_set_is_ours),
        CASE(static_parameters_wait_for_a_reboot),
        CASE(twenty_parameters_go_in_a_call),
        CASE(a_subnet_group_in_use_is_waited_for),
        CASE(a_proxy_is_found_by_name_though_its_arn_has_none),
        CASE(a_proxy_that_was_taken_in_bears_any_name),
        CASE(a_sick_target_says_what_is_missing),
        CASE(a_second_target_is_drift),
        CASE(a_new_proxy_is_not_asked_for_targets),
        CASE(the_pool_and_the_proxy_are_changed_apart),
        CASE(a_target_that_is_registered_is_registered),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
