#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/pg/half.h"

/* Values and their half floats by the standard: IEEE 754 binary16. */
static void known_values(void **state)
{
    static const struct {
        float value;
        uint16_t half;
    } cases[] = {
        {0.0f, 0x0000},           {-0.0f, 0x8000},          {1.0f, 0x3c00},
        {-2.0f, 0xc000},          {65504.0f, 0x7bff},       {65519.0f, 0x7bff},
        {65520.0f, 0x7c00},       {1e30f, 0x7c00},          {0.5f, 0x3800},
        {6.1035156e-5f, 0x0400},  {6.0975552e-5f, 0x03ff},  {5.9604645e-8f, 0x0001},
        {2.9802322e-8f, 0x0000},  {2.98023259e-8f, 0x0001}, {0.333333343f, 0x3555},
        {1.00048828125f, 0x3c00}, {1.00146484375f, 0x3c02},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(half_from_float(cases[i].value), cases[i].half);
    assert_int_equal(half_from_float(NAN) & 0x7e00, 0x7e00);
}

/* Every half float is its own nearest half float. */
static void all_halves_round_trip(void **state)
{
    (void)state;
    for (uint32_t half = 0; half < 0x10000; half++) {
        if ((half & 0x7c00) == 0x7c00 && (half & 0x3ff))
            continue; /* not a number: many forms */
        assert_int_equal(half_from_float(half_to_float((uint16_t)half)), half);
    }
}

static void wire_form(void **state)
{
    static const float floats[] = {1.0f, -2.0f};
    static const unsigned char expected[] = {0, 2, 0, 0, 0x3c, 0, 0xc0, 0};
    struct arena *arena = arena_new();
    size_t length;
    (void)state;
    const void *bytes = half_vector_wire(arena, floats, 2, &length);
    assert_int_equal(length, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    arena_free(arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(all_halves_round_trip),
        cmocka_unit_test(wire_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
