/* JSON: what is read, what is refused and where, what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

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

static struct value *parse_n(struct arena *arena, const char *text, size_t length)
{
    struct error error;
    struct value *value;
    if (json_parse(arena, text, length, "test.json", &value, &error))
        fail_msg("%s: %d:%d: %s", text, error.line, error.column, error.message);
    return value;
}

static struct value *parse(struct arena *arena, const char *text)
{
    return parse_n(arena, text, strlen(text));
}

static const struct {
    const char *text, *printed;
} round_trips[] = {
    {"null", "null"},
    {" \t\r\n true \n", "true"},
    {"[ ]", "[]"},
    {"{ }", "{}"},
    {"[null,true,false]", "[null,true,false]"},
    {"{\"b\":{\"z\":1,\"y\":[{}]},\"a\":2}", "{\"b\":{\"z\":1,\"y\":[{}]},\"a\":2}"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u0001\\u001F\\u007f\"", "\"\\u0001\\u001f\x7f\""},
    {"\"\\u00e9\\u20AC\\ud834\\udd1e\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\""},
    {"\"\xc3\xa9\xf4\x8f\xbf\xbf\"", "\"\xc3\xa9\xf4\x8f\xbf\xbf\""},
    {"\"[{,:}]\"", "\"[{,:}]\""},
    {"{\"\":1}", "{\"\":1}"},
    {"{\"a\\\"\\u00e9\":1}", "{\"a\\\"\xc3\xa9\":1}"},
    {"0", "0"},
    {"-0", "0"},
    {"-1", "-1"},
    {"9007199254740993", "9007199254740993"}, /* 2^53 + 1 is no double */
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"1.0", "1"},
    {"-0.0", "0"},
    {"1e3", "1000"},
    {"1E+2", "100"},
    {"0.1", "0.1"},
    {"1.5e-7", "1.5e-07"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"3.141592653589793238462643", "3.141592653589793"},
    {"1e21", "1e+21"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"5e-324", "5e-324"},
};

static void text_comes_back(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(round_trips); i++)
        assert_string_equal(json_text(arena, parse(arena, round_trips[i].text)),
                            round_trips[i].printed);
}

static void kinds_of_numbers_follow_their_form(void **state)
{
    struct arena *arena = *state;
    assert_int_equal(parse(arena, "10")->kind, VALUE_INT);
    assert_true(parse(arena, "-9007199254740993")->integer == -9007199254740993);
    assert_int_equal(parse(arena, "10.0")->kind, VALUE_REAL);
    assert_int_equal(parse(arena, "1e1")->kind, VALUE_REAL);
    assert_true(parse(arena, "0.1")->real == 0.1);
}

static void escaped_nul_is_kept_by_length(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, "[\"\\u0000\",\"a\\u0000\\u00e9\\ud83d\\ude00\\nb\",\"z\"]");
    assert_int_equal(value_item(value, 0)->string.length, 1);
    assert_memory_equal(value_item(value, 0)->string.text, "\0", 2);
    assert_int_equal(value_item(value, 1)->string.length, 10);
    assert_memory_equal(value_item(value, 1)->string.text, "a\0\xc3\xa9\xf0\x9f\x98\x80\nb", 11);
    assert_true(value_is_text(value_item(value, 2), "z"));
    assert_string_equal(json_text(arena, value_item(value, 0)), "\"\\u0000\"");
}

static void assert_mark(const struct mark *mark, int line, int column)
{
    assert_string_equal(mark->file, "test.json");
    assert_int_equal(mark->line, line);
    assert_int_equal(mark->column, column);
}

static void marks_count_characters(void **state)
{
    struct value *value = parse(*state, "{\n"
                                        "  \"a\": [1, \"x\",\n"
                                        "\ttrue],\n"
                                        "  \"\xc3\xa9\xe2\x82\xac\": {\"b\" :\n"
                                        "    null}, \"c\": 5}");
    assert_mark(&value->mark, 1, 1);
    assert_mark(&value_entry(value, 0)->mark, 2, 3);
    assert_mark(&value_at(value, "a")->mark, 2, 8);
    assert_mark(&value_at(value, "a[0]")->mark, 2, 9);
    assert_mark(&value_at(value, "a[1]")->mark, 2, 12);
    assert_mark(&value_at(value, "a[2]")->mark, 3, 2);
    assert_mark(&value_entry(value, 1)->mark, 4, 3);
    assert_mark(&value_entry(value, 1)->value->mark, 4, 9);
    assert_mark(&value_entry(value_entry(value, 1)->value, 0)->mark, 4, 10);
    assert_mark(&value_entry(value_entry(value, 1)->value, 0)->value->mark, 5, 5);
    assert_mark(&value_at(value, "c")->mark, 5, 17);
}

