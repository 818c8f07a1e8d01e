/* What lines tell of a request, in each of their shapes; and what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pkg/watch/questions.h"
#include "pkg/watch/waterfall.h"

static void check_report(struct arena *arena, const char *message, const char *status,
                         double duration_ms, double init_ms)
{
    struct request_line line = request_line_read(arena, message);
    assert_int_equal(line.kind, LINE_REPORT);
    assert_string_equal(line.request_id, "7f1c-2a");
    assert_string_equal(line.status, status);
    assert_true(line.duration_ms == duration_ms && line.init_ms == init_ms);
}

static void reports_have_three_shapes(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    check_report(arena,
                 "REPORT RequestId: 7f1c-2a\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory "
                 "Size: 256 MB\tMax Memory Used: 30 MB\tInit Duration: 101.25 ms\t\n",
                 "success", 12.5, 101.25);
    check_report(arena,
                 "REPORT RequestId: 7f1c-2a\tDuration: 29000.00 ms\tBilled Duration: 29000 "
                 "ms\tStatus: timeout",
                 "timeout", 29000, 0);
    check_report(arena,
                 "{\"time\":\"2026-11-24T10:00:00Z\",\"type\":\"platform.report\",\"record\":{"
                 "\"requestId\":\"7f1c-2a\",\"metrics\":{\"durationMs\":12.5,\"initDurationMs\":80}"
                 ",\"status\":\"error\"}}",
                 "error", 12.5, 80);
    check_report(arena,
                 "{\"type\":\"platform.report\",\"requestId\":\"7f1c-2a\",\"durationMs\":67,"
                 "\"status\":\"success\"}",
                 "success", 67, 0);
}

static void other_lines_tell_nothing(void **state)
{
    static const char *const lines[] = {
        "",
        "{",
        "{}",
        "[1]",
        "REPORTED",
        "null",
        "{\"event\":\"other\"}",
        "START RequestId: 7f1c-2a Version: 3",
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct request_line line = request_line_read(arena, lines[i]);
        assert_int_equal(line.kind, LINE_OTHER);
        assert_string_equal(line.request_id, "");
    }
}

static void the_gateways_line_names_the_functions_run(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    static const char aws[] =
        "{\"requestId\":\"abc=\",\"routeKey\":\"POST /ask\",\"status\":\"200\","
        "\"integrationRequestId\":\"7f1c\",\"error\":\"-\"}";
    static const char local[] =
        "{\"requestId\":\"7f1c\",\"routeKey\":\"POST /ask\",\"status\":200}";
    struct request_line line = request_line_read(arena, aws);
    assert_int_equal(line.kind, LINE_ACCESS);
    assert_string_equal(line.request_id, "7f1c");
    assert_true(request_line_number(&line, "status") == 200);
    assert_string_equal(request_line_text(arena, &line, "error"), ""); /* "-" is none */
    assert_string_equal(request_line_read(arena, local).request_id, "7f1c");
}

static void texts_cannot_steer_a_terminal(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct request_line line = request_line_read(
        arena, "{\"event\":\"failure\",\"error\":\"a\\u001b[2Jb\\u009bc\\nd\\u00e9\"}");
    assert_string_equal(request_line_text(arena, &line, "error"), "a [2Jb  c d\u00e9");
}

/* -- waterfalls -- */

static void a_waterfall_needs_no_gateway(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    struct waterfall waterfall;
    struct span spans[SPANS_MOST];
    waterfall_begin(&waterfall, arena);
    assert_false(waterfall_has_spans(&waterfall));
    waterfall_take(&waterfall, "ask", "nothing of it");
    waterfall_take(&waterfall, "ask",
                   "{\"event\":\"question\",\"requestId\":\"7f\",\"connectMs\":10,\"EmbedMs\":0.01,"
                   "\"SearchMs\":30,\"GenerateMs\":0,\"TotalMs\":40}");
    assert_true(waterfall_has_spans(&waterfall));
    assert_int_equal(waterfall_spans(&waterfall, spans), 3);
    assert_string_equal(spans[0].name, "function");
    assert_true(spans[0].start_ms == 0 && spans[0].length_ms == 50);
    assert_string_equal(spans[1].name, "connect");
    assert_string_equal(spans[2].name, "search"); /* what took no time was not there */
    assert_true(spans[2].start_ms == 10.01 && spans[2].length_ms == 30);
}

