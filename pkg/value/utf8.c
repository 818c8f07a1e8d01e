#include "pkg/value/utf8.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t utf8_character_bytes(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (length == 0)
        return 0;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    size_t count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length < count)
        return 0;
    for (size_t i = 1; i < count; i++)
        if (!is_continuation(bytes[i]))
            return 0;
    bool overlong = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xf0 && bytes[1] < 0x90);
    bool surrogate = first == 0xed && bytes[1] > 0x9f;
    bool beyond = first == 0xf4 && bytes[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : count;
}

bool utf8_is_valid(const char *text, size_t length)
{
    for (size_t i = 0, bytes; i < length; i += bytes) {
        bytes = utf8_character_bytes(text + i, length - i);
        if (!bytes)
            return false;
    }
    return true;
}

void utf8_blank_controls(char *text, char with)
{
    for (; *text; text++) {
        unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];
        bool c1 = first == 0xc2 && second >= 0x80 && second < 0xa0;
        if (c1 || first < 0x20 || first == 0x7f)
            *text = with;
        if (c1)
            *++text = with;
    }
}
