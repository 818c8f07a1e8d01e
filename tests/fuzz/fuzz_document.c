/* Whatever the text: nothing of it is lost, nothing is longer than it may be, no character is cut.
 * The first byte says how long. */
#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/panic.h"
#include "pkg/rag/chunk.h"
#include "pkg/value/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(const char *text, size_t length)
{
    for (size_t at = 0, bytes; at < length; at += bytes) {
        bytes = utf8_character_bytes(text + at, length - at);
        if (!bytes)
            return false;
    }
    return true;
}

static bool cuts_character(const char *text, size_t length, size_t at)
{
    return at < length && ((unsigned char)text[at] & 0xc0) == 0x80;
}

static void check_units(const struct passage *passage, const char *text, size_t length,
                        size_t maximum)
{
    size_t at = passage->start;
    for (size_t i = 0; i < passage->unit_count; i++) {
        const struct unit *unit = &passage->units[i];
        require(unit->start >= at && unit->end > unit->start && unit->end <= passage->end);
        require(unit->end - unit->start <= maximum);
        require(!cuts_character(text, length, unit->start));
        require(!cuts_character(text, length, unit->end));
        at = unit->end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct chunk_sizes all_sizes[] = {{400, 1600}, {30, 90}, {8, 16}, {4000, 8000}};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    if (!size)
        return 0;
    const struct chunk_sizes *sizes = &all_sizes[data[0] % COUNT_OF(all_sizes)];
    const char *text = arena_strndup(arena, (const char *)data + 1, size - 1);
    struct passage_list list;
    size_t at = 0, length = size - 1;
    if (!is_utf8(text, length)) /* JSON holds nothing else */
        return 0;
    chunk_document(arena, text, length, sizes, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct passage *passage = &list.items[i];
        require(passage->start == at && passage->end > at && passage->end <= length);
        require(passage->end - passage->start <= sizes->passage_maximum);
        require(!cuts_character(text, length, passage->end) && passage->heading);
        check_units(passage, text, length, sizes->unit_maximum);
        at = passage->end;
    }
    require(at == length);
    return 0;
}
