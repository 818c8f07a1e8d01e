/* The container's credential endpoint: ECS, EKS Pod Identity, CloudShell, Greengrass.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "pkg/aws/source.h"

enum { ATTEMPTS = 3, TIMEOUT_MS = 5000, REPLY_MAXIMUM_BYTES = 64 << 10 };

/* -- where a token may be sent -- */

static bool is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* Without TLS: this machine, and the link-local addresses of ECS and EKS. */
static bool is_allowed_host(const char *host)
{
    static const char *const allowed[] = {"localhost", "169.254.170.2", "169.254.170.23",
                                          "fd00:ec2::23"};
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (strcasecmp(host, allowed[i]) == 0)
            return true;
    }
    return is_loopback(host);
}

/* Taken apart by the library that sends the request, so that both see the same host. */
static bool is_allowed_url(struct arena *arena, const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    bool allowed = false;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        size_t length = strlen(host);
        bool bracketed = host[0] == '[' && host[length - 1] == ']';
        const char *name = bracketed ? arena_strndup(arena, host + 1, length - 2) : host;
        allowed =
            strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_allowed_host(name));
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return allowed;
}

/* -- the request -- */

/* *token stays NULL when none is wanted. */
static int read_token(const struct search *search, const char **token, struct error *error)
{
    const char *path = search_env(search, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    char *text;
    size_t length;
    *token = search_env(search, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (path) {
        int result =
            credential_read_file(search->arena, path, REPLY_MAXIMUM_BYTES, &text, &length, error);
        if (result < 0)
            return error_wrap(error, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        text[strcspn(text, "\r\n")] = '\0';
        *token = text;
    }
    if (*token && !header_safe(*token))
        return error_set(error, ERR_FAILED,
                         "the container's authorization token holds control characters");
    return 0;
}

static int find_url(struct search *search, const char **url, struct error *error)
{
    const char *relative = search_env(search, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = search_env(search, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) {
        search_note(search, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
        return SOURCE_EMPTY;
    }
    *url = relative ? arena_printf(search->arena, "http://169.254.170.2%s%s",
                                   relative[0] == '/' ? "" : "/", relative)
                    : full;
    if (!is_allowed_url(search->arena, *url))
        return error_set(error, ERR_FAILED,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or on this machine, or "
                         "an address of ECS or EKS: nothing was sent to it");
    return 0;
}

static int take_reply(const struct search *search, const struct http_reply *reply,
                      struct credentials *out, struct error *error)
{
    struct value *tree;
    if (reply->status != 200)
        return error_set(error, ERR_FAILED,
                         "the container's credential endpoint answers with HTTP %d", reply->status);
    int result = search_json(search, reply->body, reply->body_length,
                             "the container's credential endpoint", &tree, error);
    return result < 0
               ? result
               : search_keys(tree, "Token", "the container's credential endpoint", out, error);
}

int source_container(struct task *task, struct search *search, struct credentials *out,
                     struct error *error)
{
    const char *url, *token;
    struct http_reply reply;
    int result = find_url(search, &url, error);
    if (result == 0)
        result = read_token(search, &token, error);
    if (result != 0)
        return result;
    struct http_header headers[] = {{"Accept", "application/json"}, {"Authorization", token}};
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .headers = headers,
                                   .header_count = token ? 2 : 1,
                                   .connect_timeout_ms = TIMEOUT_MS,
                                   .timeout_ms = TIMEOUT_MS,
                                   .maximum_body_bytes = REPLY_MAXIMUM_BYTES};
    result = search_fetch(task, search, &request, ATTEMPTS, &reply, error);
    if (result < 0)
        return error_wrap(error, "cannot reach the container's credential endpoint");
    credentials_name(out, "container endpoint");
    return take_reply(search, &reply, out, error);
}
