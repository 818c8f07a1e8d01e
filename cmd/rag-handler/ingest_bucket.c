/* The documents bucket: objects that are put there become documents, and go with them.
 *
 * An event says only that something happened to a key; events come late, twice and out of order.
 * What counts is what stands there now: it is read, and stored, or the document is deleted. The key
 * is the document's id.
 * Source: Amazon S3 User Guide, "Event message structure"; Amazon S3 API Reference, GetObject. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cmd/rag-handler/ingest.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/rag/jobs.h"
#include "pkg/value/json.h"
#include "pkg/value/utf8.h"

/* One object of the event. */
struct object {
    const char *bucket, *key, *source;
    struct job job;
};

bool is_bucket_event(const struct value *event)
{
    const struct value *first = value_item(value_get(event, "Records"), 0);
    return value_is_text(value_get(first, "eventSource"), "aws:s3");
}

static int read_record(struct arena *arena, const struct value *record, struct object *out,
                       struct error *error)
{
    const char *bucket = value_text_at(record, "s3.bucket.name");
    const char *key = value_text_at(record, "s3.object.key"), *own = runtime_text("RAG_BUCKET");
    if (!bucket || !key)
        return error_set(error, ERR_INPUT, "a record of the event names no object");
    if (!own || strcmp(bucket, own) != 0)
        return error_set(error, ERR_INPUT, "the bucket %s is not this stack's", bucket);
    key = http_decode(arena, key, strlen(key), true);
    *out = (struct object){
        .bucket = bucket, .key = key, .source = arena_printf(arena, "s3://%s/%s", bucket, key)};
    out->job = (struct job){.id = key, .source = out->source, .state = "running"};
    return 0;
}

/* -- from bytes to a document -- */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), own = strlen(ending);
    return length >= own && strcasecmp(text + length - own, ending) == 0;
}

/* The first heading; else the end of the key. */
static const char *title_of(struct arena *arena, const char *key, const char *text)
{
    const char *line = text + strspn(text, "\r\n\t ");
    const char *slash = strrchr(key, '/');
    if (line[0] == '#' && line[strspn(line, "#")] == ' ') {
        line += strspn(line, "# ");
        return arena_strndup(arena, line, strcspn(line, "\r\n"));
    }
    return slash && slash[1] ? slash + 1 : key;
}

/* {"title", "text", "metadata"} */
static int read_json(struct arena *arena, const struct object *object, const char *bytes,
                     size_t length, struct document *out, struct error *error)
{
    struct value *row;
    int result = json_parse(arena, bytes, length, object->key, &row, error);
    if (result < 0)
        return result;
    if (!value_is(row, VALUE_MAP))
        return error_set(error, ERR_INPUT, "it is to be an object with title and text");
    value_set_text(arena, row, "id", object->key);
    value_set_text(arena, row, "source", object->source);
    return ingest_read_document(row, out, error);
}

static int read_object(struct arena *arena, const struct object *object, const char *bytes,
                       size_t length, struct document *out, struct error *error)
{
    static const char *const texts[] = {".txt", ".md", ".markdown", ".text"};
    if (length > DOCUMENT_MAXIMUM)
        return error_set(error, ERR_INPUT, "it is larger than %d MB: split it",
                         DOCUMENT_MAXIMUM >> 20);
    if (ends_with(object->key, ".json"))
        return read_json(arena, object, bytes, length, out, error);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (!ends_with(object->key, texts[i]))
            continue;
        if (!utf8_is_valid(bytes, length) || memchr(bytes, '\0', length))
            return error_set(error, ERR_INPUT, "it is no UTF-8 text");
        *out = (struct document){.id = object->key,
                                 .title = title_of(arena, object->key, bytes),
                                 .source = object->source,
                                 .text = bytes,
                                 .length = length};
        return 0;
    }
    return error_set(error, ERR_INPUT,
                     "only .txt, .md and .json are taken from the bucket; `ragstack ingest` "
                     "converts other types");
}

/* -- one object -- */

static int tell_progress(struct task *task, struct ingesting *ingesting, size_t done, size_t total,
                         struct error *error)
{
    struct object *object = ingesting->data;
    object->job.done = (int)done;
    object->job.total = (int)total;
    return job_write(task, ingesting->pg, ingesting->invocation->arena, &object->job, error);
}

static int remove_document(struct task *task, struct ingesting *ingesting, struct object *object,
                           struct error *error)
{
    int result =
        store_delete(task, ingesting->pg, ingesting->invocation->arena, object->key, error);
    if (result == ERR_NOT_FOUND) {
        error_clear(error);
        result = 0;
    }
    object->job.state = "deleted";
    return result;
}

static int store_object(struct task *task, struct ingesting *ingesting, struct object *object,
                        struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    struct value *parameters = value_map(arena);
    struct aws_reply reply = {0};
    struct document document;
    value_set_text(arena, parameters, "Bucket", object->bucket);
    value_set_text(arena, parameters, "Key", object->key);
    int result = aws_call_raw(task, runtime_client(), arena, &aws_s3, "GetObject", parameters,
                              &reply, error);
    if (result == ERR_NOT_FOUND) {
        error_clear(error);
        return remove_document(task, ingesting, object, error);
    }
    if (result == 0)
        result =
            read_object(arena, object, reply.http.body, reply.http.body_length, &document, error);
    ingesting->data = object;
    if (result == 0)
        result = ingest_document(task, ingesting, &document, error);
    object->job.state = "stored";
    object->job.done = object->job.total;
    return result;
}

/* Its job row says how it went, whatever became of it. */
static int take_object(struct task *task, struct ingesting *ingesting, struct object *object,
                       struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    int result = job_write(task, ingesting->pg, arena, &object->job, error);
    if (result < 0)
        return result;
    result = store_object(task, ingesting, object, error);
    if (result < 0) {
        struct error own = {0};
        object->job.state = "failed";
        object->job.error = error->message;
        if (job_write(task, ingesting->pg, arena, &object->job, &own) < 0)
            fprintf(stderr, "the job of %s cannot be written: %s\n", object->key, own.message);
        return error_wrap(error, "%s", object->source);
    }
    return job_write(task, ingesting->pg, arena, &object->job, error);
}

/* All are tried, and the first failure is told. */
static int take_records(struct task *task, void *argument, struct error *error)
{
    struct ingesting *ingesting = argument;
    const struct value *record;
    int result = ingest_open(task, ingesting, error);
    if (result < 0)
        return result;
    value_each(record, value_get(ingesting->event, "Records"))
    {
        struct object object;
        struct error own = {0};
        int one = read_record(ingesting->invocation->arena, record, &object, &own);
        if (one == 0 && !ends_with(object.key, "/")) /* what consoles call a folder */
            one = take_object(task, ingesting, &object, &own);
        if (one < 0 && result == 0) {
            result = one;
            *error = own;
        }
    }
    return result;
}

int ingest_bucket(const struct invocation *invocation, struct value **answer, struct error *error)
{
    struct arena *arena = invocation->arena;
    struct ingesting ingesting = {.invocation = invocation,
                                  .event = invocation->event,
                                  .outcomes = value_list(arena),
                                  .progress = tell_progress};
    int result = runtime_run("bucket", take_records, &ingesting, error);
    *answer = value_wrap(arena, "documents", ingesting.outcomes);
    return result;
}
