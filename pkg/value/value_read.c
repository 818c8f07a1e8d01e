#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/value/number.h"
#include "pkg/value/value.h"

bool value_is(const struct value *value, enum value_kind kind)
{
    return value && value->kind == kind;
}

bool value_is_text(const struct value *value, const char *text)
{
    return value_is(value, VALUE_STRING) && value->string.length == strlen(text) &&
           memcmp(value->string.text, text, value->string.length) == 0;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",       [VALUE_BOOL] = "a boolean",
        [VALUE_INT] = "an integer",  [VALUE_REAL] = "a number",
        [VALUE_STRING] = "a string", [VALUE_LIST] = "a list",
        [VALUE_MAP] = "a map",       [VALUE_UNKNOWN] = "a value known after create",
    };
    return names[kind];
}

/* -- items and entries -- */

size_t value_count(const struct value *value)
{
    if (value_is(value, VALUE_LIST))
        return value->list.count;
    return value_is(value, VALUE_MAP) ? value->map.count : 0;
}

size_t value_item_count(const struct value *value)
{
    if (value_is(value, VALUE_LIST))
        return value->list.count;
    return value && value->kind != VALUE_NULL;
}

struct value *value_item(const struct value *value, size_t index)
{
    if (index >= value_item_count(value))
        return NULL;
    return value->kind == VALUE_LIST ? value->list.items[index] : (struct value *)value;
}

const struct value_entry *value_entry(const struct value *map, size_t index)
{
    if (!value_is(map, VALUE_MAP) || index >= map->map.count)
        return NULL;
    return &map->map.entries[index];
}

struct value *value_find(const struct value *list, const char *key, const char *text)
{
    struct value *item;
    value_each(item, list) if (value_is_text(value_get(item, key), text)) return item;
    return NULL;
}

/* -- paths -- */

/* The key of the first `length` bytes of `path`; paths are short, and so are their keys. */
static struct value *get_part(const struct value *map, const char *path, size_t length)
{
    char key[256];
    if (length >= sizeof key)
        return NULL;
    memcpy(key, path, length);
    key[length] = '\0';
    return value_get(map, key);
}

struct value *value_at(const struct value *value, const char *path)
{
    while (value && *path) {
        if (*path == '[') {
            char *end;
            unsigned long index = strtoul(path + 1, &end, 10);
            if (end == path + 1 || *end != ']')
                return NULL;
            value = value_item(value, index);
            path = end + 1;
        } else {
            size_t length = strcspn(path, ".[");
            value = get_part(value, path, length);
            path += length;
        }
        path += *path == '.';
    }
    return (struct value *)value;
}

/* -- scalars -- */

static const char *text_of(const struct value *value)
{
    return value_is(value, VALUE_STRING) ? value->string.text : NULL;
}

const char *value_text(const struct value *map, const char *key)
{
    return text_of(value_get(map, key));
}

const char *value_text_at(const struct value *value, const char *path)
{
    return text_of(value_at(value, path));
}

const char *value_as_text(struct arena *arena, const struct value *value)
{
    char text[NUMBER_TEXT_BYTES];
    if (!value)
        return NULL;
    switch (value->kind) {
    case VALUE_STRING:
        return value->string.text;
    case VALUE_BOOL:
        return value->boolean ? "true" : "false";
    case VALUE_INT:
        return arena_printf(arena, "%" PRId64, value->integer);
    case VALUE_REAL:
        number_print_real(value->real, text, sizeof text);
        return arena_strdup(arena, text);
    default:
        return NULL;
    }
}

int64_t value_as_int(const struct value *value, int64_t otherwise)
{
    int64_t integer;
    if (value_is(value, VALUE_INT))
        return value->integer;
    if (value_is(value, VALUE_REAL) && number_real_is_int(trunc(value->real), &integer))
        return integer;
    if (value_is(value, VALUE_STRING) && number_read_int(value->string.text, &integer))
        return integer;
    return otherwise;
}

bool value_as_bool(const struct value *value, bool otherwise)
{
    if (value_is(value, VALUE_BOOL))
        return value->boolean;
    if (value_is_text(value, "true"))
        return true;
    return value_is_text(value, "false") ? false : otherwise;
}

double value_as_real(const struct value *value, double otherwise)
{
    double real;
    if (value_is(value, VALUE_REAL))
        return value->real;
    if (value_is(value, VALUE_INT))
        return (double)value->integer;
    if (value_is(value, VALUE_STRING) && number_read_real(value->string.text, &real))
        return real;
    return otherwise;
}

int64_t value_int_at(const struct value *value, const char *path, int64_t otherwise)
{
    return value_as_int(value_at(value, path), otherwise);
}

bool value_bool_at(const struct value *value, const char *path, bool otherwise)
{
    return value_as_bool(value_at(value, path), otherwise);
}

/* -- comparison -- */

static bool numbers_equal(const struct value *a, const struct value *b)
{
    int64_t integer;
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return a->integer == b->integer;
    if (a->kind == VALUE_REAL && b->kind == VALUE_REAL)
        return a->real == b->real || (isnan(a->real) && isnan(b->real));
    if (a->kind == VALUE_REAL)
        return numbers_equal(b, a);
    return number_real_is_int(b->real, &integer) && integer == a->integer;
}

static bool lists_equal(const struct value *a, const struct value *b)
{
    if (a->list.count != b->list.count)
        return false;
    for (size_t i = 0; i < a->list.count; i++)
        if (!value_equal(a->list.items[i], b->list.items[i]))
            return false;
    return true;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
    if (a->map.count != b->map.count)
        return false;
    for (size_t i = 0; i < a->map.count; i++) {
        const struct value *other = value_get(b, a->map.entries[i].key);
        if (!other || !value_equal(a->map.entries[i].value, other))
            return false;
    }
    return true;
}

static bool is_number(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_REAL;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (!a || !b)
        return a == b;
    if (is_number(a) && is_number(b))
        return numbers_equal(a, b);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_STRING:
        return a->string.length == b->string.length &&
               memcmp(a->string.text, b->string.text, a->string.length) == 0;
    case VALUE_LIST:
        return lists_equal(a, b);
    case VALUE_MAP:
        return maps_equal(a, b);
    default:
        return false;
    }
}

bool value_has_unknown(const struct value *value)
{
    if (value_is(value, VALUE_UNKNOWN))
        return true;
    if (value_is(value, VALUE_LIST))
        for (size_t i = 0; i < value->list.count; i++)
            if (value_has_unknown(value->list.items[i]))
                return true;
    if (value_is(value, VALUE_MAP))
        for (size_t i = 0; i < value->map.count; i++)
            if (value_has_unknown(value->map.entries[i].value))
                return true;
    return false;
}
