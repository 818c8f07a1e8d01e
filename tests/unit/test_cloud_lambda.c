/* Functions: the alias moves last, and whatever is half-done shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkg/cloud/lambda.h"
#include "pkg/cloud/types.h"
#include "pkg/value/json.h"
#include "tests/unit/answering_cloud.h"

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

static char zip_path[] = "/tmp/ragstack-test-XXXXXX";

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

/* -- pure -- */

static struct value *parse(struct answering_cloud *cloud, const char *text)
{
    struct value *value;
    struct error error;
    if (json_parse(cloud->arena, text, strlen(text), "test", &value, &error))
        fail_msg("%s: %s", text, error.message);
    return value;
}

static const struct {
    const char *statement, *permission;
} permissions[] = {
    {"{\"Sid\":\"api\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"apigateway.amazonaws."
     "com\"},"
     "\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"r\","
     "\"Condition\":{\"ArnLike\":{\"AWS:SourceArn\":\"arn:x/*\"}}}",
     "{\"id\":\"api\",\"principal\":\"apigateway.amazonaws.com\",\"action\":\"lambda:"
     "InvokeFunction\",\"source_arn\":\"arn:x/*\"}"},
    {"{\"Sid\":\"s3\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"a\","
     "\"Condition\":{\"StringEquals\":{\"AWS:SourceAccount\":\"1\"},\"ArnLike\":"
     "{\"aws:sourcearn\":\"arn:b\"}}}",
     "{\"id\":\"s3\",\"principal\":\"s3.amazonaws.com\",\"action\":\"a\",\"source_account\":\"1\","
     "\"source_arn\":\"arn:b\"}"},
    {"{\"Sid\":\"o\",\"Principal\":\"*\",\"Action\":\"a\",\"Condition\":{\"StringEquals\":"
     "{\"aws:PrincipalOrgID\":\"o-1\"}}}",
     "{\"id\":\"o\",\"principal\":\"*\",\"action\":\"a\",\"organization\":\"o-1\"}"},
    {"{\"Sid\":\"acc\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:root\"},\"Action\":"
     "\"a\"}",
     "{\"id\":\"acc\",\"principal\":\"111122223333\",\"action\":\"a\"}"},
    {"{\"Sid\":\"r\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:role/root\"},\"Action\":"
     "\"a\"}",
     "{\"id\":\"r\",\"principal\":\"arn:aws:iam::111122223333:role/root\",\"action\":\"a\"}"},
};

static void statements_are_read_as_permissions(void **state)
{
    struct answering_cloud *cloud = *state;
    for (size_t i = 0; i < COUNT_OF(permissions); i++) {
        const char *policy = arena_printf(cloud->arena, "{\"Version\":\"x\",\"Statement\":[%s]}",
                                          permissions[i].statement);
        struct value *list = lambda_permissions(cloud->arena, policy);
        assert_int_equal(value_count(list), 1);
        assert_string_equal(
            json_text_canonical(cloud->arena, value_item(list, 0)),
            json_text_canonical(cloud->arena, parse(cloud, permissions[i].permission)));
    }
    assert_int_equal(value_count(lambda_permissions(cloud->arena, NULL)), 0);
    assert_int_equal(value_count(lambda_permissions(cloud->arena, "nonsense")), 0);
}

static void versions_in_use_and_the_newest_stay(void **state)
{
    struct answering_cloud *cloud = *state;
    struct value *versions = value_list(cloud->arena);
    value_push(cloud->arena, versions, parse(cloud, "{\"Version\":\"$LATEST\"}"));
    for (int i = 1; i <= 12; i++)
        value_push(cloud->arena, versions,
                   value_set_text(cloud->arena, value_map(cloud->arena), "Version",
                                  arena_printf(cloud->arena, "%d", i)));
    const struct value *aliases = parse(
        cloud, "[{\"Name\":\"live\",\"FunctionVersion\":\"2\"},{\"Name\":\"x\",\"FunctionVersion\":"
               "\"12\",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"4\":0.1}}}]");
    assert_string_equal(
        json_text(cloud->arena, lambda_old_versions(cloud->arena, versions, aliases)),
        "[\"7\",\"6\",\"5\",\"3\",\"1\"]");
}

