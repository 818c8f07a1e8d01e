/* From stack files to resources: what each file stands for, and that all of it holds together.
 *
 * Every expansion is checked for the same things: properties that their kinds know, references that
 * lead somewhere, ids that fit and differ, groups that let nobody in from anywhere, roles that
 * allow no action as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/cloud.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/metrics.h"
#include "pkg/cloud/types.h"
#include "pkg/plan/graph.h"
#include "pkg/plan/plan.h"
#include "pkg/stack/stack.h"
#include "pkg/value/json.h"

static int make_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

/* -- expanding -- */

static struct expand_options options_for(const struct stack *stack)
{
    return (struct expand_options){.handler_zip = "handler.zip",
                                   .handler_sha256 = "c3Vt",
                                   .git = &stack->git,
                                   .prompt = stack->prompt};
}

static struct resource_list expand_stack(struct arena *arena, const struct stack *stack)
{
    struct resource_list list = {0};
    struct error error = {0};
    struct expand_options options = options_for(stack);
    if (cloud_expand(arena, stack->tree, &options, &list, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    return list;
}

static struct stack *load_file(struct arena *arena, const char *file, const char *environment)
{
    struct stack_options options = {.file = file, .environment = environment, .types = cloud_types};
    struct stack *stack;
    struct fault_list faults = {0};
    struct error error = {0};
    if (stack_load(arena, &options, &stack, &faults, &error) < 0)
        fail_msg("%s:%d: %s", file, error.line, error.message);
    return stack;
}

static struct stack *load_text(struct arena *arena, const char *more)
{
    const char *text = arena_printf(arena, "stack: acme\nregion: us-east-1\n%s", more);
    struct stack_options options = {.file = "ragstack.yaml", .types = cloud_types};
    struct stack *stack;
    struct fault_list faults = {0};
    struct error error = {0};
    if (stack_load_text(arena, text, strlen(text), &options, &stack, &faults, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    return stack;
}

static struct resource_list expand_text(struct arena *arena, const char *more)
{
    return expand_stack(arena, load_text(arena, more));
}

static const struct resource *find(const struct resource_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].id, id) == 0)
            return &list->items[i];
    }
    return NULL;
}

static const struct value *prop(const struct resource_list *list, const char *id, const char *path)
{
    const struct resource *resource = find(list, id);
    if (!resource) {
        fail_msg("there is no %s", id);
        return NULL;
    }
    return value_at(resource->props, path);
}

static const char *prop_text(const struct resource_list *list, const char *id, const char *path)
{
    const struct value *value = prop(list, id, path);
    if (!value_is(value, VALUE_STRING))
        fail_msg("%s.%s is no text", id, path);
    return value->string.text;
}

static size_t count_kind(const struct resource_list *list, const struct resource_type *type)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].type == type;
    return count;
}

/* -- what holds for every expansion -- */

static void no_fault(void *data, struct mark mark, const char *message)
{
    (void)mark;
    fail_msg("%s: %s", (const char *)data, message);
}

static void check_properties(struct arena *arena, const struct resource *resource)
{
    char *what = arena_printf(arena, "%s %s", resource->type->kind, resource->id);
    fields_check(arena, resource->type->fields, resource->props, what, resource->mark, no_fault,
                 what);
}

static void check_ids(const struct resource_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *id = list->items[i].id;
        assert_in_range(strlen(id), 1, 40);
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(id));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(id, list->items[j].id);
    }
}

/* Nobody comes in but from a group of the stack. */
static void check_group(const struct resource *group)
{
    struct value *rule;
    value_each(rule, value_get(group->props, "rules"))
    {
        bool ingress = value_is_text(value_get(rule, "direction"), "ingress");
        if (ingress && !value_text(rule, "group"))
            fail_msg("%s lets in from elsewhere: %s", group->id, value_text(rule, "cidr"));
        assert_non_null(value_text(rule, "description"));
    }
}

static void check_action(const struct resource *role, const struct value *action)
{
    const char *text = action->string.text, *colon = strchr(text, ':');
    if (!colon || colon[1] == '*' || strchr(text, '*'))
        fail_msg("%s allows %s", role->id, text);
}

/* Only what knows no narrower resource is allowed on all of them. */
static void check_statement(const struct resource *role, const struct value *statement)
{
    struct value *action, *resource;
    bool allows = value_is_text(value_get(statement, "Effect"), "Allow");
    bool network = value_is_text(value_get(statement, "Sid"), "Network");
    value_each(action, value_get(statement, "Action"))
    {
        if (allows)
            check_action(role, action);
        assert_true(!network || strncmp(action->string.text, "ec2:", 4) == 0);
    }
    value_each(resource, value_get(statement, "Resource"))
    {
        if (allows && !network && value_is_text(resource, "*"))
            fail_msg("%s allows %s on everything", role->id, value_text(statement, "Sid"));
    }
}

