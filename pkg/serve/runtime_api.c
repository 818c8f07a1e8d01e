/* The Lambda Runtime API, as a process of a function sees it. */
#include <stdio.h>
#include <string.h>

#include "pkg/serve/runtime_internal.h"

#define RUNTIME_PATH "/2018-06-01/runtime/"

enum { REASON_MAXIMUM = 511 };

/* An event for this process; NULL when the process is gone, or the function stops. */
static struct event *take_event(struct worker *worker)
{
    struct function *function = worker->function;
    int life = worker->life;
    if (worker->event) {
        event_fail(worker->event, "Runtime.NoResponse",
                   "the process asked for another event, and had not answered this one");
        worker->event = NULL;
        pthread_cond_broadcast(&function->changed);
    }
    worker->ready = worker->serving = true;
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
        event_fail(event, "Function.ResponseSizeTooLarge", "the answer is larger than 6 MB");
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

void runtime_api_serve(void *data, const struct request *request, struct reply *reply)
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
