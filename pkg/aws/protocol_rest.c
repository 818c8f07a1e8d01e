/* Protocols rest-json and rest-xml: members go into path, query, headers and body, as the
 * operation's row says. */
#include <ctype.h>
#include <string.h>

#include "pkg/aws/protocol.h"
#include "pkg/aws/xml.h"
#include "pkg/base/buffer.h"
#include "pkg/value/json.h"

#define XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

struct encoding {
    struct arena *arena;
    const struct wire_call *call;
    const struct value *parameters;
    bool *taken; /* by entry of the parameters: has its place in path, query, headers or payload */
    struct wire_request *out;
};

/* Takes a member; its first letter may be in either case. NULL if it is absent or null. */
static const struct value *take(struct encoding *encoding, const char *name)
{
    for (size_t i = 0; i < value_count(encoding->parameters); i++) {
        const struct value_entry *entry = value_entry(encoding->parameters, i);
        if (tolower((unsigned char)entry->key[0]) == tolower((unsigned char)name[0]) &&
            strcmp(entry->key + 1, name + 1) == 0) {
            encoding->taken[i] = true;
            return entry->value->kind == VALUE_NULL ? NULL : entry->value;
        }
    }
    return NULL;
}

/* -- the path -- */

/* "{Key+}": fills one label in; `label` points after its brace. */
static int fill_label(struct encoding *encoding, const char *label, size_t length,
                      struct buffer *path, struct error *error)
{
    bool greedy = length && label[length - 1] == '+';
    const char *name = arena_strndup(encoding->arena, label, length - greedy);
    const char *text = value_as_text(encoding->arena, take(encoding, name));
    if (!text || !*text)
        return error_set(error, ERR_INPUT, "%s %s needs %s", encoding->call->service->id,
                         encoding->call->operation, name);
    buffer_text(path, http_encode(encoding->arena, text, greedy));
    return 0;
}

/* The path with its labels filled; what stands after '?' begins the query. */
static int encode_path(struct encoding *encoding, struct buffer *query, struct error *error)
{
    CLEANUP(buffer_free) struct buffer path = BUFFER(BUFFER_LARGE);
    const char *at = encoding->call->row->path;
    if (encoding->call->bucket_in_host && strncmp(at, "/{Bucket}", 9) == 0) {
        take(encoding, "Bucket");
        at += 9;
    }
    while (*at && *at != '?') {
        size_t plain = strcspn(at, "{?");
        buffer_append(&path, at, plain);
        at += plain;
        if (*at == '{') {
            size_t length = strcspn(at + 1, "}");
            if (fill_label(encoding, at + 1, length, &path, error))
                return ERR_INPUT;
            at += length + 2;
        }
    }
    if (*at == '?')
        buffer_text(query, at + 1);
    encoding->out->path = path.length ? arena_strdup(encoding->arena, path.data) : "/";
    return 0;
}

/* -- query and headers -- */

/* The next "Member=wire" of a row's list; false at its end. */
static bool next_member(struct arena *arena, const char **list, const char **member,
                        const char **wire)
{
    if (!*list)
        return false;
    *list += strspn(*list, " ");
    size_t length = strcspn(*list, " "), name = strcspn(*list, " =");
    if (length == 0)
        return false;
    *member = arena_strndup(arena, *list, name);
    *wire = name < length ? arena_strndup(arena, *list + name + 1, length - name - 1) : *member;
    *list += length;
    return true;
}

static void encode_query(struct encoding *encoding, struct buffer *query)
{
    const char *list = encoding->call->row->query, *member, *wire;
    struct arena *arena = encoding->arena;
    while (next_member(arena, &list, &member, &wire)) {
        const struct value *item;
        value_each(item, take(encoding, member)) buffer_printf(
            query, "%s%s=%s", query->length ? "&" : "", http_encode(arena, wire, false),
            http_encode(arena, value_as_text(arena, item), false));
    }
    if (query->length)
        encoding->out->query = arena_strdup(arena, query->data);
}

/* {"owner": "x"} as "x-amz-meta-owner: x", for "x-amz-meta-*". */
static void add_header_map(struct encoding *encoding, const char *wire, const struct value *map)
{
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_entry *entry = value_entry(map, i);
        wire_add_header(
            encoding->arena, encoding->out,
            arena_printf(encoding->arena, "%.*s%s", (int)strlen(wire) - 1, wire, entry->key),
            value_as_text(encoding->arena, entry->value));
    }
}

