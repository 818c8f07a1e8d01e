#include "pkg/plan/lines.h"

#include <string.h>

#include "pkg/value/json.h"

enum { LONGEST_WORDS = 160 };

struct line_writer {
    struct arena *arena;
    difference_line_sink *sink;
    void *data;
};

static void print_words(struct buffer *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_UNKNOWN:
        buffer_text(out, "(known after create)");
        break;
    case VALUE_LIST:
        buffer_char(out, '[');
        for (size_t i = 0; i < value->list.count; i++) {
            buffer_text(out, i ? ", " : "");
            print_words(out, value->list.items[i]);
        }
        buffer_char(out, ']');
        break;
    case VALUE_MAP:
        buffer_char(out, '{');
        for (size_t i = 0, told = 0; i < value->map.count; i++) {
            if (value_is(value->map.entries[i].value, VALUE_NULL))
                continue; /* unset says nothing, and there is much of it */
            buffer_printf(out, "%s%s: ", told++ ? ", " : "", value->map.entries[i].key);
            print_words(out, value->map.entries[i].value);
        }
        buffer_char(out, '}');
        break;
    default:
        json_print(out, value);
    }
}

const char *value_words(struct arena *arena, const struct value *value)
{
    if (!value)
        return NULL;
    struct buffer out = BUFFER(BUFFER_LARGE);
    print_words(&out, value);
    const char *words = out.length > LONGEST_WORDS
                            ? arena_printf(arena, "%.*s...", LONGEST_WORDS, buffer_string(&out))
                            : arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return words;
}

static void emit(const struct line_writer *writer, const char *path, const struct value *before,
                 const struct value *after)
{
    struct difference_line line = {path, value_words(writer->arena, before),
                                   value_words(writer->arena, after)};
    if (!line.before && !line.after)
        return;
    if (!line.before && after->kind == VALUE_NULL)
        return;
    writer->sink(writer->data, &line);
}

static void walk_maps(const struct line_writer *writer, const char *path,
                      const struct value *before, const struct value *after)
{
    for (size_t i = 0; i < value_count(before); i++) {
        const struct value_entry *entry = value_entry(before, i);
        const struct value *other = value_get(after, entry->key);
        if (!value_equal(entry->value, other))
            emit(writer, arena_printf(writer->arena, "%s.%s", path, entry->key), entry->value,
                 other);
    }
    for (size_t i = 0; i < value_count(after); i++) {
        const struct value_entry *entry = value_entry(after, i);
        if (!value_get(before, entry->key))
            emit(writer, arena_printf(writer->arena, "%s.%s", path, entry->key), NULL,
                 entry->value);
    }
}

static const struct value *same_item(const struct field *field, const struct value *list,
                                     const struct value *item)
{
    const struct value *other;
    const struct value *key = field->key ? value_get(item, field->key) : NULL;
    for (size_t i = 0; i < value_count(list); i++) {
        other = value_item(list, i);
        if (key ? value_equal(value_get(other, field->key), key) : value_equal(other, item))
            return other;
    }
    return NULL;
}

static const char *item_path(const struct line_writer *writer, const struct field *field,
                             const char *path, const struct value *item)
{
    const char *key = field->key ? value_as_text(writer->arena, value_get(item, field->key)) : NULL;
    return arena_printf(writer->arena, "%s[%s]", path, key ? key : "");
}

static void walk_lists(const struct line_writer *writer, const struct field *field,
                       const char *path, const struct value *before, const struct value *after)
{
    for (size_t i = 0; i < value_count(before); i++) {
        const struct value *item = value_item(before, i), *other = same_item(field, after, item);
        if (!other)
            emit(writer, item_path(writer, field, path, item), item, NULL);
        else if (value_is(item, VALUE_MAP) && !value_equal(item, other))
            walk_maps(writer, item_path(writer, field, path, item), item, other);
    }
    for (size_t i = 0; i < value_count(after); i++) {
        const struct value *item = value_item(after, i);
        if (!same_item(field, before, item))
            emit(writer, item_path(writer, field, path, item), NULL, item);
    }
}

void difference_lines(struct arena *arena, const struct difference *difference,
                      difference_line_sink *sink, void *data)
{
    struct line_writer writer = {arena, sink, data};
    const struct change *change = &difference->change;
    bool maps = value_is(change->before, VALUE_MAP) && value_is(change->after, VALUE_MAP);
    bool lists = change->field && value_is(change->before, VALUE_LIST) &&
                 value_is(change->after, VALUE_LIST) && change->field->type == FIELD_LIST &&
                 (change->field->key || (change->field->flags & UNORDERED));
    if (lists)
        walk_lists(&writer, change->field, change->path, change->before, change->after);
    else if (maps)
        walk_maps(&writer, change->path, change->before, change->after);
    else
        emit(&writer, change->path, change->before ? change->before : value_null(arena),
             change->after ? change->after : value_null(arena));
}

/* -- where a change comes from -- */

const char *origin_key(enum origin origin)
{
    static const char *const keys[] = {[ORIGIN_UNKNOWN] = NULL,
                                       [ORIGIN_SINCE] = "since",
                                       [ORIGIN_BEFORE] = "before",
                                       [ORIGIN_BOTH] = "both",
                                       [ORIGIN_DRIFT] = "drift"};
    return keys[origin];
}

const char *origin_words(struct arena *arena, enum origin origin, const char *base)
{
    switch (origin) {
    case ORIGIN_SINCE:
        return arena_printf(arena, ", since %s", base);
    case ORIGIN_BEFORE:
        return arena_printf(arena, ", in %s already", base);
    case ORIGIN_BOTH:
        return arena_printf(arena, ", since %s and in it already", base);
    default:
        return ""; /* of drift the reason tells */
    }
}
