#include "tests/unit/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pkg/base/attributes.h"

enum { CONNECTIONS = 256, REQUEST_BYTES = 8 << 20 };

struct fake_connection {
    struct fake_server *server;
    pthread_t thread;
    int descriptor, number;
    bool over, reset;
};

struct fake_server {
    struct fake_server_options options;
    pthread_t thread;
    int descriptor, port;
    char url[64];
    pthread_mutex_t lock;
    struct fake_connection connections[CONNECTIONS];
    struct fake_counts counts;
    bool stopping;
};

/* -- for handlers -- */

void fake_send(struct fake_connection *connection, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        ssize_t sent = send(connection->descriptor, at, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            connection->over = true;
            return;
        }
        at += sent;
        length -= (size_t)sent;
    }
}

void fake_send_text(struct fake_connection *connection, const char *text)
{
    fake_send(connection, text, strlen(text));
}

void fake_respond(struct fake_connection *connection, int status, const char *headers,
                  const char *body)
{
    char head[4096];
    snprintf(head, sizeof head, "HTTP/1.1 %d Answer\r\n%sContent-Length: %zu\r\n\r\n", status,
             headers, strlen(body));
    fake_send_text(connection, head);
    fake_send_text(connection, body);
}

void fake_close(struct fake_connection *connection, bool reset)
{
    connection->over = true;
    connection->reset = reset;
}

bool fake_wait(struct fake_connection *connection, int milliseconds)
{
    char byte;
    struct pollfd descriptor = {.fd = connection->descriptor, .events = POLLIN};
    if (poll(&descriptor, 1, milliseconds) <= 0)
        return true;
    return recv(connection->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* -- one request -- */

static size_t content_length(const char *head)
{
    for (const char *line = head; line; line = strstr(line, "\r\n")) {
        line += line == head ? 0 : 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            return strtoul(line + 15, NULL, 10);
    }
    return 0;
}

/* Reads until `wanted` says how long the request is; 0 at the end of the connection. */
static size_t read_more(struct fake_connection *connection, char *bytes, size_t have)
{
    ssize_t got = recv(connection->descriptor, bytes + have, REQUEST_BYTES - have - 1, 0);
    if (got <= 0)
        return 0;
    bytes[have + (size_t)got] = '\0';
    return have + (size_t)got;
}

static bool read_request(struct fake_connection *connection, char *bytes,
                         struct fake_request *request)
{
    size_t have = 0;
    char *end = NULL;
    for (bytes[0] = '\0'; !end; end = strstr(bytes, "\r\n\r\n")) {
        if (!(have = read_more(connection, bytes, have)))
            return false;
    }
    end[2] = '\0';
    request->head = bytes;
    request->body = end + 4;
    request->body_length = content_length(bytes);
    while (have < (size_t)(end + 4 - bytes) + request->body_length) {
        if (!(have = read_more(connection, bytes, have)))
            return false;
    }
    return true;
}

static void split_request_line(struct fake_request *request, char *line)
{
    line[strcspn(line, "\r")] = '\0';
    char *save = NULL;
    request->method = strtok_r(line, " ", &save);
    request->target = strtok_r(NULL, " ", &save);
}

static void count_inside(struct fake_server *server, int by)
{
    pthread_mutex_lock(&server->lock);
    server->counts.requests += by > 0;
    server->counts.inside += by;
    if (server->counts.inside > server->counts.most_inside)
        server->counts.most_inside = server->counts.inside;
    pthread_mutex_unlock(&server->lock);
}

static bool is_refused(struct fake_connection *connection)
{
    char first[256] = "";
    if (!connection->server->options.refuse ||
        recv(connection->descriptor, first, sizeof first - 1, MSG_PEEK) <= 0)
        return false;
    return connection->server->options.refuse(first);
}

static void *serve(void *argument)
{
    struct fake_connection *connection = argument;
    struct fake_server *server = connection->server;
    struct fake_request request = {.connection = connection->number};
    char *bytes = malloc(REQUEST_BYTES), line[1024];
    if (is_refused(connection))
        fake_close(connection, true);
    while (!connection->over && read_request(connection, bytes, &request)) {
        snprintf(line, sizeof line, "%.1000s", bytes);
        split_request_line(&request, line);
        request.turn++;
        count_inside(server, 1);
        server->options.handler(connection, &request, server->options.data);
        count_inside(server, -1);
    }
    if (connection->reset)
        setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
                   sizeof(struct linger));
    pthread_mutex_lock(&server->lock);
    close(connection->descriptor);
    connection->descriptor = -1;
    pthread_mutex_unlock(&server->lock);
    free(bytes);
    return NULL;
}

/* -- the server -- */

static void *accept_all(void *argument)
{
    struct fake_server *server = argument;
    for (;;) {
        int descriptor = accept(server->descriptor, NULL, NULL);
        pthread_mutex_lock(&server->lock);
        bool stopping = server->stopping || descriptor < 0;
        struct fake_connection *connection = &server->connections[server->counts.connections];
        if (!stopping && ++server->counts.connections < CONNECTIONS) {
            *connection = (struct fake_connection){
                .server = server, .descriptor = descriptor, .number = server->counts.connections};
            pthread_create(&connection->thread, NULL, serve, connection);
        }
        pthread_mutex_unlock(&server->lock);
        if (stopping)
            return NULL;
    }
}

static bool listen_on(struct fake_server *server, bool ipv6)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr *address = ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    socklen_t length = ipv6 ? sizeof six : sizeof four;
    server->descriptor = socket(address->sa_family, SOCK_STREAM, 0);
    if (server->descriptor < 0 || bind(server->descriptor, address, length) != 0 ||
        listen(server->descriptor, 128) != 0)
        return false;
    getsockname(server->descriptor, address, &length);
    server->port = ntohs(ipv6 ? six.sin6_port : four.sin_port);
    snprintf(server->url, sizeof server->url, "http://%s:%d", ipv6 ? "[::1]" : "127.0.0.1",
             server->port);
    return true;
}

struct fake_server *fake_server_start(const struct fake_server_options *options)
{
    struct fake_server *server = calloc(1, sizeof *server);
    server->options = *options;
    if (!listen_on(server, options->ipv6)) {
        free(server);
        return NULL;
    }
    pthread_mutex_init(&server->lock, NULL);
    pthread_create(&server->thread, NULL, accept_all, server);
    return server;
}

void fake_server_stop(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    shutdown(server->descriptor, SHUT_RDWR);
    for (int i = 0; i < server->counts.connections; i++) {
        if (server->connections[i].descriptor >= 0)
            shutdown(server->connections[i].descriptor, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->counts.connections; i++)
        pthread_join(server->connections[i].thread, NULL);
    close(server->descriptor);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int fake_server_port(const struct fake_server *server)
{
    return server->port;
}

const char *fake_server_url(const struct fake_server *server)
{
    return server->url;
}

struct fake_counts fake_server_counts(struct fake_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct fake_counts counts = server->counts;
    pthread_mutex_unlock(&server->lock);
    return counts;
}
