/* HTTP APIs: what is asked, what is made in which order, and how a half-made one is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "pkg/plan/graph.h"
#include "tests/unit/answering_cloud.h"

#define ASK "arn:aws:lambda:eu-west-1:111122223333:function:ask:live"
#define OURS "{\"ragstack:stack\":\"acme\",\"ragstack:env\":\"prod\",\"ragstack:id\":\"api\"}"
#define API "{\"apiId\":\"a1\",\"name\":\"n\",\"apiEndpoint\":\"https://a1\",\"tags\":" OURS "}"
#define NONE "{\"items\":[]}"
#define INTEGRATION                                                                         \
    "{\"integrationId\":\"i1\",\"integrationType\":\"AWS_PROXY\",\"integrationUri\":\"" ASK \
    "\",\"payloadFormatVersion\":\"2.0\",\"timeoutInMillis\":30000}"
#define ROUTE                                                                        \
    "{\"routeId\":\"r1\",\"routeKey\":\"POST /ask\",\"target\":\"integrations/i1\"," \
    "\"authorizationType\":\"AWS_IAM\"}"
#define STAGE "{\"stageName\":\"$default\",\"autoDeploy\":true}"
#define ITEMS(item) "{\"items\":[" item "]}"
#define WANT "{\"routes\":[{\"key\":\"POST /ask\",\"function\":\"" ASK "\"}]}"

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

/* What there is, as API Gateway lists it. */
static void answer_parts(struct answering_cloud *cloud, const char *routes,
                         const char *integrations, const char *stages)
{
    answering_cloud_answer(cloud, "GET /v2/apis/a1/routes", 200, routes);
    answering_cloud_answer(cloud, "GET /v2/apis/a1/integrations", 200, integrations);
    answering_cloud_answer(cloud, "GET /v2/apis/a1/stages", 200, stages);
}

static const char *text_of(const struct answering_cloud *cloud, const char *path)
{
    return value_text_at(cloud->found[0].props, path);
}

/* -- looking -- */

