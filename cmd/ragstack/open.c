#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "cmd/ragstack/api.h"
#include "cmd/ragstack/template.h"
#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/serve/server.h"
#include "pkg/value/number.h"

enum { TOKEN_BYTES = 16, HIGHEST_PORT = 65535, FOR_EVER_MS = 3600000 };

static const struct option_row options[] = {
    {"port", 'p', "N", false, NULL, "listen on this port (default: any free one)"},
    {"browser", 'b', NULL, false, NULL, "open it in the browser of this desktop"},
    OPTION_API,
    {0},
};

/* What the server's threads share. */
struct site {
    struct api api;
    struct credential_provider *credentials; /* under the lock; NULL: the API wants none */
    pthread_mutex_t lock;
    char token[2 * TOKEN_BYTES + 1]; /* the first part of every path */
    int port;
};

/* -- who may -- */

/* Another page in the same browser can send requests here, and by DNS rebinding even read replies:
 * it knows no token, and its requests say another origin or host. */
static bool is_ours(const struct site *site, const struct request *request)
{
    const char *host = value_text(request->headers, "host");
    const char *origin = value_text(request->headers, "origin");
    const char *from = value_text(request->headers, "sec-fetch-site");
    const char *number = arena_printf(request->arena, "127.0.0.1:%d", site->port);
    const char *name = arena_printf(request->arena, "localhost:%d", site->port);
    if (!host || (strcmp(host, number) != 0 && strcmp(host, name) != 0))
        return false;
    if (origin && strcmp(origin, arena_printf(request->arena, "http://%s", host)) != 0)
        return false;
    return !from || strcmp(from, "same-origin") == 0 || strcmp(from, "none") == 0;
}

/* The path below the token: "/ask"; NULL without the token. */
static const char *path_below(const struct site *site, const struct request *request)
{
    size_t length = strlen(site->token);
    const char *path = request->path;
    if (strlen(path) < length + 2 || path[length + 1] != '/' ||
        CRYPTO_memcmp(path + 1, site->token, length) != 0)
        return NULL;
    return path + length + 1;
}

/* -- the page -- */

static void refuse(const struct request *request, struct reply *reply, int status,
                   const char *title, const char *detail)
{
    struct value *body = value_map(request->arena);
    value_set_text(request->arena, body, "type", "about:blank");
    value_set_text(request->arena, body, "title", title);
    value_set_int(request->arena, body, "status", status);
    value_set_text(request->arena, body, "detail", detail);
    reply_json(request, reply, status, body);
    reply->content_type = "application/problem+json";
}

static void add_headers(const struct request *request, struct reply *reply)
{
    static const struct http_header headers[] = {
        {"cache-control", "no-store"},
        {"content-security-policy", "frame-ancestors 'none'"},
        {"cross-origin-resource-policy", "same-origin"},
        {"referrer-policy", "no-referrer"},
        {"x-content-type-options", "nosniff"},
    };
    if (!reply->headers)
        reply->headers = value_map(request->arena);
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        value_set_text(request->arena, reply->headers, headers[i].name, headers[i].value);
}

static void give_page(struct reply *reply)
{
    reply->status = 200;
    reply->content_type = "text/html; charset=utf-8";
    reply->body = template_text("page.html");
    reply->body_length = strlen(reply->body);
}

/* -- forwarding -- */

static bool is_forwarded(const char *method, const char *path)
{
    static const struct {
        const char *method, *path;
        bool below; /* and what is below it */
    } routes[] = {
        {"POST", "/ask", false},      {"POST", "/documents", false},
        {"GET", "/documents", false}, {"DELETE", "/documents/", true},
        {"GET", "/health", false},
    };
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        size_t length = strlen(routes[i].path);
        if (strcmp(method, routes[i].method) == 0 && strncmp(path, routes[i].path, length) == 0 &&
            (path[length] == '\0' || routes[i].below))
            return true;
    }
    return false;
}

/* A provider of its own for the thread: the shared one is asked under the lock. */
static int lend_credentials(struct site *site, struct credential_provider **out,
                            struct error *error)
{
    struct credentials credentials = {0};
    *out = NULL;
    if (!site->credentials)
        return 0;
    pthread_mutex_lock(&site->lock);
    int result = credential_provider_get(NULL, site->credentials, &credentials, error);
    pthread_mutex_unlock(&site->lock);
    if (result == 0)
        *out = credential_provider_static(
            credentials.access_key_id, secret_reveal(&credentials.secret_access_key),
            secret_empty(&credentials.session_token) ? NULL
                                                     : secret_reveal(&credentials.session_token));
    credentials_clear(&credentials);
    return result;
}

static void take_reply(const struct request *request, const struct http_reply *from,
                       struct reply *reply)
{
    static const char *const kept[] = {"retry-after", "apigw-requestid"};
    reply->status = from->status;
    reply->content_type = http_header(from, "content-type");
    reply->body = from->body;
    reply->body_length = from->body_length;
    reply->headers = value_map(request->arena);
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        if (http_header(from, kept[i]))
            value_set_text(request->arena, reply->headers, kept[i], http_header(from, kept[i]));
    }
}

