/* Pictures of stacks: the ways of data, what becomes of each resource, what functions may reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"
#include "pkg/plan/picture.h"
#include "pkg/stack/stack.h"

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

static struct resource_list *expand(struct arena *arena, const char *more)
{
    const char *text = arena_printf(arena, "stack: acme\nregion: us-east-1\n%s", more);
    struct stack_options options = {.file = "ragstack.yaml", .types = cloud_types};
    struct resource_list *list = arena_new_of(arena, struct resource_list);
    struct fault_list faults = {0};
    struct error error = {0};
    struct stack *stack;
    if (stack_load_text(arena, text, strlen(text), &options, &stack, &faults, &error) < 0)
        fail_msg("%d: %s", error.line, error.message);
    struct expand_options expanding = {
        .handler_zip = "h.zip", .handler_sha256 = "c3Vt", .git = &stack->git};
    if (cloud_expand(arena, stack->tree, &expanding, list, &error) < 0)
        fail_msg("%s", error.message);
    return list;
}

static struct plan *plan_of(struct arena *arena, const struct resource_list *wanted,
                            const struct found_list *found)
{
    struct target *target = arena_new_of(arena, struct target);
    struct identity *identity = arena_new_of(arena, struct identity);
    *identity = (struct identity){.target = "aws",
                                  .account = "123456789012",
                                  .partition = "aws",
                                  .region = "us-east-1",
                                  .stack = "acme",
                                  .environment = "dev"};
    *target = (struct target){.name = "aws", .types = cloud_types, .identity = identity};
    struct plan *plan;
    struct error error = {0};
    if (plan_make(arena, target, wanted, found, NULL, &plan, &error) < 0)
        fail_msg("%s", error.message);
    return plan;
}

static struct picture picture_of(struct arena *arena, const struct resource_list *wanted,
                                 bool plain)
{
    struct found_list nothing = {0};
    struct picture picture;
    picture_make(arena, plan_of(arena, wanted, &nothing), plain, &picture);
    return picture;
}

static bool leads(const struct picture *picture, const char *from, const char *to)
{
    for (size_t i = 0; i < picture->edges.count; i++) {
        const struct picture_edge *edge = &picture->edges.items[i];
        if (edge->data && strcmp(picture->nodes.items[edge->from].id, from) == 0 &&
            strcmp(picture->nodes.items[edge->to].id, to) == 0)
            return true;
    }
    return false;
}

static const struct picture_right *right_to(const struct picture *picture, const char *function,
                                            const char *to)
{
    for (size_t i = 0; i < picture->rights.count; i++) {
        const struct picture_right *right = &picture->rights.items[i];
        if (strcmp(right->function, function) == 0 && strcmp(right->to, to) == 0)
            return right;
    }
    return NULL;
}

static void a_question_goes_from_the_api_to_the_model(void **state)
{
    struct picture picture = picture_of(
        *state, expand(*state, "models: {generate: {id: anthropic.claude-haiku-4-5}}\n"), true);
    assert_true(leads(&picture, "who asks", "api"));
    assert_true(leads(&picture, "api", "ask"));
    assert_true(leads(&picture, "ask", "proxy"));
    assert_true(leads(&picture, "proxy", "database"));
    assert_true(leads(&picture, "ask", "endpoint-bedrock-runtime"));
    assert_true(leads(&picture, "endpoint-bedrock-runtime", "model anthropic.claude-haiku-4-5"));
    assert_true(leads(&picture, "documents", "ingest"));
    assert_true(leads(&picture, "ingest", "endpoint-s3"));
    assert_true(leads(&picture, "schema", "database"));
    assert_false(leads(&picture, "ask", "database")); /* the proxy stands between */
    assert_false(leads(&picture, "ask", "documents"));
    assert_false(leads(&picture, "ask", "ask-logs"));
    for (size_t i = 0; i < picture.nodes.count; i++)
        assert_int_equal(picture.nodes.items[i].state, PICTURE_PLAIN);
}

static void rights_are_those_of_role_and_network(void **state)
{
    struct picture picture = picture_of(*state, expand(*state, ""), true);
    const struct picture_right *right = right_to(&picture, "ask", "proxy");
    assert_string_equal(right->actions, "rds-db:connect");
    assert_string_equal(right->way, "5432 to proxy");
    right = right_to(&picture, "ask", "model amazon.titan-embed-text-v2:0");
    assert_string_equal(right->actions, "bedrock:InvokeModel");
    assert_string_equal(right->way, "443 to endpoint-bedrock-runtime");
    assert_string_equal(right_to(&picture, "ingest", "documents")->way, "443 to endpoint-s3");
    assert_string_equal(right_to(&picture, "schema", "database")->way, "5432 to database");
    assert_null(right_to(&picture, "ask", "documents"));
    assert_null(right_to(&picture, "schema", "model amazon.titan-embed-text-v2:0"));
    assert_null(right_to(&picture, "ask", "everything")); /* denied to its own code */
}

