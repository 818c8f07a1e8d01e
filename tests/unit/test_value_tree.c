/* Making and changing trees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
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

static void each_kind_is_made(void **state)
{
    struct arena *arena = *state;
    assert_int_equal(value_null(arena)->kind, VALUE_NULL);
    assert_true(value_bool(arena, true)->boolean);
    assert_true(value_int(arena, INT64_MIN)->integer == INT64_MIN);
    assert_true(value_real(arena, 0.5)->real == 0.5);
    assert_int_equal(value_list(arena)->kind, VALUE_LIST);
    assert_int_equal(value_map(arena)->kind, VALUE_MAP);
    assert_int_equal(value_unknown(arena)->kind, VALUE_UNKNOWN);
    assert_string_equal(value_printf(arena, "%s/%d", "a", 2)->string.text, "a/2");
    assert_int_equal(value_printf(arena, "%s/%d", "a", 2)->string.length, 3);
}

static void strings_are_copied_with_their_length(void **state)
{
    struct arena *arena = *state;
    char source[] = "a\0b";
    struct value *value = value_string_n(arena, source, 3);
    source[0] = 'X';
    assert_int_equal(value->string.length, 3);
    assert_memory_equal(value->string.text, "a\0b", 4);
    assert_int_equal(value_string(arena, NULL)->kind, VALUE_NULL);
}

static void setting_adds_replaces_and_chains(void **state)
{
    struct arena *arena = *state;
    char key[] = "b";
    struct value *map = value_map(arena);
    value_set_text(arena, value_set_int(arena, map, key, 1), "a", "x");
    key[0] = 'Z';
    value_set_bool(arena, map, "b", true);
    assert_string_equal(json_text(arena, map), "{\"b\":true,\"a\":\"x\"}");
}

static void what_is_null_is_not_set(void **state)
{
    struct arena *arena = *state;
    struct value *map = value_map(arena), *list = value_list(arena);
    assert_ptr_equal(value_set(arena, map, "a", NULL), map);
    assert_ptr_equal(value_set_text(arena, map, "a", NULL), map);
    assert_ptr_equal(value_push(arena, list, NULL), list);
    assert_ptr_equal(value_push_text(arena, list, NULL), list);
    assert_string_equal(json_text(arena, map), "{}");
    assert_string_equal(json_text(arena, list), "[]");
    value_set_int(arena, map, "a", 1);
    value_set(arena, map, "a", NULL);
    assert_string_equal(json_text(arena, map), "{\"a\":1}");
}

static void wrapping_nests(void **state)
{
    struct arena *arena = *state;
    struct value *list = value_push(arena, value_list(arena), value_int(arena, 1));
    struct value *wrapped = value_wrap(arena, "a", value_wrap(arena, "b", list));
    assert_string_equal(json_text(arena, wrapped), "{\"a\":{\"b\":[1]}}");
    assert_string_equal(json_text(arena, value_wrap(arena, "a", NULL)), "{}");
}

static void removing_keeps_the_order_of_the_rest(void **state)
{
    struct arena *arena = *state;
    struct value *map = parse(arena, "{\"a\":1,\"b\":2,\"c\":3}");
    value_remove(map, "absent");
    value_remove(map, "b");
    assert_string_equal(json_text(arena, map), "{\"a\":1,\"c\":3}");
    value_remove(map, "c");
    value_remove(map, "a");
    assert_string_equal(json_text(arena, map), "{}");
    value_set_int(arena, map, "b", 4);
    assert_string_equal(json_text(arena, map), "{\"b\":4}");
}

static void large_maps_are_indexed(void **state)
{
    enum { MANY = 10000 };
    struct arena *arena = *state;
    struct value *map = value_map(arena);
    for (int i = 0; i < MANY; i++)
        value_set_int(arena, map, arena_printf(arena, "key%d", i), i);
    assert_int_equal(map->map.count, MANY);
    assert_int_equal(map->map.index.count, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(value_as_int(value_get(map, arena_printf(arena, "key%d", i)), -1), i);
    assert_null(value_get(map, "key10000"));
    assert_string_equal(value_entry(map, 1234)->key, "key1234");
}

/* Over the border from which on there is an index, in both directions. */
static void removing_from_an_indexed_map(void **state)
{
    struct arena *arena = *state;
    struct value *map = value_map(arena);
    for (int i = 0; i < 20; i++)
        value_set_int(arena, map, arena_printf(arena, "k%d", i), i);
    for (int i = 0; i < 20; i += 2)
        value_remove(map, arena_printf(arena, "k%d", i));
    assert_int_equal(map->map.count, 10);
    for (int i = 0; i < 20; i++) {
        const char *key = arena_printf(arena, "k%d", i);
        assert_int_equal(value_as_int(value_get(map, key), -1), i % 2 ? i : -1);
    }
    value_set_int(arena, map, "k1", 100);
    value_set_int(arena, map, "new", 200);
    assert_int_equal(map->map.index.count, 11);
    assert_int_equal(value_as_int(value_get(map, "k1"), -1), 100);
    assert_int_equal(value_as_int(value_get(map, "k19"), -1), 19);
    assert_int_equal(value_as_int(value_get(map, "new"), -1), 200);
    assert_null(value_get(map, "k0"));
}