static void the_inventory_spares_the_listing(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_list(cloud, "arn:aws:apigateway:eu-west-1::/apis/a1", "api");
    answering_cloud_list(cloud, "arn:aws:apigateway:eu-west-1::/apis/a1/stages/$default", "api");
    answer_parts(cloud, ITEMS(ROUTE), ITEMS(INTEGRATION), ITEMS(STAGE));
    answering_cloud_answer(cloud, "GET /v2/apis/a1", 200, API);
    assert_int_equal(answering_cloud_observe(cloud, &apigateway_api, "api", &error), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_string_equal(cloud->found[0].physical_id, "a1");
    assert_false(cloud->found[0].foreign);
    assert_string_equal(text_of(cloud, "routes[0].function"), ASK);
    assert_string_equal(text_of(cloud, "routes[0].auth"), "iam");
    assert_string_equal(text_of(cloud, "execution_arn"),
                        "arn:aws:execute-api:eu-west-1:111122223333:a1");
    assert_string_equal(text_of(cloud, "arn"), "arn:aws:apigateway:eu-west-1::/apis/a1");
    assert_int_equal(cloud->fake->request_count, 4);
}

static void without_the_inventory_all_are_listed_and_only_ours_looked_at(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answer_parts(cloud, ITEMS(ROUTE), ITEMS(INTEGRATION), ITEMS(STAGE));
    answering_cloud_answer(cloud, "GET /v2/apis", 200,
                           ITEMS("{\"apiId\":\"b2\",\"name\":\"n\",\"tags\":{\"ragstack:stack\":"
                                 "\"acme-docs\",\"ragstack:env\":\"prod\",\"ragstack:id\":"
                                 "\"api\"}},{\"apiId\":\"c3\",\"name\":\"n\"}," API));
    assert_int_equal(answering_cloud_observe(cloud, &apigateway_api, "api", &error), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_string_equal(cloud->found[0].physical_id, "a1");
    assert_int_equal(cloud->fake->request_count, 4); /* the listing tells what GetApi would */
}

static void one_that_is_gone_is_no_error(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_list(cloud, "arn:aws:apigateway:eu-west-1::/apis/a1", "api");
    answering_cloud_answer(cloud, "GET /v2/apis/a1", 404,
                           "{\"__type\":\"NotFoundException\",\"message\":\"Invalid API\"}");
    assert_int_equal(answering_cloud_observe(cloud, &apigateway_api, "api", &error), 0);
    assert_int_equal(cloud->found_count, 0);
}

static void what_is_missing_or_another_way_shows(void **state)
{
    static const struct {
        const char *routes, *integrations, *stages, *path, *text;
    } cases[] = {
        {ITEMS(ROUTE), NONE, ITEMS(STAGE), "routes[0].function", NULL},
        {ITEMS(ROUTE),
         ITEMS("{\"integrationId\":\"i1\",\"integrationType\":\"AWS_PROXY\",\"integrationUri\":"
               "\"" ASK "\",\"payloadFormatVersion\":\"1.0\"}"),
         ITEMS(STAGE), "routes[0].function", NULL},
        {ITEMS(ROUTE),
         ITEMS("{\"integrationId\":\"i1\",\"integrationType\":\"AWS_PROXY\",\"integrationUri\":"
               "\"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" ASK
               "/invocations\",\"payloadFormatVersion\":\"2.0\"}"),
         ITEMS(STAGE), "routes[0].function", ASK},
        {ITEMS("{\"routeId\":\"r1\",\"routeKey\":\"POST /ask\",\"target\":\"integrations/i1\"}"),
         ITEMS(INTEGRATION), ITEMS(STAGE), "routes[0].auth", "none"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        struct error error = {0};
        answer_parts(cloud, cases[i].routes, cases[i].integrations, cases[i].stages);
        answering_cloud_answer(cloud, "GET /v2/apis", 200, ITEMS(API));
        assert_int_equal(answering_cloud_observe(cloud, &apigateway_api, "api", &error), 0);
        const char *text = text_of(cloud, cases[i].path);
        if (!cases[i].text)
            assert_null(text);
        else
            assert_string_equal(text, cases[i].text);
        answering_cloud_free(cloud);
    }
    (void)state;
}

static void nothing_passes_an_api_without_its_stage(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answer_parts(cloud, ITEMS(ROUTE), ITEMS(INTEGRATION), NONE);
    answering_cloud_answer(cloud, "GET /v2/apis", 200, ITEMS(API));
    assert_int_equal(answering_cloud_observe(cloud, &apigateway_api, "api", &error), 0);
    const struct value *stage = value_get(cloud->found[0].props, "stage");
    assert_int_equal(value_int_at(stage, "throttle_rate", -1), 0);
}

/* -- making -- */

static int make(struct answering_cloud *cloud, const char *want, struct action *action,
                struct error *error)
{
    *action = answering_cloud_action(cloud, &apigateway_api, "api", want, NULL);
    return answering_cloud_run(cloud, apigateway_api.create, action, error);
}

static void the_stage_comes_last_and_nothing_is_asked(void **state)
{
    struct answering_cloud *cloud = *state;
    struct action action;
    struct error error = {0};
    answering_cloud_answer(cloud, "POST /v2/apis\n", 201, API);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/integrations", 201, INTEGRATION);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/routes", 201, ROUTE);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/stages", 201, STAGE);
    assert_int_equal(make(cloud, WANT, &action, &error), 0);
    assert_string_equal(action.physical_id, "a1");
    assert_string_equal(value_text(action.made, "url"), "https://a1");
    assert_int_equal(cloud->fake->request_count, 4);
    assert_non_null(strstr(cloud->fake->requests[0].body, "\"ragstack:id\":\"api\""));
    assert_non_null(strstr(cloud->fake->requests[2].body, "\"authorizationType\":\"AWS_IAM\""));
    assert_non_null(strstr(cloud->fake->requests[3].url, "/stages"));
}

static void a_lost_integration_leaves_an_api_with_an_id(void **state)
{
    struct answering_cloud *cloud = *state;
    struct action action;
    struct error error = {0};
    answering_cloud_answer(cloud, "POST /v2/apis\n", 201, API);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/integrations", 502, "<html>bad gateway</html>");
    assert_int_equal(make(cloud, WANT, &action, &error), ERR_LOST_REPLY);
    assert_string_equal(action.physical_id, "a1");
    assert_int_equal(answering_cloud_count(cloud, "POST /v2/apis/a1/integrations"), 1);
}

static int change(struct answering_cloud *cloud, const char *want, struct error *error)
{
    struct found *have = arena_new_of(cloud->arena, struct found);
    *have = (struct found){.type = &apigateway_api,
                           .id = "api",
                           .generation = 1,
                           .physical_id = "a1",
                           .name = "n",
                           .props = value_map(cloud->arena)};
    struct action action = answering_cloud_action(cloud, &apigateway_api, "api", want, have);
    answering_cloud_change(cloud, &action, "routes");
    return answering_cloud_run(cloud, apigateway_api.update, &action, error);
}

/* The reply that made i1 was lost: it is there, and is used. */
static void what_a_lost_reply_made_is_taken(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answer_parts(cloud, NONE, ITEMS(INTEGRATION), NONE);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/routes", 201, ROUTE);
    answering_cloud_answer(cloud, "POST /v2/apis/a1/stages", 201, STAGE);
    assert_int_equal(change(cloud, WANT, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "POST /v2/apis/a1/integrations"), 0);
    assert_non_null(
        strstr(answering_cloud_sent(cloud, "POST /v2/apis/a1/routes", 0), "integrations/i1"));
}

static void an_integration_goes_after_its_routes_have_moved(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answer_parts(cloud, ITEMS(ROUTE), ITEMS(INTEGRATION), ITEMS(STAGE));
    answering_cloud_answer(cloud, "POST /v2/apis/a1/integrations", 201,
                           "{\"integrationId\":\"i2\"}");
    answering_cloud_answer(cloud, "PATCH /v2/apis/a1/routes/r1", 200, ROUTE);
    answering_cloud_answer(cloud, "DELETE /v2/apis/a1/integrations/i1", 204, "");
    assert_int_equal(change(cloud,
                            "{\"routes\":[{\"key\":\"POST /ask\",\"function\":\"" ASK
                            "\",\"timeout_ms\":1000}]}",
                            &error),
                     0);
    size_t count = cloud->fake->request_count;
    assert_string_equal(cloud->fake->requests[count - 1].method, "DELETE");
    assert_string_equal(cloud->fake->requests[count - 2].method, "PATCH");
    assert_non_null(strstr(cloud->fake->requests[count - 2].body, "integrations/i2"));
}

static void two_edits_at_a_time_are_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answer_parts(cloud, NONE, ITEMS(INTEGRATION), ITEMS(STAGE));
    answering_cloud_answer(cloud, "POST /v2/apis/a1/routes", 409,
                           "{\"__type\":\"ConflictException\",\"message\":"
                           "\"Unable to complete operation due to concurrent "
                           "modification. Please try again later.\"}");
    answering_cloud_answer(cloud, "POST /v2/apis/a1/routes", 201, ROUTE);
    int result = change(cloud, WANT, &error);
    assert_int_equal(result, 0);
    assert_int_equal(answering_cloud_count(cloud, "POST /v2/apis/a1/routes"), 2);
}

/* -- in its place among others -- */

static struct found found_of(struct answering_cloud *cloud, const struct resource_type *type,
                             const char *id, const char *physical_id, struct value *props)
{
    return (struct found){.type = type,
                          .id = id,
                          .generation = 1,
                          .physical_id = physical_id,
                          .name = physical_id,
                          .props = type_fill(cloud->arena, type, props),
                          .tags = answering_cloud_tags(cloud, id)};
}

static bool precedes(const struct graph *graph, const struct node *first, const struct node *then)
{
    bool found = first == then;
    for (size_t i = 0; i < first->next_count && !found; i++)
        found = precedes(graph, &graph->items[first->next[i]], then);
    return found;
}

static const struct node *node_of(const struct graph *graph, enum node_kind kind, const char *id)
{
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->items[i].kind == kind && strcmp(graph->items[i].step->id, id) == 0)
            return &graph->items[i];
    }
    fail_msg("no such node of %s", id);
    return NULL;
}

