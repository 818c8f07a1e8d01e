/* Documents to the API: in batches, several requests at a time, again when it is busy. */
#include <string.h>

#include <openssl/evp.h>

#include "cmd/ragstack/ingest.h"
#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/http/http.h"
#include "pkg/rag/store.h"
#include "pkg/value/json.h"

enum {
    BATCH_BYTES = 128 << 10, /* seconds of embedding, not minutes: the API waits 30 s at most */
    BATCH_DOCUMENTS = 32,
    BODY_MAXIMUM = 5 << 20, /* that the API takes */
    ID_MAXIMUM = 1024,
    TRIES = 5,
    THROTTLED_TRIES = 20,
    LONGEST_PAUSE_S = 20,
    FAILURES_IN_A_ROW = 3, /* of whole batches: then something else is wrong */
    LIST_LIMIT = 1000,
};

struct sending {
    const struct ingest_options *options;
    struct ingest_source *source;
    struct ingest_report *report;
    int failed_in_a_row;
    bool stopped;
};

struct batch {
    struct arena *arena;
    struct ingest_item items[BATCH_DOCUMENTS];
    size_t count, bytes;
};

size_t ingest_done(const struct ingest_report *report)
{
    return report->stored + report->unchanged + report->failures.count;
}

void ingest_fail(struct ingest_report *report, const char *id, const char *why)
{
    struct ingest_failure failure = {arena_strdup(report->arena, id),
                                     arena_strdup(report->arena, why)};
    vector_push(report->arena, &report->failures, failure);
}

/* -- a batch -- */

static struct value *document_value(struct arena *arena, const struct sending *sending,
                                    const struct ingest_item *item)
{
    struct value *document = value_map(arena);
    const struct value *common = sending->options->metadata;
    value_set_text(arena, document, "id", item->id);
    value_set_text(arena, document, "title", item->title);
    value_set(arena, document, "text", value_string_n(arena, item->text, item->length));
    if (item->source)
        value_set_text(arena, document, "source", item->source);
    if (item->given)
        value_set(arena, document, "given", value_copy(arena, item->given));
    if (common && item->metadata)
        value_set(arena, document, "metadata", value_merge(arena, common, item->metadata));
    else if (common || item->metadata)
        value_set(arena, document, "metadata", value_copy(arena, common ? common : item->metadata));
    return document;
}

static const char *body_of(const struct sending *sending, const struct batch *batch)
{
    struct value *list = value_list(batch->arena);
    for (size_t i = 0; i < batch->count; i++)
        value_push(batch->arena, list, document_value(batch->arena, sending, &batch->items[i]));
    return json_text(batch->arena, value_wrap(batch->arena, "documents", list));
}

static void take_row(struct ingest_report *report, const struct value *row)
{
    const char *status = value_text(row, "status");
    bool unchanged = status && strcmp(status, "unchanged") == 0;
    report->unchanged += unchanged;
    report->stored += !unchanged;
    report->passages += unchanged ? 0 : value_int_at(row, "passages", 0);
    report->embedded += value_int_at(row, "embedded", 0);
    if (report->rows)
        value_push(report->arena, report->rows, value_copy(report->arena, row));
}

static void keep_sum(struct ingest_report *report, const struct ingest_item *item)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (!report->sums)
        return;
    require(EVP_Digest(item->text, item->length, sum, &length, EVP_sha256(), NULL) == 1);
    map_put(report->sums, arena_strdup(report->arena, item->id),
            (void *)(uintptr_t)hex_text(report->arena, sum, length));
}

