#include "pkg/base/hex.h"

void hex_encode(const void *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[from[i] >> 4];
        *out++ = digits[from[i] & 0xf];
    }
    *out = '\0';
}

const char *hex_text(struct arena *arena, const void *bytes, size_t length)
{
    char *text = arena_alloc(arena, 2 * length + 1);
    hex_encode(bytes, length, text);
    return text;
}
