#include "cmd/ragstack/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/sigv4.h"
#include "pkg/cloud/types.h"
#include "pkg/local/types.h"
#include "pkg/value/json.h"

enum { CALL_TIMEOUT_MS = 40000, RETRY_AFTER_S = 5, LONGEST_RETRY_AFTER_S = 120 };

/* -- where -- */

/* Only the API is looked for. */
static int look_for_it(struct task *task, struct session *session, bool local, const char **url,
                       struct error *error)
{
    const struct resource_type *const only[] = {local ? &local_gateway : &apigateway_api, NULL};
    struct found_list found = {0};
    int result = session_expand(session, error);
    if (result < 0)
        return result;
    struct target narrow = *session->target;
    narrow.types = only;
    result = observe_all(task, session->arena, &narrow, &session->wanted, &found, error);
    for (size_t i = 0; result == 0 && i < found.count && !*url; i++) {
        if (!found.items[i].foreign)
            *url = value_text(found.items[i].props, "url");
    }
    if (result == 0 && !*url)
        return error_set(error, ERR_NOT_FOUND, "%s has no API yet; `ragstack up%s` makes it",
                         session->stack->name, local ? " --local" : "");
    return result;
}

static int check_url(struct session *session, const char **url, struct error *error)
{
    size_t length = strlen(*url);
    if (strncmp(*url, "https://", 8) != 0 && strncmp(*url, "http://", 7) != 0)
        return error_set(error, ERR_USAGE, "--api: \"%s\" is no URL; say https://...", *url);
    if (strpbrk(*url, "?# "))
        return error_set(error, ERR_USAGE, "--api: \"%s\": an address without ? and #", *url);
    while (length && (*url)[length - 1] == '/')
        length--;
    *url = arena_strndup(session->arena, *url, length);
    return 0;
}

static int choose_auth(const struct session *session, bool local, enum api_auth *out,
                       struct error *error)
{
    const char *said = value_text_at(session->stack->tree, "api.auth"), *token;
    *out = API_OPEN;
    if (local || !said || strcmp(said, "none") == 0)
        return 0;
    *out = strcmp(said, "jwt") == 0 ? API_BEARER : API_SIGNED;
    token = getenv("RAGSTACK_TOKEN");
    if (*out == API_BEARER && !(token && *token))
        return error_set(error, ERR_USAGE,
                         "the API wants a token (api.auth: jwt): set RAGSTACK_TOKEN to one of your "
                         "identity provider");
    return 0;
}

int api_at(struct session *session, const char *url, struct api *out, struct error *error)
{
    const char *said = option_text(&session->options, "api");
    url = said ? said : url;
    *out = (struct api){.region = session->stack->region,
                        .transport = session->transport,
                        .credentials = session->credentials};
    int result = choose_auth(session, option_said(&session->options, "local"), &out->auth, error);
    if (result == 0)
        result = check_url(session, &url, error);
    out->url = url;
    return result;
}

int api_open(struct task *task, struct session *session, struct api *out, struct error *error)
{
    bool local = option_said(&session->options, "local");
    const char *url = option_text(&session->options, "api");
    int result = choose_auth(session, local, &out->auth, error); /* before anything is asked */
    if (result == 0 && !url)
        result = look_for_it(task, session, local, &url, error);
    return result < 0 ? result : api_at(session, url, out, error);
}

/* -- calling -- */

/* "https://host:port/v1" is host:port and /v1. */
static const char *split_url(struct arena *arena, const char *url, const char **base_path)
{
    const char *host = strstr(url, "://") + 3, *slash = strchr(host, '/');
    *base_path = slash ? slash : "";
    return arena_strndup(arena, host, slash ? (size_t)(slash - host) : strlen(host));
}

static int sign(struct task *task, const struct api *api, struct arena *arena,
                const struct api_request *request, struct http_request *http, struct error *error)
{
    struct credentials credentials = {0};
    struct sigv4_result signature;
    const char *base_path, *host = split_url(arena, api->url, &base_path);
    int result = credential_provider_get(task, api->credentials, &credentials, error);
    if (result < 0)
        return result;
    const struct http_header headers[] = {
        {"Host", host},
        {"Content-Type", request->content_type ? request->content_type : "application/json"}};
    const struct sigv4_request to_sign = {
        .method = request->method,
        .path = arena_printf(arena, "%s%s", base_path, request->path),
        .query = request->query,
        .headers = headers,
        .header_count = request->body ? 2 : 1,
        .body = request->body,
        .body_length = request->body_length,
        .service = "execute-api",
        .region = api->region,
        .credentials = &credentials,
        .wall_ms = task_wall_ms(task),
        .encode_path_twice = true,
        .normalize_path = true,
    };
    sigv4_sign_headers(arena, &to_sign, &signature);
    credentials_clear(&credentials);
    http->headers = signature.headers;
    http->header_count = signature.header_count;
    return 0;
}

