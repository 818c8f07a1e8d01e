/* From documents to passages: by the API, or from the documents bucket, whose events come here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "cmd/rag-handler/reply.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/lambda/gateway.h"
#include "pkg/rag/store.h"

enum {
    DOCUMENTS_MAXIMUM = 100,
    ID_MAXIMUM = 1024,
    TEXT_MAXIMUM = 5 << 20,
    LIST_LIMIT = 100,
    LIST_MAXIMUM = 1000,
};

static const struct setting settings[] = {
    {"RAG_STACK", false},
    {"RAG_DB_HOST", true},
    {"RAG_DB_NAME", true},
    {"RAG_DB_USER", true},
    {"RAG_DB_URL_FILE", true},
    {"RAG_EMBED_MODEL", false},
    {"RAG_EMBED_DIMENSIONS", false},
    {"RAG_BUCKET", true},
    {0},
};

/* One event's work. */
struct ingesting {
    const struct invocation *invocation;
    const struct value *event; /* the body, or the bucket's records */
    struct models *models;
    struct pg *pg;
    struct value *outcomes; /* a row a document */
    struct model_usage usage;
};

/* -- one document -- */

static int read_document(const struct value *row, struct document *out, struct error *error)
{
    const struct value *text = value_get(row, "text"), *metadata = value_get(row, "metadata");
    const char *id = value_text(row, "id"), *title = value_text(row, "title");
    if (!id || !*id || strlen(id) > ID_MAXIMUM)
        return error_set(error, ERR_INPUT, "documents[].id: a text of 1 to 1,024 bytes");
    if (!value_is(text, VALUE_STRING) || text->string.length > TEXT_MAXIMUM)
        return error_set(error, ERR_INPUT, "document %s: text is missing, or larger than 5 MB", id);
    if (strlen(text->string.text) < text->string.length)
        return error_set(error, ERR_INPUT, "document %s: text with NUL bytes cannot be stored", id);
    if (metadata && metadata->kind != VALUE_NULL && !value_is(metadata, VALUE_MAP))
        return error_set(error, ERR_INPUT, "document %s: metadata is to be an object", id);
    *out = (struct document){.id = id,
                             .title = title && *title ? title : id,
                             .source = value_text(row, "source"),
                             .text = text->string.text,
                             .length = text->string.length,
                             .metadata = value_is(metadata, VALUE_MAP) ? metadata : NULL};
    return 0;
}

/* Vectors for the units that have none yet. */
static int embed_missing(struct task *task, struct ingesting *ingesting,
                         const struct document *document, const struct passage_list *passages,
                         struct stored_units *units, struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    size_t dimensions = (size_t)ingesting->models->dimensions, at = 0, missing = 0;
    const char **texts = arena_array(arena, units->missing + 1, sizeof *texts);
    float *vectors = arena_array(arena, (units->missing + 1) * dimensions, sizeof *vectors);
    struct model_usage usage = {0};
    for (size_t i = 0; i < passages->count; i++) {
        for (size_t j = 0; j < passages->items[i].unit_count; j++, at++) {
            const struct unit *unit = &passages->items[i].units[j];
            if (units->vectors[at])
                continue;
            texts[missing] =
                arena_strndup(arena, document->text + unit->start, unit->end - unit->start);
            units->vectors[at] = vectors + missing++ * dimensions;
        }
    }
    if (!missing || !ingesting->models->embed)
        return 0;
    int result = ingesting->models->embed(task, ingesting->models, arena, texts, missing, vectors,
                                          &usage, error);
    ingesting->usage.input_tokens += usage.input_tokens;
    ingesting->usage.dollars += usage.dollars > 0 ? usage.dollars : 0;
    return result;
}

static void add_outcome(struct ingesting *ingesting, const struct document *document,
                        const struct passage_list *passages, const struct stored_units *units)
{
    struct arena *arena = ingesting->invocation->arena;
    struct value *row = value_map(arena);
    value_set_text(arena, row, "id", document->id);
    value_set_text(arena, row, "status", units->same_document ? "unchanged" : "stored");
    value_set_int(arena, row, "passages", (int64_t)passages->count);
    value_set_int(arena, row, "units", (int64_t)units->count);
    value_set_int(arena, row, "embedded", (int64_t)(units->same_document ? 0 : units->missing));
    value_push(arena, ingesting->outcomes, row);
}

/* Without an embedding model there are no units: search is by words alone. */
static void drop_units(struct passage_list *passages)
{
    for (size_t i = 0; i < passages->count; i++)
        passages->items[i].unit_count = 0;
}

static int ingest_document(struct task *task, struct ingesting *ingesting,
                           const struct document *document, struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    struct models *models = ingesting->models;
    struct chunk_sizes sizes = {.unit_maximum = models->unit_maximum};
    struct passage_list passages;
    struct stored_units units;
    chunk_document(arena, document->text, document->length, &sizes, &passages);
    if (!models->embed)
        drop_units(&passages);
    int result = store_look(task, ingesting->pg, arena, document, &passages, models->embedder,
                            models->dimensions, &units, error);
    if (result == 0 && !units.same_document)
        result = embed_missing(task, ingesting, document, &passages, &units, error);
    if (result == 0 && !units.same_document)
        result = store_put(task, ingesting->pg, arena, document, &passages, &units,
                           models->dimensions, error);
    if (result == 0)
        add_outcome(ingesting, document, &passages, &units);
    return result < 0 ? error_wrap(error, "document %s", document->id) : 0;
}

