/* A function as Lambda runs it: the unpacked zip's `bootstrap` behind the Runtime API.
 *
 * Each process has a Runtime API of its own on loopback, takes one event at a time, and is killed
 * at the deadline or when it outgrows its memory; a process that ends is started again. As many
 * events run at once as `concurrency` says; more wait, until their deadline. Nothing is lost
 * without an error. Source: "Using the Lambda runtime API for custom runtimes", AWS Lambda
 * Developer Guide. */
#ifndef RAGSTACK_SERVE_RUNTIME_H
#define RAGSTACK_SERVE_RUNTIME_H

#include <stdint.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

struct function_options {
    const char *name;    /* AWS_LAMBDA_FUNCTION_NAME */
    const char *root;    /* folder with `bootstrap`: LAMBDA_TASK_ROOT */
    const char *handler; /* _HANDLER */
    const char *region;
    const char *const *environment;        /* "NAME=value"; ends with NULL */
    int memory_mb, timeout_s, concurrency; /* concurrency 0: 2 */
    /* Every line that a process writes, and a report after each event. Called from several threads.
     */
    void (*log)(void *data, const char *function, const char *line);
    void *data;
};

struct function;

/* Copies the options and starts the first process. */
struct function *function_start(const struct function_options *options);
/* Ends the processes: events under way fail. */
void function_stop(struct function *function);

enum function_outcome {
    INVOKED,        /* body is the function's answer */
    FUNCTION_ERROR, /* body is {"errorMessage":, "errorType":}: its own, or of its end or deadline
                     */
    FUNCTION_TOO_LARGE, /* the answer was over 6 MB */
};
struct function_answer {
    enum function_outcome outcome;
    const char *body; /* in the arena */
    size_t body_length;
    char request_id[40];
    double milliseconds;
};
enum { PAYLOAD_MAXIMUM = 6 << 20 };
/* Runs one event to its end. `trace` may be NULL. */
void function_invoke(struct function *function, struct arena *arena, const char *event,
                     size_t length, const char *trace, struct function_answer *out);

struct function_status {
    const char *state; /* "Pending", "Active", "Failed" */
    char reason[512];  /* of a failure: what the process said, or how it ended */
    int processes, busy, waiting;
    int64_t invocations, errors, restarts;
};
struct function_status function_status(struct function *function);

#endif