static void a_zip_is_sent_as_base64(void **state)
{
    struct answering_cloud *cloud = *state;
    struct value *base64 = NULL;
    struct error error = {0};
    assert_int_equal(lambda_read_zip(cloud->arena, zip_path, &base64, &error), 0);
    assert_string_equal(base64->string.text, "emlwcGVk"); /* "zipped" */
    assert_int_equal(lambda_read_zip(cloud->arena, "/nonexistent/x.zip", &base64, &error),
                     ERR_INPUT);
    assert_int_equal(lambda_read_zip(cloud->arena, NULL, &base64, &error), ERR_INPUT);
}

/* -- looking -- */

#define CONFIGURATION(memory, more)                                                               \
    "\"Role\":\"arn:r\",\"Handler\":\"ask\",\"Runtime\":\"provided.al2023\","                     \
    "\"MemorySize\":" memory                                                                      \
    ",\"Timeout\":29,\"CodeSha256\":\"SUM\",\"Architectures\":[\"arm64\"],\"Environment\":"       \
    "{\"Variables\":{\"A\":\"1\"}},\"VpcConfig\":{\"SubnetIds\":[\"s-1\"],\"SecurityGroupIds\":"  \
    "[\"sg-1\"],\"VpcId\":\"v\"},\"LoggingConfig\":{\"LogFormat\":\"Text\",\"LogGroup\":\"/g\"}," \
    "\"TracingConfig\":{\"Mode\":\"PassThrough\"},\"EphemeralStorage\":{\"Size\":512}" more

#define ACTIVE ",\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\""

static const char *name_of(struct answering_cloud *cloud)
{
    return type_name(cloud->arena, &lambda_function, &cloud->cloud->identity, "ask", NULL, 1);
}

struct looks {
    const char *function; /* members of the configuration */
    const char *live;     /* of the version that the alias points at; NULL: there is no alias */
    const char *alias;    /* further members of the alias */
};

static const char *of_function(struct answering_cloud *cloud, const char *method, const char *rest)
{
    return arena_printf(cloud->arena, "%s /2015-03-31/functions/%s%s", method, name_of(cloud),
                        rest);
}

static const struct found *look(struct answering_cloud *cloud, const struct looks *looks)
{
    struct error error = {0};
    struct arena *arena = cloud->arena;
    const char *none = "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"no\"}",
               *live = none, *alias = none;
    const char *function = arena_printf(
        arena,
        "{\"Configuration\":{\"FunctionName\":\"%s\",%s},\"Tags\":%s,"
        "\"Concurrency\":{\"ReservedConcurrentExecutions\":3}}",
        name_of(cloud), looks->function, json_text(arena, answering_cloud_tags(cloud, "ask")));
    if (looks->live) {
        live = arena_printf(arena, "{\"Version\":\"7\",%s}", looks->live);
        alias = arena_printf(arena, "{\"FunctionVersion\":\"7\"%s}", looks->alias);
    }
    answering_cloud_answer(cloud, of_function(cloud, "GET", "\n"), 200, function);
    answering_cloud_answer(cloud, of_function(cloud, "GET", "/configuration?Qualifier=live"),
                           looks->live ? 200 : 404, live);
    answering_cloud_answer(cloud, of_function(cloud, "GET", "/aliases/live"),
                           looks->live ? 200 : 404, alias);
    answering_cloud_answer(cloud, of_function(cloud, "GET", "/policy?Qualifier=live"), 404, none);
    answering_cloud_answer(cloud, of_function(cloud, "GET", "-2\n"), 404, none);
    if (answering_cloud_observe(cloud, &lambda_function, "ask", &error))
        fail_msg("%s", error.message);
    assert_int_equal(cloud->found_count, 1);
    return &cloud->found[0];
}

static const char *prop(const struct found *found, const char *name)
{
    const char *text = value_text(found->props, name);
    return text ? text : "(none)";
}

static void a_function_is_read_with_its_parts(void **state)
{
    struct answering_cloud *cloud = *state;
    struct looks looks = {CONFIGURATION("256", ACTIVE), CONFIGURATION("256", ""), ""};
    const struct found *found = look(cloud, &looks);
    assert_false(found->foreign);
    assert_string_equal(prop(found, "live"), "current");
    assert_string_equal(prop(found, "live_version"), "7");
    assert_string_equal(prop(found, "status"), "Active");
    assert_string_equal(prop(found, "architecture"), "arm64");
    assert_string_equal(prop(found, "log_group"), "/g");
    assert_int_equal(value_int_at(found->props, "concurrency", 0), 3);
    assert_string_equal(value_text_at(found->props, "environment.A"), "1");
    assert_string_equal(prop(found, "alias_arn"),
                        arena_printf(cloud->arena,
                                     "arn:aws:lambda:eu-west-1:111122223333:function:%s:live",
                                     name_of(cloud)));
}

