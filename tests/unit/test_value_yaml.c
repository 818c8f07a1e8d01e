/* YAML: what text stands for, and the marks of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pkg/value/json.h"
#include "pkg/value/yaml.h"

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

static struct value *parse(struct arena *arena, const char *text)
{
    struct error error;
    struct value *value;
    if (yaml_parse(arena, text, strlen(text), "test.yaml", &value, &error))
        fail_msg("%s: %d:%d: %s", text, error.line, error.column, error.message);
    return value;
}

/* YAML 1.2.2, section 10.3.2, and what 1.1 would have read differently. */
static const struct {
    const char *text;
    enum value_kind kind;
    const char *json;
} scalars[] = {
    {"null", VALUE_NULL, "null"},
    {"Null", VALUE_NULL, "null"},
    {"NULL", VALUE_NULL, "null"},
    {"~", VALUE_NULL, "null"},
    {"nULL", VALUE_STRING, "\"nULL\""},
    {"true", VALUE_BOOL, "true"},
    {"True", VALUE_BOOL, "true"},
    {"TRUE", VALUE_BOOL, "true"},
    {"false", VALUE_BOOL, "false"},
    {"False", VALUE_BOOL, "false"},
    {"FALSE", VALUE_BOOL, "false"},
    {"tRUE", VALUE_STRING, "\"tRUE\""},
    {"yes", VALUE_STRING, "\"yes\""},
    {"no", VALUE_STRING, "\"no\""},
    {"on", VALUE_STRING, "\"on\""},
    {"off", VALUE_STRING, "\"off\""},
    {"y", VALUE_STRING, "\"y\""},
    {"0", VALUE_INT, "0"},
    {"-19", VALUE_INT, "-19"},
    {"+12", VALUE_INT, "12"},
    {"012", VALUE_INT, "12"}, /* octal in 1.1 */
    {"0o7", VALUE_INT, "7"},
    {"0o17", VALUE_INT, "15"},
    {"0x3A", VALUE_INT, "58"},
    {"0x1f", VALUE_INT, "31"},
    {"9223372036854775807", VALUE_INT, "9223372036854775807"},
    {"-9223372036854775808", VALUE_INT, "-9223372036854775808"},
    {"9007199254740993", VALUE_INT, "9007199254740993"},
    {"0x7fffffffffffffff", VALUE_INT, "9223372036854775807"},
    {"-0x1f", VALUE_STRING, "\"-0x1f\""},
    {"0o8", VALUE_STRING, "\"0o8\""},
    {"0xg", VALUE_STRING, "\"0xg\""},
    {"0x", VALUE_STRING, "\"0x\""},
    {"0o", VALUE_STRING, "\"0o\""},
    {"0b1", VALUE_STRING, "\"0b1\""},
    {"1_000", VALUE_STRING, "\"1_000\""},
    {"12:30:45", VALUE_STRING, "\"12:30:45\""}, /* base 60 in 1.1 */
    {"0.", VALUE_REAL, "0"},
    {"-0.0", VALUE_REAL, "0"},
    {".5", VALUE_REAL, "0.5"},
    {"+12e03", VALUE_REAL, "12000"},
    {"-2E+05", VALUE_REAL, "-200000"},
    {"1.5", VALUE_REAL, "1.5"},
    {".", VALUE_STRING, "\".\""},
    {"1.2.3", VALUE_STRING, "\"1.2.3\""},
    {"e3", VALUE_STRING, "\"e3\""},
    {"16.4-R1", VALUE_STRING, "\"16.4-R1\""},
    {"10.20.0.0/16", VALUE_STRING, "\"10.20.0.0/16\""},
    {"2026-01-31", VALUE_STRING, "\"2026-01-31\""},
    {"inf", VALUE_STRING, "\"inf\""},
    {"nan", VALUE_STRING, "\"nan\""},
    {"\"1\"", VALUE_STRING, "\"1\""},
    {"'true'", VALUE_STRING, "\"true\""},
    {"\"\"", VALUE_STRING, "\"\""},
    {"'it''s'", VALUE_STRING, "\"it's\""},
    {"\"\\u20ac\\x41\\0\"", VALUE_STRING,
     "\"\xe2\x82\xac"
     "A\\u0000\""},
    {"two words", VALUE_STRING, "\"two words\""},
    {"|\n  a\n  b", VALUE_STRING, "\"a\\nb\\n\""},
    {">-\n  a\n  b", VALUE_STRING, "\"a b\""},
    {"|\n  12", VALUE_STRING, "\"12\\n\""},
    {"!!str 12", VALUE_STRING, "\"12\""},
    {"! 12", VALUE_STRING, "\"12\""},
    {"!!str", VALUE_STRING, "\"\""},
    {"!!int \"12\"", VALUE_INT, "12"},
    {"!!float 12", VALUE_REAL, "12"},
    {"!!bool 'true'", VALUE_BOOL, "true"},
    {"!!null ''", VALUE_NULL, "null"},
    {"!<tag:yaml.org,2002:str> 12", VALUE_STRING, "\"12\""},
};

static void scalars_follow_the_core_schema(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(scalars); i++) {
        struct value *value =
            value_get(parse(arena, arena_printf(arena, "k: %s\n", scalars[i].text)), "k");
        const char *json = json_text(arena, value);
        if (value->kind != scalars[i].kind || strcmp(json, scalars[i].json) != 0)
            fail_msg("%s is %s, %s", scalars[i].text, value_kind_name(value->kind), json);
    }
}

