/* What stacks cost, to the cent: every sum here is made by hand from the prices of this file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"
#include "pkg/stack/stack.h"
#include "pkg/value/json.h"
#include "pkg/watch/cost.h"

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

/* Round numbers, so that a sum is easily made. */
static const char table_json[] =
    "{\"schema\": 1, \"regions\": {\"us-east-1\": {\"date\": \"2026-01\", \"about\": true,"
    "\"source\": \"a test\", \"prices\": {"
    "\"rds.instance.db.t4g.micro\": 0.016, \"rds.instance.db.t3.large\": 0.2,"
    "\"rds.instance.db.t4g.large\": 0.1, \"rds.instance.db.m7g.large\": 0.168,"
    "\"rds.multi_az.db.m7g.xlarge\": 0.674, \"rds.storage.gp3\": 0.115,"
    "\"rds.storage_multi_az.gp3\": 0.23, \"rds.backup\": 0.095, \"rds.proxy\": 0.015,"
    "\"nat.hour\": 0.045, \"nat.gb\": 0.045, \"ipv4.hour\": 0.005,"
    "\"endpoint.hour\": 0.01, \"endpoint.gb\": 0.01,"
    "\"lambda.million_requests\": 0.2, \"lambda.million_gb_seconds.x86_64\": 16,"
    "\"lambda.million_gb_seconds.arm64\": 12, \"api.million_requests\": 1,"
    "\"logs.ingested_gb\": 0.5, \"logs.stored_gb\": 0.03, \"alarm.month\": 0.1,"
    "\"alarm.high_resolution\": 0.3, \"dashboard.month\": 3, \"metric.month\": 0.3,"
    "\"s3.stored_gb\": 0.023, \"sns.thousand_emails\": 0.02}}}}";

static struct value *test_table(struct arena *arena)
{
    struct value *table;
    struct error error = {0};
    if (price_table_parse(arena, table_json, strlen(table_json), "test", &table, &error) < 0)
        fail_msg("%s", error.message);
    return table;
}

static struct prices test_prices(struct arena *arena)
{
    return price_table_region(test_table(arena), "us-east-1");
}

static struct stack *load(struct arena *arena, const char *more)
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

static struct resource_list *expand(struct arena *arena, const char *more)
{
    struct resource_list *list = arena_new_of(arena, struct resource_list);
    struct error error = {0};
    struct stack *stack = load(arena, more);
    struct expand_options options = {
        .handler_zip = "h.zip", .handler_sha256 = "c3Vt", .git = &stack->git};
    if (cloud_expand(arena, stack->tree, &options, list, &error) < 0)
        fail_msg("%s", error.message);
    return list;
}

static struct cost cost_of_file(struct arena *arena, const char *more)
{
    struct prices prices = test_prices(arena);
    struct cost_item_list items = cost_items_of_file(arena, expand(arena, more));
    return cost_of(arena, &prices, &items);
}

static void assert_usd(double seen, double wanted)
{
    if (fabs(seen - wanted) > 1e-9)
        fail_msg("$%.6f, and not $%.6f", seen, wanted);
}

static double line_usd(const struct cost *cost, const char *what)
{
    for (size_t i = 0; i < cost->count; i++) {
        if (strcmp(cost->items[i].what, what) == 0)
            return cost->items[i].usd;
    }
    fail_msg("there is no line \"%s\"", what);
    return 0;
}

static bool has_line(const struct cost *cost, const char *what)
{
    for (size_t i = 0; i < cost->count; i++) {
        if (strcmp(cost->items[i].what, what) == 0)
            return true;
    }
    return false;
}

/* -- a month -- */