static const struct {
    struct looks looks;
    const char *live, *status;
} looks[] = {
    {{CONFIGURATION("256", ACTIVE), CONFIGURATION("128", ""), ""}, "stale", "Active"},
    {{CONFIGURATION("256", ACTIVE), NULL, ""}, "none", "Active"},
    {{CONFIGURATION("256", ACTIVE), CONFIGURATION("256", ""),
      ",\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"6\":0.5}}"},
     "stale",
     "Active"},
    {{CONFIGURATION("256", ACTIVE), CONFIGURATION("256", ""),
      ",\"RoutingConfig\":{\"AdditionalVersionWeights\":{}}"},
     "current",
     "Active"},
    {{CONFIGURATION("256", ",\"State\":\"Failed\",\"StateReason\":\"no address\""),
      CONFIGURATION("256", ""), ""},
     "failed",
     "Failed"},
    {{CONFIGURATION("256", ",\"State\":\"Active\",\"LastUpdateStatus\":\"Failed\""),
      CONFIGURATION("256", ""), ""},
     "failed",
     "Update failed"},
    {{CONFIGURATION("256", ",\"State\":\"Active\",\"LastUpdateStatus\":\"InProgress\""),
      CONFIGURATION("256", ""), ""},
     "current",
     "Updating"},
    {{CONFIGURATION("256", ",\"State\":\"Pending\""), CONFIGURATION("256", ""), ""},
     "current",
     "Pending"},
    {{CONFIGURATION("256", ",\"State\":\"Inactive\""), CONFIGURATION("256", ""), ""},
     "current",
     "Active"},
};

static void what_is_half_done_shows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(looks); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        const struct found *found = look(cloud, &looks[i].looks);
        assert_string_equal(prop(found, "live"), looks[i].live);
        assert_string_equal(prop(found, "status"), looks[i].status);
        answering_cloud_free(cloud);
    }
}

static void what_is_listed_is_read_in_one_round(void **state)
{
    struct answering_cloud *cloud = *state;
    struct looks all = {CONFIGURATION("256", ACTIVE), CONFIGURATION("256", ""), ""};
    answering_cloud_list(cloud,
                         arena_printf(cloud->arena,
                                      "arn:aws:lambda:eu-west-1:111122223333:function:%s",
                                      name_of(cloud)),
                         "ask");
    look(cloud, &all);
    assert_int_equal(cloud->fake->request_count, 4);
}

/* -- making -- */

#define WANT                                                                               \
    "{\"role\":\"arn:r\",\"handler\":\"ask\",\"code\":\"%s\",\"code_sha256\":\"SUM\","     \
    "\"architecture\":\"arm64\",\"memory_mb\":256,\"timeout_s\":29,\"subnets\":[\"s-1\"]," \
    "\"groups\":[\"sg-1\"],\"log_group\":\"/g\",\"concurrency\":3,\"environment\":{\"A\":1}}"

static struct action action_of(struct answering_cloud *cloud, const struct found *have)
{
    return answering_cloud_action(cloud, &lambda_function, "ask",
                                  arena_printf(cloud->arena, WANT, zip_path), have);
}

#define CREATED "{\"Version\":\"1\",\"CodeSha256\":\"SUM\",\"State\":\"Pending\"}"

static void creation_makes_a_version_and_the_alias(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "POST /2015-03-31/functions\n", 201, CREATED);
    answering_cloud_answer(cloud, "/aliases\n", 409,
                           "{\"__type\":\"ResourceConflictException\",\"Message\":\"The operation "
                           "cannot be performed at this time. The function is currently in the "
                           "following state: Pending\"}");
    answering_cloud_answer(cloud, "/aliases\n", 201, "{}");
    struct action action = action_of(cloud, NULL);
    assert_int_equal(answering_cloud_run(cloud, lambda_function.create, &action, &error), 0);
    const struct value *sent =
        parse(cloud, arena_strndup(cloud->arena, cloud->fake->requests[0].body,
                                   cloud->fake->requests[0].body_length));
    assert_string_equal(value_text_at(sent, "Code.ZipFile"), "emlwcGVk");
    assert_true(value_bool_at(sent, "Publish", false));
    assert_string_equal(value_text(value_get(sent, "Tags"), "ragstack:id"), "ask");
    assert_string_equal(value_text_at(sent, "Architectures[0]"), "arm64");
    assert_string_equal(value_text_at(sent, "VpcConfig.SubnetIds[0]"), "s-1");
    assert_string_equal(value_text_at(sent, "LoggingConfig.LogGroup"), "/g");
    assert_string_equal(value_text_at(sent, "Environment.Variables.A"), "1");
    assert_null(value_get(sent, "ReservedConcurrentExecutions"));
    assert_null(value_get(sent, "DeadLetterConfig"));
    assert_int_equal(answering_cloud_count(cloud, "/aliases\n"), 2);
    assert_holds(answering_cloud_sent(cloud, "/aliases\n", 1), "\"FunctionVersion\":\"1\"");
    assert_string_equal(value_text(action.made, "status"), "Pending");
    assert_string_equal(action.physical_id, name_of(cloud));
}

