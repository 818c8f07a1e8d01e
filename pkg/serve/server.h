/* A small HTTP server on loopback (libmicrohttpd): one handler for all requests, a thread a
 * connection, bounded bodies. Nothing here listens beyond 127.0.0.1. */
#ifndef RAGSTACK_SERVE_SERVER_H
#define RAGSTACK_SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/value/value.h"

struct request {
    struct arena *arena; /* lives as long as the request */
    const char *method;
    const char *path;            /* percent-encoded, without the query */
    const char *query;           /* as sent, without '?'; "" if none */
    const struct value *headers; /* a map, names in lower case; repeated ones joined by "," */
    const char *body;            /* NUL-terminated */
    size_t body_length;
    const char *peer; /* "127.0.0.1" */
};

struct reply {
    int status;
    const char *content_type; /* NULL: application/json */
    struct value *headers;    /* further ones, a map of strings; may be NULL */
    struct value *cookies;    /* a list of Set-Cookie values; may be NULL */
    const char *body;         /* NULL: none */
    size_t body_length;
};

/* Fills the reply; may block. Called from many threads at once. */
typedef void serve_function(void *data, const struct request *request, struct reply *reply);

struct server_options {
    int port;                  /* 0: any free one */
    size_t maximum_body_bytes; /* larger ones get 413; 0: 10 MiB */
    serve_function *serve;
    void *data;
};

struct server;
int server_start(const struct server_options *options, struct server **out, struct error *error);
int server_port(const struct server *server);
/* Waits for requests under way. */
void server_stop(struct server *server);

/* -- replies -- */
void reply_json(const struct request *request, struct reply *reply, int status,
                const struct value *value);
/* {"message": ..}, as API Gateway and Lambda write it. */
void reply_message(const struct request *request, struct reply *reply, int status,
                   const char *message);

#endif