static void the_smallest_stack_costs_its_sum(void **state)
{
    struct cost cost = cost_of_file(*state, "");
    assert_usd(line_usd(&cost, "database: instance"), 11.68);       /* 730 x 0.016 */
    assert_usd(line_usd(&cost, "database: storage"), 2.30);         /* 20 x 0.115 */
    assert_usd(line_usd(&cost, "proxy"), 21.90);                    /* 2 x 730 x 0.015 */
    assert_usd(line_usd(&cost, "endpoint-bedrock-runtime"), 14.60); /* 2 x 730 x 0.01 */
    assert_usd(line_usd(&cost, "alarms"), 0.60);                    /* 6 x 0.1 */
    assert_usd(line_usd(&cost, "dashboards"), 3.00);
    assert_usd(cost.month_usd, 54.08);
    assert_int_equal(cost.unpriced, 0);
    assert_false(has_line(&cost, "NAT gateways"));
    assert_false(has_line(&cost, "endpoint-s3")); /* a gateway endpoint is free */
}

static void two_zones_and_a_large_database_cost_their_sum(void **state)
{
    struct cost cost = cost_of_file(
        *state, "network: {zones: 3, nat: per-zone}\n"
                "database: {class: db.m7g.xlarge, multi_az: true, storage_gb: 100, "
                "max_storage_gb: 200}\n"
                "watch: {dashboard: false, alarms: {errors: null, p95_latency_ms: null, "
                "bedrock_usd_per_day: null}}\n");
    assert_usd(line_usd(&cost, "database: instance"), 492.02);      /* 730 x 0.674 */
    assert_usd(line_usd(&cost, "database: storage"), 23.00);        /* 100 x 0.23 */
    assert_usd(line_usd(&cost, "proxy"), 43.80);                    /* 4 x 730 x 0.015 */
    assert_usd(line_usd(&cost, "NAT gateways"), 98.55);             /* 3 x 730 x 0.045 */
    assert_usd(line_usd(&cost, "public IPv4 addresses"), 10.95);    /* 3 x 730 x 0.005 */
    assert_usd(line_usd(&cost, "endpoint-bedrock-runtime"), 21.90); /* 3 x 730 x 0.01 */
    assert_usd(line_usd(&cost, "alarms"), 0.20);
    assert_false(has_line(&cost, "dashboards"));
    assert_usd(cost.month_usd, 690.42);
    assert_usd(line_usd(&cost, "database: more storage"), 0.23);
    assert_usd(line_usd(&cost, "data through NAT"), 0.045);
}

static void what_has_no_price_is_counted_and_not_guessed(void **state)
{
    struct cost cost = cost_of_file(*state, "database: {class: db.x9.huge, proxy: false}\n");
    assert_true(line_usd(&cost, "database: instance") < 0);
    assert_int_equal(cost.unpriced, 1);
    assert_usd(cost.month_usd, 2.30 + 14.60 + 0.60 + 3.00);
    struct prices none = price_table_region(test_table(*state), "ap-south-1");
    assert_null(none.prices);
    assert_true(price_of(&none, "nat.hour") < 0);
}

/* -- questions -- */

static void a_thousand_questions_cost_what_their_tokens_do(void **state)
{
    struct cost cost = cost_of_file(
        *state, "database: {proxy: false}\n"
                "models: {generate: {id: anthropic.claude-haiku-4-5, max_tokens: 500}}\n"
                "retrieval: {top_k: 4}\n"
                "functions: {ask: {memory_mb: 512}}\n");
    const struct cost_question *question = &cost.question;
    assert_int_equal(question->question_tokens, 25);
    assert_int_equal(question->passage_tokens, 1600); /* 4 x 400 */
    assert_int_equal(question->output_tokens, 500);
    assert_true(question->seconds == 6); /* 1 + 500 / 100 */
    int in = 25 + 1600 + question->prompt_tokens;
    assert_in_range(question->prompt_tokens, 50, 200);
    /* $1 a million in, $5 a million out */
    assert_usd(line_usd(&cost, "models: answers"), in * 1e-3 + 2.5);
    assert_usd(line_usd(&cost, "models: vectors"), 0.0005); /* 25,000 x 0.02 / 1,000,000 */
    assert_usd(line_usd(&cost, "function: calls"), 0.0002);
    assert_usd(line_usd(&cost, "function: time"), 0.0480); /* 6,000 s x 0.5 GB x 16 / 1,000,000 */
    assert_usd(line_usd(&cost, "logs"), 0.0015);           /* 3 MB x 0.5 / 1,000 */
    assert_usd(line_usd(&cost, "API: requests"), 0.0010);
    /* (2 x 25 + prompt + 1600 + 500) x 4 + 6000 bytes, by the endpoint */
    assert_usd(line_usd(&cost, "data to the models"), 0.0001);
    assert_usd(cost.questions_usd,
               in * 1e-3 + 2.5 + 0.0005 + 0.0002 + 0.048 + 0.0015 + 0.0010 + 0.0001);
}

