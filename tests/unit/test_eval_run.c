/* From replies to figures, floors and comparisons: values made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "pkg/eval/html.h"
#include "pkg/eval/report.h"
#include "pkg/value/json.h"

static struct arena *arena;
static const struct bootstrap bootstrap = {1, 500};

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) < 1e-9))
        fail_msg("%.9g is not %.9g", got, wanted);
}

static struct value *json(const char *text)
{
    struct value *value;
    struct error error = {0};
    if (json_parse(arena, text, strlen(text), "test", &value, &error) < 0)
        fail_msg("%s", error.message);
    return value;
}

/* -- rows -- */

static struct eval_run run_of(struct eval_row *rows, size_t count)
{
    return (struct eval_run){
        .stack = "s",
        .target = "local",
        .questions = "q.yaml",
        .at = "2026-11-24T00:00:00Z",
        .settings = {.top_k = 6, .floor = 0.38, .embedder = "e", .model = "m", .prompt = "p"},
        .rows = rows,
        .count = count};
}

static struct eval_row row_of(const char *question, const char *document, enum eval_outcome outcome,
                              const char *found)
{
    struct value *documents = value_list(arena);
    if (document)
        value_push_text(arena, documents, document);
    return (struct eval_row){.question = {.text = question,
                                          .kind = "",
                                          .answerable = document != NULL,
                                          .documents = documents},
                             .outcome = outcome,
                             .reason = "",
                             .found = json(found),
                             .best = NAN,
                             .usd = 0.001};
}

static const char reply_text[] =
    "{\"outcome\": \"answered\", \"answer\": \"Every year\\n27 days [1][2].\", \"citations\": ["
    "{\"document\": \"a.md\", \"quote\": \"On 30\\n April it ends.\"},"
    "{\"document\": \"b.md\", \"quote\": \"twice\"}],"
    "\"timings_ms\": {\"embed\": 1, \"search\": 2, \"generate\": 3},"
    "\"usage\": {\"usd\": 0.002, \"model\": \"m\\u001b[31m\"}, \"prompt\": \"abc\","
    "\"explain\": {\"top_k\": 5, \"floor\": 0.4, \"best\": 0.61, \"embedder\": \"e\", \"hits\": ["
    "{\"document\": \"b.md\"}, {\"document\": \"b.md\"}, {\"document\": \"a.md\"}]}}";

static void a_reply_becomes_a_row(void **state)
{
    struct eval_row row = row_of("How many?", "a.md", EVAL_NOT_ASKED, "[]");
    struct eval_run run = run_of(&row, 1);
    struct error error = {0};
    (void)state;
    row.question.words = json("[\"27 days\", \"30 april\"]");
    run.settings = (struct eval_settings){.floor = NAN, .embedder = "", .model = "", .prompt = ""};
    assert_int_equal(eval_take_reply(arena, &run, &row, json(reply_text), &error), 0);
    assert_int_equal(row.outcome, EVAL_ANSWERED);
    assert_int_equal(eval_rank(&row), 2); /* among documents: b.md counts once */
    assert_near(eval_recall(&row, 1), 0);
    assert_near(eval_recall(&row, 2), 1);
    assert_int_equal(row.citations, 2);
    assert_int_equal(row.right_citations, 1);
    assert_true(row.words_said); /* over a line's end, and whatever the case */
    assert_near(row.best, 0.61);
    assert_int_equal(run.settings.top_k, 5);
    assert_string_equal(run.settings.model, "m?[31m"); /* nothing that steers a terminal */
    row.question.words = json("[\"twice\"]");          /* only a wrong document says it */
    assert_int_equal(eval_take_reply(arena, &run, &row, json(reply_text), &error), 0);
    assert_false(row.words_said);
    assert_int_equal(
        eval_take_reply(arena, &run, &row, json("{\"outcome\": \"answered\"}"), &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "ragstack up"));
}

