/* cJSON decides the structure and unescapes strings. What it does not keep or check is taken from
 * the text itself, in two walks: check_text before it (bytes, nesting), convert after it (marks,
 * exact integers, the form of numbers, duplicate keys). */
#include "pkg/value/json.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/value/number.h"
#include "pkg/value/utf8.h"

enum { MAXIMUM_DEPTH = 200 };

struct cursor {
    struct arena *arena;
    const char *text;
    size_t length, position;
    struct mark mark; /* of `position` */
    struct error *error;
};

/* Past the end there are NUL bytes, which JSON text never holds. */
static char peek(const struct cursor *cursor, size_t ahead)
{
    size_t position = cursor->position + ahead;
    return position < cursor->length ? cursor->text[position] : '\0';
}

static void skip(struct cursor *cursor, size_t bytes)
{
    for (size_t i = 0; i < bytes && cursor->position < cursor->length; i++) {
        char byte = cursor->text[cursor->position++];
        if (byte == '\n') {
            cursor->mark.line++;
            cursor->mark.column = 1;
        } else if (((unsigned char)byte & 0xc0) != 0x80) {
            cursor->mark.column++;
        }
    }
}

static void skip_space(struct cursor *cursor)
{
    skip(cursor, strspn(cursor->text + cursor->position, " \t\r\n"));
}

static int fail(struct cursor *cursor, struct mark mark, const char *what)
{
    return error_set_at(cursor->error, ERR_INPUT, mark, "malformed JSON: %s", what);
}

static int fail_here(struct cursor *cursor, const char *what)
{
    return fail(cursor, cursor->mark, what);
}

/* -- before cJSON: what it would let through -- */

static bool is_hex4(const struct cursor *cursor, size_t ahead)
{
    for (size_t i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)peek(cursor, ahead + i)))
            return false;
    return true;
}

/* From the opening quote past the closing one. */
static int check_string(struct cursor *cursor)
{
    struct mark start = cursor->mark;
    skip(cursor, 1);
    while (cursor->position < cursor->length) {
        unsigned char byte = (unsigned char)peek(cursor, 0);
        size_t bytes = utf8_character_bytes(cursor->text + cursor->position,
                                            cursor->length - cursor->position);
        if (byte == '"') {
            skip(cursor, 1);
            return 0;
        }
        if (byte < 0x20)
            return fail_here(cursor, "a control character in a string; write it as \\u00XX");
        if (bytes == 0)
            return fail_here(cursor, "invalid UTF-8");
        if (byte == '\\' && peek(cursor, 1) == 'u' && !is_hex4(cursor, 2))
            return fail_here(cursor, "\\u wants four hexadecimal digits");
        skip(cursor, byte == '\\' && (unsigned char)peek(cursor, 1) < 0x80 ? 2 : bytes);
    }
    return fail(cursor, start, "the string that begins here does not end");
}

static int check_text(struct cursor *cursor)
{
    int depth = 0;
    skip_space(cursor);
    if (cursor->position == cursor->length)
        return fail_here(cursor, "there is nothing but space");
    while (cursor->position < cursor->length) {
        char byte = peek(cursor, 0);
        if (byte == '"') {
            int status = check_string(cursor);
            if (status)
                return status;
            continue;
        }
        if (!isalnum((unsigned char)byte) && (byte == '\0' || !strchr("{}[]:,+-. \t\r\n", byte)))
            return fail_here(cursor, "a character that has no place outside strings");
        depth += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
        if (depth > MAXIMUM_DEPTH)
            return error_set_at(cursor->error, ERR_INPUT, cursor->mark,
                                "JSON is nested deeper than %d levels", MAXIMUM_DEPTH);
        skip(cursor, 1);
    }
    return depth > 0 ? fail_here(cursor, "the text ends inside a list or an object") : 0;
}

static void rewind_to(struct cursor *cursor, size_t position)
{
    cursor->position = 0;
    cursor->mark.line = cursor->mark.column = 1;
    skip(cursor, position);
}

/* The whole text is one document; `node` is then owned by the caller. */
static int parse_structure(struct cursor *cursor, cJSON **node)
{
    const char *end = cursor->text;
    *node = cJSON_ParseWithLengthOpts(cursor->text, cursor->length, &end, false);
    rewind_to(cursor, (size_t)(end - cursor->text));
    if (!*node)
        return fail_here(cursor, "this was not expected here");
    skip_space(cursor);
    if (cursor->position < cursor->length)
        return fail_here(cursor, "text after the end of the document");
    return 0;
}

/* -- after cJSON: its nodes in step with the text -- */

/* cJSON has seen this character here, and so has check_text. */
static void skip_known(struct cursor *cursor, char known)
{
    skip_space(cursor);
    require(peek(cursor, 0) == known);
    skip(cursor, 1);
}

static unsigned long hex4(const struct cursor *cursor, size_t ahead)
{
    char digits[5] = {0};
    memcpy(digits, cursor->text + cursor->position + ahead, 4);
    return strtoul(digits, NULL, 16);
}

/* Skips the string literal; returns how many bytes cJSON made of it, since its own strings end at
 * the first NUL though the bytes after an escaped one are there. */
