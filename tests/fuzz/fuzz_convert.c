/* Whatever a file holds: text as pkg/convert/convert.h promises it, or a reason why not. The first
 * byte chooses the kind. */
#include <stdint.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/convert/convert.h"
#include "pkg/value/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t length)
{
    for (size_t at = 0, bytes; at < length; at += bytes) {
        bytes = utf8_character_bytes(text + at, length - at);
        require(bytes && text[at] != '\0' && text[at] != '\r');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a/page.html", "a/page.md", "a/page.txt", "a/page"};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct converted converted;
    struct error error = {0};
    if (!size)
        return 0;
    const char *name = names[data[0] % COUNT_OF(names)];
    int result = convert_bytes(arena, name, (const char *)data + 1, size - 1, &converted, &error);
    if (result) {
        require(result == ERR_INPUT && error.message[0]);
        return 0;
    }
    require(converted.title && *converted.title);
    require(strlen(converted.text) == converted.length);
    require(converted.text[strspn(converted.text, " \t\n\f")]);
    check_text(converted.text, converted.length);
    check_text(converted.title, strlen(converted.title));
    return 0;
}