static void replies_of_other_settings_are_another_run(void **state)
{
    static const char *const changes[][2] = {
        {"\"top_k\": 5", "\"top_k\": 6"},
        {"\"floor\": 0.4", "\"floor\": null"},
        {"\"embedder\": \"e\"", "\"embedder\": \"f\""},
        {"\"prompt\": \"abc\"", "\"prompt\": \"abd\""},
    };
    struct eval_row row = row_of("How many?", "a.md", EVAL_NOT_ASKED, "[]");
    struct eval_run run = run_of(&row, 1);
    struct error error = {0};
    (void)state;
    run.settings = (struct eval_settings){.floor = NAN, .embedder = "", .model = "", .prompt = ""};
    assert_int_equal(eval_take_reply(arena, &run, &row, json(reply_text), &error), 0);
    row.outcome = EVAL_NOT_ASKED;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        const char *at = strstr(reply_text, changes[i][0]);
        const char *text = arena_printf(arena, "%.*s%s%s", (int)(at - reply_text), reply_text,
                                        changes[i][1], at + strlen(changes[i][0]));
        assert_int_equal(eval_take_reply(arena, &run, &row, json(text), &error), ERR_INPUT);
        assert_int_equal(row.outcome, EVAL_NOT_ASKED);
    }
    assert_string_equal(run.settings.prompt, "abc");
    assert_int_equal(eval_take_reply(arena, &run, &row, json(reply_text), &error), 0);
}

static void a_run_is_kept_and_read_back(void **state)
{
    struct eval_row rows[] = {row_of("a", "a.md", EVAL_ANSWERED, "[\"b.md\", \"a.md\"]"),
                              row_of("b", NULL, EVAL_REFUSED, "[]"),
                              row_of("c", "c.md", EVAL_FAILED, "[]"),
                              row_of("d", "d.md", EVAL_NOT_ASKED, "[]")};
    struct eval_run run = run_of(rows, 4), again;
    struct error error = {0};
    (void)state;
    rows[0].best = 0.5;
    rows[0].question.words = json("[\"x\"]");
    rows[1].reason = "floor";
    const char *text = json_text(arena, eval_run_to_value(arena, &run));
    assert_int_equal(eval_run_from_value(arena, json(text), "run.json", &again, &error), 0);
    assert_string_equal(json_text(arena, eval_run_to_value(arena, &again)), text);
    assert_int_equal(eval_asked(&again), 3);
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"schema\": 2, \"rows\": [{\"question\": \"a\", \"outcome\": \"late\"}]}",
        "{\"schema\": 1, \"rows\": []}",
        "{\"schema\": 1, \"rows\": [{\"question\": \"a\"}]}",
        "{\"schema\": 1, \"rows\": [{\"question\": \"a\", \"outcome\": \"??\"}]}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(eval_run_from_value(arena, json(bad[i]), "run.json", &again, &error),
                         ERR_INPUT);
}

/* -- figures -- */

static void figures_of_a_run(void **state)
{
    struct eval_row rows[] = {
        row_of("1", "a", EVAL_ANSWERED, "[\"a\", \"b\"]"),
        row_of("2", "a", EVAL_ANSWERED, "[\"b\", \"a\"]"),
        row_of("3", "a", EVAL_ANSWERED, "[\"b\"]"),
        row_of("4", "a", EVAL_REFUSED, "[\"a\"]"),
        row_of("5", NULL, EVAL_REFUSED, "[]"),
        row_of("6", NULL, EVAL_REFUSED, "[]"),
        row_of("7", NULL, EVAL_ANSWERED, "[]"),
        row_of("8", "a", EVAL_FAILED, "[]"),
        row_of("9", "a", EVAL_NOT_ASKED, "[]"),
        row_of("10", "a", EVAL_LATE, "[\"b\", \"c\", \"d\", \"a\"]"),
    };
    static const struct {
        const char *name;
        double value;
        size_t count;
    } expected[] = {
        {"recall@1", 2 / 5.0, 5},        {"recall@3", 3 / 5.0, 5},
        {"recall", 4 / 5.0, 5},          {"mrr", (1 + 0.5 + 0 + 1 + 0.25) / 5, 5},
        {"answered", 3 / 5.0, 5},        {"citation_correct", 2 / 3.0, 3},
        {"citation_precision", 0.75, 2}, {"refusal_precision", 2 / 3.0, 3},
        {"refusal_recall", 2 / 3.0, 3},  {"failed", 2 / 9.0, 9},
        {"latency_p50_ms", 35, 8},       {"usd_per_1000", 1, 8},
    };
    struct eval_run run = run_of(rows, COUNT_OF(rows));
    (void)state;
    rows[0].citations = 2, rows[0].right_citations = 1;
    rows[1].citations = rows[1].right_citations = 3;
    for (int i = 0, replied = 0; i < 10; i++) /* 0, 10, ... 70 for the eight that replied */
        rows[i].took_ms =
            rows[i].outcome >= EVAL_ANSWERED && rows[i].outcome <= EVAL_LATE ? 10 * replied++ : 1e9;
    const struct measure *measures = eval_measure(arena, &run, NULL, &bootstrap);
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const struct measure *one = measure_find(measures, expected[i].name);
        if (fabs(one->value - expected[i].value) > 1e-9 || one->count != expected[i].count)
            fail_msg("%s is %g of %zu", expected[i].name, one->value, one->count);
    }
    assert_true(isnan(measure_find(measures, "recall@10")->value)); /* deeper than top_k */
    assert_true(measure_find(measures, "recall@1")->is_share);
    assert_false(measure_find(measures, "mrr")->is_share);
    run.settings.search_only = true;
    measures = eval_measure(arena, &run, NULL, &bootstrap);
    assert_true(isnan(measure_find(measures, "citation_correct")->value));
    assert_null(eval_metric_find("recall@2"));
}