static void check_role(const struct resource *role)
{
    const struct value *policies = value_get(role->props, "policies");
    assert_true(value_count(policies) > 0);
    for (size_t i = 0; i < value_count(policies); i++) {
        struct value *statement;
        value_each(statement, value_get(value_entry(policies, i)->value, "Statement"))
            check_statement(role, statement);
    }
    assert_null(value_get(role->props, "managed_policies"));
}

static void check_all(struct arena *arena, const struct resource_list *list)
{
    check_ids(list);
    for (size_t i = 0; i < list->count; i++) {
        const struct resource *resource = &list->items[i];
        check_properties(arena, resource);
        if (resource->type == &ec2_security_group)
            check_group(resource);
        if (resource->type == &iam_role)
            check_role(resource);
    }
    char *what = arena_strdup(arena, "references");
    plan_check_references(arena, list, no_fault, what);
}

/* Neither circles nor anything else keeps it from being made. */
static void check_plan(struct arena *arena, const struct stack *stack,
                       const struct resource_list *list)
{
    struct identity identity = {.target = "aws",
                                .partition = "aws",
                                .account = "123456789012",
                                .region = stack->region,
                                .stack = stack->name,
                                .environment = stack->environment};
    struct target target = {.name = "aws", .types = cloud_types, .identity = &identity};
    struct found_list found = {0};
    struct plan *plan;
    struct error error = {0};
    if (plan_make(arena, &target, list, &found, NULL, &plan, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(plan->step_count, list->count);
    struct graph graph;
    if (graph_build(arena, plan, &graph, &error) < 0)
        fail_msg("%s", error.message);
}

/* -- the files that come with the program -- */

struct kind_count {
    const struct resource_type *type;
    size_t count;
};

static void check_counts(const struct resource_list *list, const struct kind_count *counts,
                         size_t count)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        size_t have = count_kind(list, counts[i].type);
        if (have != counts[i].count)
            fail_msg("%zu of %s, and not %zu", have, counts[i].type->kind, counts[i].count);
        all += have;
    }
    assert_int_equal(all, list->count);
}

static void the_small_file(void **state)
{
    static const struct kind_count counts[] = {
        {&ec2_vpc, 1},
        {&ec2_subnet, 4},
        {&ec2_internet_gateway, 1},
        {&ec2_elastic_ip, 0},
        {&ec2_nat_gateway, 0},
        {&ec2_route_table, 2},
        {&ec2_security_group, 5},
        {&ec2_vpc_endpoint, 2},
        {&rds_subnet_group, 1},
        {&rds_parameter_group, 1},
        {&rds_instance, 1},
        {&rds_proxy, 1},
        {&rag_schema, 1},
        {&iam_role, 4},
        {&logs_group, 4},
        {&lambda_function, 3},
        {&apigateway_api, 1},
        {&s3_bucket, 1},
        {&sns_topic, 0},
        {&cloudwatch_alarm, 6},
        {&cloudwatch_dashboard, 1},
    };
    struct stack *stack = load_file(*state, "stacks/rag.yaml", NULL);
    struct resource_list list = expand_stack(*state, stack);
    check_all(*state, &list);
    check_counts(&list, counts, COUNT_OF(counts));
    check_plan(*state, stack, &list);
    assert_null(find(&list, "api")->note);
    assert_non_null(find(&list, "proxy")->note);
}

static void the_production_file(void **state)
{
    static const struct kind_count prod[] = {
        {&ec2_vpc, 1},
        {&ec2_subnet, 6},
        {&ec2_internet_gateway, 1},
        {&ec2_elastic_ip, 0},
        {&ec2_nat_gateway, 0},
        {&ec2_route_table, 2},
        {&ec2_security_group, 5},
        {&ec2_vpc_endpoint, 2},
        {&rds_subnet_group, 1},
        {&rds_parameter_group, 1},
        {&rds_instance, 1},
        {&rds_proxy, 1},
        {&rag_schema, 1},
        {&iam_role, 4},
        {&logs_group, 4},
        {&lambda_function, 3},
        {&apigateway_api, 1},
        {&s3_bucket, 2},
        {&sns_topic, 1},
        {&cloudwatch_alarm, 6},
        {&cloudwatch_dashboard, 1},
    };
    struct stack *stack = load_file(*state, "stacks/production.yaml", "prod");
    struct resource_list list = expand_stack(*state, stack);
    check_all(*state, &list);
    check_counts(&list, prod, COUNT_OF(prod));
    check_plan(*state, stack, &list);
    assert_true(value_bool_at(find(&list, "database")->props, "multi_az", false));
    assert_int_equal(value_as_int(prop(&list, "ask", "concurrency"), 0), 100);
    assert_string_equal(prop_text(&list, "alerts", "subscriptions[0].endpoint"), "ops@example.com");
    assert_string_equal(prop_text(&list, "alarm-latency", "actions[0]"), "${alerts.arn}");
    assert_string_equal(prop_text(&list, "api", "authorizer.issuer"), "https://login.example.com/");
    assert_string_equal(value_text(find(&list, "vpc")->tags, "cost-center"), "4711");
}