static void a_copy_shares_nothing_and_keeps_marks(void **state)
{
    struct arena *arena = *state;
    struct value *value = parse(arena, "{\"a\":\n [1,{\"b\":\"x\\u0000y\"}],\"c\":null,\"d\":1.5}");
    struct value *copy = value_copy(arena, value);
    assert_true(value_equal(value, copy));
    assert_ptr_not_equal(copy, value);
    assert_ptr_not_equal(value_at(copy, "a[1].b"), value_at(value, "a[1].b"));
    assert_ptr_not_equal(value_at(copy, "a[1].b")->string.text,
                         value_at(value, "a[1].b")->string.text);
    assert_int_equal(value_at(copy, "a[1].b")->string.length, 3);
    assert_int_equal(value_get(copy, "a")->mark.line, 2);
    assert_int_equal(value_get(copy, "a")->mark.column, 2);
    assert_int_equal(value_entry(copy, 1)->mark.column, 23);
    value_set_int(arena, value_get(copy, "a")->list.items[1], "b", 2);
    assert_string_equal(value_text(value_at(value, "a[1]"), "b"), "x");
    assert_null(value_copy(arena, NULL));
}

static const struct {
    const char *base, *over, *merged;
} merges[] = {
    {"{}", "{}", "{}"},
    {"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
    {"{\"a\":1,\"b\":2}", "{\"a\":3}", "{\"a\":3,\"b\":2}"},
    {"{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":3,\"z\":4}}", "{\"a\":{\"x\":1,\"y\":3,\"z\":4}}"},
    {"{\"a\":[1,2,3]}", "{\"a\":[4]}", "{\"a\":[4]}"},
    {"{\"a\":{\"x\":1}}", "{\"a\":5}", "{\"a\":5}"},
    {"{\"a\":5}", "{\"a\":{\"x\":1}}", "{\"a\":{\"x\":1}}"},
    {"{\"a\":{\"x\":1}}", "{\"a\":null}", "{\"a\":null}"},
    {"[1]", "{\"a\":1}", "{\"a\":1}"},
};

static void merging_goes_key_by_key(void **state)
{
    struct arena *arena = *state;
    for (size_t i = 0; i < COUNT_OF(merges); i++) {
        struct value *base = parse(arena, merges[i].base), *over = parse(arena, merges[i].over);
        assert_string_equal(json_text(arena, value_merge(arena, base, over)), merges[i].merged);
        assert_string_equal(json_text(arena, base), merges[i].base);
        assert_string_equal(json_text(arena, over), merges[i].over);
    }
}

static void merging_with_nothing_copies(void **state)
{
    struct arena *arena = *state;
    struct value *map = parse(arena, "{\"a\":1}");
    assert_string_equal(json_text(arena, value_merge(arena, NULL, map)), "{\"a\":1}");
    assert_string_equal(json_text(arena, value_merge(arena, map, NULL)), "{\"a\":1}");
    assert_ptr_not_equal(value_merge(arena, map, NULL), map);
    assert_null(value_merge(arena, NULL, NULL));
}

static void what_is_merged_over_brings_its_marks(void **state)
{
    struct arena *arena = *state;
    struct value *merged =
        value_merge(arena, parse(arena, "{\"a\":1,\"b\":2}"), parse(arena, "\n\n{\"b\":3}"));
    assert_int_equal(value_get(merged, "a")->mark.line, 1);
    assert_int_equal(value_get(merged, "b")->mark.line, 3);
    assert_int_equal(value_entry(merged, 1)->mark.line, 3);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(each_kind_is_made),
        with_arena(strings_are_copied_with_their_length),
        with_arena(setting_adds_replaces_and_chains),
        with_arena(what_is_null_is_not_set),
        with_arena(wrapping_nests),
        with_arena(removing_keeps_the_order_of_the_rest),
        with_arena(large_maps_are_indexed),
        with_arena(removing_from_an_indexed_map),
        with_arena(a_copy_shares_nothing_and_keeps_marks),
        with_arena(merging_goes_key_by_key),
        with_arena(merging_with_nothing_copies),
        with_arena(what_is_merged_over_brings_its_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
