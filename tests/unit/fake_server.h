/* An HTTP/1.1 server on loopback, in threads of its own, that does as the test says: answers,
 * waits, resets, cuts short, sends garbage. */
#ifndef RAGSTACK_TESTS_FAKE_SERVER_H
#define RAGSTACK_TESTS_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct fake_server;

struct fake_request {
    const char *method, *target; /* of the request line */
    const char *head;            /* the request line and all headers, as received */
    const char *body;
    size_t body_length;
    int connection; /* counts from 1 */
    int turn;       /* on this connection, from 1 */
};

/* What a handler may do with its connection. */
struct fake_connection;
void fake_send(struct fake_connection *connection, const void *bytes, size_t length);
void fake_send_text(struct fake_connection *connection, const char *text);
/* A whole reply with Content-Length. `headers` are whole lines, or "". */
void fake_respond(struct fake_connection *connection, int status, const char *headers,
                  const char *body);
/* After the handler returns: closes the connection; by a reset when `reset`. */
void fake_close(struct fake_connection *connection, bool reset);
/* Waits at most so long; false when the client closed its side meanwhile. */
bool fake_wait(struct fake_connection *connection, int milliseconds);

/* Called in a thread of the connection for each request. */
typedef void fake_handler(struct fake_connection *connection, const struct fake_request *request,
                          void *data);

struct fake_server_options {
    fake_handler *handler;
    void *data;
    bool ipv6;
    /* A connection on which this is true for its first bytes is reset without being read. */
    bool (*refuse)(const char *first_bytes);
};
/* NULL when there is no such address family here. */
struct fake_server *fake_server_start(const struct fake_server_options *options);
/* Closes all connections and waits for its threads. */
void fake_server_stop(struct fake_server *server);

int fake_server_port(const struct fake_server *server);
/* "http://127.0.0.1:PORT" */
const char *fake_server_url(const struct fake_server *server);
struct fake_counts {
    int connections, requests;
    int inside, most_inside; /* handlers at work */
} fake_server_counts(struct fake_server *server);

#endif
