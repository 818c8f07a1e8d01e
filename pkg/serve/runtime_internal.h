/* Shared by the files of a function's runtime: events, processes, and what both wait for. */
#ifndef RAGSTACK_SERVE_RUNTIME_INTERNAL_H
#define RAGSTACK_SERVE_RUNTIME_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "pkg/base/buffer.h"
#include "pkg/serve/runtime.h"
#include "pkg/serve/server.h"

/* One event on its way. Lives on the stack of the thread that invoked; all under function->lock. */
struct event {
    struct event *next; /* in the queue */
    const char *body;
    size_t length;
    const char *trace;
    char request_id[40];
    int64_t deadline_wall_ms;
    struct worker *worker; /* NULL: not taken yet */
    bool ended;
    enum function_outcome outcome;
    struct buffer reply;
};

/* One process, its Runtime API, and the thread that keeps it alive. */
struct worker {
    struct function *function;
    struct server *server;
    pthread_t thread;
    pid_t pid;
    int life;            /* counts the processes: a `next` of an earlier one gets nothing */
    struct event *event; /* the one that it works on */
    bool ready;          /* waits for an event */
    bool serving;        /* has asked for one, ever */
    bool outgrown;       /* was killed for its memory; of its own thread alone */
};

struct function {
    struct arena *arena;
    struct function_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct event *first, **last;
    struct worker *workers;
    int worker_count;
    bool stopping, ever_ready;
    struct function_status status;
};

/* The Runtime API of one process: a serve_function whose data is its struct worker. */
void runtime_api_serve(void *data, const struct request *request, struct reply *reply);
/* The thread of a process (its argument is the struct worker): starts it again whenever it ends,
 * until the function stops. */
void *runtime_keep_alive(void *worker);

/* Ends an event with an error of its own. With the lock. */
void event_fail(struct event *event, const char *type, const char *message);
void function_log(const struct function *function, const char *line);

#endif
