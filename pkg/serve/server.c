#include "pkg/serve/server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"
#include "pkg/value/json.h"

enum { BODY_MAXIMUM = 10 << 20, CONNECTION_MEMORY = 128 << 10, IDLE_TIMEOUT_S = 3600 };

struct server {
    struct MHD_Daemon *daemon;
    struct server_options options;
};

/* One request while its body comes in. */
struct receiving {
    struct arena *arena;
    struct buffer body;
    const char *query;
    bool begun; /* the first call for a request comes before its body, and may not answer */
};

/* -- requests -- */

static enum MHD_Result take_header(void *data, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct request *request = data;
    char *lower = arena_strdup(request->arena, name);
    (void)kind;
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *before = value_text(request->headers, lower), *text = value ? value : "";
    if (before)
        text = arena_printf(request->arena, "%s,%s", before, text);
    value_set_text(request->arena, (struct value *)request->headers, lower, text);
    return MHD_YES;
}

static const char *peer_of(struct arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET_ADDRSTRLEN] = "127.0.0.1";
    if (info && info->client_addr->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
                  text, sizeof text);
    return arena_strdup(arena, text);
}

static struct request request_of(struct receiving *receiving, struct MHD_Connection *connection,
                                 const char *url, const char *method)
{
    struct request request = {
        .arena = receiving->arena,
        .method = arena_strdup(receiving->arena, method),
        .path = arena_strdup(receiving->arena, url),
        .query = receiving->query,
        .headers = value_map(receiving->arena),
        .body = buffer_string(&receiving->body),
        .body_length = receiving->body.length,
        .peer = peer_of(receiving->arena, connection),
    };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &request);
    return request;
}

/* -- replies -- */

void reply_json(const struct request *request, struct reply *reply, int status,
                const struct value *value)
{
    reply->status = status;
    reply->body = json_text(request->arena, value);
    reply->body_length = strlen(reply->body);
}

void reply_message(const struct request *request, struct reply *reply, int status,
                   const char *message)
{
    reply_json(request, reply, status,
               value_set_text(request->arena, value_map(request->arena), "message", message));
}

static void add_headers(struct MHD_Response *response, const struct reply *reply)
{
    bool typed = value_get(reply->headers, "content-type") != NULL;
    if (reply->content_type || (!typed && reply->body_length))
        MHD_add_response_header(response, "content-type",
                                reply->content_type ? reply->content_type : "application/json");
    for (size_t i = 0; i < value_count(reply->headers); i++) {
        const struct value_entry *entry = value_entry(reply->headers, i);
        if (value_is(entry->value, VALUE_STRING))
            MHD_add_response_header(response, entry->key, entry->value->string.text);
    }
    struct value *cookie;
    value_each(cookie, reply->cookies)
    {
        if (value_is(cookie, VALUE_STRING))
            MHD_add_response_header(response, "set-cookie", cookie->string.text);
    }
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct reply *reply)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body_length, (void *)(uintptr_t)reply->body, MHD_RESPMEM_MUST_COPY);
    add_headers(response, reply);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* -- libmicrohttpd's way -- */

static void forget(void *data, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct receiving *receiving = *state;
    (void)data, (void)connection, (void)why;
    if (!receiving)
        return;
    buffer_free(&receiving->body);
    arena_free(receiving->arena);
    free(receiving);
    *state = NULL;
}

/* Called before the request is parsed: the one place that sees the query as it was sent. */
static void *remember_query(void *data, const char *uri, struct MHD_Connection *connection)
{
    struct receiving *receiving = calloc(1, sizeof *receiving);
    const struct server *server = data;
    const char *mark = strchr(uri, '?');
    (void)connection;
    require(receiving);
    receiving->arena = arena_new();
    receiving->body = BUFFER(server->options.maximum_body_bytes);
    receiving->query = arena_strdup(receiving->arena, mark ? mark + 1 : "");
    return receiving;
}

static enum MHD_Result serve(void *data, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *bytes,
                             size_t *length, void **state)
{
    struct server *server = data;
    struct receiving *receiving = *state;
    struct reply reply = {0};
    (void)version;
    if (!receiving->begun) {
        receiving->begun = true;
        return MHD_YES;
    }
    if (*length) {
        buffer_append(&receiving->body, bytes, *length);
        *length = 0;
        return MHD_YES;
    }
    struct request request = request_of(receiving, connection, url, method);
    if (receiving->body.overflow)
        reply_message(&request, &reply, 413, "Request Too Long");
    else
        server->options.serve(server->options.data, &request, &reply);
    return send_reply(connection, &reply);
}

/* The path stays as it was sent: callers decode segments, not the whole. */
static size_t keep_encoded(void *data, struct MHD_Connection *connection, char *text)
{
    (void)data, (void)connection;
    return strlen(text);
}

int server_start(const struct server_options *options, struct server **out, struct error *error)
{
    struct server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    require(server);
    server->options = *options;
    if (!server->options.maximum_body_bytes)
        server->options.maximum_body_bytes = BODY_MAXIMUM;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL,
        NULL, serve, server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, forget,
        NULL, MHD_OPTION_URI_LOG_CALLBACK, remember_query, server, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_encoded, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (!server->daemon) {
        free(server);
        return error_set(error, ERR_FAILED, "cannot listen on 127.0.0.1:%d: %s", options->port,
                         strerror(errno));
    }
    *out = server;
    return 0;
}

int server_port(const struct server *server)
{
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
