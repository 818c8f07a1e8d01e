#include "pkg/aws/ini.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "pkg/base/vector.h"

/* A piece of the file's text, without the white space around it. */
struct slice {
    const char *start;
    size_t length;
};

struct parser {
    struct arena *arena;
    const char *name;
    struct ini *ini;
    struct error *error;
    const char *at, *end;
    int line;
    struct ini_section *section;
    struct ini_option *option;  /* the one that a continuation line would belong to */
    int indent;                 /* of its line; INT_MAX: nothing can continue */
    VECTOR(struct slice) value; /* its lines so far */
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice trim(const char *start, const char *end)
{
    while (start < end && is_blank(*start))
        start++;
    while (end > start && is_blank(end[-1]))
        end--;
    return (struct slice){start, (size_t)(end - start)};
}

static int refuse(const struct parser *parser, const char *why)
{
    return error_set_at(parser->error, ERR_INPUT, (struct mark){parser->name, parser->line, 1},
                        "%s: line %d: %s", parser->name, parser->line, why);
}

/* -- values -- */

/* "name = value" lines; the names of nested options keep their case. */
static int split_nested(struct parser *parser, struct ini_option *option)
{
    option->nested = map_in(parser->arena);
    for (size_t i = 1; i < parser->value.count; i++) {
        struct slice line = parser->value.items[i];
        const char *equals = memchr(line.start, '=', line.length);
        if (line.length == 0)
            continue;
        if (!equals)
            return refuse(parser, "a nested option without \"=\" before this line");
        struct slice name = trim(line.start, equals);
        struct slice value = trim(equals + 1, line.start + line.length);
        map_put(&option->nested, arena_strndup(parser->arena, name.start, name.length),
                arena_strndup(parser->arena, value.start, value.length));
    }
    return 0;
}

/* Joins the lines of the option that has come to its end. */
static int end_option(struct parser *parser)
{
    struct ini_option *option = parser->option;
    parser->option = NULL;
    if (!option)
        return 0;
    while (parser->value.count > 1 && parser->value.items[parser->value.count - 1].length == 0)
        parser->value.count--;
    size_t length = 0;
    for (size_t i = 0; i < parser->value.count; i++)
        length += parser->value.items[i].length + 1;
    char *text = arena_alloc(parser->arena, length), *end = text;
    for (size_t i = 0; i < parser->value.count; i++) {
        if (i)
            *end++ = '\n';
        memcpy(end, parser->value.items[i].start, parser->value.items[i].length);
        end += parser->value.items[i].length;
    }
    option->value = text;
    return text[0] == '\n' ? split_nested(parser, option) : 0;
}

/* -- lines -- */

static int begin_section(struct parser *parser, struct slice header)
{
    char *name = arena_strndup(parser->arena, header.start, header.length);
    if (map_get(&parser->ini->sections, name))
        return refuse(parser, "a section of this name stands further up already");
    parser->section = arena_new_of(parser->arena, struct ini_section);
    *parser->section =
        (struct ini_section){.name = name, .options = map_in(parser->arena), .line = parser->line};
    map_put(&parser->ini->sections, name, parser->section);
    return 0;
}

static int begin_option(struct parser *parser, struct slice line)
{
    const char *end = line.start + line.length, *delimiter = line.start;
    while (delimiter < end && *delimiter != '=' && *delimiter != ':')
        delimiter++;
    struct slice name = trim(line.start, delimiter);
    if (!parser->section)
        return refuse(parser, "stands before any [section]");
    if (delimiter == end || name.length == 0)
        return refuse(parser, "is neither a [section], nor \"name = value\", nor a comment");
    char *key = arena_strndup(parser->arena, name.start, name.length);
    for (char *c = key; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (map_get(&parser->section->options, key))
        return refuse(parser, "an option of this name stands in the section already");
    parser->option = arena_new_of(parser->arena, struct ini_option);
    parser->option->line = parser->line;
    map_put(&parser->section->options, key, parser->option);
    parser->value.count = 0;
    vector_push(parser->arena, &parser->value, trim(delimiter + 1, end));
    return 0;
}

/* What stands between the first "[" and the last "]", if the line begins so. */
static bool is_header(struct slice line, struct slice *header)
{
    const char *close = line.length > 2 ? memrchr(line.start, ']', line.length) : NULL;
    if (line.length == 0 || line.start[0] != '[' || !close || close == line.start + 1)
        return false;
    *header = (struct slice){line.start + 1, (size_t)(close - line.start) - 1};
    return true;
}

static int take_line(struct parser *parser, const char *start, const char *end)
{
    struct slice line = trim(start, end), header;
    int indent = (int)(line.start - start);
    if (line.length && (line.start[0] == '#' || line.start[0] == ';'))
        return 0;
    if (line.length == 0 || (parser->option && indent > parser->indent)) {
        if (parser->option)
            vector_push(parser->arena, &parser->value, line);
        return 0;
    }
    int result = end_option(parser);
    parser->indent = indent;
    if (result < 0)
        return result;
    return is_header(line, &header) ? begin_section(parser, header) : begin_option(parser, line);
}

/* Lines end with \n, \r\n or \r. */
static const char *line_end(const char *at, const char *end)
{
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    return at;
}

int ini_parse(struct arena *arena, const char *text, size_t length, const char *name,
              struct ini *out, struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct parser parser = {.arena = arena,
                            .name = name,
                            .ini = out,
                            .error = error,
                            .at = text,
                            .end = text + length,
                            .line = 1};
    *out = (struct ini){.sections = map_in(arena)};
    if (length > INI_MAXIMUM_BYTES)
        return refuse(&parser, "the file is over 1 MiB");
    if (length && memchr(text, '\0', length))
        return refuse(&parser, "the file holds a NUL byte");
    if (length >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        parser.at += 3;
    for (; parser.at < parser.end; parser.line++) {
        const char *end = line_end(parser.at, parser.end);
        int result = take_line(&parser, parser.at, end);
        if (result < 0)
            return result;
        bool pair = end + 1 < parser.end && end[0] == '\r' && end[1] == '\n';
        parser.at = end < parser.end ? end + 1 + pair : end;
    }
    return end_option(&parser);
}

const char *ini_get(const struct ini_section *section, const char *option)
{
    const struct ini_option *found = section ? map_get(&section->options, option) : NULL;
    return found ? found->value : NULL;
}

const char *ini_get_nested(const struct ini_section *section, const char *option, const char *name)
{
    const struct ini_option *found = section ? map_get(&section->options, option) : NULL;
    return found ? map_get(&found->nested, name) : NULL;
}