static void a_function_stays_until_no_route_calls_it(void **state)
{
    struct answering_cloud *cloud = *state;
    struct value *route = value_map(cloud->arena), *routes = value_list(cloud->arena);
    value_set_text(cloud->arena, route, "key", "POST /ask");
    value_set_text(cloud->arena, route, "function", ASK);
    value_push(cloud->arena, routes, route);
    struct found things[] = {
        found_of(cloud, &apigateway_api, "api", "a1", value_wrap(cloud->arena, "routes", routes)),
        found_of(cloud, &lambda_function, "ask", "ask-1", value_map(cloud->arena)),
    };
    value_set_text(cloud->arena, things[1].props, "alias_arn", ASK);
    struct found_list found = {things, COUNT_OF(things), COUNT_OF(things)};
    struct resource api = {.type = &apigateway_api,
                           .id = "api",
                           .props = value_wrap(cloud->arena, "routes", value_list(cloud->arena))};
    struct resource_list wanted = {&api, 1, 1};
    struct plan *plan;
    struct graph graph;
    struct error error = {0};
    assert_int_equal(
        plan_make(cloud->arena, &cloud->cloud->target, &wanted, &found, NULL, &plan, &error), 0);
    assert_int_equal(plan->step_count, 2);
    assert_int_equal(graph_build(cloud->arena, plan, &graph, &error), 0);
    assert_true(
        precedes(&graph, node_of(&graph, NODE_MAKE, "api"), node_of(&graph, NODE_REMOVE, "ask")));
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_inventory_spares_the_listing),
        CASE(without_the_inventory_all_are_listed_and_only_ours_looked_at),
        CASE(one_that_is_gone_is_no_error),
        CASE(what_is_missing_or_another_way_shows),
        CASE(nothing_passes_an_api_without_its_stage),
        CASE(the_stage_comes_last_and_nothing_is_asked),
        CASE(a_lost_integration_leaves_an_api_with_an_id),
        CASE(what_a_lost_reply_made_is_taken),
        CASE(an_integration_goes_after_its_routes_have_moved),
        CASE(two_edits_at_a_time_are_waited_for),
        CASE(a_function_stays_until_no_route_calls_it),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
