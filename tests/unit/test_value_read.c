/* Reading trees: paths, coercions, items, comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "pkg/value/json.h"
#include "pkg/value/value.h"

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
    if (json_parse(arena, text, strlen(text), "test", &value, &error))
        fail_msg("%s: %s", text, error.message);
    return value;
}

static const char reply[] = "{\"Endpoint\":{\"Port\":5432,\"Address\":\"db.local\"},"
                            "\"items\":[{\"id\":\"a\"},{\"id\":\"b\",\"x\":[[1,2],[3]]}],"
                            "\"single\":{\"id\":\"s\"},\"flag\":true,\"text\":\"t\",\"none\":null}";

static const struct {
    const char *path, *found; /* as JSON; NULL is absent */
} paths[] = {
    {"", reply},
    {"Endpoint.Port", "5432"},
    {"Endpoint.Address", "\"db.local\""},
    {"items[0].id", "\"a\""},
    {"items[1].id", "\"b\""},
    {"items[1].x[0][1]", "2"},
    {"items[1].x[1]", "[3]"},
    {"items[2]", NULL},
    {"items[2].id", NULL},
    {"items.id", NULL},
    {"items[]", NULL},
    {"items[x]", NULL},
    {"items[0", NULL},
    {"items[-1]", NULL},
    {"items[99999999999999999999]", NULL},
    {"single[0].id", "\"s\""}, /* a list of one */
    {"single[1].id", NULL},
    {"text[0]", "\"t\""},
    {"none", "null"},
    {"none[0]", NULL},
    {"none.x", NULL},
    {"Endpoint.Port.x", NULL},
    {"Endpoint.port", NULL},
    {"Endpoint.Por", NULL},
    {"absent.at.all", NULL},
};

static void paths_lead_to_values(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, reply);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        const struct value *found = value_at(value, paths[i].path);
        if (!paths[i].found && found)
            fail_msg("%s is %s", paths[i].path, json_text(arena, found));
        if (paths[i].found && !found)
            fail_msg("%s is absent", paths[i].path);
        if (found)
            assert_string_equal(json_text(arena, found), paths[i].found);
    }
}

static void overlong_keys_in_paths_are_absent(void **state)
{
    struct arena *arena = *state;
    char key[400];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    struct value *map = value_wrap(arena, key, value_int(arena, 1));
    assert_null(value_at(map, key));
    assert_non_null(value_get(map, key));
}

static void every_reader_takes_null(void **state)
{
    struct arena *arena = *state;
    struct value *item;
    assert_null(value_get(NULL, "a"));
    assert_null(value_at(NULL, "a.b"));
    assert_null(value_text(NULL, "a"));
    assert_null(value_text_at(NULL, "a"));
    assert_null(value_as_text(arena, NULL));
    assert_int_equal(value_as_int(NULL, 7), 7);
    assert_true(value_as_bool(NULL, true));
    assert_true(value_as_real(NULL, 0.5) == 0.5);
    assert_int_equal(value_int_at(NULL, "a", 8), 8);
    assert_true(value_bool_at(NULL, "a", true));
    assert_false(value_is(NULL, VALUE_NULL));
    assert_false(value_is_text(NULL, ""));
    assert_int_equal(value_count(NULL), 0);
    assert_int_equal(value_item_count(NULL), 0);
    assert_null(value_item(NULL, 0));
    assert_null(value_entry(NULL, 0));
    assert_null(value_find(NULL, "a", "b"));
    assert_false(value_has_unknown(NULL));
    value_each(item, NULL) fail();
}

static void text_is_only_what_is_a_string(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, reply);
    assert_string_equal(value_text(value, "text"), "t");
    assert_string_equal(value_text_at(value, "items[1].id"), "b");
    assert_null(value_text(value, "flag"));
    assert_null(value_text(value, "none"));
    assert_null(value_text_at(value, "Endpoint.Port"));
    assert_true(value_is_text(value_get(value, "text"), "t"));
    assert_false(value_is_text(value_get(value, "text"), "t2"));
    assert_false(value_is_text(value_get(value, "text"), ""));
    assert_false(value_is_text(value_string_n(arena, "t\0u", 3), "t"));
    assert_false(value_is_text(value_get(value, "flag"), "true"));
}