static const struct {
    const char *text;
    int line, column;
    const char *said;
} refusals[] = {
    {"", 1, 1, "nothing"},
    {" \n ", 2, 2, "nothing"},
    {"{} {}", 1, 4, "after the end"},
    {"[1]\n]", 2, 1, "after the end"},
    {"nul", 1, 1, "not expected"},
    {"[1,\n 2,,3]", 2, 4, "not expected"},
    {"[1,]", 1, 4, "not expected"},
    {"[1 2]", 1, 4, "not expected"},
    {"{\"a\" 1}", 1, 6, "not expected"},
    {"{\"a\":1,}", 1, 8, "not expected"},
    {"{a:1}", 1, 3, "not expected"}, /* one late: cJSON had skipped what is no quote */
    {"[1}", 1, 3, "not expected"},
    {"[", 1, 2, "ends inside"},
    {"{\"a\":[1\n", 2, 1, "ends inside"},
    {"[1, \"abc", 1, 5, "does not end"},
    {"[\"abc\\\"]", 1, 2, "does not end"},
    {"'a'", 1, 1, "no place outside"},
    {"[1, // two\n2]", 1, 5, "no place outside"},
    {"\xef\xbb\xbf{}", 1, 1, "no place outside"},
    {"\x01", 1, 1, "no place outside"},
    {"\f1", 1, 1, "no place outside"},
    {"\"a\nb\"", 1, 3, "control character"},
    {"\"a\tb\"", 1, 3, "control character"},
    {"\"\\x\"", 1, 2, "not expected"},
    {"\"\\u12g4\"", 1, 2, "hexadecimal"},
    {"\"\\u12", 1, 2, "hexadecimal"},
    {"\"\\ud800\"", 1, 2, "not expected"},
    {"\"\\udc00\"", 1, 2, "not expected"},
    {"\"\\ud800\\u0041\"", 1, 2, "not expected"},
    {"\"\xc3\xa9\x80\"", 1, 3, "UTF-8"},
    {"\"\xc0\xaf\"", 1, 2, "UTF-8"},
    {"\"\xed\xa0\x80\"", 1, 2, "UTF-8"},
    {"\"\xf4\x90\x80\x80\"", 1, 2, "UTF-8"},
    {"\"\xe2\x82\"", 1, 2, "UTF-8"},
    {"\"\\\xc3(\"", 1, 3, ""},
    {"[01]", 1, 2, "leading zero"},
    {"[-01]", 1, 2, "leading zero"},
    {"[1.]", 1, 2, "digits on both sides"},
    {"[1.e5]", 1, 2, "digits on both sides"},
    {"[-.5]", 1, 2, "digits on both sides"},
    {"[.5]", 1, 2, "not expected"},
    {"[+1]", 1, 2, "not expected"},
    {"[-]", 1, 2, "not expected"},
    {"[1e]", 1, 3, "not expected"},
    {"[0x1]", 1, 3, "not expected"},
    {"[NaN]", 1, 2, "not expected"},
    {"[Infinity]", 1, 2, "not expected"},
    {"[1, 9223372036854775808]", 1, 5, "beyond 64 bits"},
    {"[-9223372036854775809]", 1, 2, "beyond 64 bits"},
    {"[1e309]", 1, 2, "too large"},
    {"{\"a\":1,\n \"b\":2, \"a\":3}", 2, 9, "\"a\" is given twice"},
    {"{\"a\":1,\"\\u0061\":3}", 1, 8, "given twice"},
    {"{\"x\":[{\"b\":1,\"b\":1}]}", 1, 14, "given twice"},
    {"{\"a\\u0000b\":1}", 1, 2, "NUL"},
};

static void wrong_text_is_refused_where_it_is_wrong(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct error error = {0};
        struct value *value;
        int status = json_parse(*state, refusals[i].text, strlen(refusals[i].text), "test.json",
                                &value, &error);
        if (status != ERR_INPUT || value || error.line != refusals[i].line ||
            error.column != refusals[i].column || !strstr(error.message, refusals[i].said))
            fail_msg("%s: %d at %d:%d: %s", refusals[i].text, status, error.line, error.column,
                     error.message);
        assert_string_equal(error.file, "test.json");
    }
}