static void encode_headers(struct encoding *encoding)
{
    const char *list = encoding->call->row->headers, *member, *wire;
    while (next_member(encoding->arena, &list, &member, &wire)) {
        const struct value *value = take(encoding, member);
        if (value_is(value, VALUE_MAP))
            add_header_map(encoding, wire, value);
        else if (value)
            wire_add_header(encoding->arena, encoding->out, wire,
                            value_as_text(encoding->arena, value));
    }
}

static bool has_header(const struct wire_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

/* -- the body -- */

static bool has_body(const struct encoding *encoding)
{
    const char *method = encoding->call->row->method;
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static struct value *left_over(struct encoding *encoding)
{
    struct value *rest = value_map(encoding->arena);
    for (size_t i = 0; i < value_count(encoding->parameters); i++) {
        const struct value_entry *entry = value_entry(encoding->parameters, i);
        if (!encoding->taken[i] && entry->value->kind != VALUE_NULL)
            value_set(encoding->arena, rest, entry->key, entry->value);
    }
    return rest;
}

static void set_body(struct encoding *encoding, const char *body, size_t length, const char *type)
{
    encoding->out->body = body;
    encoding->out->body_length = length;
    if (!has_header(encoding->out, "Content-Type"))
        wire_add_header(encoding->arena, encoding->out, "Content-Type", type);
}

static void encode_payload(struct encoding *encoding, const struct value *payload)
{
    bool json = encoding->call->service->protocol == AWS_REST_JSON;
    if (value_is(payload, VALUE_STRING)) {
        set_body(encoding, payload->string.text, payload->string.length,
                 json ? "application/json" : "application/octet-stream");
    } else if (payload) {
        const char *text = json_text(encoding->arena, payload);
        set_body(encoding, text, strlen(text), "application/json");
    }
}

static void encode_xml(struct encoding *encoding, const struct value *rest)
{
    const struct aws_operation *row = encoding->call->row;
    if (value_count(rest) == 0 && row->body_optional)
        return;
    CLEANUP(buffer_free) struct buffer xml = BUFFER(BUFFER_LARGE);
    xml_print(&xml, row->root, XML_NAMESPACE, rest);
    set_body(encoding, arena_strndup(encoding->arena, xml.data, xml.length), xml.length,
             "application/xml");
}

static int encode_body(struct encoding *encoding, struct error *error)
{
    const struct aws_operation *row = encoding->call->row;
    bool json = encoding->call->service->protocol == AWS_REST_JSON;
    if (row->payload)
        encode_payload(encoding, take(encoding, row->payload));
    struct value *rest = left_over(encoding);
    bool takes_rest = !row->payload && has_body(encoding) && (json || row->root);
    if (value_count(rest) && !takes_rest)
        return error_set(error, ERR_INPUT, "%s %s has no place for %s", encoding->call->service->id,
                         row->name, value_entry(rest, 0)->key);
    if (takes_rest && json) {
        const char *text = json_text(encoding->arena, rest);
        set_body(encoding, text, strlen(text), "application/json");
    } else if (takes_rest) {
        encode_xml(encoding, rest);
    }
    return 0;
}

int rest_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error)
{
    if (!call->row)
        return error_set(error, ERR_FAILED, "%s has no operation %s in its table",
                         call->service->id, call->operation);
    struct encoding encoding = {.arena = arena,
                                .call = call,
                                .parameters = parameters,
                                .taken = arena_array(arena, value_count(parameters), sizeof(bool)),
                                .out = out};
    CLEANUP(buffer_free) struct buffer query = BUFFER(BUFFER_LARGE);
    out->method = call->row->method;
    if (encode_path(&encoding, &query, error))
        return ERR_INPUT;
    encode_query(&encoding, &query);
    encode_headers(&encoding);
    return encode_body(&encoding, error);
}

int rest_xml_decode(struct arena *arena, const struct wire_call *call,
                    const struct http_reply *reply, struct value **out, struct error *error)
{
    const char *root;
    /* S3's likes answer some changes with a plain word, or AWS with nothing: no document either. */
    bool word = reply->body_length && !memchr(reply->body, '<', reply->body_length);
    if (word && !aws_operation_reads(call->service, call->operation)) {
        *out = value_map(arena);
        return 0;
    }
    int result = xml_parse(arena, reply->body, reply->body_length, "the reply", &root, out, error);
    if (result == 0 && strcmp(root, "Error") == 0)
        return error_set(error, ERR_CONFLICT, "the reply is an error in spite of its status");
    return result;
}