static void passages_take_no_more_than_their_budget(void **state)
{
    struct cost cost = cost_of_file(*state, "retrieval: {top_k: 50}\n"
                                            "functions: {architecture: arm64}\n");
    assert_int_equal(cost.question.passage_tokens, 3000);
    assert_usd(line_usd(&cost, "function: time"), 0.0270); /* 9,000 s x 0.25 GB x 12 / 1,000,000 */
}

static void a_model_without_a_price_is_said(void **state)
{
    struct cost cost = cost_of_file(*state, "models: {generate: {id: someone.unheard-of}}\n");
    assert_true(line_usd(&cost, "models: answers") < 0);
    assert_int_equal(cost.unpriced, 1);
}

/* -- what would do for less -- */

static struct cost_advice_list advice_of(struct arena *arena, const char *more)
{
    struct prices prices = test_prices(arena);
    struct cost_item_list items = cost_items_of_file(arena, expand(arena, more));
    return cost_advise(arena, &prices, &items);
}

static void the_proxy_is_told_where_it_costs_more_than_its_instance(void **state)
{
    struct cost_advice_list list = advice_of(*state, "");
    assert_int_equal(list.count, 1);
    assert_usd(list.items[0].saves_usd, 21.90);
    assert_non_null(strstr(list.items[0].text, "$21.90 and $11.68"));
    assert_non_null(strstr(list.items[0].text, "proxy: false"));
    assert_int_equal(advice_of(*state, "database: {class: db.m7g.large}\n").count, 0);
    assert_int_equal(advice_of(*state, "database: {proxy: false}\n").count, 0);
}

static void nat_and_endpoints_are_weighed(void **state)
{
    struct cost_advice_list list =
        advice_of(*state, "network: {nat: per-zone, endpoints: [s3]}\ndatabase: {proxy: false}\n");
    assert_int_equal(list.count, 2);
    /* two at 730 x (0.045 + 0.005), less an endpoint in two zones */
    assert_usd(list.items[0].saves_usd, 73.00 - 14.60);
    assert_non_null(strstr(list.items[0].text, "nat: none"));
    assert_usd(list.items[1].saves_usd, 36.50);
    assert_non_null(strstr(list.items[1].text, "nat: single"));
    /* four interface endpoints in three zones: 4 x 3 x 7.30, against 36.50 */
    list = advice_of(*state, "network: {zones: 3, endpoints: [s3, bedrock-runtime, logs, sts, "
                             "monitoring]}\ndatabase: {proxy: false}\n");
    assert_int_equal(list.count, 1);
    assert_usd(list.items[0].saves_usd, 87.60 - 36.50);
}

static void a_class_that_costs_less_is_told(void **state)
{
    struct cost_advice_list list =
        advice_of(*state, "database: {class: db.t3.large, proxy: false}\n");
    assert_int_equal(list.count, 1);
    assert_usd(list.items[0].saves_usd, 73.00); /* 730 x (0.2 - 0.1) */
    assert_non_null(strstr(list.items[0].text, "db.t4g.large"));
}

