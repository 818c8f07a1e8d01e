#include "pkg/pg/half.h"

#include <math.h>
#include <string.h>

#include "pkg/base/panic.h"

enum { DIMENSIONS_MAXIMUM = 16000, HEADER_BYTES = 4 };

uint16_t half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    int exponent = (int)(bits >> 23 & 0xff) - 127 + 15;
    uint32_t fraction = bits & 0x7fffff;
    if ((bits & 0x7fffffff) > 0x7f800000)
        return sign | 0x7e00; /* not a number */
    if (exponent >= 31)
        return sign | 0x7c00;
    if (exponent <= 0) { /* a subnormal half, or zero */
        if (exponent < -10)
            return sign;
        fraction |= 0x800000;
        int shift = 14 - exponent;
        uint32_t rest = fraction & ((1u << shift) - 1), middle = 1u << (shift - 1);
        uint32_t half = fraction >> shift;
        half += rest > middle || (rest == middle && (half & 1));
        return sign | (uint16_t)half;
    }
    uint32_t half = (uint32_t)exponent << 10 | fraction >> 13, rest = fraction & 0x1fff;
    half += rest > 0x1000 || (rest == 0x1000 && (half & 1)); /* may carry into the exponent */
    return sign | (uint16_t)half;
}

float half_to_float(uint16_t half)
{
    int exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    float sign = half & 0x8000 ? -1.0f : 1.0f;
    if (exponent == 0)
        return sign * ldexpf((float)fraction, -24);
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    return sign * ldexpf((float)(fraction | 0x400), exponent - 25);
}

static void put_16(unsigned char *to, uint16_t value)
{
    to[0] = (unsigned char)(value >> 8);
    to[1] = (unsigned char)value;
}

const void *half_vector_wire(struct arena *arena, const float *floats, size_t count, size_t *length)
{
    require(count > 0 && count <= DIMENSIONS_MAXIMUM);
    *length = HEADER_BYTES + 2 * count;
    unsigned char *bytes = arena_alloc(arena, *length);
    put_16(bytes, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        put_16(bytes + HEADER_BYTES + 2 * i, half_from_float(floats[i]));
    return bytes;
}