static int open_all(struct task *task, struct ingesting *ingesting, struct error *error)
{
    int result = runtime_models(ingesting->invocation->arena, &ingesting->models, error);
    return result < 0 ? result : runtime_database(task, &ingesting->pg, error);
}

/* -- POST /documents -- */

/* All are checked before the first is stored. */
static int ingest_documents(struct task *task, void *argument, struct error *error)
{
    struct ingesting *ingesting = argument;
    const struct value *list = value_get(ingesting->event, "documents");
    struct document documents[DOCUMENTS_MAXIMUM];
    size_t count = value_is(list, VALUE_LIST) ? value_count(list) : 0;
    if (count < 1 || count > DOCUMENTS_MAXIMUM)
        return error_set(error, ERR_INPUT, "documents: a list of 1 to 100");
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = read_document(value_item(list, i), &documents[i], error);
    if (result == 0)
        result = open_all(task, ingesting, error);
    for (size_t i = 0; i < count && result == 0; i++)
        result = ingest_document(task, ingesting, &documents[i], error);
    return result;
}

static struct value *usage_value(const struct ingesting *ingesting)
{
    struct arena *arena = ingesting->invocation->arena;
    struct value *usage = value_map(arena);
    value_set_int(arena, usage, "embed_tokens", ingesting->usage.input_tokens);
    value_set(arena, usage, "usd", value_real(arena, ingesting->usage.dollars));
    return value_set_text(arena, usage, "prices", price_table_version);
}

static struct value *put_documents(const struct invocation *invocation, const struct value *body)
{
    struct arena *arena = invocation->arena;
    struct ingesting ingesting = {
        .invocation = invocation, .event = body, .outcomes = value_list(arena)};
    struct error error = {0};
    if (runtime_run("ingest", ingest_documents, &ingesting, &error) < 0)
        return reply_error(invocation, &error);
    struct value *reply = value_map(arena);
    value_set(arena, reply, "documents", ingesting.outcomes);
    value_set(arena, reply, "usage", usage_value(&ingesting));
    return reply_ok(invocation, reply);
}

/* -- GET /documents, DELETE /documents/{id} -- */

struct listing {
    const struct invocation *invocation;
    const char *after, *id;
    int64_t limit;
    struct value *documents;
};

static int list_documents(struct task *task, void *argument, struct error *error)
{
    struct listing *listing = argument;
    struct pg *pg;
    int result = runtime_database(task, &pg, error);
    return result < 0 ? result
                      : store_list(task, pg, listing->invocation->arena, listing->after,
                                   (int)listing->limit, &listing->documents, error);
}

static struct value *get_documents(const struct invocation *invocation)
{
    struct arena *arena = invocation->arena;
    const char *limit = request_query(invocation, "limit");
    struct listing listing = {.invocation = invocation,
                              .after = request_query(invocation, "after"),
                              .limit = limit ? strtol(limit, NULL, 10) : LIST_LIMIT};
    struct error error = {0};
    if (listing.limit < 1 || listing.limit > LIST_MAXIMUM)
        return reply_problem(invocation, 400, "Bad Request", "limit: 1 to 1,000");
    if (runtime_run("list", list_documents, &listing, &error) < 0)
        return reply_error(invocation, &error);
    size_t count = value_count(listing.documents);
    struct value *reply = value_map(arena);
    value_set(arena, reply, "documents", listing.documents);
    const char *last = value_text(value_item(listing.documents, count - 1), "id");
    value_set(arena, reply, "next",
              value_string(arena, count == (size_t)listing.limit ? last : NULL));
    return reply_ok(invocation, reply);
}

static int delete_document(struct task *task, void *argument, struct error *error)
{
    struct listing *listing = argument;
    struct pg *pg;
    int result = runtime_database(task, &pg, error);
    return result < 0 ? result
                      : store_delete(task, pg, listing->invocation->arena, listing->id, error);
}

static struct value *remove_document(const struct invocation *invocation, const char *id)
{
    struct listing listing = {.invocation = invocation, .id = id};
    struct error error = {0};
    if (runtime_run("delete", delete_document, &listing, &error) < 0)
        return reply_error(invocation, &error);
    return reply_nothing(invocation);
}

/* -- events -- */

static struct value *answer_api(const struct invocation *invocation)
{
    struct value *body, *refusal = NULL;
    const char *id = request_parameter(invocation, "id");
    if (request_is(invocation, "GET", "/documents"))
        return get_documents(invocation);
    if (strcmp(gateway_method(invocation->event), "DELETE") == 0 && id)
        return remove_document(invocation, id);
    if (!request_is(invocation, "POST", "/documents"))
        return reply_problem(invocation, 404, "Not Found", "this API has no such path");
    return request_body(invocation, &body, &refusal) < 0 ? refusal
                                                         : put_documents(invocation, body);
}

static int answer(const struct invocation *invocation, struct value **out, struct error *error)
{
    (void)error;
    *out = gateway_event(invocation->event) ? answer_api(invocation)
                                            : put_documents(invocation, invocation->event);
    return 0;
}

const struct handler handler_ingest = {.name = "ingest", .settings = settings, .answer = answer};
