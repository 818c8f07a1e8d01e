/* One request: its settings, what libcurl calls back, and what became of it. */
#include <ctype.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/http/internal.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 60000,
    HEAD_BYTES = 256 << 10,
    BODY_BYTES = 16 << 20,
    PIECE_BYTES = 256 << 10, /* kept for a slow reader before the network has to wait */
};

static size_t body_maximum(const struct http_request *request)
{
    return request->maximum_body_bytes ? request->maximum_body_bytes : BODY_BYTES;
}

/* -- what libcurl calls -- */

/* Called right before the request is sent, and again before it is sent anew on a fresh connection:
 * what may have reached the server and could have an effect is not sent twice. */
static int before_sending(void *data, char *own_address, char *peer, int own_port, int peer_port)
{
    struct call *call = data;
    const char *method = call->request->method;
    bool harmless = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    (void)own_address, (void)peer, (void)own_port, (void)peer_port;
    if (call->sent && !harmless)
        return CURL_PREREQFUNC_ABORT;
    call->sent = true;
    return CURL_PREREQFUNC_OK;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *data)
{
    struct call *call = data;
    size_t length = size * count;
    if (length > 5 && strncmp(bytes, "HTTP/", 5) == 0) {
        buffer_reset(&call->head); /* an interim reply came before */
        call->head_complete = false;
    }
    call->head_complete = call->head_complete || bytes[0] == '\r' || bytes[0] == '\n';
    buffer_append(&call->head, bytes, length);
    return call->head.overflow ? 0 : length;
}

static bool passes_on(const struct call *call)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    return call->request->on_data && status < 400;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct call *call = data;
    size_t length = size * count;
    bool streamed = passes_on(call);
    if (streamed && call->blocking) {
        call->stopped = call->request->on_data(call->request->data, bytes, length) != 0;
        return call->stopped ? 0 : length;
    }
    if (streamed && call->body.length && call->body.length + length > PIECE_BYTES) {
        call->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buffer_append(&call->body, bytes, length);
    if (streamed)
        signal_all(&call->progressed);
    return call->body.overflow ? 0 : length;
}

/* -- before -- */

static int add_header(struct call *call, const char *name, const char *value, struct error *error)
{
    char line[8192];
    if (strpbrk(name, "\r\n:") || strpbrk(value, "\r\n"))
        return error_set(error, ERR_FAILED, "the header \"%.60s\" holds a line break or a colon",
                         name);
    /* libcurl's spelling of a header without a value has a semicolon. */
    int length = snprintf(line, sizeof line, value[0] ? "%s: %s" : "%s;", name, value);
    if (length >= (int)sizeof line)
        return error_set(error, ERR_FAILED, "the header \"%.60s\" is longer than %zu bytes", name,
                         sizeof line);
    call->headers = curl_slist_append(call->headers, line);
    return 0;
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static int set_headers(struct call *call, struct error *error)
{
    const struct http_request *request = call->request;
    int result = 0;
    for (size_t i = 0; result == 0 && i < request->header_count; i++)
        result = add_header(call, request->headers[i].name, request->headers[i].value, error);
    /* What libcurl would add by itself, and nobody asked for. */
    static const char *const unwanted[] = {"Expect", "Content-Type"};
    for (size_t i = 0; i < COUNT_OF(unwanted); i++) {
        char line[32];
        snprintf(line, sizeof line, "%s:", unwanted[i]);
        if (!has_header(request, unwanted[i]))
            call->headers = curl_slist_append(call->headers, line);
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    return result;
}

static void set_method(struct call *call)
{
    const struct http_request *request = call->request;
    const char *method = request->method;
    bool sends = request->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                 strcmp(method, "PATCH") == 0;
    if (sends) {
        curl_easy_setopt(call->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)(request->body ? request->body_length : 0));
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, sends ? "POST" : "GET") != 0)
        curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_limits(struct call *call)
{
    const struct http_request *request = call->request;
    long connect_ms =
        request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    long timeout_ms = request->timeout_ms ? request->timeout_ms : TIMEOUT_MS;
    curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, timeout_ms < 0 ? 0 : timeout_ms);
    call->head = BUFFER(HEAD_BYTES);
    call->body = BUFFER(body_maximum(request));
    if (request->on_data && call->body.maximum < PIECE_BYTES)
        call->body.maximum = PIECE_BYTES;
}