static const char *const passing[] = {
    "The role defined for the function cannot be assumed by Lambda.",
    "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound.",
};

static void propagation_is_waited_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(passing); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        struct error error = {0};
        answering_cloud_answer(
            cloud, "POST /2015-03-31/functions\n", 400,
            arena_printf(cloud->arena,
                         "{\"__type\":\"InvalidParameterValueException\",\"Message\":\"%s\"}",
                         passing[i]));
        answering_cloud_answer(cloud, "POST /2015-03-31/functions\n", 201, CREATED);
        answering_cloud_answer(cloud, "/aliases\n", 201, "{}");
        struct action action = action_of(cloud, NULL);
        assert_int_equal(answering_cloud_run(cloud, lambda_function.create, &action, &error), 0);
        answering_cloud_free(cloud);
    }
}

static void a_name_that_is_taken_is_no_busy_function(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "POST /2015-03-31/functions\n", 409,
                           "{\"__type\":\"ResourceConflictException\",\"Message\":\"Function "
                           "already exist: x\"}");
    struct action action = action_of(cloud, NULL);
    assert_int_equal(answering_cloud_run(cloud, lambda_function.create, &action, &error),
                     ERR_EXISTS);
    assert_int_equal(error.code, ERR_EXISTS);
    assert_int_equal(cloud->fake->request_count, 1);
}

static void other_code_than_was_meant_is_an_error(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "POST /2015-03-31/functions\n", 201,
                           "{\"Version\":\"1\",\"CodeSha256\":\"OTHER\"}");
    struct action action = action_of(cloud, NULL);
    assert_int_equal(answering_cloud_run(cloud, lambda_function.create, &action, &error),
                     ERR_CONFLICT);
    assert_int_equal(answering_cloud_count(cloud, "/aliases"), 0);
}

/* -- changing -- */

static void answer_changes(struct answering_cloud *cloud)
{
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "/configuration\n&", 200,
                           "{\"State\":\"Active\",\"LastUpdateStatus\":\"InProgress\"}");
    answering_cloud_answer(cloud, "/configuration", 200,
                           "{\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\"}");
    answering_cloud_answer(cloud, "/code\n", 200,
                           "{\"CodeSha256\":\"SUM\",\"Version\":\"8\",\"State\":\"Active\","
                           "\"LastUpdateStatus\":\"InProgress\"}");
    answering_cloud_answer(cloud, "GET /2015-03-31/functions/", 200, "{\"Versions\":[]}");
    answering_cloud_answer(cloud, "/versions\n", 201, "{\"Version\":\"8\"}");
    answering_cloud_answer(cloud, "/aliases", 200, "{}");
    answering_cloud_answer(cloud, "/concurrency", 200, "{}");
}

static int order_of(const struct answering_cloud *cloud, const char *method, const char *part)
{
    for (size_t i = 0; i < cloud->fake->request_count; i++) {
        const struct fake_request *request = &cloud->fake->requests[i];
        if (strcmp(request->method, method) == 0 && strstr(request->url, part))
            return (int)i;
    }
    fail_msg("never asked: %s %s", method, part);
    return -1;
}

static const struct looks current = {CONFIGURATION("256", ACTIVE), CONFIGURATION("256", ""), ""};

