#include "pkg/cloud/expand.h"

#include <stdarg.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/cloud/lambda.h"
#include "pkg/cloud/types.h"

struct value *props(struct arena *arena, ...)
{
    struct value *map = value_map(arena);
    va_list arguments;
    va_start(arguments, arena);
    for (const char *key; (key = va_arg(arguments, const char *));)
        value_set(arena, map, key, va_arg(arguments, struct value *));
    va_end(arguments);
    return map;
}

struct value *items(struct arena *arena, ...)
{
    struct value *list = value_list(arena), *item;
    va_list arguments;
    va_start(arguments, arena);
    while ((item = va_arg(arguments, struct value *)))
        value_push(arena, list, item);
    va_end(arguments);
    return list;
}

struct value *text(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct value *value = value_string(arena, arena_vprintf(arena, format, arguments));
    va_end(arguments);
    return value;
}

struct value *each_reference(struct arena *arena, const char *prefix, int count,
                             const char *attribute)
{
    struct value *list = value_list(arena);
    for (int n = 1; n <= count; n++)
        value_push(arena, list, text(arena, "${%s%d.%s}", prefix, n, attribute));
    return list;
}

struct value *say(const struct expansion *expansion, const char *path)
{
    return value_at(expansion->tree, path);
}

int64_t say_int(const struct expansion *expansion, const char *path)
{
    return value_as_int(say(expansion, path), 0);
}

bool say_bool(const struct expansion *expansion, const char *path)
{
    return value_as_bool(say(expansion, path), false);
}

const char *say_text(const struct expansion *expansion, const char *path)
{
    return value_text_at(expansion->tree, path);
}

struct resource *expand_add(struct expansion *expansion, const struct resource_type *type,
                            const char *id, const struct value *from, struct value *properties)
{
    struct resource resource = {.type = type,
                                .id = arena_strdup(expansion->arena, id),
                                .props = properties,
                                .tags = say(expansion, "tags")};
    if (from)
        resource.mark = from->mark;
    vector_push(expansion->arena, expansion->out, resource);
    return &expansion->out->items[expansion->out->count - 1];
}

void expand_note(struct resource *resource, const struct value *from, const char *note)
{
    resource->note = note;
    resource->note_mark = from ? from->mark : resource->mark;
}

struct value *policy(struct arena *arena, struct value *statements)
{
    return props(arena, "Version", text(arena, "2012-10-17"), "Statement", statements, NULL);
}

struct value *allow(struct arena *arena, const char *sid, struct value *actions,
                    struct value *resources)
{
    return props(arena, "Sid", text(arena, "%s", sid), "Effect", text(arena, "Allow"), "Action",
                 actions, "Resource", resources, NULL);
}

struct value *trust(struct arena *arena, const char *service)
{
    struct value *statement = props(
        arena, "Effect", text(arena, "Allow"), "Action", text(arena, "sts:AssumeRole"), "Principal",
        props(arena, "Service", text(arena, "%s.amazonaws.com", service), NULL), NULL);
    return policy(arena, items(arena, statement, NULL));
}

/* -- what the file adds by itself -- */

static const struct resource_type *kind_of(const char *kind)
{
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        if (strcmp((*type)->kind, kind) == 0)
            return *type;
    }
    return NULL;
}

static int check_free_id(const struct expansion *expansion, const struct value_entry *entry,
                         struct error *error)
{
    for (size_t i = 0; i < expansion->out->count; i++) {
        if (strcmp(expansion->out->items[i].id, entry->key) == 0)
            return error_set_at(error, ERR_INPUT, entry->mark,
                                "resources.%s: the id is taken by a built-in %s; `ragstack diff "
                                "--expand` lists them",
                                entry->key, expansion->out->items[i].type->kind);
    }
    return 0;
}

/* What is in the zip, so that another zip is a change. */
static void sum_code(struct arena *arena, struct value *properties)
{
    const char *path = value_text(properties, "code");
    if (path && !value_text(properties, "code_sha256"))
        value_set_text(arena, properties, "code_sha256", lambda_zip_sum(arena, path));
}

static int expand_free(struct expansion *expansion, struct error *error)
{
    const struct value *resources = say(expansion, "resources");
    for (size_t i = 0; i < value_count(resources); i++) {
        const struct value_entry *entry = value_entry(resources, i);
        int result = check_free_id(expansion, entry, error);
        if (result < 0)
            return result;
        const struct resource_type *type = kind_of(value_text(entry->value, "kind"));
        require(type); /* the loader checked */
        struct value *own = value_copy(expansion->arena, entry->value);
        value_remove(own, "kind");
        value_remove(own, "was");
        struct resource *resource = expand_add(expansion, type, entry->key, entry->value, own);
        resource->was = value_text(entry->value, "was");
        resource->mark = entry->mark;
        if (type == &lambda_function)
            sum_code(expansion->arena, own);
    }
    return 0;
}

/* -- what cannot work is refused before anything is made -- */

bool has_endpoint(const struct expansion *expansion, const char *service)
{
    struct value *one, *list = say(expansion, "network.endpoints");
    value_each(one, list)
    {
        if (value_is_text(one, service))
            return true;
    }
    return false;
}

static struct mark mark_of(const struct expansion *expansion, const char *path)
{
    const struct value *value = say(expansion, path);
    return value ? value->mark : (struct mark){0};
}

/* Without NAT, what has no endpoint is not reached. */
static int check_reach(const struct expansion *expansion, struct error *error)
{
    if (!value_is_text(say(expansion, "network.nat"), "none"))
        return 0;
    if (!has_endpoint(expansion, "bedrock-runtime"))
        return error_set_at(error, ERR_INPUT, mark_of(expansion, "network.endpoints"),
                            "network.endpoints: without bedrock-runtime (and with nat: none) the "
                            "functions cannot reach the models");
    if (say_bool(expansion, "documents.bucket") && !has_endpoint(expansion, "s3"))
        return error_set_at(error, ERR_INPUT, mark_of(expansion, "network.endpoints"),
                            "network.endpoints: without s3 (and with nat: none) the functions "
                            "cannot read the documents' bucket; say documents: {bucket: false} if "
                            "there is to be none");
    return 0;
}

/* It travels in the function's environment, which Lambda limits to 4096 bytes in all. */
static int check_prompt(const struct expansion *expansion, struct error *error)
{
    enum { LONGEST_PROMPT = 3000 };
    const char *prompt = expansion->options->prompt;
    if (!prompt || strlen(prompt) <= LONGEST_PROMPT)
        return 0;
    return error_set_at(error, ERR_INPUT, mark_of(expansion, "prompt"),
                        "prompt: %zu bytes are too long: Lambda gives a function room for %d",
                        strlen(prompt), LONGEST_PROMPT);
}

int cloud_expand(struct arena *arena, const struct value *tree,
                 const struct expand_options *options, struct resource_list *out,
                 struct error *error)
{
    struct expansion expansion = {arena, tree, options, out};
    expand_network(&expansion);
    expand_database(&expansion);
    expand_documents(&expansion);
    expand_functions(&expansion);
    expand_api(&expansion);
    expand_watch(&expansion);
    int result = check_reach(&expansion, error);
    if (result == 0)
        result = check_prompt(&expansion, error);
    return result == 0 ? expand_free(&expansion, error) : result;
}
