/* From documents to passages: by the API, or from the documents bucket, whose events come here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "cmd/rag-handler/ingest.h"
#include "cmd/rag-handler/reply.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/lambda/gateway.h"
#include "pkg/rag/jobs.h"

enum {
    DOCUMENTS_MAXIMUM = 100,
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
        result = ingest_read_document(value_item(list, i), &documents[i], error);
    if (result == 0)
        result = ingest_open(task, ingesting, error);
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
    struct value *rows;
};

static int list_documents(struct task *task, void *argument, struct error *error)
{
    struct listing *listing = argument;
    struct pg *pg;
    int result = runtime_database(task, &pg, error);
    return result < 0 ? result
                      : store_list(task, pg, listing->invocation->arena, listing->after,
                                   (int)listing->limit, &listing->rows, error);
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
    size_t count = value_count(listing.rows);
    struct value *reply = value_map(arena);
    value_set(arena, reply, "documents", listing.rows);
    const char *last = value_text(value_item(listing.rows, count - 1), "id");
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

/* -- GET /jobs -- */

static int list_jobs(struct task *task, void *argument, struct error *error)
{
    struct listing *listing = argument;
    struct pg *pg;
    int result = runtime_database(task, &pg, error);
    return result < 0
               ? result
               : job_list(task, pg, listing->invocation->arena, LIST_LIMIT, &listing->rows, error);
}

static struct value *get_jobs(const struct invocation *invocation)
{
    struct listing listing = {.invocation = invocation};
    struct error error = {0};
    if (runtime_run("jobs", list_jobs, &listing, &error) < 0)
        return reply_error(invocation, &error);
    return reply_ok(invocation, value_wrap(invocation->arena, "jobs", listing.rows));
}

/* -- events -- */

static struct value *answer_api(const struct invocation *invocation)
{
    struct value *body, *refusal = NULL;
    const char *id = request_parameter(invocation, "id");
    if (request_is(invocation, "GET", "/documents"))
        return get_documents(invocation);
    if (request_is(invocation, "GET", "/jobs"))
        return get_jobs(invocation);
    if (strcmp(gateway_method(invocation->event), "DELETE") == 0 && id)
        return remove_document(invocation, id);
    if (!request_is(invocation, "POST", "/documents"))
        return reply_problem(invocation, 404, "Not Found", "this API has no such path");
    return request_body(invocation, &body, &refusal) < 0 ? refusal
                                                         : put_documents(invocation, body);
}

static int answer(const struct invocation *invocation, struct value **out, struct error *error)
{
    if (is_bucket_event(invocation->event))
        return ingest_bucket(invocation, out, error);
    *out = gateway_event(invocation->event) ? answer_api(invocation)
                                            : put_documents(invocation, invocation->event);
    return 0;
}

const struct handler handler_ingest = {.name = "ingest", .settings = settings, .answer = answer};
