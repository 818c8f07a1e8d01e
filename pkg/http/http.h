/* One HTTP request and its reply, over a transport.
 *
 * The transport is a table: libcurl on a loop (http_curl_new), or a fake in unit tests. Bodies are
 * bounded. A request that got no complete reply is an error whose code says whether it can have
 * reached the server: ERR_LOST_REPLY if it may have, ERR_FAILED if it surely did not (name, connect
 * and TLS errors). Only GET and HEAD are ever sent a second time by the transport itself (when a
 * kept connection turns out to be dead). */
#ifndef RAGSTACK_HTTP_HTTP_H
#define RAGSTACK_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/task/task.h"

struct http_header {
    const char *name, *value;
};

struct http_request {
    const char *method; /* "GET" ... */
    const char *url;    /* absolute, already percent-encoded */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* NULL for none; borrowed until the call returns */
    size_t body_length;
    int connect_timeout_ms;    /* 0: 5 s */
    int timeout_ms;            /* 0: 60 s; -1: none */
    size_t maximum_body_bytes; /* of the reply; 0: 16 MiB */
    /* For replies that are read as they come (logs, tokens): called with each piece, in the task;
     * nonzero ends the transfer with ERR_CANCELLED. The reply's body is then empty; but a reply
     * with status 400 or above is not passed on: it is kept as body. */
    int (*on_data)(void *data, const char *bytes, size_t length);
    void *data;
};

struct http_reply {
    int status;
    struct http_header *headers; /* names in lower case */
    size_t header_count;
    const char *body; /* NUL-terminated, in the arena; "" if none */
    size_t body_length;
};

struct transport {
    int (*perform)(struct transport *transport, struct task *task, struct arena *arena,
                   const struct http_request *request, struct http_reply *reply,
                   struct error *error);
    void (*close)(struct transport *transport);
};

int http_perform(struct transport *transport, struct task *task, struct arena *arena,
                 const struct http_request *request, struct http_reply *reply, struct error *error);
void http_close(struct transport *transport);
/* By lower-case name; NULL if absent. */
const char *http_header(const struct http_reply *reply, const char *name);

struct http_curl_options {
    const char *ca_file; /* NULL: the system's */
    const char *user_agent;
    int connections_per_host; /* 0: 16 */
};
/* Becomes the loop's poller; one connection pool for all. With loop NULL every request blocks.
 * Proxies come from the environment, as curl reads it, but for loopback and link-local hosts, which
 * are always reached directly. TLS is always verified; redirects are not followed. Nothing may be
 * under way when it is closed. */
struct transport *http_curl_new(struct loop *loop, const struct http_curl_options *options);

/* Percent-encodes all but A-Z a-z 0-9 - _ . ~ (and '/' when keep_slash). */
char *http_encode(struct arena *arena, const char *text, bool keep_slash);
/* The other way: %XX becomes a byte, what is broken stays as it is; '+' a space with `plus`. */
char *http_decode(struct arena *arena, const char *text, size_t length, bool plus);

#endif
