#include "pkg/serve/runtime.h"

#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pkg/base/clock.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/serve/runtime_internal.h"
#include "pkg/value/json.h"

enum {
    CONCURRENCY = 2,
    PROCESS_STACK_BYTES = 256 << 10,
    REFUSED_BYTES =
        32 << 20, /* answers up to this are read, so that it can be said what is wrong */
};

void function_log(const struct function *function, const char *line)
{
    if (function->options.log)
        function->options.log(function->options.data, function->options.name, line);
}

void event_fail(struct event *event, const char *type, const char *message)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *body = value_map(arena);
    value_set_text(arena, body, "errorMessage", message);
    value_set_text(arena, body, "errorType", type);
    buffer_reset(&event->reply);
    json_print(&event->reply, body);
    event->outcome = FUNCTION_ERROR;
    event->ended = true;
}

/* -- events -- */

static void make_request_id(char out[40])
{
    unsigned char random[16];
    require(RAND_bytes(random, sizeof random) == 1);
    random[6] = (unsigned char)(0x40 | (random[6] & 0x0f)); /* a UUID of version 4 */
    random[8] = (unsigned char)(0x80 | (random[8] & 0x3f));
    char *at = out;
    for (size_t i = 0; i < sizeof random; i++)
        at +=
            snprintf(at, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", random[i]);
}

static void enqueue(struct function *function, struct event *event)
{
    *function->last = event;
    function->last = &event->next;
}

static void dequeue(struct function *function, struct event *event)
{
    for (struct event **at = &function->first; *at; at = &(*at)->next) {
        if (*at != event)
            continue;
        *at = event->next;
        if (!*at)
            function->last = at;
        return;
    }
}

static void start_worker(struct function *function);

/* Another process when all are busy, up to the concurrency. */
static void make_room(struct function *function)
{
    for (int i = 0; i < function->worker_count; i++) {
        if (!function->workers[i].event && (function->workers[i].ready || !function->ever_ready))
            return;
    }
    if (function->worker_count < function->options.concurrency)
        start_worker(function);
}

/* Past its deadline: the process that works on it is killed, as Lambda does. */
static void give_up(struct function *function, struct event *event)
{
    char message[96];
    snprintf(message, sizeof message, "Task timed out after %d.00 seconds",
             function->options.timeout_s);
    if (!event->worker) {
        dequeue(function, event);
    } else if (event->worker->event == event) {
        event->worker->event = NULL;
        event->worker->life++; /* it gets no other event while it dies */
        if (event->worker->pid > 0)
            kill(event->worker->pid, SIGKILL);
    }
    event_fail(event, "Sandbox.Timedout", message);
}

static void await(struct function *function, struct event *event)
{
    struct timespec deadline = {.tv_sec = event->deadline_wall_ms / 1000,
                                .tv_nsec = event->deadline_wall_ms % 1000 * 1000000L};
    int waited = 0;
    while (!event->ended && waited == 0 && !function->stopping)
        waited = pthread_cond_timedwait(&function->changed, &function->lock, &deadline);
    if (event->ended)
        return;
    if (function->stopping) {
        if (event->worker)
            event->worker->event = NULL;
        dequeue(function, event);
        event_fail(event, "Runtime.Shutdown", "the function is being stopped");
    } else {
        give_up(function, event);
    }
}

static void report(struct function *function, const struct event *event, double milliseconds)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *line = value_map(arena);
    value_set_text(arena, line, "type", "platform.report");
    value_set_text(arena, line, "requestId", event->request_id);
    value_set(arena, line, "durationMs",
              value_real(arena, (double)(int64_t)(milliseconds * 100) / 100));
    value_set_text(arena, line, "status", event->outcome == INVOKED ? "success" : "error");
    function_log(function, json_text(arena, line));
}

