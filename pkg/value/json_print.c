#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/value/json.h"
#include "pkg/value/number.h"
#include "pkg/value/utf8.h"

struct printer {
    struct buffer *out;
    struct arena *scratch; /* for sorting; NULL keeps the keys' order */
    bool indented;
    int depth;
};

static void print_escaped(struct buffer *out, unsigned char byte)
{
    static const char letters[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"'};
    if (byte == '\\')
        buffer_text(out, "\\\\");
    else if (byte < sizeof letters && letters[byte])
        buffer_printf(out, "\\%c", letters[byte]);
    else
        buffer_printf(out, "\\u%04x", byte);
}

/* Bytes that are no UTF-8 become U+FFFD: the output is always valid JSON. */
static void print_string(struct buffer *out, const char *text, size_t length)
{
    buffer_char(out, '"');
    for (size_t i = 0, bytes; i < length; i += bytes) {
        unsigned char byte = (unsigned char)text[i];
        bytes = utf8_character_bytes(text + i, length - i);
        if (bytes == 0) {
            buffer_text(out, "\xef\xbf\xbd");
            bytes = 1;
        } else if (byte < 0x20 || byte == '"' || byte == '\\') {
            print_escaped(out, byte);
        } else {
            buffer_append(out, text + i, bytes);
        }
    }
    buffer_char(out, '"');
}

/* JSON has no infinity and no NaN; null is what other printers make of them. */
static void print_real(struct buffer *out, double real)
{
    char text[NUMBER_TEXT_BYTES] = "null";
    if (isfinite(real))
        number_print_real(real, text, sizeof text);
    buffer_text(out, text);
}

static void break_line(const struct printer *printer)
{
    if (!printer->indented)
        return;
    buffer_char(printer->out, '\n');
    for (int i = 0; i < printer->depth; i++)
        buffer_text(printer->out, "  ");
}

static void print_value(struct printer *printer, const struct value *value);

static void print_list(struct printer *printer, const struct value *list)
{
    buffer_char(printer->out, '[');
    printer->depth++;
    for (size_t i = 0; i < list->list.count; i++) {
        if (i)
            buffer_char(printer->out, ',');
        break_line(printer);
        print_value(printer, list->list.items[i]);
    }
    printer->depth--;
    if (list->list.count)
        break_line(printer);
    buffer_char(printer->out, ']');
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct value_entry *)a)->key, ((const struct value_entry *)b)->key);
}

static const struct value_entry *entries_in_order(const struct printer *printer,
                                                  const struct value *map)
{
    if (!printer->scratch || map->map.count < 2)
        return map->map.entries;
    size_t bytes = map->map.count * sizeof *map->map.entries;
    struct value_entry *sorted = arena_grow(printer->scratch, map->map.entries, bytes, bytes);
    qsort(sorted, map->map.count, sizeof *sorted, compare_keys);
    return sorted;
}

static void print_map(struct printer *printer, const struct value *map)
{
    const struct value_entry *entries = entries_in_order(printer, map);
    buffer_char(printer->out, '{');
    printer->depth++;
    for (size_t i = 0; i < map->map.count; i++) {
        if (i)
            buffer_char(printer->out, ',');
        break_line(printer);
        print_string(printer->out, entries[i].key, strlen(entries[i].key));
        buffer_text(printer->out, printer->indented ? ": " : ":");
        print_value(printer, entries[i].value);
    }
    printer->depth--;
    if (map->map.count)
        break_line(printer);
    buffer_char(printer->out, '}');
}

static void print_value(struct printer *printer, const struct value *value)
{
    switch (value ? value->kind : VALUE_NULL) {
    case VALUE_NULL:
        buffer_text(printer->out, "null");
        break;
    case VALUE_BOOL:
        buffer_text(printer->out, value->boolean ? "true" : "false");
        break;
    case VALUE_INT:
        buffer_printf(printer->out, "%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        print_real(printer->out, value->real);
        break;
    case VALUE_STRING:
        print_string(printer->out, value->string.text, value->string.length);
        break;
    case VALUE_LIST:
        print_list(printer, value);
        break;
    case VALUE_MAP:
        print_map(printer, value);
        break;
    case VALUE_UNKNOWN:
        buffer_text(printer->out, "\"(known after create)\"");
        break;
    }
}

void json_print(struct buffer *out, const struct value *value)
{
    struct printer printer = {.out = out};
    print_value(&printer, value);
}

void json_print_pretty(struct buffer *out, const struct value *value)
{
    struct printer printer = {.out = out, .indented = true};
    print_value(&printer, value);
    buffer_char(out, '\n');
}

void json_print_canonical(struct buffer *out, const struct value *value)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    struct printer printer = {.out = out, .scratch = scratch};
    print_value(&printer, value);
}

static const char *text_by(void (*print)(struct buffer *, const struct value *),
                           struct arena *arena, const struct value *value)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    print(&out, value);
    return arena_strndup(arena, buffer_string(&out), out.length);
}

const char *json_text(struct arena *arena, const struct value *value)
{
    return text_by(json_print, arena, value);
}

const char *json_text_canonical(struct arena *arena, const struct value *value)
{
    return text_by(json_print_canonical, arena, value);
}
