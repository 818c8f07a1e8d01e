#include <ctype.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/vector.h"
#include "pkg/resource/resource.h"

/* A "${id.attribute}" at `text`. */
struct token {
    const char *id, *attribute;
    size_t length; /* of the whole, braces included */
};

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* False when it is not well-formed. */
static bool read_token(struct arena *arena, const char *text, struct token *token)
{
    const char *id = text + 2, *end = id;
    while (word_char(*end))
        end++;
    if (end == id || *end != '.')
        return false;
    const char *attribute = end + 1, *stop = attribute;
    while (word_char(*stop) || *stop == '.')
        stop++;
    if (stop == attribute || *stop != '}')
        return false;
    token->id = arena_strndup(arena, id, (size_t)(end - id));
    token->attribute = arena_strndup(arena, attribute, (size_t)(stop - attribute));
    token->length = (size_t)(stop - text) + 1;
    return true;
}

/* The next "${" that is not written "$${"; NULL if none. */
static const char *next_token(const char *text)
{
    for (const char *at = text; (at = strstr(at, "${")); at += 2) {
        if (at == text || at[-1] != '$')
            return at;
    }
    return NULL;
}

struct collector {
    struct arena *arena;
    const struct field *field;
    struct reference_list *out;
};

static int collect_text(struct collector *collector, const struct value *value, struct error *error)
{
    for (const char *at = value->string.text; (at = next_token(at));) {
        struct token token;
        if (!read_token(collector->arena, at, &token))
            return error_set_at(error, ERR_INPUT, value->mark,
                                "\"%.60s\" is no reference: write ${ID.ATTRIBUTE}, or $${ for a "
                                "plain ${",
                                at);
        vector_push(collector->arena, collector->out,
                    ((struct reference){token.id, token.attribute, collector->field, value->mark}));
        at += token.length;
    }
    return 0;
}

static int collect(struct collector *collector, const struct value *value, struct error *error)
{
    if (value_is(value, VALUE_STRING))
        return collect_text(collector, value, error);
    int result = 0;
    if (value_is(value, VALUE_LIST)) {
        for (size_t i = 0; i < value->list.count && result == 0; i++)
            result = collect(collector, value->list.items[i], error);
    } else if (value_is(value, VALUE_MAP)) {
        for (size_t i = 0; i < value->map.count && result == 0; i++)
            result = collect(collector, value->map.entries[i].value, error);
    }
    return result;
}

int resource_references(struct arena *arena, const struct resource *resource,
                        struct reference_list *out, struct error *error)
{
    for (size_t i = 0; i < value_count(resource->props); i++) {
        const struct value_entry *entry = value_entry(resource->props, i);
        struct collector collector = {arena, type_field(resource->type, entry->key), out};
        int result = collect(&collector, entry->value, error);
        if (result < 0)
            return result;
    }
    return 0;
}

static struct value *resolve_text(struct arena *arena, const struct value *value,
                                  reference_lookup *lookup, void *data)
{
    const char *text = value->string.text, *at = next_token(text);
    struct token token;
    if (at == text && read_token(arena, at, &token) && token.length == value->string.length) {
        const struct value *known = lookup(data, token.id, token.attribute);
        struct value *copy = known ? value_copy(arena, known) : value_unknown(arena);
        copy->mark = value->mark;
        return copy;
    }
    struct buffer out = BUFFER(BUFFER_LARGE);
    bool unknown = false;
    while (*text) {
        if (strncmp(text, "$${", 3) == 0) {
            buffer_text(&out, "${");
            text += 3;
        } else if (strncmp(text, "${", 2) == 0 && read_token(arena, text, &token)) {
            const struct value *known = lookup(data, token.id, token.attribute);
            const char *words = value_as_text(arena, known);
            unknown = unknown || !words;
            buffer_text(&out, words ? words : "");
            text += token.length;
        } else {
            buffer_char(&out, *text++);
        }
    }
    struct value *result =
        unknown ? value_unknown(arena) : value_string_n(arena, buffer_string(&out), out.length);
    buffer_free(&out);
    result->mark = value->mark;
    return result;
}

struct value *reference_resolve(struct arena *arena, const struct value *value,
                                reference_lookup *lookup, void *data)
{
    if (!value)
        return NULL;
    struct value *result;
    switch (value->kind) {
    case VALUE_STRING:
        return strstr(value->string.text, "${") ? resolve_text(arena, value, lookup, data)
                                                : value_copy(arena, value);
    case VALUE_LIST:
        result = value_list(arena);
        for (size_t i = 0; i < value->list.count; i++)
            value_push(arena, result, reference_resolve(arena, value->list.items[i], lookup, data));
        break;
    case VALUE_MAP:
        result = value_map(arena);
        for (size_t i = 0; i < value->map.count; i++)
            value_set(arena, result, value->map.entries[i].key,
                      reference_resolve(arena, value->map.entries[i].value, lookup, data));
        break;
    default:
        return value_copy(arena, value);
    }
    result->mark = value->mark;
    return result;
}

const char *reference_quote(struct arena *arena, const char *text)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    for (const char *at = text; *at; at++) {
        if (strncmp(at, "${", 2) == 0)
            buffer_char(&out, '$');
        buffer_char(&out, *at);
    }
    const char *quoted = arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return quoted;
}
