/* libyaml gives events; one function a kind of node eats them. Aliases are copied out, so that no
 * two places of the tree share a value. */
#include "pkg/value/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"
#include "pkg/value/yaml_scalar.h"

/* What an anchor names, and what each of its aliases costs. */
struct anchor {
    struct value *value;
    size_t nodes;
    int height;
};

struct reader {
    struct arena *arena;
    yaml_parser_t parser;
    yaml_event_t event;
    const char *text, *name;
    size_t nodes;
    struct map anchors; /* name -> struct anchor */
    struct error *error;
};

static struct mark mark_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct mark){reader->name, (int)mark.line + 1, (int)mark.column + 1};
}

static struct mark event_mark(const struct reader *reader)
{
    return mark_of(reader, reader->event.start_mark);
}

/* libyaml tells only the offset of bytes it cannot read. */
static struct mark mark_of_offset(const struct reader *reader, size_t offset)
{
    struct mark mark = {reader->name, 1, 1};
    for (size_t i = 0; i < offset; i++) {
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 1;
        } else if (((unsigned char)reader->text[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static int fail_by_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    require(parser->error != YAML_MEMORY_ERROR);
    if (parser->error == YAML_READER_ERROR)
        return error_set_at(reader->error, ERR_INPUT,
                            mark_of_offset(reader, parser->problem_offset), "malformed YAML: %s",
                            parser->problem);
    return error_set_at(reader->error, ERR_INPUT, mark_of(reader, parser->problem_mark),
                        "malformed YAML: %s%s%s", parser->problem, parser->context ? " " : "",
                        parser->context ? parser->context : "");
}

/* The current event is always owned by the reader and freed by the next call. */
static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    return yaml_parser_parse(&reader->parser, &reader->event) ? 0 : fail_by_parser(reader);
}

static int count_nodes(struct reader *reader, size_t nodes)
{
    reader->nodes += nodes;
    if (reader->nodes <= YAML_MAXIMUM_NODES)
        return 0;
    return error_set_at(reader->error, ERR_INPUT, event_mark(reader),
                        "more than %d nodes, aliases expanded", YAML_MAXIMUM_NODES);
}

static int check_depth(struct reader *reader, int depth)
{
    if (depth <= YAML_MAXIMUM_DEPTH)
        return 0;
    return error_set_at(reader->error, ERR_INPUT, event_mark(reader),
                        "nested deeper than %d levels", YAML_MAXIMUM_DEPTH);
}

static int check_collection_tag(struct reader *reader, const yaml_char_t *tag, const char *core)
{
    if (!tag || strcmp((const char *)tag, core) == 0 || strcmp((const char *)tag, "!") == 0)
        return 0;
    return error_set_at(reader->error, ERR_INPUT, event_mark(reader),
                        "the tag %.200s is not supported here", (const char *)tag);
}

/* Levels below and with the value: 1 for a scalar. */
static int height_of(const struct value *value)
{
    int highest = 0;
    for (size_t i = 0; i < value_count(value); i++) {
        int height = height_of(value->kind == VALUE_MAP ? value->map.entries[i].value
                                                        : value->list.items[i]);
        highest = height > highest ? height : highest;
    }
    return highest + 1;
}

static int read_node(struct reader *reader, int depth, struct value **out);

static int read_alias(struct reader *reader, int depth, struct value **out)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    const struct anchor *anchor = map_get(&reader->anchors, name);
    if (!anchor)
        return error_set_at(reader->error, ERR_INPUT, event_mark(reader),
                            "*%.100s names no anchor that is complete before it", name);
    int status = count_nodes(reader, anchor->nodes);
    if (!status)
        status = check_depth(reader, depth + anchor->height - 1);
    if (!status)
        *out = value_copy(reader->arena, anchor->value);
    return status;
}

static int read_scalar(struct reader *reader, struct value **out)
{
    const yaml_event_t *event = &reader->event;
    struct yaml_scalar scalar = {
        .text = (const char *)event->data.scalar.value,
        .length = event->data.scalar.length,
        .tag = (const char *)event->data.scalar.tag,
        .plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
        .mark = event_mark(reader),
    };
    return yaml_scalar_resolve(reader->arena, &scalar, out, reader->error);
}

static int read_list(struct reader *reader, int depth, struct value **out)
{
    int status = check_collection_tag(reader, reader->event.data.sequence_start.tag, YAML_SEQ_TAG);
    *out = value_list(reader->arena);
    (*out)->mark = event_mark(reader);
    while (!status && !(status = next_event(reader)) &&
           reader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct value *item;
        status = read_node(reader, depth + 1, &item);
        if (!status)
            value_push(reader->arena, *out, item);
    }
    return status;
}

static bool is_merge_key(const struct reader *reader)
{
    const yaml_event_t *event = &reader->event;
    return event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag &&
           strcmp((const char *)event->data.scalar.value, "<<") == 0;
}

static int check_key(struct reader *reader, const struct value *map, const struct value *key,
                     struct mark mark)
{
    if (!value_is(key, VALUE_STRING))
        return error_set_at(reader->error, ERR_INPUT, mark,
                            "a key must be a string, and this is %s; quote it if it is meant so",
                            value_kind_name(key->kind));
    if (strlen(key->string.text) != key->string.length)
        return error_set_at(reader->error, ERR_INPUT, mark, "a key with a NUL byte in it");
    for (size_t i = 0; value_get(map, key->string.text) && i < map->map.count; i++) {
        const struct value_entry *first = &map->map.entries[i];
        if (strcmp(first->key, key->string.text) == 0)
            return error_set_at(reader->error, ERR_INPUT, mark,
                                "the key \"%.200s\" is given twice; the first is at line %d, "
                                "column %d",
                                first->key, first->mark.line, first->mark.column);
    }
    return 0;
}

/* The key's event is current; afterwards the value's last one is. */
static int read_entry(struct reader *reader, int depth, struct value *map)
{
    struct value *key, *item;
    struct mark mark = event_mark(reader);
    if (is_merge_key(reader))
        return error_set_at(reader->error, ERR_INPUT, mark,
                            "merge keys (<<) are not supported; write the keys out");
    int status = read_node(reader, depth + 1, &key);
    if (!status)
        status = check_key(reader, map, key, mark);
    if (!status)
        status = next_event(reader);
    if (!status)
        status = read_node(reader, depth + 1, &item);
    if (status)
        return status;
    value_set(reader->arena, map, key->string.text, item);
    map->map.entries[map->map.count - 1].mark = mark;
    return 0;
}

static int read_map(struct reader *reader, int depth, struct value **out)
{
    int status = check_collection_tag(reader, reader->event.data.mapping_start.tag, YAML_MAP_TAG);
    *out = value_map(reader->arena);
    (*out)->mark = event_mark(reader);
    while (!status && !(status = next_event(reader)) &&
           reader->event.type != YAML_MAPPING_END_EVENT)
        status = read_entry(reader, depth, *out);
    return status;
}

static const char *anchor_of(struct reader *reader)
{
    const yaml_event_t *event = &reader->event;
    const yaml_char_t *anchor =
        event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
        : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
        : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
                                                   : NULL;
    return arena_strdup(reader->arena, (const char *)anchor);
}

/* The node's first event is current; afterwards its last one is. An anchor counts only when its
 * node is complete, so that no alias can stand inside what it names. */
static int read_node(struct reader *reader, int depth, struct value **out)
{
    if (reader->event.type == YAML_ALIAS_EVENT)
        return read_alias(reader, depth, out);
    size_t nodes_before = reader->nodes;
    int status = count_nodes(reader, 1);
    if (!status)
        status = check_depth(reader, depth);
    if (status)
        return status;
    const char *name = anchor_of(reader);
    if (reader->event.type == YAML_SCALAR_EVENT)
        status = read_scalar(reader, out);
    else if (reader->event.type == YAML_SEQUENCE_START_EVENT)
        status = read_list(reader, depth, out);
    else
        status = read_map(reader, depth, out);
    if (status || !name)
        return status;
    struct anchor *anchor = arena_new_of(reader->arena, struct anchor);
    *anchor = (struct anchor){*out, reader->nodes - nodes_before, height_of(*out)};
    map_put(&reader->anchors, name, anchor);
    return 0;
}

/* stream start, document start, node, document end, stream end; or no document at all: null. */
static int read_stream(struct reader *reader, struct value **out)
{
    int status = next_event(reader);
    if (!status)
        status = next_event(reader);
    if (status)
        return status;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        *out = value_null(reader->arena);
        (*out)->mark = (struct mark){reader->name, 1, 1};
        return 0;
    }
    status = next_event(reader);
    if (!status)
        status = read_node(reader, 1, out);
    if (!status)
        status = next_event(reader);
    if (!status)
        status = next_event(reader);
    if (!status && reader->event.type != YAML_STREAM_END_EVENT)
        return error_set_at(reader->error, ERR_INPUT, event_mark(reader),
                            "a second document begins here; a file holds one");
    return status;
}