/* -- before and after -- */

static struct plan *plan_of(struct arena *arena, const char *more, const struct found_list *found,
                            bool down)
{
    struct target *target = arena_new_of(arena, struct target);
    struct identity *identity = arena_new_of(arena, struct identity);
    *identity = (struct identity){.target = "aws",
                                  .account = "123456789012",
                                  .partition = "aws",
                                  .region = "us-east-1",
                                  .stack = "acme",
                                  .environment = ""};
    *target = (struct target){.name = "aws", .types = cloud_types, .identity = identity};
    struct plan_options options = {.down = down};
    struct plan *plan;
    struct error error = {0};
    if (plan_make(arena, target, expand(arena, more), found, &options, &plan, &error) < 0)
        fail_msg("%s", error.message);
    return plan;
}

static void add_found(struct arena *arena, struct found_list *list,
                      const struct resource_type *type, const char *id, const char *json)
{
    struct value *props;
    struct error error = {0};
    assert_int_equal(json_parse(arena, json, strlen(json), "found", &props, &error), 0);
    struct found found = {.type = type,
                          .id = id,
                          .generation = 1,
                          .physical_id = id,
                          .name = arena_printf(arena, "acme-%s", id),
                          .props = type_fill(arena, type, props)};
    vector_push(arena, list, found);
}

static void a_new_stack_goes_from_nothing_to_its_cost(void **state)
{
    struct found_list none = {0};
    struct plan *plan = plan_of(*state, "", &none, false);
    struct cost_report report = cost_report_of_plan(*state, plan, test_table(*state));
    assert_usd(report.before.month_usd, 0);
    assert_int_equal(report.before.count, 0);
    assert_usd(report.after.month_usd, 54.08);
}

/* As `up` would have made it, with what `json` says. */
static void add_made(struct arena *arena, struct found_list *list, const char *id, const char *json)
{
    struct found_list none = {0};
    const struct plan *plan = plan_of(arena, "", &none, false);
    struct value *over;
    struct error error = {0};
    assert_int_equal(json_parse(arena, json, strlen(json), "found", &over, &error), 0);
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if (strcmp(step->id, id) != 0)
            continue;
        struct found found = {.type = step->type,
                              .id = id,
                              .generation = 1,
                              .physical_id = id,
                              .name = arena_printf(arena, "acme-%s", id),
                              .props = value_merge(arena, step->want, over)};
        vector_push(arena, list, found);
    }
}

static void what_the_file_leaves_alone_keeps_its_cost(void **state)
{
    struct found_list found = {0};
    add_made(*state, &found, "database", "{\"storage_gb\": 50}");
    add_made(*state, &found, "proxy", "{\"target\": \"acme-database\"}");
    add_found(*state, &found, &ec2_nat_gateway, "nat-1", "{\"subnet\": \"subnet-1\"}");
    add_found(*state, &found, &ec2_elastic_ip, "nat-address-1", "{}");
    struct plan *plan = plan_of(*state, "database: {class: db.m7g.large}\n", &found, false);
    struct cost_report report = cost_report_of_plan(*state, plan, test_table(*state));
    assert_usd(line_usd(&report.before, "database: instance"), 11.68);
    assert_usd(line_usd(&report.before, "database: storage"), 5.75); /* 50 x 0.115 */
    assert_usd(report.before.month_usd, 11.68 + 5.75 + 21.90 + 32.85 + 3.65);
    assert_usd(line_usd(&report.after, "database: instance"), 122.64); /* 730 x 0.168 */
    assert_usd(line_usd(&report.after, "database: storage"), 5.75);    /* it never shrinks */
    assert_false(has_line(&report.after, "NAT gateways"));             /* it goes */
    assert_usd(report.after.month_usd, 122.64 + 5.75 + 21.90 + 14.60 + 0.60 + 3.00);
}

