#include "cmd/ragstack/hcl.h"

#include <ctype.h>
#include <string.h>

#include "pkg/value/json.h"

enum { INDENT = 2 };

static void indent(struct buffer *out, int depth)
{
    buffer_printf(out, "%*s", depth * INDENT, "");
}

void hcl_print_text(struct buffer *out, const char *text)
{
    buffer_char(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c == '$' || c == '%') && at[1] == '{')
            buffer_printf(out, "%c%c", c, c);
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c == '\n')
            buffer_text(out, "\\n");
        else if (c < ' ')
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_char(out, (char)c);
    }
    buffer_char(out, '"');
}

static bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                                 "0123456789-");
    return (isalpha((unsigned char)text[0]) || text[0] == '_') && text[length] == '\0';
}

const char *hcl_name(struct arena *arena, const char *text)
{
    char *name = arena_strdup(arena, text);
    for (char *at = name; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
            *at = '-';
    }
    return isalpha((unsigned char)name[0]) ? name : arena_printf(arena, "x-%s", name);
}

static void print_value(const struct hcl *hcl, const struct value *value, int depth);

static void print_list(const struct hcl *hcl, const struct value *list, int depth)
{
    bool lines = value_count(list) > 1 || value_is(value_item(list, 0), VALUE_MAP);
    buffer_char(hcl->out, '[');
    for (size_t i = 0; i < value_count(list); i++) {
        if (lines) {
            buffer_char(hcl->out, '\n');
            indent(hcl->out, depth + 1);
        }
        print_value(hcl, value_item(list, i), depth + 1);
        if (lines)
            buffer_char(hcl->out, ',');
    }
    if (lines) {
        buffer_char(hcl->out, '\n');
        indent(hcl->out, depth);
    }
    buffer_char(hcl->out, ']');
}

static void print_map(const struct hcl *hcl, const struct value *map, int depth)
{
    buffer_char(hcl->out, '{');
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_entry *entry = value_entry(map, i);
        buffer_char(hcl->out, '\n');
        indent(hcl->out, depth + 1);
        if (is_name(entry->key))
            buffer_text(hcl->out, entry->key);
        else
            hcl_print_text(hcl->out, entry->key);
        buffer_text(hcl->out, " = ");
        print_value(hcl, entry->value, depth + 1);
    }
    if (value_count(map)) {
        buffer_char(hcl->out, '\n');
        indent(hcl->out, depth);
    }
    buffer_char(hcl->out, '}');
}

static void print_value(const struct hcl *hcl, const struct value *value, int depth)
{
    const char *expression = value_is(value, VALUE_STRING) && hcl->expression
                                 ? hcl->expression(hcl->data, value->string.text)
                                 : NULL;
    if (expression)
        buffer_text(hcl->out, expression);
    else if (value_is(value, VALUE_STRING))
        hcl_print_text(hcl->out, value->string.text);
    else if (value_is(value, VALUE_LIST))
        print_list(hcl, value, depth);
    else if (value_is(value, VALUE_MAP))
        print_map(hcl, value, depth);
    else
        json_print(hcl->out, value); /* numbers, true, false, null */
}

/* -- bodies -- */

static bool ends_with(const char *key, const char *ending)
{
    size_t length = strlen(key), ending_length = strlen(ending);
    return length > ending_length && strcmp(key + length - ending_length, ending) == 0;
}

static int key_length(const char *key)
{
    bool marked = ends_with(key, HCL_BLOCK) || ends_with(key, HCL_JSON);
    return (int)strlen(key) - (marked ? 2 : 0);
}

static void print_block(const struct hcl *hcl, const char *key, const struct value *body, int depth)
{
    buffer_char(hcl->out, '\n');
    indent(hcl->out, depth);
    buffer_printf(hcl->out, "%.*s {\n", key_length(key), key);
    hcl_print_body(hcl, body, depth + 1);
    indent(hcl->out, depth);
    buffer_text(hcl->out, "}\n");
}

static void print_argument(const struct hcl *hcl, const struct value_entry *entry, int depth)
{
    bool json = ends_with(entry->key, HCL_JSON);
    indent(hcl->out, depth);
    buffer_printf(hcl->out, "%.*s = %s", key_length(entry->key), entry->key,
                  json ? "jsonencode(" : "");
    print_value(hcl, entry->value, depth);
    buffer_text(hcl->out, json ? ")\n" : "\n");
}

void hcl_print_body(const struct hcl *hcl, const struct value *body, int depth)
{
    for (size_t i = 0; i < value_count(body); i++) {
        const struct value_entry *entry = value_entry(body, i);
        if (!ends_with(entry->key, HCL_BLOCK) && entry->value->kind != VALUE_NULL)
            print_argument(hcl, entry, depth);
    }
    for (size_t i = 0; i < value_count(body); i++) {
        const struct value_entry *entry = value_entry(body, i);
        const struct value *item;
        if (!ends_with(entry->key, HCL_BLOCK))
            continue;
        value_each(item, entry->value) print_block(hcl, entry->key, item, depth);
    }
}