/* -- sums -- */

static void only_so_many_of_the_slowest_are_kept(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct questions *questions = arena_new_of(arena, struct questions);
    static const int order[] = {3, 9, 1, 7, 5, 8, 2};
    (void)state;
    questions_begin(questions, arena, 3);
    for (size_t i = 0; i < COUNT_OF(order); i++)
        questions_take(questions, QUESTIONS_ALL, "ask", (int64_t)i,
                       arena_printf(arena, "{\"event\":\"question\",\"TotalMs\":%d}", order[i]));
    assert_int_equal(questions->slow_count, 3);
    assert_true(questions->slowest[0].total_ms == 9 && questions->slowest[1].total_ms == 8 &&
                questions->slowest[2].total_ms == 7);
    assert_int_equal(questions->models[0].questions, COUNT_OF(order));
}

static void a_line_is_taken_for_what_is_asked(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct questions *questions = arena_new_of(arena, struct questions);
    static const char line[] = "{\"event\":\"question\",\"outcome\":\"throttled\",\"TotalMs\":3}";
    (void)state;
    questions_begin(questions, arena, 3);
    questions_take(questions, QUESTIONS_COST, "ask", 0, line);
    assert_int_equal(questions->models[0].questions, 1);
    assert_int_equal(questions->slow_count + questions->wrong_count, 0);
    questions_take(questions, QUESTIONS_SLOW, "ask", 0, line);
    assert_int_equal(questions->slow_count, 1);
    questions_take(questions, QUESTIONS_WRONG, "ask", 0, line);
    assert_int_equal(questions->wrong_count, 1);
    assert_int_equal(questions->models[0].questions, 1);
    assert_int_equal(questions->slow_count, 1);
}

static void many_ways_of_going_wrong_stay_bounded(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct questions *questions = arena_new_of(arena, struct questions);
    (void)state;
    questions_begin(questions, arena, 0);
    for (int i = 0; i < WRONG_MOST + 5; i++)
        questions_take(questions, QUESTIONS_ALL, "ask", i,
                       arena_printf(arena, "{\"event\":\"failure\",\"cause\":\"number %d\"}", i));
    questions_take(questions, QUESTIONS_ALL, "ask", 0,
                   "{\"event\":\"failure\",\"cause\":\"number 1\"}");
    assert_int_equal(questions->wrong_count, WRONG_MOST);
    assert_int_equal(questions->wrongs_left_out, 5);
    assert_int_equal(questions->wrongs[1].count, 2);
    assert_int_equal(questions->wrongs[1].last_ms, 1); /* an older one is not the last */
    for (int i = 0; i < MODELS_MOST + 5; i++)
        questions_add_model(
            questions,
            &(struct model_total){.model = arena_printf(arena, "model %d", i), .questions = 1});
    assert_int_equal(questions->model_count, MODELS_MOST);
    assert_int_equal(questions->models[MODELS_MOST - 1].questions, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_have_three_shapes),
        cmocka_unit_test(other_lines_tell_nothing),
        cmocka_unit_test(the_gateways_line_names_the_functions_run),
        cmocka_unit_test(texts_cannot_steer_a_terminal),
        cmocka_unit_test(a_waterfall_needs_no_gateway),
        cmocka_unit_test(only_so_many_of_the_slowest_are_kept),
        cmocka_unit_test(a_line_is_taken_for_what_is_asked),
        cmocka_unit_test(many_ways_of_going_wrong_stay_bounded),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