static const struct {
    const char *json, *text; /* NULL: no text */
} texts[] = {
    {"\"x y\"", "x y"}, {"5432", "5432"},   {"-1", "-1"},   {"0.5", "0.5"}, {"3.0", "3"},
    {"true", "true"},   {"false", "false"}, {"null", NULL}, {"[]", NULL},   {"{}", NULL},
};

static void scalars_are_printed_as_text(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text = value_as_text(arena, parse(arena, texts[i].json));
        if (texts[i].text)
            assert_string_equal(text, texts[i].text);
        else
            assert_null(text);
    }
    assert_null(value_as_text(arena, value_unknown(arena)));
}

static const struct {
    const char *json;
    int64_t integer; /* -7: otherwise */
    int boolean;     /* -1: otherwise */
    double real;     /* -7: otherwise */
} coercions[] = {
    {"5432", 5432, -1, 5432},
    {"\"5432\"", 5432, -1, 5432},
    {"\"-12\"", -12, -1, -12},
    {"\"+12\"", 12, -1, 12},
    {"\"0012\"", 12, -1, 12},
    {"1.75", 1, -1, 1.75},
    {"-1.75", -1, -1, -1.75},
    {"1e300", -7, -1, 1e300},
    {"\"1.75\"", -7, -1, 1.75},
    {"\"1e3\"", -7, -1, 1000},
    {"\"9223372036854775807\"", INT64_MAX, -1, 9223372036854775807.0},
    {"\"9223372036854775808\"", -7, -1, 9223372036854775808.0},
    {"\"\"", -7, -1, -7},
    {"\" 1\"", -7, -1, -7},
    {"\"1 \"", -7, -1, -7},
    {"\"0x10\"", -7, -1, -7},
    {"\"inf\"", -7, -1, -7},
    {"\"nan\"", -7, -1, -7},
    {"\"1e999\"", -7, -1, -7},
    {"true", -7, 1, -7},
    {"false", -7, 0, -7},
    {"\"true\"", -7, 1, -7},
    {"\"false\"", -7, 0, -7},
    {"\"True\"", -7, -1, -7},
    {"\"yes\"", -7, -1, -7},
    {"null", -7, -1, -7},
    {"[1]", -7, -1, -7},
    {"{}", -7, -1, -7},
};

static void scalars_are_read_from_strings_too(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(coercions); i++) {
        struct value *value = parse(arena, coercions[i].json);
        if (value_as_int(value, -7) != coercions[i].integer)
            fail_msg("%s as integer", coercions[i].json);
        if (value_as_real(value, -7) != coercions[i].real)
            fail_msg("%s as real", coercions[i].json);
        bool given = coercions[i].boolean >= 0;
        if (value_as_bool(value, true) != (given ? coercions[i].boolean : true) ||
            value_as_bool(value, false) != (given ? coercions[i].boolean : false))
            fail_msg("%s as boolean", coercions[i].json);
    }
    struct value *value = parse(arena, reply);
    assert_int_equal(value_int_at(value, "Endpoint.Port", 0), 5432);
    assert_true(value_bool_at(value, "flag", false));
}

static void single_elements_are_lists_of_one(void **state)
{
    struct arena *arena = *state;
    struct {
        const char *json;
        size_t count, items;
    } cases[] = {{"[]", 0, 0},   {"[1,null]", 2, 2}, {"{}", 0, 1}, {"{\"a\":1,\"b\":2}", 2, 1},
                 {"null", 0, 0}, {"\"x\"", 0, 1},    {"0", 0, 1},  {"false", 0, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct value *value = parse(arena, cases[i].json), *item;
        size_t seen = 0;
        value_each(item, value) assert_ptr_equal(item, value_item(value, seen++));
        assert_int_equal(seen, cases[i].items);
        assert_int_equal(value_item_count(value), cases[i].items);
        assert_int_equal(value_count(value), cases[i].count);
        assert_null(value_item(value, cases[i].items));
    }
    struct value *map = parse(arena, "{\"a\":1}");
    assert_ptr_equal(value_item(map, 0), map);
    assert_string_equal(value_entry(map, 0)->key, "a");
    assert_null(value_entry(map, 1));
    assert_null(value_entry(parse(arena, "[1]"), 0));
}

static void items_are_found_by_key(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, reply), *items = value_get(value, "items");
    assert_ptr_equal(value_find(items, "id", "b"), value_item(items, 1));
    assert_null(value_find(items, "id", "c"));
    assert_null(value_find(items, "name", "a"));
    struct value *single = value_get(value, "single");
    assert_ptr_equal(value_find(single, "id", "s"), single);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(value_kind_name(VALUE_STRING), "a string");
    assert_string_equal(value_kind_name(VALUE_LIST), "a list");
    for (int kind = VALUE_NULL; kind <= VALUE_UNKNOWN; kind++)
        assert_non_null(value_kind_name((enum value_kind)kind));
}