static void the_development_environment(void **state)
{
    struct stack *stack = load_file(*state, "stacks/production.yaml", "dev");
    struct resource_list list = expand_stack(*state, stack);
    check_all(*state, &list);
    check_plan(*state, stack, &list);
    assert_null(find(&list, "proxy"));
    assert_null(find(&list, "proxy-role"));
    assert_null(find(&list, "proxy-group"));
    assert_null(find(&list, "alarm-latency"));
    assert_non_null(find(&list, "alarm-model-cost"));
    assert_string_equal(prop_text(&list, "ask", "environment.RAG_DB_HOST"), "${database.endpoint}");
    assert_int_equal(count_kind(&list, &ec2_subnet), 4);
}

static void many_files_hold_together(void **state)
{
    static const char *const files[] = {
        "",
        "network: {nat: single}\n",
        "network: {nat: per-zone, zones: 6, endpoints: []}\n",
        "network: {endpoints: [s3, dynamodb, bedrock-runtime, sts, ecr.api]}\n",
        "database: {proxy: false}\ndocuments: {bucket: false}\n",
        "api: {auth: none, cors: {origins: [\"*\"]}}\n",
        "watch: {dashboard: false, notify: a@b.c, alarms: {errors: null}}\n",
        "models: {generate: {id: anthropic.claude-3-haiku-20240307-v1:0}}\n",
        "models: {generate: {id: us.amazon.nova-lite-v1:0, fallback: [a.b, eu.c.d]}}\n",
        "functions: {ask: {environment: {MODE: fast, LIMIT: 5}}}\n",
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct stack *stack = load_text(*state, files[i]);
        struct resource_list list = expand_stack(*state, stack);
        check_all(*state, &list);
        check_plan(*state, stack, &list);
    }
}

/* -- every key has an effect -- */

/* A value other than the default, for each key of the file. */
static const struct {
    const char *key, *text;
} said[] = {
    {"tags", "tags: {a: b}"},
    {"network.cidr", "network: {cidr: 10.1.0.0/16}"},
    {"network.zones", "network: {zones: 3}"},
    {"network.nat", "network: {nat: single}"},
    {"network.endpoints", "network: {endpoints: [s3, bedrock-runtime, sts]}"},
    {"database.version", "database: {version: \"16\"}"},
    {"database.class", "database: {class: db.m7g.large}"},
    {"database.storage_gb", "database: {storage_gb: 40}"},
    {"database.max_storage_gb", "database: {max_storage_gb: 80}"},
    {"database.multi_az", "database: {multi_az: true}"},
    {"database.proxy", "database: {proxy: false}"},
    {"database.deletion_protection", "database: {deletion_protection: false}"},
    {"database.backup_days", "database: {backup_days: 1}"},
    {"database.name", "database: {name: other}"},
    {"database.performance_insights", "database: {performance_insights: true}"},
    {"database.was", "database: {was: papers}"},
    {"models.embed.id", "models: {embed: {id: other.embed}}"},
    {"models.embed.dimensions", "models: {embed: {dimensions: 256}}"},
    {"models.generate.id", "models: {generate: {id: other.generate}}"},
    {"models.generate.max_tokens", "models: {generate: {max_tokens: 5}}"},
    {"models.generate.fallback", "models: {generate: {fallback: [other.generate]}}"},
    {"functions.architecture", "functions: {architecture: arm64}"},
    {"functions.ask.memory_mb", "functions: {ask: {memory_mb: 300}}"},
    {"functions.ask.timeout_s", "functions: {ask: {timeout_s: 9}}"},
    {"functions.ask.concurrency", "functions: {ask: {concurrency: 9}}"},
    {"functions.ask.environment", "functions: {ask: {environment: {A: b}}}"},
    {"functions.ingest.memory_mb", "functions: {ingest: {memory_mb: 300}}"},
    {"functions.ingest.timeout_s", "functions: {ingest: {timeout_s: 9}}"},
    {"functions.ingest.concurrency", "functions: {ingest: {concurrency: 9}}"},
    {"functions.ingest.environment", "functions: {ingest: {environment: {A: b}}}"},
    {"functions.schema.memory_mb", "functions: {schema: {memory_mb: 300}}"},
    {"functions.schema.timeout_s", "functions: {schema: {timeout_s: 9}}"},
    {"functions.schema.concurrency", "functions: {schema: {concurrency: 9}}"},
    {"functions.schema.environment", "functions: {schema: {environment: {A: b}}}"},
    {"api.auth", "api: {auth: none}"},
    {"api.jwt.issuer", "api: {auth: jwt, jwt: {issuer: \"https://x\", audience: [a]}}"},
    {"api.jwt.audience", "api: {auth: jwt, jwt: {issuer: \"https://y\", audience: [b]}}"},
    {"api.throttle.rate", "api: {throttle: {rate: 1}}"},
    {"api.throttle.burst", "api: {throttle: {burst: 1}}"},
    {"api.cors.origins", "api: {cors: {origins: [\"https://x\"]}}"},
    {"documents.bucket", "documents: {bucket: false}"},
    {"documents.was", "documents: {was: archive}"},
    {"retrieval.top_k", "retrieval: {top_k: 1}"},
    {"retrieval.floor", "retrieval: {floor: \"0.1\"}"},
    {"watch.retention_days", "watch: {retention_days: 1}"},
    {"watch.alarms.errors", "watch: {alarms: {errors: 9}}"},
    {"watch.alarms.p95_latency_ms", "watch: {alarms: {p95_latency_ms: 9}}"},
    {"watch.alarms.bedrock_usd_per_day", "watch: {alarms: {bedrock_usd_per_day: 9}}"},
    {"watch.alarms.database_cpu_percent", "watch: {alarms: {database_cpu_percent: 9}}"},
    {"watch.alarms.database_free_gb", "watch: {alarms: {database_free_gb: 9}}"},
    {"watch.dashboard", "watch: {dashboard: false}"},
    {"watch.notify", "watch: {notify: a@b.c}"},
    {"watch.log_questions", "watch: {log_questions: true}"},
    {"resources", "resources: {x: {kind: s3.bucket}}"},
};