/* -- the floor -- */

enum { ANSWERABLE = 20, UNANSWERABLE = 10 };

/* Answerable at 0.50, 0.51 ... 0.69; not answerable at 0.10 ... 0.18, and one at 0.505. */
static struct eval_run clouds(struct eval_row *rows)
{
    for (int i = 0; i < ANSWERABLE + UNANSWERABLE; i++) {
        bool answerable = i < ANSWERABLE;
        rows[i] = row_of(arena_printf(arena, "%d", i), answerable ? "a" : NULL, EVAL_FOUND, "[]");
        rows[i].best = answerable ? 0.50 + i / 100.0 : 0.10 + (i - ANSWERABLE) / 100.0;
    }
    rows[ANSWERABLE + UNANSWERABLE - 1].best = 0.505;
    return run_of(rows, ANSWERABLE + UNANSWERABLE);
}

static void the_floor_refuses_most_within_what_may_be_lost(void **state)
{
    struct eval_row rows[ANSWERABLE + UNANSWERABLE];
    struct eval_run run = clouds(rows);
    struct calibration calibration;
    (void)state;
    /* One of twenty may go: at 0.51 the one at 0.50 is lost, and all ten are refused. */
    eval_calibrate(arena, &run, 0.05, &calibration);
    assert_null(calibration.too_few);
    assert_near(calibration.chosen->floor, 0.51);
    assert_int_equal(calibration.chosen->lost, 1);
    assert_int_equal(calibration.chosen->refused, 10);
    assert_near(calibration.current->floor, 0.38);
    assert_int_equal(calibration.current->refused, 9);
    /* None may go: from 0.19 to 0.50 nine are refused; the middle of that is taken. */
    eval_calibrate(arena, &run, 0.01, &calibration);
    assert_near(calibration.chosen->floor, 0.34);
    assert_int_equal(calibration.chosen->lost, 0);
    assert_int_equal(calibration.chosen->refused, 9);
    /* Without the one at 0.50 the others choose 0.51, and that loses it: what is fitted shows
     * nothing of that. */
    assert_int_equal(calibration.lost_unseen, 1);
    assert_int_equal(calibration.refused_unseen, 9);
    assert_non_null(strstr(calibration.too_few, "100 and 10 are the least"));
}

static void where_no_floor_helps_none_is_proposed(void **state)
{
    struct eval_row rows[ANSWERABLE + UNANSWERABLE];
    struct eval_run run = clouds(rows);
    struct calibration calibration;
    (void)state;
    for (int i = ANSWERABLE; i < ANSWERABLE + UNANSWERABLE; i++)
        rows[i].best = 0.9;
    eval_calibrate(arena, &run, 0.05, &calibration);
    assert_null(calibration.chosen);
    assert_non_null(calibration.why_not);
    for (int i = 0; i < ANSWERABLE + UNANSWERABLE; i++)
        rows[i].best = NAN; /* no embedding model */
    run.settings.floor = NAN;
    eval_calibrate(arena, &run, 0.05, &calibration);
    assert_null(calibration.chosen);
    assert_null(calibration.current);
    assert_non_null(strstr(calibration.why_not, "words alone"));
}

static void one_sort_of_questions_proposes_no_floor(void **state)
{
    struct eval_row rows[ANSWERABLE + UNANSWERABLE];
    struct eval_run run = clouds(rows);
    struct calibration calibration;
    (void)state;
    run.count = ANSWERABLE;
    eval_calibrate(arena, &run, 0.05, &calibration);
    assert_null(calibration.chosen);
    assert_non_null(strstr(calibration.why_not, "and others"));
    run = run_of(rows + ANSWERABLE, UNANSWERABLE);
    eval_calibrate(arena, &run, 0.05, &calibration);
    assert_null(calibration.chosen);
    assert_non_null(strstr(calibration.why_not, "and others"));
}

