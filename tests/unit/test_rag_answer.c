/* From a question to its outcome, with models made by hand and a real PostgreSQL, one suite at a
 * time (RAGSTACK_TEST_DATABASE). The embedder knows two subjects: vacation and pay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/rag/answer.h"
#include "pkg/rag/schema.h"
#include "pkg/rag/store.h"

enum { DIMENSIONS = 3 };

struct fixture {
    struct arena *arena;
    struct pg *pg;
    struct models models;
    int generated;          /* how often the language model was asked */
    const char *reply;      /* what it says */
    int fails_with;         /* or how it fails */
    const char *asked_user; /* what it was sent */
};

static int embed(struct task *task, struct models *models, struct arena *arena,
                 const char *const *texts, size_t count, float *out, struct model_usage *usage,
                 struct error *error)
{
    struct fixture *fixture = models->data;
    (void)task, (void)arena;
    if (fixture->fails_with == ERR_DENIED)
        return error_set(error, ERR_DENIED, "no access to the embedding model");
    for (size_t i = 0; i < count; i++) {
        float *vector = out + i * DIMENSIONS;
        memset(vector, 0, DIMENSIONS * sizeof *vector);
        vector[strstr(texts[i], "vacation") ? 0 : strstr(texts[i], "pay") ? 1 : 2] = 1;
    }
    *usage = (struct model_usage){.input_tokens = 5, .model = "test"};
    return 0;
}

static int generate(struct task *task, struct models *models, struct arena *arena,
                    const struct generation_request *request, struct generation *out,
                    struct error *error)
{
    struct fixture *fixture = models->data;
    (void)task;
    fixture->generated++;
    fixture->asked_user = arena_strdup(arena, request->user);
    if (fixture->fails_with)
        return error_set(error, fixture->fails_with, "as told");
    *out = (struct generation){fixture->reply, "end_turn", {100, 20, 0.002, "test-claude"}};
    return 0;
}