/* Who a stack is, what stands in another file, what was merged before, and what `up` does after it
 * all: no business of the expansion (the prompt has a test of its own). */
static const char *const elsewhere[] = {"stack",
                                        "region",
                                        "prompt",
                                        "environments",
                                        "release.smoke",
                                        "release.watch_s",
                                        "release.latency_ms",
                                        "release.canary"};

static const char *text_for(const char *key)
{
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        if (strcmp(said[i].key, key) == 0)
            return said[i].text;
    }
    return NULL;
}

static const char *fingerprint(struct arena *arena, const char *more)
{
    struct resource_list list = expand_text(arena, more);
    struct value *all = value_list(arena);
    for (size_t i = 0; i < list.count; i++) {
        value_push_text(arena, all, list.items[i].id);
        value_push(arena, all, list.items[i].props);
        value_push(arena, all, list.items[i].tags);
        value_push(arena, all, value_string(arena, list.items[i].was));
    }
    return json_text_canonical(arena, all);
}

static void check_key(struct arena *arena, const char *key)
{
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        if (strcmp(elsewhere[i], key) == 0)
            return;
    }
    const char *text = text_for(key);
    if (!text)
        fail_msg("%s: say another value for it in this test", key);
    if (strcmp(fingerprint(arena, ""), fingerprint(arena, text)) == 0)
        fail_msg("%s changes nothing", key);
}

static void check_keys(struct arena *arena, const struct field *fields, const char *above)
{
    for (; fields->name; fields++) {
        const char *key = arena_printf(arena, "%s%s%s", above, *above ? "." : "", fields->name);
        if (fields->fields)
            check_keys(arena, fields->fields, key);
        else
            check_key(arena, key);
    }
}

static void every_key_has_an_effect(void **state)
{
    check_keys(*state, stack_fields, "");
}

/* -- the network -- */

static void a_zone_more_moves_nobody(void **state)
{
    struct resource_list two = expand_text(*state, ""),
                         three = expand_text(*state, "network: {zones: 3}\n");
    static const char *const ids[] = {"public-1", "public-2", "private-1", "private-2"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_string_equal(prop_text(&two, ids[i], "cidr"), prop_text(&three, ids[i], "cidr"));
        assert_int_equal(value_as_int(prop(&two, ids[i], "zone_index"), -1),
                         value_as_int(prop(&three, ids[i], "zone_index"), -2));
    }
    assert_string_equal(prop_text(&three, "public-3", "cidr"), "10.20.32.0/20");
    assert_string_equal(prop_text(&three, "private-3", "cidr"), "10.20.160.0/20");
    assert_int_equal(three.count, two.count + 2);
}