static void a_stack_taken_down_costs_nothing(void **state)
{
    struct found_list found = {0};
    add_found(*state, &found, &rds_instance, "database",
              "{\"class\": \"db.t4g.micro\", \"storage_gb\": 20}");
    struct plan *plan = plan_of(*state, "", &found, true);
    struct cost_report report = cost_report_of_plan(*state, plan, test_table(*state));
    assert_usd(report.before.month_usd, 13.98);
    assert_usd(report.after.month_usd, 0);
    assert_int_equal(report.advice.count, 0);
}

static void the_text_tells_both_sides_and_their_sum(void **state)
{
    struct found_list none = {0};
    struct plan *plan = plan_of(*state, "", &none, false);
    struct cost_report report = cost_report_of_plan(*state, plan, test_table(*state));
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    cost_print_text(&out, &report, &(struct cost_style){0});
    const char *text = buffer_string(&out);
    assert_non_null(strstr(text, "(us-east-1, prices of 2026-01, about)"));
    assert_non_null(strstr(text, "  database: instance                  -     11.68  db.t4g.micro, "
                                 "730 h x $0.016\n"));
    assert_non_null(strstr(text, "  a month, without questions       0.00     54.08  +54.08\n"));
    assert_non_null(strstr(text, "  ! cheaper by $21.90 a month: proxy costs more"));
    report.before = report.after;
    buffer_reset(&out);
    cost_print_text(&out, &report, &(struct cost_style){0});
    assert_int_equal(strncmp(buffer_string(&out), "Cost: as before: $54.08 a month, and $6.", 39),
                     0);
}

/* -- the table -- */

static void the_programs_own_table_is_whole(void **state)
{
    struct value *table = price_table_built_in(*state);
    static const char *const regions[] = {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1"};
    for (size_t i = 0; i < COUNT_OF(regions); i++) {
        struct prices prices = price_table_region(table, regions[i]);
        assert_non_null(prices.prices);
        assert_non_null(prices.date);
        assert_non_null(prices.source);
        for (const struct price_row *row = price_rows; row->key; row++) {
            bool by_class = row->key[strlen(row->key) - 1] == '.';
            const char *key =
                by_class ? arena_printf(*state, "%sdb.t4g.micro", row->key) : row->key;
            if (price_of(&prices, key) <= 0)
                fail_msg("%s: no %s", regions[i], key);
        }
    }
}

static void what_is_no_table_is_refused(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{\"schema\": 2, \"regions\": {}}",
        "{\"schema\": 1}",
        "{\"schema\": 1, \"regions\": {\"a\": {\"prices\": {}}}}",
        "{\"schema\": 1, \"regions\": {\"a\": {\"date\": \"x\", \"prices\": {\"b\": \"1\"}}}}",
        "{\"schema\": 1, \"regions\": {\"a\": {\"date\": \"x\", \"prices\": {\"b\": -1}}}}",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct value *table;
        struct error error = {0};
        assert_int_equal(price_table_parse(*state, bad[i], strlen(bad[i]), "bad", &table, &error),
                         ERR_INPUT);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_smallest_stack_costs_its_sum),
        TEST(two_zones_and_a_large_database_cost_their_sum),
        TEST(what_has_no_price_is_counted_and_not_guessed),
        TEST(a_thousand_questions_cost_what_their_tokens_do),
        TEST(passages_take_no_more_than_their_budget),
        TEST(a_model_without_a_price_is_said),
        TEST(the_proxy_is_told_where_it_costs_more_than_its_instance),
        TEST(nat_and_endpoints_are_weighed),
        TEST(a_class_that_costs_less_is_told),
        TEST(a_new_stack_goes_from_nothing_to_its_cost),
        TEST(what_the_file_leaves_alone_keeps_its_cost),
        TEST(a_stack_taken_down_costs_nothing),
        TEST(the_text_tells_both_sides_and_their_sum),
        TEST(the_programs_own_table_is_whole),
        TEST(what_is_no_table_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