static int take_reply(struct sending *sending, const struct batch *batch, const struct value *reply,
                      struct error *error)
{
    const struct value *rows = value_get(reply, "documents");
    struct value *row;
    if (value_count(rows) != batch->count)
        return error_set(error, ERR_FAILED,
                         "%s is no API of ragstack: it does not say what became of %zu documents",
                         sending->options->api->url, batch->count);
    value_each(row, rows) take_row(sending->report, row);
    sending->report->usd += value_as_real(value_at(reply, "usage.usd"), 0);
    for (size_t i = 0; i < batch->count; i++) {
        sending->report->weight += batch->items[i].weight;
        keep_sum(sending->report, &batch->items[i]);
    }
    return 0;
}

static void fail_batch(struct sending *sending, const struct batch *batch, const char *why)
{
    for (size_t i = 0; i < batch->count; i++) {
        ingest_fail(sending->report, batch->items[i].id, why);
        sending->report->weight += batch->items[i].weight;
    }
}

/* -- sending it -- */

static int post(struct task *task, const struct sending *sending, const struct batch *batch,
                const char *body, struct value **reply, int *wait_s, struct error *error)
{
    const struct api_request request = {.method = "POST",
                                        .path = "/documents",
                                        .body = body,
                                        .body_length = strlen(body),
                                        .timeout_ms = sending->options->timeout_ms};
    return api_call(task, sending->options->api, batch->arena, &request, reply, wait_s, error);
}

/* Nobody answers, nobody may, or the whole stack is in another state. */
static bool is_about_all(int result, const struct error *error)
{
    int status = error->http_status;
    return result == ERR_CANCELLED || status == 0 || status == 401 || status == 403 ||
           status == 404 || status == 409;
}

/* Repeating is safe: what is stored already is found unchanged. */
static bool may_repeat(int result, const struct error *error, int tries)
{
    if (result == ERR_CANCELLED)
        return false;
    if (result == ERR_THROTTLED)
        return tries < THROTTLED_TRIES;
    return (error->http_status == 0 || error->http_status >= 500) && tries < TRIES;
}

static int send_patiently(struct task *task, struct sending *sending, const struct batch *batch,
                          const char *body, struct value **reply, struct error *error)
{
    for (int tries = 1;; tries++) {
        int wait_s = 0;
        error_clear(error);
        int result = post(task, sending, batch, body, reply, &wait_s, error);
        if (result == 0 || !may_repeat(result, error, tries))
            return result;
        int pause_s = 1 << (tries < 5 ? tries - 1 : 4);
        pause_s = result == ERR_THROTTLED && wait_s > pause_s ? wait_s : pause_s;
        struct error cancelled = {0};
        if (task_sleep(task, (pause_s > LONGEST_PAUSE_S ? LONGEST_PAUSE_S : pause_s) * 1000L,
                       &cancelled) < 0) {
            *error = cancelled;
            return ERR_CANCELLED;
        }
    }
}

static int send_batch(struct task *task, struct sending *sending, const struct batch *batch,
                      struct error *error);

/* One that is refused must not keep the others back. */
static int send_singly(struct task *task, struct sending *sending, const struct batch *batch,
                       struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < batch->count && result == 0; i++) {
        struct batch one = {.arena = batch->arena, .items = {batch->items[i]}, .count = 1};
        result = send_batch(task, sending, &one, error);
    }
    return result;
}

static int send_batch(struct task *task, struct sending *sending, const struct batch *batch,
                      struct error *error)
{
    struct value *reply = NULL;
    struct error why = {0};
    const char *body = body_of(sending, batch);
    if (strlen(body) > BODY_MAXIMUM && batch->count > 1)
        return send_singly(task, sending, batch, error);
    if (strlen(body) > BODY_MAXIMUM) {
        fail_batch(sending, batch,
                   batch->items[0].given
                       ? "its text and vectors are larger than 5 MB: bring it without --embedding"
                       : "its text is larger than 5 MB: split it");
        return 0;
    }
    int result = send_patiently(task, sending, batch, body, &reply, &why);
    if (result == 0)
        result = take_reply(sending, batch, reply, &why);
    if (result == 0) {
        sending->failed_in_a_row = 0;
        return 0;
    }
    if (result == ERR_INPUT && batch->count > 1)
        return send_singly(task, sending, batch, error);
    if (result != ERR_INPUT)
        sending->failed_in_a_row++;
    if (is_about_all(result, &why) || sending->failed_in_a_row >= FAILURES_IN_A_ROW) {
        *error = why;
        return result;
    }
    fail_batch(sending, batch, why.message);
    return 0;
}

