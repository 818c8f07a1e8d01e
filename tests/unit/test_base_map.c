#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkg/base/map.h"

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map zero = {0};
    assert_null(map_get(&zero, "a"));
}

static void keys_are_compared_as_text(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct map map = map_in(arena);
    int one, two;
    map_put(&map, arena_strdup(arena, "key"), &one);
    map_put(&map, "", &two);
    assert_ptr_equal(map_get(&map, arena_strdup(arena, "key")), &one);
    assert_ptr_equal(map_get(&map, ""), &two);
    assert_null(map_get(&map, "Key"));
    assert_null(map_get(&map, "ke"));
    assert_null(map_get(&map, "keys"));
}

static void a_second_put_replaces_and_keeps_the_place(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct map map = map_in(arena);
    int first, second, third;
    map_put(&map, "a", &first);
    map_put(&map, "b", &second);
    map_put(&map, "a", &third);
    assert_int_equal(map.count, 2);
    assert_ptr_equal(map_get(&map, "a"), &third);
    assert_string_equal(map.entries[0].key, "a");
    assert_string_equal(map.entries[1].key, "b");
}

static void many_keys_are_found_and_stay_in_order(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct map map = map_in(arena);
    static int values[MANY];
    for (int i = 0; i < MANY; i++)
        map_put(&map, arena_printf(arena, "key-%d", i), &values[i]);
    assert_int_equal(map.count, MANY);
    assert_true(map.slot_count > map.count);
    for (int i = 0; i < MANY; i++) {
        assert_ptr_equal(map_get(&map, arena_printf(arena, "key-%d", i)), &values[i]);
        assert_ptr_equal(map.entries[i].value, &values[i]);
    }
    assert_null(map_get(&map, "key-20000"));
}

/* The published vectors of FNV-1a, 64 bits. */
static void the_hash_is_fnv_1a(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct map map = map_in(arena);
    int value;
    map_put(&map, "", &value);
    map_put(&map, "a", &value);
    map_put(&map, "foobar", &value);
    assert_true(map.entries[0].hash == 0xcbf29ce484222325);
    assert_true(map.entries[1].hash == 0xaf63dc4c8601ec8c);
    assert_true(map.entries[2].hash == 0x85944171f73967e8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(keys_are_compared_as_text),
        cmocka_unit_test(a_second_put_replaces_and_keeps_the_place),
        cmocka_unit_test(many_keys_are_found_and_stay_in_order),
        cmocka_unit_test(the_hash_is_fnv_1a),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
