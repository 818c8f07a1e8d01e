/* A transport whose replies the test writes beforehand, and whose requests it reads afterwards.
 *
 * Replies are given in the order in which they were queued; when none is left, `answer` is asked;
 * without it the request fails with "unexpected request", and `unexpected` counts it. Nothing here
 * calls cmocka's assertions, since requests come from tasks: assert on what was recorded. */
#ifndef RAGSTACK_TESTS_FAKE_TRANSPORT_H
#define RAGSTACK_TESTS_FAKE_TRANSPORT_H

#include "pkg/http/http.h"

struct fake_reply {
    int status;         /* HTTP status; unused with `code` */
    const char *body;   /* NULL: empty; up to its NUL, unless body_length says more */
    size_t body_length; /* 0: strlen(body) */
    const struct http_header *headers; /* names in lower case; ends with a NULL name; NULL: none */
    int code;                          /* no reply but this error: ERR_LOST_REPLY, ERR_FAILED ... */
    int64_t delay_ms;                  /* the task sleeps so long before it gets its reply */
};

/* A request as it was sent, copied. */
struct fake_request {
    const char *method, *url, *body;
    size_t body_length;
    const struct http_header *headers;
    size_t header_count;
    int64_t at_ms; /* monotonic, when it came */
};

struct fake_transport {
    struct transport transport; /* pass &fake->transport */
    /* Asked when no queued reply is left; may be NULL. */
    struct fake_reply (*answer)(void *data, const struct fake_request *request);
    void *data;
    int unexpected; /* requests for which there was no reply */
    struct fake_request *requests;
    size_t request_count, request_capacity;
    struct fake_reply *replies;
    size_t reply_count, reply_capacity, next_reply;
    struct arena *arena;
};

/* The transport's own close frees it, like any transport's. */
struct fake_transport *fake_transport_new(void);
void fake_transport_free(struct fake_transport *fake);

/* Queues a reply. Body and headers are borrowed. */
void fake_reply(struct fake_transport *fake, int status, const char *body);
void fake_reply_with(struct fake_transport *fake, struct fake_reply reply);
/* Queues a request that gets no reply. */
void fake_no_reply(struct fake_transport *fake, int code);

/* A header of a recorded request, its name compared without regard to case; NULL if absent. */
const char *fake_header(const struct fake_request *request, const char *name);
/* The last recorded request, or an empty one ("" for method, url and body). */
struct fake_request fake_last(const struct fake_transport *fake);

#endif