static int send_on(struct site *site, const struct request *request, const char *path,
                   struct http_reply *reply, struct error *error)
{
    struct api api = site->api;
    const struct api_request on = {
        .method = request->method,
        .path = path,
        .query = *request->query ? request->query : NULL,
        .body = request->body_length ? request->body : NULL,
        .body_length = request->body_length,
        .content_type = value_text(request->headers, "content-type"),
    };
    int result = lend_credentials(site, &api.credentials, error);
    if (result < 0)
        return result;
    api.transport =
        http_curl_new(NULL, &(struct http_curl_options){.ca_file = getenv("AWS_CA_BUNDLE")});
    result = api_send(NULL, &api, request->arena, &on, reply, error);
    http_close(api.transport);
    if (api.credentials)
        credential_provider_free(api.credentials);
    return result;
}

static void forward(struct site *site, const struct request *request, const char *path,
                    struct reply *reply)
{
    struct http_reply answer;
    struct error error = {0};
    if (send_on(site, request, path, &answer, &error) == 0)
        take_reply(request, &answer, reply);
    else
        refuse(request, reply, 502, "Bad Gateway", error.message);
}

static void serve(void *data, const struct request *request, struct reply *reply)
{
    struct site *site = data;
    const char *path = path_below(site, request);
    if (!is_ours(site, request))
        refuse(request, reply, 403, "Forbidden", "this is for the page of ragstack alone");
    else if (!path)
        refuse(request, reply, 403, "Forbidden",
               "open the whole address that `ragstack open` printed");
    else if (strcmp(request->method, "GET") == 0 && strcmp(path, "/") == 0)
        give_page(reply);
    else if (is_forwarded(request->method, path))
        forward(site, request, path, reply);
    else
        refuse(request, reply, 404, "Not Found", "there is no such path");
    add_headers(request, reply);
}

/* -- the command -- */

static void make_token(struct site *site)
{
    unsigned char bytes[TOKEN_BYTES];
    require(getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes);
    hex_encode(bytes, sizeof bytes, site->token);
}

static int choose_port(const struct session *session, int *out, struct error *error)
{
    const char *said = option_text(&session->options, "port");
    int64_t number = 0;
    if (said && (!number_read_int(said, &number) || number < 0 || number > HIGHEST_PORT))
        return error_set(error, ERR_USAGE, "--port: \"%s\" is no port", said);
    *out = (int)number;
    return 0;
}

/* What the desktop opens addresses with. It stays when this program ends. */
static void open_browser(const char *url)
{
    static const char *const programs[] = {"xdg-open", "open"};
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        char *const arguments[] = {(char *)(uintptr_t)programs[i], (char *)(uintptr_t)url, NULL};
        pid_t child;
        if (posix_spawnp(&child, programs[i], NULL, NULL, arguments, environ) == 0)
            return;
    }
    fputs("There is no xdg-open here: open the address yourself.\n", stderr);
}

static void tell(const struct session *session, const struct site *site)
{
    const char *url =
        arena_printf(session->arena, "http://127.0.0.1:%d/%s/", site->port, site->token);
    if (session->json) {
        struct value *document =
            value_set_int(session->arena, value_map(session->arena), "schema", 1);
        print_json(value_set_text(session->arena, document, "url", url));
    } else {
        puts(url);
    }
    fflush(stdout);
    fprintf(stderr,
            "For this machine alone, and for whoever has the whole address. Ctrl-C ends it.\n");
    if (option_said(&session->options, "browser"))
        open_browser(url);
}

/* Until Ctrl-C, which is how it ends: no failure. */
static int stay(struct task *task, struct error *error)
{
    int result = 0;
    while (result == 0)
        result = task_sleep(task, FOR_EVER_MS, error);
    if (result != ERR_CANCELLED)
        return result;
    error_clear(error);
    return EXIT_DONE;
}

/* Threads of the server sign, not the task: they have a transport and a chain of their own. */
static struct transport *open_credentials(struct site *site)
{
    if (site->api.auth != API_SIGNED)
        return NULL;
    struct transport *transport =
        http_curl_new(NULL, &(struct http_curl_options){.ca_file = getenv("AWS_CA_BUNDLE")});
    site->credentials = credential_provider_new(&(struct credential_options){
        .transport = transport, .clock = clock_system(), .region = site->api.region});
    return transport;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct site *site = arena_new_of(session->arena, struct site);
    struct server *server;
    struct server_options serving = {.serve = serve, .data = site};
    int result = choose_port(session, &serving.port, error);
    if (result == 0)
        result = api_open(task, session, &site->api, error);
    if (result < 0)
        return result;
    pthread_mutex_init(&site->lock, NULL);
    make_token(site);
    struct transport *transport = open_credentials(site);
    result = server_start(&serving, &server, error);
    if (result == 0) {
        site->port = server_port(server);
        tell(session, site);
        result = stay(task, error);
        server_stop(server);
    }
    if (transport) {
        credential_provider_free(site->credentials);
        http_close(transport);
    }
    pthread_mutex_destroy(&site->lock);
    return result;
}

const struct command command_open = {
    .name = "open",
    .arguments = "",
    .summary = "Serve the page for questions on this machine",
    .details =
        "Prints an address of this machine; the page there asks the stack's API, and each "
        "request is signed\nwith your credentials where api.auth is iam. The address holds "
        "a secret, new each time: other pages\nin the browser cannot use it. Ctrl-C ends it.",
    .examples = "ragstack open\nragstack open --browser\nragstack open --local --port 8080",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
