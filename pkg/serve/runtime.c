#include "pkg/serve/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkg/base/buffer.h"
#include "pkg/base/clock.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/serve/server.h"
#include "pkg/value/json.h"

#define RUNTIME_PATH "/2018-06-01/runtime/"

enum {
    CONCURRENCY = 2,
    LINE_MAXIMUM = 256 << 10, /* longer ones are cut, as CloudWatch does */
    REASON_MAXIMUM = 511,
    RESTART_LEAST_MS = 100,
    RESTART_MOST_MS = 5000,
    PROCESS_STACK_BYTES = 256 << 10,
};

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
    bool ready;          /* has asked for an event */
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

/* -- the Runtime API -- */

static void set_error(struct event *event, const char *type, const char *message)
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

/* An event for this process; NULL when the process is gone, or the function stops. */
static struct event *take_event(struct worker *worker)
{
    struct function *function = worker->function;
    int life = worker->life;
    worker->ready = true;
    function->ever_ready = true;
    function->status.state = "Active";
    function->status.reason[0] = '\0';
    while (!function->first && !function->stopping && worker->life == life)
        pthread_cond_wait(&function->changed, &function->lock);
    if (function->stopping || worker->life != life)
        return NULL;
    struct event *event = function->first;
    function->first = event->next;
    if (!function->first)
        function->last = &function->first;
    event->worker = worker;
    worker->event = event;
    worker->ready = false;
    return event;
}

static void serve_next(struct worker *worker, const struct request *request, struct reply *reply)
{
    struct function *function = worker->function;
    pthread_mutex_lock(&function->lock);
    const struct event *event = take_event(worker);
    if (!event) {
        reply->status = 410;
    } else {
        struct arena *arena = request->arena;
        reply->status = 200;
        reply->body = arena_strndup(arena, event->body, event->length);
        reply->body_length = event->length;
        reply->headers = value_map(arena);
        value_set_text(arena, reply->headers, "lambda-runtime-aws-request-id", event->request_id);
        value_set_text(arena, reply->headers, "lambda-runtime-deadline-ms",
                       arena_printf(arena, "%lld", (long long)event->deadline_wall_ms));
        value_set_text(arena, reply->headers, "lambda-runtime-invoked-function-arn",
                       arena_printf(arena, "arn:aws:lambda:%s:000000000000:function:%s",
                                    function->options.region, function->options.name));
        value_set_text(arena, reply->headers, "lambda-runtime-trace-id", event->trace);
    }
    pthread_mutex_unlock(&function->lock);
}

static void refuse(const struct request *request, struct reply *reply, int status, const char *type,
                   const char *message)
{
    struct value *body = value_map(request->arena);
    value_set_text(request->arena, body, "errorMessage", message);
    value_set_text(request->arena, body, "errorType", type);
    reply_json(request, reply, status, body);
}

/* POST invocation/{id}/response and invocation/{id}/error */
static void serve_outcome(struct worker *worker, const struct request *request, const char *id,
                          struct reply *reply)
{
    struct function *function = worker->function;
    const char *slash = strchr(id, '/');
    bool answered = slash && strcmp(slash, "/response") == 0;
    bool failed = slash && strcmp(slash, "/error") == 0;
    pthread_mutex_lock(&function->lock);
    struct event *event = worker->event;
    size_t length = slash ? (size_t)(slash - id) : 0;
    if (!(answered || failed) || !event || strlen(event->request_id) != length ||
        strncmp(event->request_id, id, length) != 0) {
        refuse(request, reply, 400, "InvalidRequestID", "no such event is under way");
    } else if (request->body_length > PAYLOAD_MAXIMUM) {
        set_error(event, "Function.ResponseSizeTooLarge", "the answer is larger than 6 MB");
        event->outcome = FUNCTION_TOO_LARGE;
        worker->event = NULL;
        refuse(request, reply, 413, "RequestEntityTooLarge", "the answer is larger than 6 MB");
    } else {
        buffer_append(&event->reply, request->body, request->body_length);
        event->outcome = failed ? FUNCTION_ERROR : INVOKED;
        event->ended = true;
        worker->event = NULL;
        reply->status = 202;
        reply->body = "{\"status\":\"OK\"}";
        reply->body_length = strlen(reply->body);
    }
    pthread_cond_broadcast(&function->changed);
    pthread_mutex_unlock(&function->lock);
}

static void serve_init_error(struct worker *worker, const struct request *request,
                             struct reply *reply)
{
    struct function *function = worker->function;
    pthread_mutex_lock(&function->lock);
    snprintf(function->status.reason, sizeof function->status.reason, "%.*s", REASON_MAXIMUM,
             request->body);
    function->status.state = "Failed";
    pthread_cond_broadcast(&function->changed);
    pthread_mutex_unlock(&function->lock);
    reply->status = 202;
    reply->body = "{\"status\":\"OK\"}";
    reply->body_length = strlen(reply->body);
}

static void serve_runtime(void *data, const struct request *request, struct reply *reply)
{
    static const char next[] = RUNTIME_PATH "invocation/next", one[] = RUNTIME_PATH "invocation/",
                      init[] = RUNTIME_PATH "init/error";
    bool post = strcmp(request->method, "POST") == 0;
    if (strcmp(request->path, next) == 0 && !post)
        serve_next(data, request, reply);
    else if (post && strncmp(request->path, one, sizeof one - 1) == 0)
        serve_outcome(data, request, request->path + sizeof one - 1, reply);
    else if (post && strcmp(request->path, init) == 0)
        serve_init_error(data, request, reply);
    else
        refuse(request, reply, 404, "NotFound", "the Runtime API has no such path");
}

/* -- a process -- */