static void subnets_stand_in_their_slots(void **state)
{
    struct resource_list list = expand_text(*state, "network: {cidr: 10.0.4.0/24, zones: 6}\n");
    assert_string_equal(prop_text(&list, "public-1", "cidr"), "10.0.4.0/28");
    assert_string_equal(prop_text(&list, "public-6", "cidr"), "10.0.4.80/28");
    assert_string_equal(prop_text(&list, "private-1", "cidr"), "10.0.4.128/28");
    assert_string_equal(prop_text(&list, "private-6", "cidr"), "10.0.4.208/28");
}

static void nat_gateways_as_many_as_said(void **state)
{
    struct resource_list one = expand_text(*state, "network: {nat: single, zones: 3}\n");
    struct resource_list each = expand_text(*state, "network: {nat: per-zone, zones: 3}\n");
    assert_int_equal(count_kind(&one, &ec2_nat_gateway), 1);
    assert_int_equal(count_kind(&one, &ec2_route_table), 2);
    assert_int_equal(count_kind(&each, &ec2_nat_gateway), 3);
    assert_int_equal(count_kind(&each, &ec2_elastic_ip), 3);
    assert_int_equal(count_kind(&each, &ec2_route_table), 4);
    assert_string_equal(prop_text(&each, "private-routes-3", "routes[0].nat_gateway"),
                        "${nat-3.id}");
    assert_int_equal(value_count(prop(&each, "private-routes-3", "subnets")), 1);
}

static void dots_of_a_service_are_none_of_its_id(void **state)
{
    struct resource_list list =
        expand_text(*state, "network: {endpoints: [s3, bedrock-runtime, ecr.api]}\n");
    assert_string_equal(prop_text(&list, "endpoint-ecr-api", "service"), "ecr.api");
    assert_string_equal(prop_text(&list, "endpoint-ecr-api", "type"), "interface");
    assert_string_equal(prop_text(&list, "endpoint-s3", "type"), "gateway");
}

static int refusal(struct arena *arena, const char *more, const char *prompt, struct error *error)
{
    struct stack *stack = load_text(arena, more);
    struct expand_options options = options_for(stack);
    struct resource_list list = {0};
    options.prompt = prompt;
    *error = (struct error){0};
    return cloud_expand(arena, stack->tree, &options, &list, error);
}

static void no_way_to_what_is_needed_is_refused(void **state)
{
    struct error error;
    assert_int_equal(refusal(*state, "network:\n  endpoints: [s3]\n", NULL, &error), ERR_INPUT);
    assert_int_equal(error.line, 4);
    assert_non_null(strstr(error.message, "cannot reach the models"));
    assert_int_equal(refusal(*state, "network: {endpoints: [bedrock-runtime]}\n", NULL, &error),
                     ERR_INPUT);
    assert_int_equal(error.line, 3);
    assert_non_null(strstr(error.message, "documents' bucket"));
    assert_int_equal(
        refusal(*state, "network: {endpoints: [bedrock-runtime]}\ndocuments: {bucket: false}\n",
                NULL, &error),
        0);
    assert_int_equal(refusal(*state, "network: {nat: single, endpoints: []}\n", NULL, &error), 0);
}

/* -- roles -- */

static const struct value *statement_of(const struct resource_list *list, const char *role,
                                        const char *sid)
{
    const struct value *statements = prop(list, role, "policies.function.Statement");
    return value_find(statements, "Sid", sid);
}

static void a_profile_is_allowed_with_its_model_in_every_region(void **state)
{
    struct resource_list list = expand_text(
        *state, "models: {generate: {id: \"eu.anthropic.claude-haiku-4-5-20251001-v1:0\"}}\n");
    const struct value *profile = statement_of(&list, "ask-role", "Profile5");
    const struct value *model = statement_of(&list, "ask-role", "ProfileModel5");
    assert_string_equal(value_text_at(profile, "Resource[0]"),
                        "arn:${stack.partition}:bedrock:${stack.region}:${stack.account}:"
                        "inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0");
    assert_string_equal(value_text_at(model, "Resource[0]"),
                        "arn:${stack.partition}:bedrock:*::foundation-model/"
                        "anthropic.claude-haiku-4-5-20251001-v1:0");
    assert_true(value_equal(
        value_get(value_at(model, "Condition.StringEquals"), "bedrock:InferenceProfileArn"),
        value_at(profile, "Resource[0]")));
}

static void a_profile_of_ones_own_is_allowed_by_its_arn(void **state)
{
    static const char *const arn =
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    struct resource_list list =
        expand_text(*state, arena_printf(*state, "models: {generate: {id: \"%s\"}}\n", arn));
    assert_string_equal(value_text_at(statement_of(&list, "ask-role", "Profile5"), "Resource[0]"),
                        arn);
    assert_non_null(value_get(statement_of(&list, "ask-role", "ProfileModel5"), "Condition"));
}

