/* latency_proxy LISTEN_PORT UPSTREAM_PORT LATENCY_MS LOG
 *
 * An HTTP/1.1 proxy on loopback that adds a round trip's latency to each request, as a network
 * would, and writes one line a request: service, action (or method and path), status, milliseconds,
 * separated by tabs. It keeps its clients' connections open, as AWS does; the emulator behind it
 * closes each. One thread a connection. For benchmarks only: it trusts both sides. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "pkg/base/buffer.h"

enum { BODY_MAXIMUM = 64 << 20, CONNECT_TRIES = 50, STACK_BYTES = 256 << 10 };

static int upstream_port, latency_ms;
static FILE *log_file;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

/* -- bytes -- */

static bool receive(int from, struct buffer *into)
{
    char chunk[65536];
    ssize_t length;
    do
        length = read(from, chunk, sizeof chunk);
    while (length < 0 && errno == EINTR);
    if (length > 0)
        buffer_append(into, chunk, (size_t)length);
    return length > 0 && !into->overflow;
}

static bool send_all(int to, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
    }
    return true;
}

static void sleep_ms(int milliseconds)
{
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    while (nanosleep(&rest, &rest) && errno == EINTR)
        ;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* -- messages -- */

/* Copies the value of a header of the head (which ends before `end`) into `out`; false if absent.
 */
static bool header_of(const char *head, const char *end, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line && line < end; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1 + strspn(line + length + 1, " ");
        size_t bytes = strcspn(value, "\r");
        snprintf(out, size, "%.*s", (int)(bytes < size ? bytes : size - 1), value);
        return true;
    }
    return false;
}

/* Where a chunked body that starts at `at` ends; 0 while it is not all there. */
static size_t chunked_end(const struct buffer *buffer, size_t at)
{
    for (;;) {
        const char *line = buffer->data + at,
                   *end = at < buffer->length ? strstr(line, "\r\n") : NULL;
        if (!end)
            return 0;
        size_t size = strtoul(line, NULL, 16);
        at = (size_t)(end - buffer->data) + 2 + size + 2;
        if (at > buffer->length)
            return 0;
        if (size == 0)
            return at;
    }
}

/* Reads one whole message into the buffer; gives the lengths of its head and of all of it. A reply
 * without a length ends with its connection. */
static bool read_message(int from, struct buffer *buffer, bool reply, bool bodyless, size_t *head,
                         size_t *total)
{
    char value[64], *end;
    while (!buffer->length || !(end = strstr(buffer->data, "\r\n\r\n"))) {
        if (!receive(from, buffer))
            return false;
    }
    *head = (size_t)(end - buffer->data) + 4;
    *total = *head;
    if (bodyless)
        return true;
    if (header_of(buffer->data, end, "Transfer-Encoding", value, sizeof value)) {
        while (!(*total = chunked_end(buffer, *head))) {
            if (!receive(from, buffer))
                return false;
        }
        return true;
    }
    bool counted = header_of(buffer->data, end, "Content-Length", value, sizeof value);
    *total = *head + (counted ? strtoul(value, NULL, 10) : 0);
    while (counted && buffer->length < *total) {
        if (!receive(from, buffer))
            return false;
    }
    if (!counted && reply) {
        while (receive(from, buffer))
            ;
        *total = buffer->length;
    }
    return true;
}

/* Copies a head without its Connection header, and adds `more` lines before the empty one. */
static void copy_head(struct buffer *out, const char *head, size_t length, const char *more)
{
    const char *end = head + length - 2;
    for (const char *line = head; line < end;) {
        size_t bytes = (size_t)(strstr(line, "\r\n") - line) + 2;
        if (strncasecmp(line, "Connection:", 11) != 0)
            buffer_append(out, line, bytes);
        line += bytes;
    }
    buffer_printf(out, "%s\r\n", more);
}

/* -- one request -- */

struct request {
    char method[16], path[1024], service[64], action[256];
};