static void floors_of_other_models_stay(void **state)
{
    (void)state;
    assert_string_equal(floor_said_with(arena, "auto", "m", 0.38), "0.38@m");
    assert_string_equal(floor_said_with(arena, "0.4", "m", 0.38), "0.38@m");
    assert_string_equal(floor_said_with(arena, "0.4@a 0.3@m 0.2@mm", "m", 0.5),
                        "0.50@m 0.4@a 0.2@mm");
}

/* -- two runs -- */

static void two_runs_side_by_side(void **state)
{
    struct eval_row first[12], second[12];
    struct eval_run before = run_of(first, 12), after = run_of(second, 12);
    struct compared compared;
    struct error error = {0};
    (void)state;
    for (int i = 0; i < 12; i++) { /* the first eight go from wrong to right */
        const char *name = arena_printf(arena, "%d", i);
        first[i] = row_of(name, "a", EVAL_ANSWERED, i < 8 ? "[\"b\"]" : "[\"a\"]");
        second[11 - i] = row_of(name, "a", EVAL_ANSWERED, "[\"a\"]");
    }
    second[0].question.text = "another"; /* was 11 */
    first[0].outcome = EVAL_FAILED;
    after.settings.top_k = 9;
    assert_int_equal(eval_compare(arena, &before, &after, &bootstrap, &compared, &error), 0);
    assert_int_equal(compared.pairs, 10);
    assert_int_equal(compared.unpaired, 4);
    assert_string_equal(compared.settings, "top_k 6 -> 9");
    const struct comparison *one = &compared.items[0];
    assert_string_equal(one->metric->name, "recall@1");
    assert_near(one->before, 0.3);
    assert_near(one->after, 1);
    assert_int_equal(one->gained, 7);
    assert_int_equal(one->lost, 0);
    assert_near(one->p, 2 / 128.0);
    assert_int_equal(comparison_verdict(one), 1);
    for (int i = 0; i < 12; i++)
        second[i].question.text = "none of them";
    assert_int_equal(eval_compare(arena, &before, &after, &bootstrap, &compared, &error),
                     ERR_INPUT);
}

static void gates_are_judged(void **state)
{
    struct eval_row rows[] = {row_of("1", "a", EVAL_ANSWERED, "[\"a\"]"),
                              row_of("2", "a", EVAL_ANSWERED, "[\"b\"]")};
    struct gate gates[] = {{.metric = eval_metric_find("recall@1"), .least = 0.5},
                           {.metric = eval_metric_find("recall@1"), .least = 0.51},
                           {.metric = eval_metric_find("latency_p95_ms"), .least = 1},
                           {.metric = eval_metric_find("recall@20"), .least = 0}};
    struct eval_run run = run_of(rows, 2);
    struct report report;
    struct error error = {0};
    (void)state;
    rows[0].took_ms = rows[1].took_ms = 2;
    assert_int_equal(report_make(arena, &run, NULL, 0.05, &bootstrap,
                                 (struct gate_list){gates, 4, 4}, &report, &error),
                     0);
    assert_false(gates[0].missed);
    assert_true(gates[1].missed);
    assert_true(gates[2].missed);
    assert_true(gates[3].missed); /* what was not measured is not met */
}

static void markup_is_escaped(void **state)
{
    struct buffer out = BUFFER(4096);
    (void)state;
    html_open(&out, "p", "title", "\"<'&", NULL);
    html_text(&out, "%s", "<b>&amp;é");
    html_close(&out, "p");
    assert_string_equal(buffer_string(&out),
                        "<p title=\"&quot;&lt;&#39;&amp;\">&lt;b&gt;&amp;amp;é</p>\n");
    buffer_free(&out);
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_becomes_a_row),
        cmocka_unit_test(replies_of_other_settings_are_another_run),
        cmocka_unit_test(a_run_is_kept_and_read_back),
        cmocka_unit_test(figures_of_a_run),
        cmocka_unit_test(the_floor_refuses_most_within_what_may_be_lost),
        cmocka_unit_test(where_no_floor_helps_none_is_proposed),
        cmocka_unit_test(one_sort_of_questions_proposes_no_floor),
        cmocka_unit_test(floors_of_other_models_stay),
        cmocka_unit_test(two_runs_side_by_side),
        cmocka_unit_test(gates_are_judged),
        cmocka_unit_test(markup_is_escaped),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