static void ingest_may_not_ask_the_generating_model(void **state)
{
    struct resource_list list = expand_text(*state, "");
    const char *ingest = json_text(*state, find(&list, "ingest-role")->props);
    const char *schema = json_text(*state, find(&list, "schema-role")->props);
    assert_null(strstr(ingest, "claude"));
    assert_non_null(strstr(ingest, "titan-embed"));
    assert_non_null(strstr(ingest, "s3:GetObject"));
    assert_null(strstr(schema, "bedrock"));
    assert_null(strstr(schema, "s3:"));
    assert_null(strstr(json_text(*state, find(&list, "ask-role")->props), "s3:"));
}

static void each_function_connects_as_its_own_user(void **state)
{
    struct resource_list list = expand_text(*state, "");
    assert_non_null(
        strstr(value_text_at(statement_of(&list, "ask-role", "Database"), "Resource[0]"),
               ":dbuser:${proxy.resource_id}/rag_app"));
    assert_non_null(
        strstr(value_text_at(statement_of(&list, "schema-role", "Database"), "Resource[0]"),
               ":dbuser:${database.resource_id}/ragadmin"));
    assert_non_null(
        strstr(prop_text(&list, "proxy-role", "policies.connect.Statement[0].Resource[0]"),
               "${database.resource_id}/rag_app"));
}

static void the_network_is_not_for_code(void **state)
{
    struct resource_list list = expand_text(*state, "");
    const struct value *allowed = statement_of(&list, "ask-role", "Network");
    const struct value *denied = statement_of(&list, "ask-role", "NetworkNotForCode");
    assert_string_equal(value_text(denied, "Effect"), "Deny");
    assert_true(value_equal(value_get(allowed, "Action"), value_get(denied, "Action")));
    assert_non_null(value_at(denied, "Condition.ArnLike"));
}

/* -- what the functions are told -- */

static void the_prompt_reaches_the_function(void **state)
{
    struct stack *stack = load_text(*state, "");
    struct expand_options options = options_for(stack);
    struct resource_list list = {0};
    options.prompt = "{{passages}} {{question}} for ${five}";
    assert_int_equal(cloud_expand(*state, stack->tree, &options, &list, NULL), 0);
    assert_string_equal(prop_text(&list, "ask", "environment.RAG_PROMPT"),
                        "{{passages}} {{question}} for $${five}");
    assert_null(prop(&list, "ingest", "environment.RAG_PROMPT"));
    check_all(*state, &list);
}

static void a_prompt_that_does_not_fit_is_refused(void **state)
{
    char *prompt = arena_alloc(*state, 4000);
    struct error error;
    memset(prompt, 'x', 3000);
    assert_int_equal(refusal(*state, "", prompt, &error), 0);
    memset(prompt, 'x', 3001);
    assert_int_equal(refusal(*state, "prompt: prompt.md\n", prompt, &error), ERR_INPUT);
    assert_int_equal(error.line, 3);
}

static void settings_reach_the_function(void **state)
{
    struct resource_list list =
        expand_text(*state, "models: {generate: {max_tokens: 77, fallback: [a.b, c.d]}}\n"
                            "retrieval: {top_k: 9, floor: \"0.4\"}\nwatch: {log_questions: true}\n"
                            "functions: {ask: {environment: {MODE: fast}}}\n");
    static const struct {
        const char *name, *text;
    } expected[] = {
        {"RAG_MAX_TOKENS", "77"},
        {"RAG_FALLBACK_MODELS", "a.b,c.d"},
        {"RAG_TOP_K", "9"},
        {"RAG_FLOOR", "0.4"},
        {"RAG_LOG_QUESTIONS", "1"},
        {"MODE", "fast"},
        {"RAG_EMBED_DIMENSIONS", "512"},
        {"RAG_DB_USER", "rag_app"},
        {"RAG_STACK", "${stack.full_name}"},
    };
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_string_equal(
            prop_text(&list, "ask", arena_printf(*state, "environment.%s", expected[i].name)),
            expected[i].text);
}

/* -- doors -- */

