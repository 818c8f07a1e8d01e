/* Protocols ec2 and query: a form, answered in XML. */
#include <string.h>

#include "pkg/aws/protocol.h"
#include "pkg/aws/xml.h"
#include "pkg/base/buffer.h"

struct form {
    struct arena *arena;
    struct buffer body;
    bool empty_lists; /* query says "this list is empty" with its name alone, ec2 cannot */
};

static void add_field(struct form *form, const char *name, const char *text)
{
    buffer_printf(&form->body, "%s%s=%s", form->body.length ? "&" : "",
                  http_encode(form->arena, name, false), http_encode(form->arena, text, false));
}

/* An empty list stands under its own wrapper ({"Auth": {"member": []}}) or alone. */
static bool is_empty_list(const struct value *value)
{
    if (value_is(value, VALUE_MAP) && value_count(value) == 1)
        value = value_entry(value, 0)->value;
    return value_is(value, VALUE_LIST) && value_count(value) == 0;
}

static void flatten(struct form *form, const char *prefix, const struct value *value)
{
    if (is_empty_list(value)) {
        if (form->empty_lists)
            add_field(form, prefix, "");
    } else if (value->kind == VALUE_LIST) {
        for (size_t i = 0; i < value_count(value); i++)
            flatten(form, arena_printf(form->arena, "%s.%zu", prefix, i + 1), value_item(value, i));
    } else if (value->kind == VALUE_MAP) {
        for (size_t i = 0; i < value_count(value); i++) {
            const struct value_entry *entry = value_entry(value, i);
            flatten(form, arena_printf(form->arena, "%s.%s", prefix, entry->key), entry->value);
        }
    } else if (value->kind != VALUE_NULL) {
        add_field(form, prefix, value_as_text(form->arena, value));
    }
}

int query_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                 struct wire_request *out, struct error *error)
{
    struct form form = {arena, BUFFER(BUFFER_LARGE), call->service->protocol == AWS_QUERY};
    add_field(&form, "Action", call->operation);
    add_field(&form, "Version", call->service->version);
    for (size_t i = 0; i < value_count(parameters); i++) {
        const struct value_entry *entry = value_entry(parameters, i);
        flatten(&form, entry->key, entry->value);
    }
    out->method = "POST";
    out->path = "/";
    out->body = arena_strndup(arena, buffer_string(&form.body), form.body.length);
    out->body_length = form.body.length;
    wire_add_header(arena, out, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    buffer_free(&form.body);
    (void)error;
    return 0;
}

int query_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                 struct value **out, struct error *error)
{
    const char *root;
    struct value *content;
    int result =
        xml_parse(arena, reply->body, reply->body_length, "the reply", &root, &content, error);
    if (result)
        return result;
    size_t length = strlen(root), ending = strlen("Response");
    if (length <= ending || strcmp(root + length - ending, "Response") != 0)
        return error_set(error, ERR_INPUT, "the reply is a <%s>, not a <%sResponse>", root,
                         call->operation);
    if (call->service->protocol == AWS_EC2) {
        *out = content;
        return 0;
    }
    *out = value_get(content, arena_printf(arena, "%sResult", call->operation));
    if (!*out)
        *out = value_map(arena);
    return 0;
}
