#include "pkg/value/value.h"

#include <stdarg.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"

enum { INDEX_FROM_ENTRIES = 8 }; /* below, comparing keys one by one is faster */

static struct value *value_of(struct arena *arena, enum value_kind kind)
{
    struct value *value = arena_new_of(arena, struct value);
    value->kind = kind;
    return value;
}

struct value *value_null(struct arena *arena)
{
    return value_of(arena, VALUE_NULL);
}

struct value *value_bool(struct arena *arena, bool boolean)
{
    struct value *value = value_of(arena, VALUE_BOOL);
    value->boolean = boolean;
    return value;
}

struct value *value_int(struct arena *arena, int64_t integer)
{
    struct value *value = value_of(arena, VALUE_INT);
    value->integer = integer;
    return value;
}

struct value *value_real(struct arena *arena, double real)
{
    struct value *value = value_of(arena, VALUE_REAL);
    value->real = real;
    return value;
}

struct value *value_string(struct arena *arena, const char *text)
{
    return text ? value_string_n(arena, text, strlen(text)) : value_null(arena);
}

struct value *value_string_n(struct arena *arena, const char *text, size_t length)
{
    struct value *value = value_of(arena, VALUE_STRING);
    value->string.text = arena_strndup(arena, text, length);
    value->string.length = length;
    return value;
}

struct value *value_printf(struct arena *arena, const char *format, ...)
{
    struct value *value = value_of(arena, VALUE_STRING);
    va_list arguments;
    va_start(arguments, format);
    value->string.text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    value->string.length = strlen(value->string.text);
    return value;
}

struct value *value_list(struct arena *arena)
{
    return value_of(arena, VALUE_LIST);
}

struct value *value_map(struct arena *arena)
{
    return value_of(arena, VALUE_MAP);
}

struct value *value_unknown(struct arena *arena)
{
    return value_of(arena, VALUE_UNKNOWN);
}

/* -- maps -- */

static struct value_entry *find_entry(const struct value *map, const char *key)
{
    if (map->map.index.count) {
        size_t number = (size_t)map_get(&map->map.index, key);
        return number ? &map->map.entries[number - 1] : NULL;
    }
    for (size_t i = 0; i < map->map.count; i++)
        if (strcmp(map->map.entries[i].key, key) == 0)
            return &map->map.entries[i];
    return NULL;
}

static void index_entry(struct value *map, size_t number)
{
    map_put(&map->map.index, map->map.entries[number].key, (void *)(number + 1));
}

/* The index begins late, and anew after a removal. */
static void index_last_entry(struct arena *arena, struct value *map)
{
    if (map->map.count < INDEX_FROM_ENTRIES)
        return;
    if (map->map.index.count == 0) {
        map->map.index = map_in(arena);
        for (size_t i = 0; i + 1 < map->map.count; i++)
            index_entry(map, i);
    }
    index_entry(map, map->map.count - 1);
}

static struct value_entry *add_entry(struct arena *arena, struct value *map, const char *key)
{
    if (map->map.count == map->map.capacity) {
        size_t capacity = map->map.capacity ? map->map.capacity * 2 : 4;
        map->map.entries =
            arena_grow(arena, map->map.entries, map->map.count * sizeof *map->map.entries,
                       capacity * sizeof *map->map.entries);
        map->map.capacity = capacity;
    }
    struct value_entry *entry = &map->map.entries[map->map.count++];
    *entry = (struct value_entry){.key = arena_strdup(arena, key)};
    index_last_entry(arena, map);
    return entry;
}

static void set_marked(struct arena *arena, struct value *map, const struct value_entry *from,
                       struct value *item)
{
    value_set(arena, map, from->key, item);
    find_entry(map, from->key)->mark = from->mark;
}

struct value *value_set(struct arena *arena, struct value *map, const char *key, struct value *item)
{
    require(map && map->kind == VALUE_MAP);
    if (!item)
        return map;
    struct value_entry *entry = find_entry(map, key);
    if (!entry)
        entry = add_entry(arena, map, key);
    entry->value = item;
    return map;
}

struct value *value_set_text(struct arena *arena, struct value *map, const char *key,
                             const char *text)
{
    return value_set(arena, map, key, text ? value_string(arena, text) : NULL);
}

struct value *value_set_int(struct arena *arena, struct value *map, const char *key,
                            int64_t integer)
{
    return value_set(arena, map, key, value_int(arena, integer));
}

struct value *value_set_bool(struct arena *arena, struct value *map, const char *key, bool boolean)
{
    return value_set(arena, map, key, value_bool(arena, boolean));
}

void value_remove(struct value *map, const char *key)
{
    require(map->kind == VALUE_MAP);
    struct value_entry *entry = find_entry(map, key);
    if (!entry)
        return;
    size_t number = (size_t)(entry - map->map.entries);
    map->map.count--;
    memmove(entry, entry + 1, (map->map.count - number) * sizeof *entry);
    map->map.index = (struct map){0}; /* every later number has changed */
}

struct value *value_get(const struct value *map, const char *key)
{
    if (!value_is(map, VALUE_MAP))
        return NULL;
    const struct value_entry *entry = find_entry(map, key);
    return entry ? entry->value : NULL;
}

struct value *value_wrap(struct arena *arena, const char *key, struct value *item)
{
    return value_set(arena, value_map(arena), key, item);
}

/* -- lists -- */

struct value *value_push(struct arena *arena, struct value *list, struct value *item)
{
    require(list->kind == VALUE_LIST);
    if (item)
        vector_push(arena, &list->list, item);
    return list;
}

struct value *value_push_text(struct arena *arena, struct value *list, const char *text)
{
    return value_push(arena, list, text ? value_string(arena, text) : NULL);
}

/* -- whole trees -- */

struct value *value_copy(struct arena *arena, const struct value *value)
{
    if (!value)
        return NULL;
    struct value *copy = value_of(arena, value->kind);
    switch (value->kind) {
    case VALUE_STRING:
        copy->string.text = arena_strndup(arena, value->string.text, value->string.length);
        copy->string.length = value->string.length;
        break;
    case VALUE_LIST:
        for (size_t i = 0; i < value->list.count; i++)
            value_push(arena, copy, value_copy(arena, value->list.items[i]));
        break;
    case VALUE_MAP:
        for (size_t i = 0; i < value->map.count; i++)
            set_marked(arena, copy, &value->map.entries[i],
                       value_copy(arena, value->map.entries[i].value));
        break;
    default:
        *copy = *value;
    }
    copy->mark = value->mark;
    return copy;
}

struct value *value_merge(struct arena *arena, const struct value *base, const struct value *over)
{
    if (!over)
        return value_copy(arena, base);
    if (!value_is(base, VALUE_MAP) || over->kind != VALUE_MAP)
        return value_copy(arena, over);
    struct value *merged = value_copy(arena, base);
    for (size_t i = 0; i < over->map.count; i++) {
        const struct value_entry *entry = &over->map.entries[i];
        set_marked(arena, merged, entry,
                   value_merge(arena, value_get(base, entry->key), entry->value));
    }
    return merged;
}