static void the_alias_moves_when_all_is_in_force(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    answer_changes(cloud);
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "code_sha256");
    answering_cloud_change(cloud, &action, "memory_mb");
    answering_cloud_change(cloud, &action, "concurrency");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    int code = order_of(cloud, "PUT", "/code"), configuration = order_of(cloud, "PUT", "/config");
    int version = order_of(cloud, "POST", "/versions"), alias = order_of(cloud, "PUT", "/aliases");
    assert_true(code < configuration && configuration < version && version < alias);
    assert_holds(answering_cloud_sent(cloud, "POST /2015-03-31/functions", 0),
                 "\"CodeSha256\":\"SUM\"");
    assert_holds(answering_cloud_sent(cloud, "/aliases/live", 1), "\"FunctionVersion\":\"8\"");
    assert_string_equal(value_text(action.made, "live_version"), "8");
    assert_int_equal(answering_cloud_count(cloud, "PUT /2017-10-31/functions/"), 1);
    const char *sent = answering_cloud_sent(cloud, "PUT /2015-03-31/functions/", 1);
    assert_holds(sent, "\"MemorySize\":256");
    assert_holds_not(sent, "Timeout");
}

static void a_change_that_fails_leaves_the_alias(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "PUT /2015-03-31/functions/", 200,
                           "{\"CodeSha256\":\"SUM\",\"Version\":\"8\"}");
    answering_cloud_answer(cloud, "/configuration", 200,
                           "{\"State\":\"Active\",\"LastUpdateStatus\":\"Failed\","
                           "\"LastUpdateStatusReason\":\"subnet is full\"}");
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "code_sha256");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error),
                     ERR_FAILED);
    assert_holds(error.message, "subnet is full");
    assert_int_equal(answering_cloud_count(cloud, "/versions"), 0);
    assert_int_equal(answering_cloud_count(cloud, "/aliases/live\n{"), 0);
}

static void code_alone_is_published_by_its_own_call(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    answer_changes(cloud);
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "code_sha256");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    assert_holds(answering_cloud_sent(cloud, "/code", 0), "\"Publish\":true");
    assert_int_equal(answering_cloud_count(cloud, "/versions\n{"), 0);
    assert_holds(answering_cloud_sent(cloud, "/configuration?Qualifier=8", 0), "");
    assert_holds(answering_cloud_sent(cloud, "/aliases/live", 1), "\"FunctionVersion\":\"8\"");
}

static void a_stale_alias_is_all_that_is_repaired(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &looks[0].looks);
    answer_changes(cloud);
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "live");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "/code\n"), 0);
    assert_int_equal(answering_cloud_count(cloud, "PUT /2015-03-31/functions/"), 1);
    assert_true(order_of(cloud, "POST", "/versions") < order_of(cloud, "PUT", "/aliases/live"));
}

static void a_missing_alias_is_made(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &looks[1].looks);
    answer_changes(cloud);
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "live");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "/aliases\n{"), 1);
}

static void a_failed_function_gets_its_whole_configuration(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &looks[4].looks);
    answer_changes(cloud);
    struct action action = action_of(cloud, have);
    answering_cloud_change(cloud, &action, "live");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "PUT /2015-03-31/functions/", 0);
    assert_holds(sent, "\"Timeout\":29");
    assert_holds(sent, "\"SubnetIds\":[\"s-1\"]");
}

static void what_is_taken_away_goes_back(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    answer_changes(cloud);
    struct action action =
        answering_cloud_action(cloud, &lambda_function, "ask", "{\"role\":\"arn:r\"}", have);
    const char *const fields[] = {"environment", "subnets", "groups",
                                  "dead_letter", "layers",  "concurrency"};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        answering_cloud_change(cloud, &action, fields[i]);
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    const char *sent = answering_cloud_sent(cloud, "PUT /2015-03-31/functions/", 0);
    assert_holds(sent, "\"Variables\":{}");
    assert_holds(sent, "\"SubnetIds\":[]");
    assert_holds(sent, "\"SecurityGroupIds\":[]");
    assert_holds(sent, "\"TargetArn\":\"\"");
    assert_holds(sent, "\"Layers\":[]");
    assert_int_equal(answering_cloud_count(cloud, "DELETE /2017-10-31/functions/"), 1);
}