static void set_headers(const struct api *api, struct arena *arena,
                        const struct api_request *request, struct http_request *http)
{
    struct http_header *headers = arena_array(arena, 2, sizeof *headers);
    if (request->body)
        headers[http->header_count++] = (struct http_header){
            "Content-Type", request->content_type ? request->content_type : "application/json"};
    if (api->auth == API_BEARER)
        headers[http->header_count++] = (struct http_header){
            "Authorization", arena_printf(arena, "Bearer %s", getenv("RAGSTACK_TOKEN"))};
    http->headers = headers;
}

int api_send(struct task *task, const struct api *api, struct arena *arena,
             const struct api_request *request, struct http_reply *reply, struct error *error)
{
    CLEANUP(arena_erasep) struct arena *own = arena_new(); /* a signature, maybe a token */
    struct http_request http = {
        .method = request->method,
        .url = arena_printf(own, "%s%s%s%s", api->url, request->path, request->query ? "?" : "",
                            request->query ? request->query : ""),
        .body = request->body,
        .body_length = request->body_length,
        .timeout_ms = request->timeout_ms ? request->timeout_ms : CALL_TIMEOUT_MS,
    };
    int result = 0;
    if (api->auth == API_SIGNED)
        result = sign(task, api, own, request, &http, error);
    else
        set_headers(api, own, request, &http);
    return result < 0 ? result : http_perform(api->transport, task, arena, &http, reply, error);
}

/* -- what it says -- */

static int code_of(int status)
{
    static const struct {
        int status, code;
    } table[] = {
        {400, ERR_INPUT}, {401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_NOT_FOUND},
        {413, ERR_INPUT}, {415, ERR_INPUT},  {422, ERR_INPUT},  {429, ERR_THROTTLED},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].status == status)
            return table[i].code;
    }
    return ERR_FAILED;
}

/* What helps, where the status alone tells it. */
static const char *advice(const struct api *api, int status)
{
    if (status == 429)
        return "; it has more questions than it may take: try again in a moment";
    if (status == 403 && api->auth == API_SIGNED)
        return "; your credentials need execute-api:Invoke on this API";
    if (status == 401 && api->auth == API_BEARER)
        return "; RAGSTACK_TOKEN has run out, or is of another issuer or audience";
    return status >= 500 ? "; `ragstack logs` says why" : "";
}

/* problem+json's detail (RFC 9457), or API Gateway's message. */
static const char *words_of(const struct value *body)
{
    static const char *const keys[] = {"detail", "title", "message", "Message"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (value_text(body, keys[i]))
            return value_text(body, keys[i]);
    }
    return "no reason given";
}

static int refuse(const struct api *api, const struct api_request *request,
                  const struct http_reply *reply, const struct value *body, int *retry_after_s,
                  struct error *error)
{
    const char *after = http_header(reply, "retry-after");
    const char *id = http_header(reply, "apigw-requestid");
    int seconds = after ? (int)strtol(after, NULL, 10) : RETRY_AFTER_S;
    if (retry_after_s)
        *retry_after_s = seconds < 1                       ? 1
                         : seconds > LONGEST_RETRY_AFTER_S ? LONGEST_RETRY_AFTER_S
                                                           : seconds;
    error_set(error, code_of(reply->status), "%s %s: the API answers %d: %s%s", request->method,
              request->path, reply->status, words_of(body), advice(api, reply->status));
    if (error) {
        error->http_status = reply->status;
        if (id)
            snprintf(error->request_id, sizeof error->request_id, "%s", id);
    }
    return code_of(reply->status);
}

int api_call(struct task *task, const struct api *api, struct arena *arena,
             const struct api_request *request, struct value **out, int *retry_after_s,
             struct error *error)
{
    struct http_reply reply;
    struct value *body = NULL;
    int result = api_send(task, api, arena, request, &reply, error);
    if (result < 0)
        return result;
    bool done = reply.status >= 200 && reply.status < 300;
    if (reply.body_length)
        result = json_parse(arena, reply.body, reply.body_length, "the API's reply", &body, error);
    if (!done)
        return refuse(api, request, &reply, body, retry_after_s, error);
    *out = body;
    if (result < 0)
        return error_set(error, ERR_FAILED,
                         "%s is no API of ragstack: it answers with what is no JSON", api->url);
    return 0;
}