static size_t skip_string(struct cursor *cursor)
{
    size_t length = 0;
    skip_known(cursor, '"');
    while (peek(cursor, 0) != '"') {
        bool escaped = peek(cursor, 0) == '\\';
        if (escaped && peek(cursor, 1) == 'u') {
            unsigned long code = hex4(cursor, 2);
            bool pair = code >= 0xd800 && code <= 0xdbff;
            length += pair ? 4 : code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
            skip(cursor, pair ? 12 : 6);
        } else {
            length++;
            skip(cursor, escaped ? 2 : 1);
        }
    }
    skip(cursor, 1);
    return length;
}

/* cJSON takes what strtod takes and keeps doubles: the literal decides both form and value. */
static int read_number(struct cursor *cursor, struct value **out)
{
    char literal[80];
    size_t length = strspn(cursor->text + cursor->position, "0123456789+-.eE");
    if (length >= sizeof literal)
        return fail_here(cursor, "a number of that many digits");
    memcpy(literal, cursor->text + cursor->position, length);
    literal[length] = '\0';

    const char *digits = literal + (*literal == '-');
    const char *point = strchr(digits, '.');
    double real;
    int64_t integer;
    if ((digits[0] == '0' && isdigit((unsigned char)digits[1])) || *digits == '.' ||
        (point && !isdigit((unsigned char)point[1])))
        return fail_here(cursor,
                         "a number wants digits on both sides of its point and no leading zero");
    if (literal[strcspn(literal, ".eE")] == '\0') {
        if (!number_read_int(literal, &integer))
            return fail_here(cursor, "an integer beyond 64 bits");
        *out = value_int(cursor->arena, integer);
    } else {
        if (!number_read_real(literal, &real))
            return fail_here(cursor, "a number that is too large");
        *out = value_real(cursor->arena, real);
    }
    skip(cursor, length);
    return 0;
}

static int convert(struct cursor *cursor, const cJSON *node, struct value **out);

static int convert_list(struct cursor *cursor, const cJSON *node, struct value **out)
{
    *out = value_list(cursor->arena);
    skip_known(cursor, '[');
    for (const cJSON *child = node->child; child; child = child->next) {
        struct value *item;
        int status = convert(cursor, child, &item);
        if (status)
            return status;
        value_push(cursor->arena, *out, item);
        if (child->next)
            skip_known(cursor, ',');
    }
    skip_known(cursor, ']');
    return 0;
}

static int convert_entry(struct cursor *cursor, const cJSON *node, struct value *map)
{
    skip_space(cursor);
    struct mark mark = cursor->mark;
    const char *key = node->string;
    if (skip_string(cursor) != strlen(key))
        return fail(cursor, mark, "a key with a NUL byte in it");
    if (value_get(map, key))
        return error_set_at(cursor->error, ERR_INPUT, mark, "the key \"%s\" is given twice", key);
    skip_known(cursor, ':');
    struct value *item;
    int status = convert(cursor, node, &item);
    if (status)
        return status;
    value_set(cursor->arena, map, key, item);
    map->map.entries[map->map.count - 1].mark = mark;
    return 0;
}

static int convert_map(struct cursor *cursor, const cJSON *node, struct value **out)
{
    *out = value_map(cursor->arena);
    skip_known(cursor, '{');
    for (const cJSON *child = node->child; child; child = child->next) {
        int status = convert_entry(cursor, child, *out);
        if (status)
            return status;
        if (child->next)
            skip_known(cursor, ',');
    }
    skip_known(cursor, '}');
    return 0;
}

static int convert(struct cursor *cursor, const cJSON *node, struct value **out)
{
    skip_space(cursor);
    struct mark mark = cursor->mark;
    int status = 0;
    *out = NULL;
    if (cJSON_IsObject(node)) {
        status = convert_map(cursor, node, out);
    } else if (cJSON_IsArray(node)) {
        status = convert_list(cursor, node, out);
    } else if (cJSON_IsString(node)) {
        *out = value_string_n(cursor->arena, node->valuestring, skip_string(cursor));
    } else if (cJSON_IsNumber(node)) {
        status = read_number(cursor, out);
    } else if (cJSON_IsBool(node)) {
        *out = value_bool(cursor->arena, cJSON_IsTrue(node));
        skip(cursor, cJSON_IsTrue(node) ? 4 : 5);
    } else {
        *out = value_null(cursor->arena);
        skip(cursor, 4);
    }
    if (!status && *out)
        (*out)->mark = mark;
    return status;
}

static void cjson_freep(cJSON **node)
{
    cJSON_Delete(*node);
}

int json_parse(struct arena *arena, const char *text, size_t length, const char *name,
               struct value **out, struct error *error)
{
    *out = NULL;
    /* A copy ends with NUL, which bounds every scan of the text. */
    struct cursor cursor = {
        .arena = arena,
        .text = arena_strndup(arena, text, length),
        .length = length,
        .mark = {arena_strdup(arena, name), 1, 1},
        .error = error,
    };
    CLEANUP(cjson_freep) cJSON *root = NULL;
    int status = check_text(&cursor);
    if (!status)
        status = parse_structure(&cursor, &root);
    if (status)
        return status;
    rewind_to(&cursor, 0);
    struct value *value = NULL;
    status = convert(&cursor, root, &value);
    if (!status)
        *out = value;
    return status;
}