static void by_nat_there_is_a_way_out(void **state)
{
    struct picture picture =
        picture_of(*state, expand(*state, "network: {nat: single, endpoints: [s3]}\n"), true);
    assert_string_equal(right_to(&picture, "ask", "model amazon.titan-embed-text-v2:0")->way,
                        "443 to nat-1");
    assert_true(leads(&picture, "ask", "nat-1"));
}

/* Policies of one's own: one action, resource or statement may stand without a list, and what a
 * managed policy says is not known, but that it is there is told. */
static void policies_in_short_are_read_too(void **state)
{
    const char *more = "resources:\n"
                       "  notes: {kind: s3.bucket}\n"
                       "  own: {kind: lambda.function, role: '${own-role.arn}', code: own.zip}\n"
                       "  own-role:\n"
                       "    kind: iam.role\n"
                       "    assume: {}\n"
                       "    policies:\n"
                       "      own: {Statement: {Effect: Allow, Action: 's3:GetObject', Resource: "
                       "'${notes.arn}/*'}}\n"
                       "    managed_policies: ['arn:aws:iam::aws:policy/AmazonSQSFullAccess']\n";
    struct picture picture = picture_of(*state, expand(*state, more), true);
    const struct picture_right *right = right_to(&picture, "own", "notes");
    assert_non_null(right);
    assert_string_equal(right->actions, "s3:GetObject");
    assert_string_equal(right->way, "by the internet");
    assert_true(leads(&picture, "own", "notes"));
    assert_non_null(right_to(&picture, "own", "what the policy AmazonSQSFullAccess allows"));
}

/* What is denied in part is still allowed for the rest. */
static void a_denial_hides_no_more_than_it_denies(void **state)
{
    const char *more = "resources:\n"
                       "  notes: {kind: s3.bucket}\n"
                       "  own: {kind: lambda.function, role: '${own-role.arn}', code: own.zip}\n"
                       "  own-role:\n"
                       "    kind: iam.role\n"
                       "    assume: {}\n"
                       "    policies:\n"
                       "      own:\n"
                       "        Statement:\n"
                       "          - {Effect: Allow, Action: ['s3:GetObject'], Resource: "
                       "['${notes.arn}/*']}\n"
                       "          - {Effect: Deny, Action: ['s3:GetObject'], Resource: "
                       "['${notes.arn}/secret/*']}\n"
                       "          - {Effect: Allow, Action: ['sqs:SendMessage'], Resource: ['*']}\n"
                       "          - {Effect: Deny, Action: 'sqs:SendMessage', Resource: '*'}\n";
    struct picture picture = picture_of(*state, expand(*state, more), true);
    assert_non_null(right_to(&picture, "own", "notes"));
    assert_null(right_to(&picture, "own", "everything"));
}

/* A group without the rule: the role allows what the network does not. */
static void what_is_allowed_and_not_reached_is_marked(void **state)
{
    struct resource_list *wanted = expand(*state, "");
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->items[i].id, "functions-group") == 0)
            value_set(*state, wanted->items[i].props, "rules", value_list(*state));
    }
    struct picture picture = picture_of(*state, wanted, true);
    assert_null(right_to(&picture, "ask", "proxy")->way);
    assert_null(right_to(&picture, "ask", "model amazon.titan-embed-text-v2:0")->way);
    assert_false(leads(&picture, "ask", "proxy"));
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    picture_print_text(&out, &picture, &(struct picture_style){0});
    assert_non_null(
        strstr(buffer_string(&out), "proxy  rds-db:connect  ! no rule of its groups leads there"));
}

static void the_steps_are_told_in_words_and_signs(void **state)
{
    struct found_list found = {0};
    struct found gone = {.type = &sns_topic,
                         .id = "old",
                         .generation = 1,
                         .physical_id = "arn:old",
                         .name = "old",
                         .props = value_map(*state)};
    vector_push((struct arena *)*state, &found, gone);
    struct picture picture;
    picture_make(*state, plan_of(*state, expand(*state, ""), &found), false, &picture);
    assert_int_equal(picture.nodes.items[picture_node_of(&picture, "ask")].state, PICTURE_CREATE);
    assert_int_equal(picture.nodes.items[picture_node_of(&picture, "old")].state, PICTURE_DELETE);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    picture_print_text(&out, &picture, &(struct picture_style){.colour = true});
    assert_non_null(strstr(buffer_string(&out), "\033[32m+ ask\033[0m  lambda.function"));
    assert_non_null(strstr(buffer_string(&out), "\033[31m-old\033[0m"));
    assert_non_null(strstr(buffer_string(&out), "acme dev\n"));
    buffer_reset(&out);
    picture_print_dot(&out, &picture);
    assert_non_null(
        strstr(buffer_string(&out), "\"ask\" [label=\"+ ask\\nlambda.function\\ncreate\""));
    assert_non_null(strstr(buffer_string(&out), "- old: delete"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_goes_from_the_api_to_the_model),
        TEST(rights_are_those_of_role_and_network),
        TEST(by_nat_there_is_a_way_out),
        TEST(policies_in_short_are_read_too),
        TEST(a_denial_hides_no_more_than_it_denies),
        TEST(what_is_allowed_and_not_reached_is_marked),
        TEST(the_steps_are_told_in_words_and_signs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