static void put(struct fixture *fixture, const char *id, const char *text)
{
    struct error error = {0};
    struct passage_list passages;
    struct stored_units units;
    struct model_usage usage;
    struct document document = {.id = id, .title = id, .text = text, .length = strlen(text)};
    float vector[DIMENSIONS];
    chunk_document(fixture->arena, text, strlen(text), NULL, &passages);
    assert_int_equal(store_look(NULL, fixture->pg, fixture->arena, &document, &passages, "test",
                                DIMENSIONS, &units, &error),
                     0);
    assert_int_equal(units.count, 1);
    embed(NULL, &fixture->models, fixture->arena, &text, 1, vector, &usage, &error);
    units.vectors[0] = vector;
    assert_int_equal(store_put(NULL, fixture->pg, fixture->arena, &document, &passages, &units,
                               DIMENSIONS, &error),
                     0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error = {0};
    struct schema_report report;
    struct schema_options options = {.embedder = "test", .dimensions = DIMENSIONS};
    struct pg_options connect = {.url = getenv("RAGSTACK_TEST_DATABASE")};
    *state = fixture;
    fixture->arena = arena_new();
    fixture->models = (struct models){.embedder = "test",
                                      .dimensions = DIMENSIONS,
                                      .embed = embed,
                                      .generate = generate,
                                      .data = fixture};
    if (!connect.url)
        return 0;
    if (pg_open(NULL, &connect, &fixture->pg, &error) != 0 ||
        pg_script(NULL, fixture->pg,
                  "SELECT pg_advisory_lock(1); DROP SCHEMA IF EXISTS rag CASCADE", &error) != 0 ||
        schema_migrate(NULL, fixture->pg, fixture->arena, &options, &report, &error) != 0)
        fail_msg("%s", error.message);
    put(fixture, "leave", "Everybody has thirty days of vacation.");
    put(fixture, "money", "The pay comes on the 25th of a month.");
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pg_close(fixture->pg);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static struct answer ask(void **state, const char *question, const char *reply, int fails_with)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    struct answer answer;
    struct answer_options options = {.floor = 0.5};
    if (!fixture->pg) {
        print_message("RAGSTACK_TEST_DATABASE is not set\n");
        skip();
    }
    fixture->reply = reply;
    fixture->fails_with = fails_with;
    if (answer_question(NULL, fixture->arena, fixture->pg, &fixture->models, question, &options,
                        &answer, &error) != 0)
        fail_msg("%s", error.message);
    return answer;
}

static void an_answer_carries_its_proof(void **state)
{
    struct answer answer = ask(state, "How many days of vacation?", "Thirty days [1].", 0);
    assert_int_equal(answer.outcome, ANSWERED);
    assert_string_equal(answer.text, "Thirty days [1].");
    assert_int_equal(answer.citation_count, 1);
    assert_string_equal(answer.citations[0].document, "leave");
    assert_string_equal(answer.citations[0].quote, "Everybody has thirty days of vacation.");
    assert_true(answer.times.total_ms >= answer.times.search_ms);
    struct fixture *fixture = *state;
    struct value *reply = answer_to_value(fixture->arena, &answer);
    assert_false(value_bool_at(reply, "no_answer", true));
    const struct value *citation = value_at(reply, "citations[0]");
    assert_string_equal(value_text(citation, "title"), "leave");
    int64_t from = value_int_at(citation, "start", -1) - value_int_at(citation, "passage_start", 0);
    const char *quote = value_text(citation, "quote"), *passage = value_text(citation, "passage");
    assert_non_null(passage);
    assert_in_range(from, 0, strlen(passage));
    assert_int_equal(strncmp(passage + from, quote, strlen(quote)), 0);
}

static void below_the_floor_no_model_is_asked(void **state)
{
    struct answer answer = ask(state, "Who won the match?", "Nobody [1].", 0);
    struct fixture *fixture = *state;
    assert_int_equal(answer.outcome, NO_ANSWER);
    assert_string_equal(answer.reason, "floor");
    assert_int_equal(fixture->generated, 0);
    assert_int_equal(value_count(value_get(answer_to_value(fixture->arena, &answer), "nearest")),
                     2);
}

static void the_model_may_say_that_it_is_not_there(void **state)
{
    struct answer answer = ask(state, "May I sell my vacation?", "NO_ANSWER", 0);
    assert_int_equal(answer.outcome, NO_ANSWER);
    assert_string_equal(answer.reason, "model");
    assert_string_equal(answer.text, "");
}

static void an_answer_without_proof_is_none(void **state)
{
    struct answer answer = ask(state, "How many days of vacation?", "Fifty days [9].", 0);
    assert_int_equal(answer.outcome, NO_ANSWER);
    assert_string_equal(answer.reason, "unproved");
    assert_int_equal(answer.dropped_citations, 1);
}

static void a_late_model_leaves_the_passages(void **state)
{
    struct answer answer = ask(state, "How many days of vacation?", NULL, ERR_TIMEOUT);
    struct fixture *fixture = *state;
    assert_int_equal(answer.outcome, PASSAGES_ONLY);
    struct value *reply = answer_to_value(fixture->arena, &answer);
    assert_string_equal(value_text(reply, "reason"), "late");
    assert_string_equal(value_text_at(reply, "passages[0].document"), "leave");
}

static void throttled_models_are_said_so(void **state)
{
    struct answer answer = ask(state, "How many days of vacation?", NULL, ERR_THROTTLED);
    assert_int_equal(answer.outcome, THROTTLED);
    assert_true(answer.retry_after_s > 0);
}

static void other_failures_stay_failures(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    struct answer answer;
    struct answer_options options = {.floor = 0.5};
    if (!fixture->pg)
        skip();
    fixture->fails_with = ERR_DENIED;
    assert_int_equal(answer_question(NULL, fixture->arena, fixture->pg, &fixture->models, "pay?",
                                     &options, &answer, &error),
                     ERR_DENIED);
    assert_string_equal(answer.failed, "embed");
}

/* -- the log line -- */

/* The names of the metrics that the line defines, in order; each must be there as a number. */
static const char *defined_metrics(struct arena *arena, const struct value *line)
{
    struct value *metric;
    const char *names = "";
    value_each(metric, value_at(line, "_aws.CloudWatchMetrics[0].Metrics"))
    {
        const char *name = value_text(metric, "Name");
        assert_true(value_is(value_get(line, name), VALUE_REAL));
        names = arena_printf(arena, "%s%s%s", names, *names ? " " : "", name);
    }
    return names;
}

static void a_question_is_one_line_with_its_metrics(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct answer answer = {.outcome = NO_ANSWER, .reason = "floor", .prompt_hash = ""};
    answer.embed_usage = (struct model_usage){.input_tokens = 7, .dollars = 0.25};
    answer.generate_usage = (struct model_usage){.input_tokens = 30, .output_tokens = 5};
    struct answer_log log = {.stack = "acme", .request_id = "7f", .connect_ms = 1.25};
    const struct value *line = answer_log_value(arena, &answer, &log);
    assert_string_equal(defined_metrics(arena, line),
                        "EmbedMs SearchMs GenerateMs TotalMs InputTokens OutputTokens CostUSD "
                        "Questions NoAnswer Throttled Late");
    assert_string_equal(value_text_at(line, "_aws.CloudWatchMetrics[0].Namespace"), "ragstack");
    assert_true(value_as_real(value_get(line, "InputTokens"), 0) == 37);
    assert_true(value_as_real(value_get(line, "CostUSD"), 0) == 0.25);
    assert_true(value_as_real(value_get(line, "NoAnswer"), 0) == 1);
    assert_true(value_as_real(value_get(line, "connectMs"), 0) == 1.25);
    assert_null(value_get(line, "question"));
    log.cold_start = true;
    log.question = "Why?";
    line = answer_log_value(arena, &answer, &log);
    assert_non_null(strstr(defined_metrics(arena, line), " Late ColdStarts"));
    assert_string_equal(value_text(line, "question"), "Why?");
}

static void a_failure_is_told_by_its_cause(void **state)
{
    static const char *const cases[][3] = {
        {"connect", "database", "Questions FailedDatabase"},
        {"search", "database", "Questions FailedDatabase"},
        {"embed", "models", "Questions FailedModels"},
        {"generate", "models", "Questions FailedModels"},
        {NULL, "other", "Questions FailedOther"},
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct error error = {0};
    struct answer_log log = {.stack = "acme", .request_id = "7f"};
    error_set(&error, ERR_DENIED, "no access");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct value *line = answer_failure_value(arena, cases[i][0], &log, &error);
        assert_string_equal(value_text(line, "event"), "failure");
        assert_string_equal(value_text(line, "cause"), cases[i][1]);
        assert_string_equal(value_text(line, "error"), "no access");
        assert_string_equal(defined_metrics(arena, line), cases[i][2]);
    }
}

static void only_what_was_found_is_sent(void **state)
{
    ask(state, "When is the pay?", "On the 25th [1].", 0);
    struct fixture *fixture = *state;
    assert_non_null(strstr(fixture->asked_user, "25th"));
    assert_non_null(strstr(fixture->asked_user, "<question>\nWhen is the pay?\n</question>"));
}

#define ANSWER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ANSWER_TEST(an_answer_carries_its_proof),
        ANSWER_TEST(below_the_floor_no_model_is_asked),
        ANSWER_TEST(the_model_may_say_that_it_is_not_there),
        ANSWER_TEST(an_answer_without_proof_is_none),
        ANSWER_TEST(a_late_model_leaves_the_passages),
        ANSWER_TEST(throttled_models_are_said_so),
        ANSWER_TEST(other_failures_stay_failures),
        cmocka_unit_test(a_question_is_one_line_with_its_metrics),
        cmocka_unit_test(a_failure_is_told_by_its_cause),
        ANSWER_TEST(only_what_was_found_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
