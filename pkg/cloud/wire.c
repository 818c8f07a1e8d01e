/* Field tables to requests, and replies to properties. */
#include <string.h>

#include "pkg/cloud/cloud.h"
#include "pkg/value/json.h"
#include "pkg/value/number.h"

static bool is_null(const struct value *value)
{
    return !value || value->kind == VALUE_NULL;
}

/* What an empty XML element becomes. */
static bool is_empty_map(const struct value *value)
{
    return value_is(value, VALUE_MAP) && value_count(value) == 0;
}

/* A scalar in the field's type; anything else as it is. */
static struct value *cast(struct arena *arena, enum field_type type, const struct value *value)
{
    const char *text = value_as_text(arena, value);
    int64_t integer;
    double real;
    if (type == FIELD_STRING && is_empty_map(value))
        return value_string(arena, "");
    if (type == FIELD_STRING && text)
        return value_string(arena, text);
    if (type == FIELD_INT && text && number_read_int(text, &integer))
        return value_int(arena, integer);
    if (type == FIELD_REAL && text && number_read_real(text, &real))
        return value_real(arena, real);
    if (type == FIELD_BOOL && text && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        return value_bool(arena, strcmp(text, "true") == 0);
    return value_copy(arena, value);
}

/* -- to the wire -- */

/* Sets a member by its dotted path; maps on the way are made. */
static void set_path(struct arena *arena, struct value *map, const char *path, struct value *item)
{
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
        const char *key = arena_strndup(arena, path, (size_t)(dot - path));
        struct value *inner = value_get(map, key);
        if (!inner) {
            inner = value_map(arena);
            value_set(arena, map, key, inner);
        }
        map = inner;
    }
    value_set(arena, map, path, item);
}

static struct value *encode_map(struct arena *arena, const struct field *fields,
                                const struct value *value);

static struct value *encode_one(struct arena *arena, const struct field *field,
                                enum field_type type, const struct value *value)
{
    if (type == FIELD_DOCUMENT && !value_is(value, VALUE_STRING))
        return value_string(arena, json_text(arena, value));
    if (field->fields && value_is(value, VALUE_MAP))
        return encode_map(arena, field->fields, value);
    return cast(arena, type, value);
}

static struct value *encode_value(struct arena *arena, const struct field *field,
                                  const struct value *value)
{
    if (field->type == FIELD_LIST) {
        struct value *list = value_list(arena), *item;
        value_each(item, value)
            value_push(arena, list, encode_one(arena, field, field->item, item));
        return list;
    }
    if (field->type == FIELD_MAP && !field->fields) {
        struct value *map = value_map(arena);
        for (size_t i = 0; i < value_count(value); i++) {
            const struct value_entry *entry = value_entry(value, i);
            value_set(arena, map, entry->key, encode_one(arena, field, field->item, entry->value));
        }
        return map;
    }
    return encode_one(arena, field, field->type, value);
}

static void encode_field(struct arena *arena, const struct field *field, const struct value *value,
                         struct value *out)
{
    if (field->wire && !(field->flags & COMPUTED) && !is_null(value))
        set_path(arena, out, field->wire, encode_value(arena, field, value));
}

static struct value *encode_map(struct arena *arena, const struct field *fields,
                                const struct value *value)
{
    struct value *map = value_map(arena);
    for (const struct field *field = fields; field->name; field++)
        encode_field(arena, field, value_get(value, field->name), map);
    return map;
}

/* An empty text, list or map that is empty anyway when nobody says it: AWS often refuses those. */
static bool is_redundant(struct arena *arena, const struct field *field, const struct value *value)
{
    bool empty = value_is(value, VALUE_STRING)
                     ? value->string.length == 0
                     : (value_is(value, VALUE_LIST) || value_is(value, VALUE_MAP)) &&
                           value_count(value) == 0;
    return empty && field_equal(arena, field, value, field_unset(arena, field));
}

struct value *cloud_encode(struct arena *arena, const struct resource_type *type,
                           const struct value *props)
{
    struct value *out = value_map(arena);
    for (const struct field *field = type->fields; field->name; field++) {
        const struct value *value = value_get(props, field->name);
        if (!(field->flags & (AFTER | LATE)) && !is_redundant(arena, field, value))
            encode_field(arena, field, value, out);
    }
    return out;
}

/* True when `a` and `b` are members of one structure: AWS replaces structures as a whole. */
static bool share_structure(const struct field *a, const struct field *b)
{
    const char *dot = a->wire ? strchr(a->wire, '.') : NULL;
    return dot && b->wire && a->type != FIELD_LIST &&
           strncmp(a->wire, b->wire, (size_t)(dot - a->wire) + 1) == 0;
}

static bool goes_with_changes(const struct action *action, const struct field *field)
{
    for (size_t i = 0; i < action->change_count; i++) {
        const struct field *changed = action->changes[i].field;
        if (changed && (changed == field || share_structure(changed, field)))
            return true;
    }
    return false;
}

struct value *cloud_encode_changes(struct arena *arena, const struct action *action)
{
    struct value *out = value_map(arena);
    for (const struct field *field = action->type->fields; field->name; field++) {
        if (goes_with_changes(action, field))
            encode_field(arena, field, value_get(action->want, field->name), out);
    }
    return out;
}

/* -- from the wire -- */

static struct value *decode_map(struct arena *arena, const struct field *fields,
                                const struct value *reply);

static struct value *decode_document(struct arena *arena, const struct field *field,
                                     const struct value *value)
{
    struct value *tree = NULL;
    if (value_is(value, VALUE_STRING) &&
        json_parse(arena, value->string.text, value->string.length, field->name, &tree, NULL) == 0)
        return tree;
    return value_copy(arena, value);
}

static struct value *decode_one(struct arena *arena, const struct field *field,
                                enum field_type type, const struct value *value)
{
    if (type == FIELD_DOCUMENT)
        return decode_document(arena, field, value);
    if (field->fields && value_is(value, VALUE_MAP))
        return decode_map(arena, field->fields, value);
    return cast(arena, type, value);
}

static struct value *decode_value(struct arena *arena, const struct field *field,
                                  const struct value *value)
{
    if (field->type == FIELD_LIST) {
        struct value *list = value_list(arena), *item;
        if (is_empty_map(value))
            return list;
        value_each(item, value)
            value_push(arena, list, decode_one(arena, field, field->item, item));
        return list;
    }
    if (field->type == FIELD_MAP && !field->fields) {
        struct value *map = value_map(arena);
        for (size_t i = 0; value_is(value, VALUE_MAP) && i < value_count(value); i++) {
            const struct value_entry *entry = value_entry(value, i);
            value_set(arena, map, entry->key, decode_one(arena, field, field->item, entry->value));
        }
        return map;
    }
    return decode_one(arena, field, field->type, value);
}

static struct value *decode_map(struct arena *arena, const struct field *fields,
                                const struct value *reply)
{
    struct value *props = value_map(arena);
    for (const struct field *field = fields; field->name; field++) {
        const char *path = field->reply ? field->reply : field->wire;
        const struct value *value = path ? value_at(reply, path) : NULL;
        if (!is_null(value))
            value_set(arena, props, field->name, decode_value(arena, field, value));
    }
    return props;
}

struct value *cloud_decode(struct arena *arena, const struct resource_type *type,
                           const struct value *reply)
{
    return decode_map(arena, type->fields, reply);
}