static void infinity_and_nan_have_names(void **state)
{
    struct value *value = parse(*state, "[.inf, .Inf, +.INF, -.inf, .nan, .NaN, .NAN, +.nan]");
    for (size_t i = 0; i < 3; i++)
        assert_true(value_item(value, i)->real == INFINITY);
    assert_true(value_item(value, 3)->real == -INFINITY);
    for (size_t i = 4; i < 7; i++)
        assert_true(isnan(value_item(value, i)->real));
    assert_true(value_is_text(value_item(value, 7), "+.nan"));
}

static const struct {
    const char *text, *json;
} documents[] = {
    {"", "null"},
    {"# only a comment\n", "null"},
    {"---\n...\n", "null"},
    {"just text", "\"just text\""},
    {"%YAML 1.2\n---\na: 1\n", "{\"a\":1}"},
    {"\xef\xbb\xbf"
     "a: 1",
     "{\"a\":1}"},
    {"a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    {"a:\nb: \nc: ~", "{\"a\":null,\"b\":null,\"c\":null}"},
    {"z: 1\na: {y: [1, two], x: {}}\n", "{\"z\":1,\"a\":{\"y\":[1,\"two\"],\"x\":{}}}"},
    {"- a\n- - b\n  - c\n- k: v\n  l: w\n", "[\"a\",[\"b\",\"c\"],{\"k\":\"v\",\"l\":\"w\"}]"},
    {"{a: 1, b, \"c\": 3}", "{\"a\":1,\"b\":null,\"c\":3}"},
    {"'1': a\n\"true\": b\non: c\n", "{\"1\":\"a\",\"true\":\"b\",\"on\":\"c\"}"},
    {"!!str 1: a", "{\"1\":\"a\"}"},
    {"\"<<\": {a: 1}", "{\"<<\":{\"a\":1}}"},
    {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
    {"a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n",
     "{\"a\":{\"b\":[1,2]},\"c\":{\"b\":[1,2]},\"d\":[{\"b\":[1,2]},{\"b\":[1,2]}]}"},
    {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
    {"&k key: *k\n", "{\"key\":\"key\"}"},
    {"a: &k key\n*k : 1\n", "{\"a\":\"key\",\"key\":1}"},
    {"? a\n: 1\n? b\n", "{\"a\":1,\"b\":null}"},
};

static void documents_become_trees(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        assert_string_equal(json_text(arena, parse(arena, documents[i].text)), documents[i].json);
}

static void aliases_are_copies(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, "a: &x {b: 1}\nc: *x\n");
    assert_ptr_not_equal(value_get(value, "a"), value_get(value, "c"));
    value_set_int(arena, value_get(value, "c"), "b", 2);
    assert_int_equal(value_int_at(value, "a.b", -1), 1);
}

static void only_the_given_length_is_read(void **state)
{
    struct value *value;
    assert_int_equal(yaml_parse(*state, "a: 12345", 5, "t", &value, NULL), 0);
    assert_int_equal(value_int_at(value, "a", -1), 12);
}

static void assert_mark(const struct mark *mark, int line, int column)
{
    assert_string_equal(mark->file, "test.yaml");
    assert_int_equal(mark->line, line);
    assert_int_equal(mark->column, column);
}

static void marks_count_from_one(void **state)
{
    struct value *value = parse(*state, "stack: acme\n"
                                        "network:\n"
                                        "  zones: 2\n"
                                        "  endpoints: [s3,\n"
                                        "    rds]\n"
                                        "empty:\n"
                                        "prompt: |\n"
                                        "  text\n");
    assert_mark(&value->mark, 1, 1);
    assert_mark(&value_entry(value, 0)->mark, 1, 1);
    assert_mark(&value_get(value, "stack")->mark, 1, 8);
    assert_mark(&value_entry(value, 1)->mark, 2, 1);
    assert_mark(&value_get(value, "network")->mark, 3, 3);
    assert_mark(&value_entry(value_get(value, "network"), 0)->mark, 3, 3);
    assert_mark(&value_at(value, "network.zones")->mark, 3, 10);
    assert_mark(&value_at(value, "network.endpoints")->mark, 4, 14);
    assert_mark(&value_at(value, "network.endpoints[0]")->mark, 4, 15);
    assert_mark(&value_at(value, "network.endpoints[1]")->mark, 5, 5);
    assert_mark(&value_get(value, "empty")->mark, 6, 7);
    assert_mark(&value_get(value, "prompt")->mark, 7, 9);
}

static void columns_count_characters(void **state)
{
    struct value *value = parse(*state, "\xef\xbb\xbf\"\xc3\xa9\xe2\x82\xac\": {x: 1}");
    assert_mark(&value_entry(value, 0)->mark, 1, 1);
    assert_mark(&value_entry(value, 0)->value->mark, 1, 7);
    assert_mark(&value_at(value_entry(value, 0)->value, "x")->mark, 1, 11);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(scalars_follow_the_core_schema), with_arena(infinity_and_nan_have_names),
        with_arena(documents_become_trees),         with_arena(aliases_are_copies),
        with_arena(only_the_given_length_is_read),  with_arena(marks_count_from_one),
        with_arena(columns_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
