/* A call, from parameters to reply: encode once; then pace, sign, send, and judge, until it is done
 * or repeating it does not help. */
#include "pkg/aws/call.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "pkg/aws/sigv4.h"
#include "pkg/base/log.h"
#include "pkg/base/panic.h"

enum {
    CALL_TIMEOUT_MS = 60000,
    SLOWEST_UPLOAD_BYTES_PER_MS = 50,
    MAXIMUM_RAW_BYTES = 256 << 20,
};

static int64_t now_ms(const struct aws_client *client)
{
    return client->options.clock->monotonic_ms(client->options.clock);
}

static int64_t wall_ms(const struct aws_client *client)
{
    return client->options.clock->wall_ms(client->options.clock);
}

static void random_bytes(unsigned char *out, int count)
{
    if (RAND_bytes(out, count) != 1)
        panic("there are no random numbers");
}

static double random_fraction(void)
{
    unsigned char bytes[4];
    random_bytes(bytes, sizeof bytes);
    uint32_t number =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return number / 4294967296.0;
}

/* -- preparing -- */

/* A random UUID. */
static const char *new_token(struct arena *arena)
{
    unsigned char b[16];
    random_bytes(b, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    return arena_printf(
        arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
        b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* The same for all repeats, so that AWS sees one and the same call. */
static const struct value *with_token(struct call *call, const struct value *parameters)
{
    const struct aws_operation *row = call->wire.row;
    if (!row || !row->token || value_get(parameters, row->token))
        return parameters;
    struct value *filled = value_map(call->arena);
    for (size_t i = 0; i < value_count(parameters); i++) {
        const struct value_entry *entry = value_entry(parameters, i);
        value_set(call->arena, filled, entry->key, entry->value);
    }
    return value_set_text(call->arena, filled, row->token, new_token(call->arena));
}

/* A repeat of such a call would fail by its own success. */
static bool has_condition(const struct value *parameters)
{
    return value_get(parameters, "IfMatch") || value_get(parameters, "IfNoneMatch") ||
           value_get(parameters, "RevisionId");
}

static void add_checksum(struct call *call)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    enum { BASE64_BYTES = 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1 };
    unsigned char *text = arena_alloc(call->arena, BASE64_BYTES);
    struct wire_request *request = &call->request;
    const char *body = request->body ? request->body : "";
    SHA256((const unsigned char *)body, request->body_length, digest);
    EVP_EncodeBlock(text, digest, sizeof digest);
    wire_add_header(call->arena, request, "x-amz-sdk-checksum-algorithm", "SHA256");
    wire_add_header(call->arena, request, "x-amz-checksum-sha256", (const char *)text);
}

static int prepare(struct call *call, const struct value *parameters, struct error *error)
{
    const struct aws_service *service = call->wire.service;
    struct aws_client *client = call->client;
    bool s3 = service->protocol == AWS_REST_XML;
    int result = endpoint_resolve(call->arena, service, client->options.region,
                                  s3 ? value_text(parameters, "Bucket") : NULL,
                                  client->options.getenv, &call->endpoint, error);
    if (result)
        return result;
    call->wire.bucket_in_host = call->endpoint.bucket_in_host;
    call->reads = aws_operation_reads(service, call->wire.operation);
    call->repeatable = aws_operation_repeats(service, call->wire.operation) &&
                       (call->reads || !has_condition(parameters));
    call->retry = retry_begin(&client->budget, client->options.patience_s * (int64_t)1000);
    result =
        wire_encode(call->arena, &call->wire, with_token(call, parameters), &call->request, error);
    if (result == 0 && call->wire.row && call->wire.row->checksum)
        add_checksum(call);
    return result;
}

/* -- one attempt -- */

static struct pace *pace_of(struct call *call)
{
    struct aws_client *client = call->client;
    const struct aws_service *service = call->wire.service;
    struct service_pace *pace = NULL;
    for (size_t i = 0; i < client->paces.count && !pace; i++)
        if (client->paces.items[i]->service == service)
            pace = client->paces.items[i];
    if (!pace) {
        pace = arena_new_of(client->arena, struct service_pace);
        pace->service = service;
        pace->writes = (struct pace){.calls_per_s = service->calls_per_s, .burst = service->burst};
        pace->reads =
            (struct pace){.calls_per_s = service->calls_per_s * 4, .burst = service->burst * 2};
        vector_push(client->arena, &client->paces, pace);
    }
    return call->reads && !service->one_bucket ? &pace->reads : &pace->writes;
}

static int wait_for_pace(struct call *call, struct error *error)
{
    int64_t wait = pace_take_ms(pace_of(call), now_ms(call->client));
    if (wait == 0)
        return 0;
    call->client->statistics.paced_ms += wait;
    log_trace("aws: %s %s waits %lld ms for its turn", call->wire.service->id, call->wire.operation,
              (long long)wait);
    return task_sleep(call->task, wait, error);
}

/* That there are no credentials must not look as if a resource were not there. */
static int get_credentials(struct call *call, struct credentials *out, struct error *error)
{
    int result = credential_provider_get(call->task, call->client->options.credentials, out, error);
    if (result == ERR_NOT_FOUND)
        result = error->code = ERR_DENIED;
    return result;
}

/* `arena` holds the signature and, maybe, a session token. */
static int sign(struct call *call, struct arena *arena, struct sigv4_result *out,
                struct error *error)
{
    struct credentials credentials = {0};
    int result = get_credentials(call, &credentials, error);
    if (result)
        return result;
    bool s3 = call->wire.service->protocol == AWS_REST_XML;
    struct wire_request request = call->request;
    request.headers = arena_array(arena, request.header_count + 1, sizeof *request.headers);
    for (size_t i = 0; i < request.header_count; i++)
        request.headers[i] = call->request.headers[i];
    request.headers[request.header_count++] = (struct http_header){"Host", call->endpoint.host};
    const struct sigv4_request to_sign = {
        .method = request.method,
        .path = arena_printf(arena, "%s%s", call->endpoint.path, request.path),
        .query = request.query,
        .headers = request.headers,
        .header_count = request.header_count,
        .body = request.body,
        .body_length = request.body_length,
        .service = call->wire.service->signing_name,
        .region = call->endpoint.signing_region,
        .credentials = &credentials,
        .wall_ms = wall_ms(call->client) + call->client->clock_offset_ms,
        .encode_path_twice = !s3,
        .normalize_path = !s3,
        .content_sha256 = s3,
    };
    sigv4_sign_headers(arena, &to_sign, out);
    snprintf(call->credential_source, sizeof call->credential_source, "%s", credentials.source);
    credentials_clear(&credentials);
    return 0;
}

static int timeout_ms(const struct call *call)
{
    const struct aws_operation *row = call->wire.row;
    size_t upload_ms = call->request.body_length / SLOWEST_UPLOAD_BYTES_PER_MS;
    return (row && row->timeout_s ? row->timeout_s * 1000 : CALL_TIMEOUT_MS) + (int)upload_ms;
}

static void count(struct call *call)
{
    struct aws_statistics *statistics = &call->client->statistics;
    statistics->requests++;
    statistics->reads += call->reads;
    statistics->writes += !call->reads;
    statistics->retries += call->attempts > 1;
}

/* Never more than this: headers and bodies may hold secrets. */
static void trace(const struct call *call, int64_t began_ms, int result,
                  const struct http_reply *reply)
{
    const char *id = result ? "" : failure_request_id(reply);
    log_trace("aws: %s %s: %s %d, %lld ms, attempt %d%s%s", call->wire.service->id,
              call->wire.operation, result ? "no reply, error" : "status",
              result ? result : reply->status, (long long)(now_ms(call->client) - began_ms),
              call->attempts, *id ? ", request " : "", id);
}

/* Sends it once. The reply is in `arena`. */
static int send_once(struct call *call, struct arena *arena, struct http_reply *reply,
                     bool *was_sent, struct error *error)
{
    struct aws_client *client = call->client;
    struct sigv4_result signature;
    *was_sent = false;
    int result = wait_for_pace(call, error);
    if (result == 0)
        result = sign(call, arena, &signature, error);
    if (result == 0 && !call->reads && client->guard)
        result = client->guard(client->guard_data, error);
    if (result)
        return result;
    const struct wire_request *wire = &call->request;
    const struct http_request request = {
        .method = wire->method,
        .url = arena_printf(arena, "%s%s%s%s", call->endpoint.base, wire->path,
                            wire->query ? "?" : "", wire->query ? wire->query : ""),
        .headers = signature.headers,
        .header_count = signature.header_count,
        .body = wire->body,
        .body_length = wire->body_length,
        .timeout_ms = timeout_ms(call),
        .maximum_body_bytes = call->wire.row && call->wire.row->body_is_raw ? MAXIMUM_RAW_BYTES : 0,
    };
    *was_sent = true;
    call->attempts++;
    count(call);
    int64_t began_ms = now_ms(client);
    result = http_perform(client->options.transport, call->task, arena, &request, reply, error);
    trace(call, began_ms, result, reply);
    return result;
}

/* -- judging it -- */

/* What an attempt came to. */
struct outcome {
    int result;             /* 0: a reply; else the error's code */
    bool was_sent;          /* false: the result is final */
    struct http_reply http; /* in the attempt's arena */
    struct value *value;    /* in the caller's arena */
    bool failed;            /* AWS says no */
    struct failure failure;
};

/* A reply that cannot be read is as good as lost. */
static void read_reply(struct call *call, struct arena *arena, struct outcome *outcome,
                       struct error *error)
{
    const struct http_reply *reply = &outcome->http;
    outcome->failed = reply->status < 200 || reply->status >= 300;
    if (!outcome->failed) {
        int result = wire_decode(call->reply_arena, &call->wire, reply, &outcome->value, error);
        if (result == ERR_INPUT) {
            outcome->result = error->code = ERR_LOST_REPLY;
            error->http_status = reply->status;
            return;
        }
        outcome->failed = result != 0;
    }
    if (outcome->failed)
        failure_read(arena, &call->wire, reply, &outcome->failure);
    else
        outcome->failed =
            failure_in_success(arena, &call->wire, reply, outcome->value, &outcome->failure);
}

static enum retry_cause cause_of(const struct call *call, const struct outcome *outcome)
{
    if (!outcome->was_sent)
        return RETRY_FINAL;
    if (outcome->failed)
        return retry_cause_of(&outcome->failure, call->repeatable);
    return retry_cause_of_transport(outcome->result, call->repeatable);
}

static bool put_clock_right(struct call *call, const struct failure *failure)
{
    struct aws_client *client = call->client;
    if (call->retry.clock_set ||
        !retry_clock_offset(failure, wall_ms(client), client->clock_offset_ms,
                            &client->clock_offset_ms))
        return false;
    call->retry.clock_set = true;
    log_debug("aws: this machine's clock is off by %lld s; signing by AWS's clock",
              (long long)client->clock_offset_ms / 1000);
    return true;
}

static bool renew_credentials(struct call *call, const struct failure *failure)
{
    if (call->retry.credentials_renewed || !failure_is_expiry(failure))
        return false;
    call->retry.credentials_renewed = true;
    credential_provider_invalidate(call->client->options.credentials);
    return true;
}

enum verdict { VERDICT_AGAIN, VERDICT_OVER, VERDICT_CANCELLED };

/* Waits until it may be tried again, if it may. */
static enum verdict wait_to_repeat(struct call *call, enum retry_cause cause,
                                   const struct outcome *outcome, struct error *error)
{
    struct aws_client *client = call->client;
    if (cause == RETRY_THROTTLED) {
        client->statistics.throttles++;
        pace_empty(pace_of(call), now_ms(client));
    }
    int64_t hint = outcome->result ? 0 : retry_hint_ms(&outcome->http, wall_ms(client));
    int64_t delay = retry_delay_ms(&call->retry, cause, now_ms(client), hint, random_fraction());
    if (delay < 0)
        return VERDICT_OVER;
    log_trace("aws: %s %s is tried again in %lld ms: %s", call->wire.service->id,
              call->wire.operation, (long long)delay,
              outcome->failed ? outcome->failure.code : "no reply");
    return task_sleep(call->task, delay, error) ? VERDICT_CANCELLED : VERDICT_AGAIN;
}

static enum verdict judge(struct call *call, enum retry_cause cause, const struct outcome *outcome,
                          struct error *error)
{
    if (cause == RETRY_CLOCK && put_clock_right(call, &outcome->failure))
        return VERDICT_AGAIN;
    if ((cause == RETRY_CLOCK || cause == RETRY_EXPIRED) &&
        renew_credentials(call, &outcome->failure))
        return VERDICT_AGAIN;
    return wait_to_repeat(call, cause, outcome, error);
}

/* -- the end of it -- */

static void keep_reply(struct call *call, const struct outcome *outcome)
{
    const struct http_reply *http = &outcome->http;
    struct arena *arena = call->reply_arena;
    call->value = outcome->value;
    if (!call->http)
        return;
    *call->http = *http;
    call->http->body = arena_strndup(arena, http->body, http->body_length);
    call->http->headers = arena_array(arena, http->header_count, sizeof *http->headers);
    for (size_t i = 0; i < http->header_count; i++)
        call->http->headers[i] = (struct http_header){arena_strdup(arena, http->headers[i].name),
                                                      arena_strdup(arena, http->headers[i].value)};
}

/* The error's code is about the caller's next step: look whether a changing call took effect, or
 * not; for a call that only reads there is nothing to look for. */
static int give_up(struct call *call, enum retry_cause cause, const struct outcome *outcome,
                   struct error *error)
{
    int result = outcome->result;
    if (outcome->failed)
        result = failure_to_error(&call->wire, &outcome->failure, error);
    else if (outcome->was_sent && result != ERR_CANCELLED)
        error_wrap(error, "%s %s", call->wire.service->id, call->wire.operation);
    if (outcome->failed && result == ERR_DENIED)
        error_wrap(error, "with the credentials from %s", call->credential_source);
    if (cause == RETRY_LOST) {
        error_wrap(error, "it may or may not have happened");
        result = ERR_LOST_REPLY;
    } else if (result == ERR_LOST_REPLY && call->reads) {
        result = ERR_FAILED;
    }
    error->code = result;
    return result;
}

/* One attempt and what follows from it: true when the call is over, with its result. */
static bool attempt(struct call *call, int *result, struct error *error)
{
    CLEANUP(arena_erasep) struct arena *arena = arena_new();
    struct outcome outcome = {0};
    outcome.result = send_once(call, arena, &outcome.http, &outcome.was_sent, error);
    if (outcome.result == 0)
        read_reply(call, arena, &outcome, error);
    if (outcome.result == 0 && !outcome.failed) {
        retry_succeeded(&call->retry);
        keep_reply(call, &outcome);
        *result = 0;
        return true;
    }
    enum retry_cause cause = cause_of(call, &outcome);
    enum verdict verdict = judge(call, cause, &outcome, error);
    if (verdict == VERDICT_AGAIN)
        return false;
    *result = verdict == VERDICT_CANCELLED ? ERR_CANCELLED : give_up(call, cause, &outcome, error);
    return true;
}

int call_run(struct call *call, const struct value *parameters, struct error *error)
{
    int result = prepare(call, parameters, error);
    if (result)
        return result;
    while (!attempt(call, &result, error))
        ;
    return result;
}