static const struct {
    const char *a, *b;
    bool equal;
} comparisons[] = {
    {"null", "null", true},
    {"null", "false", false},
    {"true", "true", true},
    {"true", "false", false},
    {"1", "1", true},
    {"1", "1.0", true},
    {"1", "1.5", false},
    {"0", "-0.0", true},
    {"1", "\"1\"", false},
    {"1", "true", false},
    {"9007199254740993", "9007199254740992.0", false}, /* the same double, not the same number */
    {"9223372036854775807", "9223372036854775808.0", false},
    {"-9223372036854775808", "-9223372036854775808.0", true},
    {"0.1", "0.1", true},
    {"0.1", "0.10000000000000002", false},
    {"\"a\"", "\"a\"", true},
    {"\"a\"", "\"a\\u0000\"", false},
    {"\"a\\u0000b\"", "\"a\\u0000c\"", false},
    {"\"\\u00e9\"", "\"\xc3\xa9\"", true},
    {"[]", "[]", true},
    {"[]", "{}", false},
    {"[]", "null", false},
    {"[1,2]", "[1,2]", true},
    {"[1,2]", "[2,1]", false},
    {"[1,2]", "[1,2,3]", false},
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":null}", "{}", false},
    {"{\"a\":[{\"b\":[1.0]}]}", "{\"a\":[{\"b\":[1]}]}", true},
    {"{\"a\":[{\"b\":[1.0]}]}", "{\"a\":[{\"b\":[2]}]}", false},
};

/* Equality is symmetric, and equal values are those whose canonical texts are equal. */
static void comparison_is_deep(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(comparisons); i++) {
        struct value *a = parse(arena, comparisons[i].a), *b = parse(arena, comparisons[i].b);
        bool same_text = strcmp(json_text_canonical(arena, a), json_text_canonical(arena, b)) == 0;
        if (value_equal(a, b) != comparisons[i].equal ||
            value_equal(b, a) != comparisons[i].equal || same_text != comparisons[i].equal)
            fail_msg("%s and %s", comparisons[i].a, comparisons[i].b);
    }
    assert_true(value_equal(NULL, NULL));
    assert_false(value_equal(NULL, value_null(arena)));
    assert_false(value_equal(value_null(arena), NULL));
    assert_true(value_equal(value_real(arena, NAN), value_real(arena, NAN)));
}

static void the_unknown_equals_nothing(void **state)
{
    struct arena *arena = *state;
    struct value *unknown = value_unknown(arena);
    assert_false(value_equal(unknown, unknown));
    assert_false(value_equal(unknown, value_string(arena, "(known after create)")));
    struct value *deep = value_wrap(arena, "a", value_push(arena, value_list(arena), unknown));
    assert_false(value_equal(deep, deep));
    assert_true(value_has_unknown(deep));
    assert_true(value_has_unknown(unknown));
    assert_false(value_has_unknown(parse(arena, reply)));
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(paths_lead_to_values),
        with_arena(overlong_keys_in_paths_are_absent),
        with_arena(every_reader_takes_null),
        with_arena(text_is_only_what_is_a_string),
        with_arena(scalars_are_printed_as_text),
        with_arena(scalars_are_read_from_strings_too),
        with_arena(single_elements_are_lists_of_one),
        with_arena(items_are_found_by_key),
        with_arena(kinds_have_names),
        with_arena(comparison_is_deep),
        with_arena(the_unknown_equals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
