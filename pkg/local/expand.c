#include "pkg/local/expand.h"

#include <string.h>

#include "pkg/local/types.h"
#include "pkg/rag/schema.h"

enum { EMBED_DIMENSIONS = 512, ASK_PROCESSES = 4 };

/* The functions, as on AWS. */
static const struct {
    const char *id;
    bool models, asks;
    int processes;
} handlers[] = {
    {"ask", true, true, ASK_PROCESSES},
    {"ingest", true, false, 2},
    {"schema", false, false, 1},
};

static struct value *number(struct arena *arena, int64_t integer)
{
    return text(arena, "%lld", (long long)integer);
}

static void add_asking(const struct expansion *expansion, struct value *map, const char *chat_model)
{
    struct arena *arena = expansion->arena;
    value_set_text(arena, map, "RAG_GENERATE_MODEL",
                   chat_model ? arena_printf(arena, "ragstack.chat.%s", chat_model)
                              : "ragstack.extracts");
    expand_asking(expansion, map);
}

static void add_function(struct expansion *expansion, size_t i, const char *chat_model)
{
    struct arena *arena = expansion->arena;
    const char *id = handlers[i].id;
    const struct value *from = value_get(say(expansion, "functions"), id);
    struct value *map = props(arena, "RAG_STACK", text(arena, "${stack.full_name}"),
                              "RAG_DB_URL_FILE", text(arena, "${database.url_file}"),
                              "RAG_EMBED_DIMENSIONS", number(arena, EMBED_DIMENSIONS), NULL);
    if (handlers[i].models) {
        value_set(arena, map, "RAG_EMBED_MODEL", text(arena, "${models.embedder}"));
        value_set(arena, map, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", text(arena, "${models.url}"));
    }
    if (handlers[i].asks)
        add_asking(expansion, map, chat_model);
    expand_add(expansion, &local_function, id, from,
               props(arena, "code", value_string(arena, expansion->options->handler_zip),
                     "code_sha256", value_string(arena, expansion->options->handler_sha256),
                     "handler", text(arena, "%s", id), "memory_mb", value_get(from, "memory_mb"),
                     "timeout_s", value_get(from, "timeout_s"), "concurrency",
                     value_int(arena, handlers[i].processes), "environment",
                     value_merge(arena, map, value_get(from, "environment")), NULL));
}

static struct value *all_routes(struct arena *arena)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; api_routes[i].key; i++)
        value_push(arena, list,
                   props(arena, "key", text(arena, "%s", api_routes[i].key), "function",
                         text(arena, "${%s.id}", api_routes[i].function), NULL));
    return list;
}

int local_expand(struct arena *arena, const struct value *tree,
                 const struct expand_options *options, const char *chat_url, const char *chat_model,
                 struct resource_list *out, struct error *error)
{
    struct expansion expansion = {arena, tree, options, out};
    (void)error;
    expand_add(&expansion, &local_postgres, "database", say(&expansion, "database"),
               props(arena, "database", say(&expansion, "database.name"), NULL));
    expand_add(&expansion, &local_models, "models", say(&expansion, "models"),
               props(arena, "chat_url", value_string(arena, chat_url), "chat_model",
                     value_string(arena, chat_model), NULL));
    for (size_t i = 0; i < COUNT_OF(handlers); i++)
        add_function(&expansion, i, chat_model);
    expand_add(&expansion, &local_schema, "tables", say(&expansion, "database"),
               props(arena, "function", text(arena, "${schema.id}"), "migrations",
                     value_int(arena, schema_newest()), "embedder",
                     text(arena, "${models.embedder}"), "dimensions",
                     value_int(arena, EMBED_DIMENSIONS), NULL));
    expand_add(&expansion, &local_gateway, "api", say(&expansion, "api"),
               props(arena, "routes", all_routes(arena), "cors", expand_cors(&expansion),
                     "throttle_rate", say(&expansion, "api.throttle.rate"), "throttle_burst",
                     say(&expansion, "api.throttle.burst"), NULL));
    return 0;
}