void function_invoke(struct function *function, struct arena *arena, const char *body,
                     size_t length, const char *trace, struct function_answer *out)
{
    struct clock *clock = clock_system();
    struct event event = {.body = body,
                          .length = length,
                          .trace = trace,
                          .reply = BUFFER((size_t)PAYLOAD_MAXIMUM + (64 << 10))};
    int64_t started_ms = clock->monotonic_ms(clock);
    make_request_id(event.request_id);
    event.deadline_wall_ms = clock->wall_ms(clock) + (int64_t)function->options.timeout_s * 1000;
    pthread_mutex_lock(&function->lock);
    enqueue(function, &event);
    function->status.waiting++;
    make_room(function);
    pthread_cond_broadcast(&function->changed);
    await(function, &event);
    function->status.waiting--;
    function->status.invocations++;
    function->status.errors += event.outcome != INVOKED;
    pthread_mutex_unlock(&function->lock);
    *out = (struct function_answer){
        .outcome = event.outcome,
        .body = arena_strndup(arena, buffer_string(&event.reply), event.reply.length),
        .body_length = event.reply.length,
        .milliseconds = (double)(clock->monotonic_ms(clock) - started_ms)};
    memcpy(out->request_id, event.request_id, sizeof out->request_id);
    report(function, &event, out->milliseconds);
    buffer_free(&event.reply);
}

/* -- the function -- */

static void start_worker(struct function *function)
{
    struct worker *worker = &function->workers[function->worker_count];
    struct error error;
    struct server_options options = {
        .maximum_body_bytes = REFUSED_BYTES, .serve = runtime_api_serve, .data = worker};
    *worker = (struct worker){.function = function};
    if (server_start(&options, &worker->server, &error) < 0)
        return; /* no port: the processes that run go on */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PROCESS_STACK_BYTES);
    if (pthread_create(&worker->thread, &attributes, runtime_keep_alive, worker) == 0)
        function->worker_count++;
    else
        server_stop(worker->server);
    pthread_attr_destroy(&attributes);
}

static void copy_options(struct function *function, const struct function_options *options)
{
    struct arena *arena = function->arena;
    VECTOR(const char *) list = {0};
    function->options = *options;
    function->options.name = arena_strdup(arena, options->name);
    function->options.root = arena_strdup(arena, options->root);
    function->options.handler = arena_strdup(arena, options->handler);
    function->options.region = arena_strdup(arena, options->region);
    for (const char *const *own = options->environment; own && *own; own++)
        vector_push(arena, &list, (const char *)arena_strdup(arena, *own));
    vector_push(arena, &list, NULL);
    function->options.environment = list.items;
    if (function->options.concurrency <= 0)
        function->options.concurrency = CONCURRENCY;
}

struct function *function_start(const struct function_options *options)
{
    struct function *function = calloc(1, sizeof *function);
    require(function);
    function->arena = arena_new();
    function->last = &function->first;
    function->status.state = "Pending";
    copy_options(function, options);
    function->workers = arena_array(function->arena, (size_t)function->options.concurrency,
                                    sizeof *function->workers);
    pthread_mutex_init(&function->lock, NULL);
    pthread_cond_init(&function->changed, NULL);
    pthread_mutex_lock(&function->lock);
    start_worker(function);
    pthread_mutex_unlock(&function->lock);
    return function;
}

void function_stop(struct function *function)
{
    if (!function)
        return;
    pthread_mutex_lock(&function->lock);
    function->stopping = true;
    for (int i = 0; i < function->worker_count; i++) {
        if (function->workers[i].pid > 0)
            kill(function->workers[i].pid, SIGKILL);
    }
    pthread_cond_broadcast(&function->changed);
    pthread_mutex_unlock(&function->lock);
    for (int i = 0; i < function->worker_count; i++)
        pthread_join(function->workers[i].thread, NULL);
    for (int i = 0; i < function->worker_count; i++)
        server_stop(function->workers[i].server);
    pthread_cond_destroy(&function->changed);
    pthread_mutex_destroy(&function->lock);
    arena_free(function->arena);
    free(function);
}

struct function_status function_status(struct function *function)
{
    pthread_mutex_lock(&function->lock);
    struct function_status status = function->status;
    status.processes = 0;
    status.busy = 0;
    for (int i = 0; i < function->worker_count; i++) {
        status.processes += function->workers[i].pid > 0;
        status.busy += function->workers[i].event != NULL;
    }
    pthread_mutex_unlock(&function->lock);
    return status;
}