static void routes_want_what_the_file_says(void **state)
{
    static const struct {
        const char *more, *auth;
    } cases[] = {
        {"", "iam"},
        {"api: {auth: none}\n", "none"},
        {"api: {auth: jwt, jwt: {issuer: \"https://x\", audience: [y]}}\n", "jwt"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct resource_list list = expand_text(*state, cases[i].more);
        struct value *route;
        assert_int_equal(value_count(prop(&list, "api", "routes")), 8);
        value_each(route, prop(&list, "api", "routes"))
            assert_string_equal(value_text(route, "auth"), cases[i].auth);
        assert_int_equal(value_is(prop(&list, "api", "authorizer"), VALUE_MAP), i == 2);
    }
}

static void an_open_api_is_said_aloud(void **state)
{
    struct resource_list list = expand_text(*state, "api:\n  auth: none\n");
    const struct resource *api = find(&list, "api");
    assert_non_null(strstr(api->note, "anybody"));
    assert_int_equal(api->note_mark.line, 4);
}

static void browsers_may_send_a_signature_where_one_is_wanted(void **state)
{
    struct resource_list iam = expand_text(*state, "api: {cors: {origins: [\"https://x\"]}}\n");
    struct resource_list none =
        expand_text(*state, "api: {auth: none, cors: {origins: [\"https://x\"]}}\n");
    assert_int_equal(value_count(prop(&iam, "api", "cors.headers")), 5);
    assert_int_equal(value_count(prop(&none, "api", "cors.headers")), 2);
    struct resource_list closed = expand_text(*state, "");
    assert_false(value_is(prop(&closed, "api", "cors"), VALUE_MAP));
}

static void notifications_and_permissions_go_together(void **state)
{
    struct resource_list with = expand_text(*state, "");
    struct resource_list without = expand_text(*state, "documents: {bucket: false}\n");
    assert_string_equal(prop_text(&with, "documents", "notifications[0].function"),
                        "${ingest.alias_arn}");
    assert_string_equal(prop_text(&with, "ingest", "permissions[1].source_arn"),
                        "${documents.arn}");
    assert_string_equal(prop_text(&with, "ingest", "environment.RAG_BUCKET"), "${documents.name}");
    assert_null(find(&without, "documents"));
    assert_int_equal(value_count(prop(&without, "ingest", "permissions")), 1);
    assert_null(prop(&without, "ingest", "environment.RAG_BUCKET"));
}

static void events_that_fail_go_to_who_is_notified(void **state)
{
    struct resource_list quiet = expand_text(*state, "");
    struct resource_list loud = expand_text(*state, "watch: {notify: ops@example.com}\n");
    assert_null(prop(&quiet, "ingest", "dead_letter"));
    assert_string_equal(prop_text(&loud, "ingest", "dead_letter"), "${alerts.arn}");
    assert_null(prop(&loud, "ask", "dead_letter"));
    const char *policies = json_text(*state, prop(&loud, "ingest-role", "policies"));
    assert_non_null(strstr(policies, "sns:Publish"));
    assert_null(strstr(json_text(*state, prop(&quiet, "ingest-role", "policies")), "sns:Publish"));
}

/* -- alarms -- */

static void thresholds_become_alarms_in_the_metrics_unit(void **state)
{
    struct resource_list list =
        expand_text(*state, "watch: {alarms: {database_free_gb: 1.5, errors: 3}}\n");
    assert_true(value_as_real(prop(&list, "alarm-database-storage", "threshold"), 0) ==
                1.5 * 1073741824);
    assert_true(value_as_real(prop(&list, "alarm-errors-ingest", "threshold"), 0) == 3);
    assert_string_equal(prop_text(&list, "alarm-latency", "statistic"), "p95");
    assert_int_equal(value_count(prop(&list, "alarm-latency", "actions")), 0);
}

/* How often the dashboard draws this metric, with this statistic. */
static int drawn(const struct resource_list *list, const struct metric *metric)
{
    struct value *shown, *line;
    int count = 0;
    value_each(shown, prop(list, "dashboard", "body.widgets"))
    {
        value_each(line, value_at(shown, "properties.metrics"))
        {
            const struct value *options = value_item(line, value_count(line) - 1);
            count += value_is_text(value_item(line, 0), metric->namespace) &&
                     value_is_text(value_item(line, 1), metric->name) &&
                     value_is_text(value_item(line, 2), metric->dimension) &&
                     value_is_text(value_item(line, 3), metric->value) &&
                     value_is_text(value_get(options, "stat"), metric->statistic);
        }
    }
    return count;
}

static void the_dashboard_draws_every_metric_of_the_list(void **state)
{
    struct resource_list with = expand_text(*state, "watch: {alarms: {errors: null}}\n");
    struct resource_list without = expand_text(*state, "database: {proxy: false}\n");
    assert_int_equal(value_count(prop(&with, "dashboard", "body.widgets")), METRIC_PANELS);
    for (const struct metric *metric = metrics; metric->id; metric++) {
        bool twice = strcmp(metric->name, "Latency") == 0; /* also as a part of "gateway" */
        bool of_proxy = strcmp(metric_subject(*state, metric), "proxy") == 0;
        assert_int_equal(drawn(&with, metric), twice ? 2 : 1);
        assert_int_equal(drawn(&without, metric), of_proxy ? 0 : twice ? 2 : 1);
    }
    check_all(*state, &without);
}

static void the_gateways_part_is_a_difference_of_two_lines_that_are_not_drawn(void **state)
{
    struct resource_list list = expand_text(*state, "");
    struct value *line;
    const struct value *lines = prop(&list, "dashboard", "body.widgets[1].properties.metrics");
    size_t hidden = 0, expressions = 0;
    value_each(line, lines)
    {
        const struct value *options = value_item(line, value_count(line) - 1);
        const char *expression = value_text(options, "expression");
        hidden += value_get(options, "visible") && !value_bool_at(options, "visible", true);
        expressions += expression && value_is_text(value_get(options, "label"), "gateway");
    }
    assert_int_equal(expressions, 1);
    assert_int_equal(hidden, 2);
}

static void every_alarm_is_of_a_metric_of_the_list(void **state)
{
    struct resource_list list = expand_text(*state, "");
    for (const struct alarm_rule *rule = alarm_rules; rule->id; rule++) {
        const struct metric *metric = &metrics[metric_number(rule->metric)];
        const char *id = arena_printf(*state, "alarm-%s", rule->id);
        assert_string_equal(prop_text(&list, id, "metric"), metric->name);
        assert_string_equal(prop_text(&list, id, "statistic"), metric->statistic);
        assert_string_equal(prop_text(&list, id, "missing_data"), rule->missing);
    }
}

static void an_alarm_is_written_out_in_words(void **state)
{
    struct value *threshold = value_real(*state, 1.5);
    assert_string_equal(
        alarm_rule_words(*state, &alarm_rules[5], threshold),
        "Minimum of AWS/RDS FreeStorageSpace (DBInstanceIdentifier ${database.name}) over 300 s < "
        "1610612736, in 1 period in a row; a period without values is no data, which the alarm "
        "then says (missing)");
    assert_string_equal(
        alarm_rule_words(*state, &alarm_rules[2], NULL),
        "p95 of AWS/ApiGateway Latency (ApiId ${api.id}) over 300 s > the threshold, in 3 periods "
        "in a row; a period without values counts as fine (notBreaching)");
}

/* -- the file's own resources -- */

static void a_free_resource_keeps_its_place_and_former_id(void **state)
{
    struct resource_list list = expand_text(
        *state, "resources:\n  archive:\n    kind: s3.bucket\n    was: store\n"
                "    policy: {Statement: [{Effect: Allow, Resource: \"${documents.arn}\"}]}\n");
    const struct resource *archive = find(&list, "archive");
    assert_true(archive->type == &s3_bucket);
    assert_string_equal(archive->was, "store");
    assert_int_equal(archive->mark.line, 4);
    assert_null(value_get(archive->props, "kind"));
    assert_null(value_get(archive->props, "was"));
    check_all(*state, &list);
}

static void a_free_resource_cannot_take_a_built_in_id(void **state)
{
    struct error error;
    assert_int_equal(refusal(*state, "resources:\n  documents: {kind: s3.bucket}\n", NULL, &error),
                     ERR_INPUT);
    assert_int_equal(error.line, 4);
    assert_non_null(strstr(error.message, "taken by a built-in s3.bucket"));
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, make_arena, free_arena)
    const struct CMUnitTest tests[] = {
        CASE(the_small_file),
        CASE(the_production_file),
        CASE(the_development_environment),
        CASE(many_files_hold_together),
        CASE(every_key_has_an_effect),
        CASE(a_zone_more_moves_nobody),
        CASE(subnets_stand_in_their_slots),
        CASE(nat_gateways_as_many_as_said),
        CASE(dots_of_a_service_are_none_of_its_id),
        CASE(no_way_to_what_is_needed_is_refused),
        CASE(a_profile_is_allowed_with_its_model_in_every_region),
        CASE(a_profile_of_ones_own_is_allowed_by_its_arn),
        CASE(ingest_may_not_ask_the_generating_model),
        CASE(each_function_connects_as_its_own_user),
        CASE(the_network_is_not_for_code),
        CASE(the_prompt_reaches_the_function),
        CASE(a_prompt_that_does_not_fit_is_refused),
        CASE(settings_reach_the_function),
        CASE(routes_want_what_the_file_says),
        CASE(an_open_api_is_said_aloud),
        CASE(browsers_may_send_a_signature_where_one_is_wanted),
        CASE(notifications_and_permissions_go_together),
        CASE(events_that_fail_go_to_who_is_notified),
        CASE(thresholds_become_alarms_in_the_metrics_unit),
        CASE(the_dashboard_draws_every_metric_of_the_list),
        CASE(the_gateways_part_is_a_difference_of_two_lines_that_are_not_drawn),
        CASE(every_alarm_is_of_a_metric_of_the_list),
        CASE(an_alarm_is_written_out_in_words),
        CASE(a_free_resource_keeps_its_place_and_former_id),
        CASE(a_free_resource_cannot_take_a_built_in_id),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