static int fail_too_large(const char *name, struct error *error)
{
    return error_set_at(error, ERR_INPUT, (struct mark){name, 1, 1},
                        "larger than the %d MiB that a YAML file may have",
                        YAML_MAXIMUM_BYTES >> 20);
}

int yaml_parse(struct arena *arena, const char *text, size_t length, const char *name,
               struct value **out, struct error *error)
{
    *out = NULL;
    if (length > YAML_MAXIMUM_BYTES)
        return fail_too_large(name, error);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark would shift the first line's columns */
        length -= 3;
    }
    struct reader reader = {.arena = arena, .text = text, .name = name, .error = error};
    reader.anchors = map_in(arena);
    require(yaml_parser_initialize(&reader.parser));
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    struct value *value = NULL;
    int status = read_stream(&reader, &value);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    if (!status)
        *out = value;
    return status;
}

static void closep(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

/* Reads to the end of the file or one byte beyond what is allowed: what is no regular file does
 * not know its size. */
static int read_all(int descriptor, const char *path, struct buffer *text, struct error *error)
{
    char chunk[65536];
    ssize_t count;
    do {
        count = read(descriptor, chunk, sizeof chunk);
        if (count > 0)
            buffer_append(text, chunk, (size_t)count);
    } while ((count > 0 && !text->overflow) || (count < 0 && errno == EINTR));
    if (count < 0)
        return error_set(error, ERR_FAILED, "cannot read %s: %s", path, strerror(errno));
    return text->overflow ? fail_too_large(path, error) : 0;
}

int yaml_parse_file(struct arena *arena, const char *path, struct value **out, struct error *error)
{
    *out = NULL;
    CLEANUP(closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "cannot open %s: %s",
                         path, strerror(errno));
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size > YAML_MAXIMUM_BYTES)
        return fail_too_large(path, error);
    CLEANUP(buffer_free) struct buffer text = BUFFER(YAML_MAXIMUM_BYTES);
    int result = read_all(descriptor, path, &text, error);
    if (result)
        return result;
    return yaml_parse(arena, buffer_string(&text), text.length, arena_strdup(arena, path), out,
                      error);
}
