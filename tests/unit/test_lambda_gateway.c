#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/lambda/gateway.h"
#include "pkg/value/json.h"

static struct value *parse(struct arena *arena, const char *text)
{
    struct value *value;
    struct error error;
    if (json_parse(arena, text, strlen(text), "event", &value, &error) != 0)
        fail_msg("%s", error.message);
    return value;
}

static void events_of_an_http_api_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        bool gateway;
    } cases[] = {
        {"{\"version\":\"2.0\",\"requestContext\":{\"http\":{\"method\":\"GET\"}}}", true},
        {"{\"version\":\"1.0\",\"requestContext\":{\"http\":{\"method\":\"GET\"}}}", false},
        {"{\"version\":\"2.0\"}", false},
        {"{\"Records\":[{\"eventSource\":\"aws:s3\"}]}", false},
        {"[]", false},
        {"null", false},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(gateway_event(parse(arena, cases[i].event)), cases[i].gateway);
    arena_free(arena);
}

static void the_stage_is_no_part_of_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *event, *path;
    } cases[] = {
        {"{\"rawPath\":\"/health\",\"requestContext\":{\"stage\":\"$default\"}}", "/health"},
        {"{\"rawPath\":\"/prod/health\",\"requestContext\":{\"stage\":\"prod\"}}", "/health"},
        {"{\"rawPath\":\"/prod\",\"requestContext\":{\"stage\":\"prod\"}}", "/"},
        {"{\"rawPath\":\"/production/x\",\"requestContext\":{\"stage\":\"prod\"}}",
         "/production/x"},
        {"{\"rawPath\":\"/a/b\"}", "/a/b"},
        {"{}", "/"},
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(gateway_path(arena, parse(arena, cases[i].event)), cases[i].path);
    arena_free(arena);
}

static void answers_carry_their_body_as_text(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct value *answer =
        gateway_answer(arena, 200, "application/json", parse(arena, "{\"a\":\"\\\"\"}"));
    assert_string_equal(json_text(arena, answer),
                        "{\"statusCode\":200,\"headers\":{\"content-type\":\"application/json\"},"
                        "\"body\":\"{\\\"a\\\":\\\"\\\\\\\"\\\"}\"}");
    arena_free(arena);
}

static void problems_have_the_standard_form(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct value *answer = gateway_problem(arena, 501, "Not Implemented", "not yet", "id-1");
    assert_string_equal(value_text_at(answer, "headers.content-type"), "application/problem+json");
    assert_int_equal(value_int_at(answer, "statusCode", 0), 501);
    assert_string_equal(value_text(answer, "body"),
                        "{\"type\":\"about:blank\",\"title\":\"Not Implemented\",\"status\":501,"
                        "\"detail\":\"not yet\",\"instance\":\"id-1\"}");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_an_http_api_are_told_from_others),
        cmocka_unit_test(the_stage_is_no_part_of_the_path),
        cmocka_unit_test(answers_carry_their_body_as_text),
        cmocka_unit_test(problems_have_the_standard_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