static void name_request(const struct buffer *in, size_t head, size_t total, struct request *out)
{
    char authorization[512], target[256];
    const char *end = in->data + head - 4, *action;
    sscanf(in->data, "%15s %1023s", out->method, out->path);
    header_of(in->data, end, "Authorization", authorization, sizeof authorization);
    const char *scope = strstr(authorization, "Credential=");
    for (int slashes = 0; scope && slashes < 3; slashes++)
        scope = strchr(scope, '/') ? strchr(scope, '/') + 1 : NULL;
    snprintf(out->service, sizeof out->service, "%.*s", scope ? (int)strcspn(scope, "/") : 1,
             scope ? scope : "-");
    snprintf(out->action, sizeof out->action, "%s %.200s", out->method, out->path);
    if (header_of(in->data, end, "X-Amz-Target", target, sizeof target))
        snprintf(out->action, sizeof out->action, "%s",
                 strrchr(target, '.') ? strrchr(target, '.') + 1 : target);
    else if ((action = memmem(in->data + head, total - head, "Action=", 7)))
        snprintf(out->action, sizeof out->action, "%.*s", (int)strcspn(action + 7, "&"),
                 action + 7);
}

static int connect_upstream(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)upstream_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        int upstream = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(upstream, (struct sockaddr *)&address, sizeof address) == 0) {
            setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            return upstream;
        }
        close(upstream);
        sleep_ms(20);
    }
    return -1;
}

/* Sends the request on, and fills `out` with the reply that the client gets; its status, or -1. */
static int forward(const struct buffer *in, size_t head, size_t total, bool bodyless,
                   struct buffer *out)
{
    struct buffer request = BUFFER(BODY_MAXIMUM), reply = BUFFER(BODY_MAXIMUM);
    size_t reply_head, reply_total;
    int status = -1, upstream = connect_upstream();
    char length[64];
    if (upstream < 0)
        return -1;
    copy_head(&request, in->data, head, "Connection: close\r\n");
    buffer_append(&request, in->data + head, total - head);
    if (send_all(upstream, request.data, request.length) &&
        read_message(upstream, &reply, true, bodyless, &reply_head, &reply_total)) {
        sscanf(reply.data, "HTTP/%*s %d", &status);
        memcpy(reply.data, "HTTP/1.1", 8);
        char known[16];
        bool counted = header_of(reply.data, reply.data + reply_head - 4, "Content-Length", known,
                                 sizeof known) ||
                       header_of(reply.data, reply.data + reply_head - 4, "Transfer-Encoding",
                                 known, sizeof known);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", reply_total - reply_head);
        copy_head(out, reply.data, reply_head, counted || bodyless ? "" : length);
        buffer_append(out, reply.data + reply_head, reply_total - reply_head);
    }
    close(upstream);
    buffer_free(&request);
    buffer_free(&reply);
    return status;
}

static void *serve(void *argument)
{
    int client = (int)(intptr_t)argument, one = 1;
    struct buffer in = BUFFER(BODY_MAXIMUM), out = BUFFER(BODY_MAXIMUM);
    size_t head, total;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (read_message(client, &in, false, false, &head, &total)) {
        struct request request;
        double started_ms = now_ms();
        name_request(&in, head, total, &request);
        sleep_ms(latency_ms);
        buffer_reset(&out);
        int status = forward(&in, head, total, strcmp(request.method, "HEAD") == 0, &out);
        pthread_mutex_lock(&log_lock);
        fprintf(log_file, "%s\t%s\t%d\t%.1f\n", request.service, request.action, status,
                now_ms() - started_ms);
        fflush(log_file);
        pthread_mutex_unlock(&log_lock);
        if (status < 0 || !send_all(client, out.data, out.length))
            break;
        size_t rest = in.length - total;
        memmove(in.data, in.data + total, rest + 1);
        in.length = rest;
    }
    close(client);
    buffer_free(&in);
    buffer_free(&out);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return fprintf(stderr, "usage: latency_proxy LISTEN_PORT UPSTREAM_PORT LATENCY_MS LOG\n"),
               64;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtol(argv[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    upstream_port = (int)strtol(argv[2], NULL, 10);
    latency_ms = (int)strtol(argv[3], NULL, 10);
    log_file = fopen(argv[4], "w");
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!log_file || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1024) != 0)
        return perror("latency_proxy"), 1;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, STACK_BYTES);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        pthread_t thread;
        if (client >= 0 && pthread_create(&thread, &detached, serve, (void *)(intptr_t)client) != 0)
            close(client);
    }
}