/* The environment as Lambda gives it, and the function's own. */
static char **environment_of(struct arena *arena, const struct worker *worker)
{
    const struct function_options *options = &worker->function->options;
    VECTOR(char *) list = {0};
    const char *const fixed[] = {
        arena_printf(arena, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", server_port(worker->server)),
        arena_printf(arena, "_HANDLER=%s", options->handler),
        arena_printf(arena, "LAMBDA_TASK_ROOT=%s", options->root),
        arena_printf(arena, "AWS_LAMBDA_FUNCTION_NAME=%s", options->name),
        arena_printf(arena, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", options->memory_mb),
        arena_printf(arena, "AWS_REGION=%s", options->region),
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        "LANG=en_US.UTF-8",
        "TZ=:UTC",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    };
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        vector_push(arena, &list, arena_strdup(arena, fixed[i]));
    for (const char *const *own = options->environment; own && *own; own++)
        vector_push(arena, &list, arena_strdup(arena, *own));
    vector_push(arena, &list, NULL);
    return list.items;
}

/* Between fork and exec: nothing but system calls. */
NORETURN static void become_handler(const struct worker *worker, const char *program,
                                    char **environment, int output)
{
    const struct function_options *options = &worker->function->options;
    struct rlimit memory = {(rlim_t)options->memory_mb << 20, (rlim_t)options->memory_mb << 20};
    struct rlimit no_core = {0, 0};
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(3, ~0U, 0);
    setrlimit(RLIMIT_CORE, &no_core);
    if (options->memory_mb)
        setrlimit(RLIMIT_AS, &memory);
    if (chdir(options->root) == 0)
        execve(program, arguments, environment);
    _exit(127);
}

/* Returns the end of the pipe that its output comes from, or -1. */
static int spawn(struct worker *worker)
{
    int ends[2];
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *program = arena_printf(arena, "%s/bootstrap", worker->function->options.root);
    char **environment = environment_of(arena, worker);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become_handler(worker, program, environment, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -1;
    }
    pthread_mutex_lock(&worker->function->lock);
    worker->pid = pid;
    if (worker->function->stopping)
        kill(pid, SIGKILL);
    pthread_mutex_unlock(&worker->function->lock);
    return ends[0];
}

static void log_line(const struct function *function, const char *line)
{
    if (function->options.log)
        function->options.log(function->options.data, function->options.name, line);
}

/* Reads what the process writes, until it has ended. */
static void pass_output(const struct worker *worker, int output)
{
    FILE *stream = fdopen(output, "r");
    char *line = NULL;
    size_t capacity = 0;
    require(stream);
    for (ssize_t length; (length = getline(&line, &capacity, stream)) >= 0;) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        if (length > LINE_MAXIMUM)
            line[LINE_MAXIMUM] = '\0';
        if (length)
            log_line(worker->function, line);
    }
    free(line);
    fclose(stream);
}

/* What the end of a process means for its event, and for the function. */
static void mourn(struct worker *worker, int status)
{
    struct function *function = worker->function;
    char how[128];
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "the process was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "the process ended with exit status %d", WEXITSTATUS(status));
    pthread_mutex_lock(&function->lock);
    worker->pid = 0;
    worker->life++;
    worker->ready = false;
    if (worker->event && !worker->event->ended)
        set_error(worker->event, "Runtime.ExitError", how);
    worker->event = NULL;
    if (!function->stopping) {
        function->status.restarts++;
        if (!function->ever_ready) {
            function->status.state = "Failed";
            if (!function->status.reason[0])
                snprintf(function->status.reason, sizeof function->status.reason, "%s", how);
        }
    }
    pthread_cond_broadcast(&function->changed);
    pthread_mutex_unlock(&function->lock);
    if (!function->stopping)
        log_line(function, how);
}

/* Sleeps, unless the function stops. */
static void rest(struct function *function, int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&function->lock);
    int waited = 0;
    while (!function->stopping && waited == 0)
        waited = pthread_cond_timedwait(&function->changed, &function->lock, &until);
    pthread_mutex_unlock(&function->lock);
}

static bool is_stopping(struct function *function)
{
    pthread_mutex_lock(&function->lock);
    bool stopping = function->stopping;
    pthread_mutex_unlock(&function->lock);
    return stopping;
}

/* The thread that forks lives as long as the process: the parent's death signal is tied to it. */
static void *keep_alive(void *argument)
{
    struct worker *worker = argument;
    int pause_ms = RESTART_LEAST_MS;
    while (!is_stopping(worker->function)) {
        int status = 0, output = spawn(worker);
        if (output >= 0) {
            int64_t started_ms = clock_system()->monotonic_ms(clock_system());
            pass_output(worker, output);
            waitpid(worker->pid, &status, 0);
            mourn(worker, status);
            if (clock_system()->monotonic_ms(clock_system()) - started_ms > RESTART_MOST_MS)
                pause_ms = RESTART_LEAST_MS;
        }
        rest(worker->function, pause_ms);
        pause_ms = pause_ms * 2 < RESTART_MOST_MS ? pause_ms * 2 : RESTART_MOST_MS;
    }
    return NULL;
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
        if (event->worker->pid > 0)
            kill(event->worker->pid, SIGKILL);
    }
    set_error(event, "Sandbox.Timedout", message);
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
        set_error(event, "Runtime.Shutdown", "the function is being stopped");
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
    log_line(function, json_text(arena, line));
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
    struct server_options options = {.maximum_body_bytes = (size_t)PAYLOAD_MAXIMUM + 1024,
                                     .serve = serve_runtime,
                                     .data = worker};
    *worker = (struct worker){.function = function};
    if (server_start(&options, &worker->server, &error) < 0)
        return; /* no port: the processes that run go on */
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, PROCESS_STACK_BYTES);
    if (pthread_create(&worker->thread, &attributes, keep_alive, worker) == 0)
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
