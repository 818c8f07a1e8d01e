/* What parses prints, and what was printed parses to the same value. */
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both ways of printing, read again, stand for the same value. */
static void check_printed(struct arena *arena, const struct value *value, const char *text)
{
    struct error error = {0};
    struct value *again;
    if (json_parse(arena, text, strlen(text), "printed", &again, &error))
        panic("cannot read what was printed: %s in %s", error.message, text);
    require(value_equal(value, again));
    require(strcmp(json_text_canonical(arena, value), json_text_canonical(arena, again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error error = {0};
    struct value *value;
    int status = json_parse(arena, (const char *)data, size, "fuzz", &value, &error);
    if (status) {
        require(status == ERR_INPUT && error.code == ERR_INPUT);
        require(error.line >= 1 && error.column >= 1 && error.message[0] && !value);
        return 0;
    }
    require(value && value->mark.line >= 1 && value->mark.column >= 1);
    require(value_equal(value, value_copy(arena, value)));
    check_printed(arena, value, json_text(arena, value));
    check_printed(arena, value, json_text_canonical(arena, value));
    CLEANUP(buffer_free) struct buffer pretty = BUFFER(BUFFER_LARGE);
    json_print_pretty(&pretty, value);
    check_printed(arena, value, buffer_string(&pretty));
    return 0;
}
