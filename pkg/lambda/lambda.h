/* The loop of a function's process on the Lambda Runtime API: next event, answer, next event.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. One event at a time; one
 * connection, which is kept, also while the process is frozen. */
#ifndef RAGSTACK_LAMBDA_LAMBDA_H
#define RAGSTACK_LAMBDA_LAMBDA_H

#include <stdint.h>

#include "pkg/http/http.h"
#include "pkg/value/value.h"

/* One event. All of it lives until the handler returns. */
struct invocation {
    struct arena *arena; /* for the answer, too */
    const char *request_id;
    const char *function_arn;  /* NULL if it was not told */
    const char *trace_id;      /* as _X_AMZN_TRACE_ID; NULL if it was not told */
    int64_t deadline_wall_ms;  /* then the process is killed; 0 if it was not told */
    const struct value *event; /* the parsed body */
};
/* Until the deadline; INT64_MAX if there is none. */
int64_t invocation_left_ms(const struct invocation *invocation);

/* 0 and the answer, or an error code: then the invocation fails with the error's message. An error
 * is told to the caller of the function: it holds nothing secret. */
typedef int invocation_handler(void *data, const struct invocation *invocation,
                               struct value **answer, struct error *error);

struct lambda {
    const char *api; /* "host:port": AWS_LAMBDA_RUNTIME_API */
    invocation_handler *handler;
    void *data;
    struct transport *transport; /* NULL: libcurl; tests put in another, and close it */
};

/* Runs until the Runtime API cannot be spoken to any more, and returns that error. */
int lambda_run(const struct lambda *lambda, struct error *error);
/* Tells that the process cannot serve at all; it must end then. */
int lambda_fail_init(const struct lambda *lambda, const struct error *reason, struct error *error);

#endif