static void nul_bytes_are_refused(void **state)
{
    struct error error;
    struct value *value;
    assert_int_equal(json_parse(*state, "[1]\0", 4, "t", &value, &error), ERR_INPUT);
    assert_int_equal(error.column, 4);
    assert_int_equal(json_parse(*state, "\"a\0\"", 4, "t", &value, &error), ERR_INPUT);
    assert_int_equal(error.column, 3);
}

static void only_the_given_length_is_read(void **state)
{
    assert_true(parse_n(*state, "123456", 3)->integer == 123);
    assert_int_equal(value_count(parse_n(*state, "[1]]]]", 3)), 1);
}

static void nesting_stops_at_200(void **state)
{
    struct arena *arena = *state;
    char text[402];
    for (size_t depth = 200; depth <= 201; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        struct error error;
        struct value *value;
        int status = json_parse(arena, text, 2 * depth, "t", &value, &error);
        assert_int_equal(status, depth == 200 ? 0 : ERR_INPUT);
        if (status)
            assert_int_equal(error.column, 201);
    }
    char *deep = arena_alloc(arena, 1000001);
    memset(deep, '[', 1000000);
    struct value *value;
    assert_int_equal(json_parse(arena, deep, 1000000, "t", &value, NULL), ERR_INPUT);
}

static void large_objects_keep_all_their_keys(void **state)
{
    struct arena *arena = *state;
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    for (int i = 0; i < 10000; i++)
        buffer_printf(&text, "%c\"key%d\":%d", i ? ',' : '{', i, i);
    buffer_char(&text, '}');
    struct value *value = parse_n(arena, text.data, text.length);
    assert_int_equal(value_count(value), 10000);
    assert_int_equal(value_int_at(value, "key9999", -1), 9999);
    assert_string_equal(json_text(arena, value), text.data);
}

static void pretty_text_is_indented(void **state)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    json_print_pretty(&out, parse(*state, "{\"b\":[1,{\"c\":null}],\"a\":[],\"d\":{}}"));
    assert_string_equal(out.data, "{\n"
                                  "  \"b\": [\n"
                                  "    1,\n"
                                  "    {\n"
                                  "      \"c\": null\n"
                                  "    }\n"
                                  "  ],\n"
                                  "  \"a\": [],\n"
                                  "  \"d\": {}\n"
                                  "}\n");
}

static void canonical_text_has_sorted_keys(void **state)
{
    struct arena *arena = *state;
    struct value *value =
        parse(arena, "{\"b\":1.0,\"B\":{\"z\":0,\"aa\":1,\"a\":[{\"y\":1,\"x\":2}]},"
                     "\"\xc3\xa9\":1,\"a\":1e2,\"\":0}");
    assert_string_equal(json_text_canonical(arena, value),
                        "{\"\":0,\"B\":{\"a\":[{\"x\":2,\"y\":1}],\"aa\":1,\"z\":0},"
                        "\"a\":100,\"b\":1,\"\xc3\xa9\":1}");
    assert_string_equal(value_entry(value, 0)->key, "b");
}

static void what_json_cannot_say_is_printed_as_something_it_can(void **state)
{
    struct arena *arena = *state;
    assert_string_equal(json_text(arena, NULL), "null");
    assert_string_equal(json_text(arena, value_real(arena, NAN)), "null");
    assert_string_equal(json_text(arena, value_real(arena, -INFINITY)), "null");
    assert_string_equal(json_text(arena, value_unknown(arena)), "\"(known after create)\"");
    assert_string_equal(json_text(arena, value_string(arena, "a\xff\xc3")),
                        "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* Each real comes back as the very same bits, from text of at most 17 digits. */
static void reals_survive_printing(void **state)
{
    struct arena *arena = *state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        double real;
        memcpy(&real, &random, sizeof real);
        if (!isfinite(real))
            continue;
        const char *text = json_text(arena, value_real(arena, real));
        if (value_as_real(parse(arena, text), NAN) != real)
            fail_msg("%a became %s", real, text);
    }
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(text_comes_back),
        with_arena(kinds_of_numbers_follow_their_form),
        with_arena(escaped_nul_is_kept_by_length),
        with_arena(marks_count_characters),
        with_arena(wrong_text_is_refused_where_it_is_wrong),
        with_arena(nul_bytes_are_refused),
        with_arena(only_the_given_length_is_read),
        with_arena(nesting_stops_at_200),
        with_arena(large_objects_keep_all_their_keys),
        with_arena(pretty_text_is_indented),
        with_arena(canonical_text_has_sorted_keys),
        with_arena(what_json_cannot_say_is_printed_as_something_it_can),
        with_arena(reals_survive_printing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