/* -- filling it -- */

static const char *fault_of(const struct ingest_item *item)
{
    if (!*item->id || strlen(item->id) > ID_MAXIMUM)
        return "its id is empty, or longer than 1,024 bytes";
    if (memchr(item->text, '\0', item->length))
        return "its text holds NUL bytes";
    return NULL;
}

static int fill(struct task *task, struct sending *sending, struct batch *batch,
                struct error *error)
{
    struct ingest_source *source = sending->source;
    while (batch->count < BATCH_DOCUMENTS && batch->bytes < BATCH_BYTES) {
        struct ingest_item *item = &batch->items[batch->count];
        struct error why = {0};
        int next = source->next(task, source, batch->arena, item, &why);
        if (next == INGEST_END)
            return 0;
        if (next < 0) {
            *error = why;
            return next;
        }
        const char *fault = next == INGEST_UNREADABLE ? why.message : fault_of(item);
        if (fault) {
            ingest_fail(sending->report, item->id, fault);
            sending->report->weight += item->weight;
            continue;
        }
        batch->bytes += item->length;
        batch->count++;
    }
    return 0;
}

static int work(struct task *task, void *argument, struct error *error)
{
    struct sending *sending = *(struct sending **)argument;
    int result = 0;
    bool more = true;
    while (result == 0 && more && !sending->stopped) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct batch batch = {.arena = arena};
        result = fill(task, sending, &batch, error);
        more = batch.count > 0;
        if (result == 0 && more)
            result = send_batch(task, sending, &batch, error);
    }
    if (result < 0)
        sending->stopped = true;
    return result;
}

int ingest_send(struct task *task, const struct ingest_options *options,
                struct ingest_source *source, struct ingest_report *report, struct error *error)
{
    struct sending sending = {options, source, report, 0, false};
    struct sending **all = arena_array(report->arena, (size_t)options->at_once, sizeof *all);
    for (int i = 0; i < options->at_once; i++)
        all[i] = &sending;
    return task_each(task, "ingest", work, all, sizeof *all, (size_t)options->at_once, 0, error);
}

/* -- what is there -- */

int ingest_list(struct task *task, const struct api *api, bool summed,
                int (*each)(void *data, const struct value *document), void *data,
                struct error *error)
{
    const char *after = "";
    CLEANUP(arena_freep) struct arena *last = arena_new(); /* holds `after` */
    while (after) {
        struct arena *arena = arena_new();
        struct value *reply = NULL, *document;
        struct api_request request = {.method = "GET", .path = "/documents"};
        request.query = arena_printf(arena, "limit=%d%s%s", summed ? STORE_LIST_SUMMED : LIST_LIMIT,
                                     *after ? "&after=" : "", http_encode(arena, after, false));
        int result = api_call(task, api, arena, &request, &reply, NULL, error);
        value_each(document, value_get(reply, "documents"))
        {
            if (result == 0)
                result = each(data, document);
        }
        after = value_text(reply, "next");
        arena_free(last);
        last = arena;
        if (result < 0)
            return result;
    }
    return 0;
}

int ingest_delete(struct task *task, const struct api *api, const char *id, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *reply;
    const struct api_request request = {
        .method = "DELETE",
        .path = arena_printf(arena, "/documents/%s", http_encode(arena, id, false))};
    int result = api_call(task, api, arena, &request, &reply, NULL, error);
    if (result != ERR_NOT_FOUND)
        return result;
    error_clear(error); /* somebody else was quicker */
    return 0;
}