static void permissions_are_made_anew(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    struct found *have = (struct found *)look(cloud, &current);
    value_set(cloud->arena, have->props, "permissions",
              parse(cloud, "[{\"id\":\"stays\",\"principal\":\"a\",\"action\":"
                           "\"lambda:InvokeFunction\"},{\"id\":\"moves\",\"principal\":\"a\"},"
                           "{\"id\":\"goes\",\"principal\":\"a\"}]"));
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "DELETE /", 204, "{}");
    answering_cloud_answer(cloud, "POST /", 201, "{}");
    struct action action = answering_cloud_action(
        cloud, &lambda_function, "ask",
        "{\"role\":\"arn:r\",\"permissions\":[{\"id\":\"stays\",\"principal\":\"a\"},"
        "{\"id\":\"moves\",\"principal\":\"b\",\"source_arn\":\"arn:x\"}]}",
        have);
    size_t before = cloud->fake->request_count;
    answering_cloud_change(cloud, &action, "permissions");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    assert_int_equal(cloud->fake->request_count - before, 3);
    assert_int_equal(answering_cloud_count(cloud, "/policy/goes?Qualifier=live"), 1);
    assert_int_equal(answering_cloud_count(cloud, "/policy/moves?Qualifier=live"), 1);
    const char *sent = answering_cloud_sent(cloud, "POST /", 0);
    assert_holds(sent, "/policy?Qualifier=live");
    assert_holds(sent, "\"SourceArn\":\"arn:x\"");
    assert_holds(sent, "\"Action\":\"lambda:InvokeFunction\"");
}

static void a_permission_that_is_there_is_replaced(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "POST /", 409,
                           "{\"__type\":\"ResourceConflictException\",\"Message\":\"The statement "
                           "id (api) provided already exists. Please provide a new one.\"}");
    answering_cloud_answer(cloud, "POST /", 201, "{}");
    answering_cloud_answer(cloud, "DELETE /", 204, "{}");
    struct action action = answering_cloud_action(
        cloud, &lambda_function, "ask",
        "{\"role\":\"arn:r\",\"permissions\":[{\"id\":\"api\",\"principal\":\"b\"}]}", have);
    answering_cloud_change(cloud, &action, "permissions");
    assert_int_equal(answering_cloud_run(cloud, lambda_function.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "DELETE /"), 1);
    assert_int_equal(answering_cloud_count(cloud, "POST /"), 2);
}

/* -- removing -- */

static void a_function_leaves_its_network_first(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    answer_changes(cloud);
    answering_cloud_answer(cloud, "DELETE /2015-03-31/functions/", 204, "");
    struct action action = action_of(cloud, have);
    action.want = have->props;
    assert_int_equal(answering_cloud_run(cloud, lambda_function.remove, &action, &error), 0);
    assert_holds(answering_cloud_sent(cloud, "PUT /2015-03-31/functions/", 0),
                 "\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[]}");
    assert_true(order_of(cloud, "PUT", "/configuration") < order_of(cloud, "DELETE", "/functions"));
}

static void a_network_that_cannot_be_left_keeps_nothing(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    const struct found *have = look(cloud, &current);
    cloud->answer_count = 0;
    answering_cloud_answer(cloud, "PUT /", 400,
                           "{\"__type\":\"InvalidParameterValueException\",\"Message\":\"x\"}");
    answering_cloud_answer(cloud, "DELETE /2015-03-31/functions/", 204, "");
    struct action action = action_of(cloud, have);
    assert_int_equal(answering_cloud_run(cloud, lambda_function.remove, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "DELETE /"), 1);
}

static int make_zip(void **state)
{
    (void)state;
    int descriptor = mkstemp(zip_path);
    if (descriptor < 0 || write(descriptor, "zipped", 6) != 6)
        return -1;
    return close(descriptor);
}

static int delete_zip(void **state)
{
    (void)state;
    return unlink(zip_path);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(statements_are_read_as_permissions),
        CASE(versions_in_use_and_the_newest_stay),
        CASE(a_zip_is_sent_as_base64),
        CASE(a_function_is_read_with_its_parts),
        CASE(what_is_half_done_shows),
        CASE(what_is_listed_is_read_in_one_round),
        CASE(creation_makes_a_version_and_the_alias),
        CASE(propagation_is_waited_for),
        CASE(a_name_that_is_taken_is_no_busy_function),
        CASE(other_code_than_was_meant_is_an_error),
        CASE(the_alias_moves_when_all_is_in_force),
        CASE(a_change_that_fails_leaves_the_alias),
        CASE(code_alone_is_published_by_its_own_call),
        CASE(a_stale_alias_is_all_that_is_repaired),
        CASE(a_missing_alias_is_made),
        CASE(a_failed_function_gets_its_whole_configuration),
        CASE(what_is_taken_away_goes_back),
        CASE(permissions_are_made_anew),
        CASE(a_permission_that_is_there_is_replaced),
        CASE(a_function_leaves_its_network_first),
        CASE(a_network_that_cannot_be_left_keeps_nothing),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_zip, delete_zip);
}