int call_begin(struct call *call, CURL *easy, const struct http_request *request,
               struct error *error)
{
    call->request = request;
    call->easy = easy;
    set_limits(call);
    set_method(call);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (url_is_near(request->url))
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error_text);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_sending);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    return set_headers(call, error);
}

/* -- meanwhile -- */

static int stopped(struct error *error)
{
    return error_set(error, ERR_CANCELLED, "the reader of the reply wanted no more");
}

int call_deliver(struct call *call, struct error *error)
{
    while (passes_on(call) && call->body.length) {
        struct buffer piece = call->body; /* more may come while it is read */
        call->body = BUFFER(piece.maximum);
        int wanted = call->request->on_data(call->request->data, piece.data, piece.length);
        buffer_free(&piece);
        if (wanted != 0)
            return stopped(error);
        if (call->paused) {
            call->paused = false;
            curl_easy_pause(call->easy, CURLPAUSE_CONT);
        }
    }
    return 0;
}

/* -- after -- */

static void take_line(struct arena *arena, const char *line, size_t length, struct http_header *out)
{
    const char *colon = memchr(line, ':', length);
    if (!colon)
        return;
    char *name = arena_strndup(arena, line, (size_t)(colon - line));
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    const char *value = colon + 1, *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    *out = (struct http_header){name, arena_strndup(arena, value, (size_t)(end - value))};
}

static void take_headers(struct arena *arena, const struct call *call, struct http_reply *reply)
{
    VECTOR(struct http_header) headers = {0};
    const char *line = buffer_string(&call->head), *end = line + call->head.length;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((newline ? newline : end) - line);
        struct http_header header = {0};
        if (strncmp(line, "HTTP/", 5) != 0)
            take_line(arena, line, length, &header);
        if (header.name)
            vector_push(arena, &headers, header);
        line += length + 1;
    }
    reply->headers = headers.items;
    reply->header_count = headers.count;
}

static const char *advice(CURLcode outcome)
{
    switch (outcome) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "; is the network up, and the region right?";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "; look at https_proxy and http_proxy in the environment";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return "; AWS_CA_BUNDLE names a file with the certificates to trust";
    default:
        return "";
    }
}

static int fail(const struct call *call, struct error *error)
{
    const struct http_request *request = call->request;
    int code = call->sent ? ERR_LOST_REPLY : ERR_FAILED;
    char text[160];
    const char *why = call->error_text[0] ? call->error_text : curl_easy_strerror(call->outcome);
    if (call->body.overflow || call->head.overflow) {
        snprintf(text, sizeof text, "the reply is larger than %zu bytes",
                 call->body.overflow ? call->body.maximum : call->head.maximum);
        why = text;
    } else if (call->outcome == CURLE_ABORTED_BY_CALLBACK) {
        why = "the connection broke before any reply came";
    } else if (call->outcome == CURLE_OK) {
        why = "the reply ended within its headers";
    }
    return error_set(error, code, "%s %.*s: %s%s", request->method, url_shown_length(request->url),
                     request->url, why, advice(call->outcome));
}

int call_finish(struct call *call, struct arena *arena, struct http_reply *reply,
                struct error *error)
{
    if (call->stopped)
        return stopped(error);
    if (call->outcome != CURLE_OK || !call->head_complete)
        return fail(call, error);
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    reply->body_length = call->body.length;
    reply->body = arena_strndup(arena, buffer_string(&call->body), call->body.length);
    take_headers(arena, call, reply);
    return 0;
}

void call_end(struct call *call)
{
    curl_slist_free_all(call->headers);
    buffer_free(&call->head);
    buffer_free(&call->body);
}
