/* The Runtime API from both ends. "C..." is what it gives a handler's process: header lines, an
 * empty line, the event; the process answers each event once and takes the next. Anything else is
 * what a process sends: a line "METHOD path" and the body below it, requests separated by NUL
 * bytes; each event ends once. */
#include <stdio.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/lambda/lambda.h"
#include "pkg/serve/runtime_internal.h"
#include "pkg/value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- the process -- */

struct api {
    struct transport transport;
    const char *text;
    size_t length;
    int asked, posted;
};

static int give_event(struct api *api, struct arena *arena, struct http_reply *reply)
{
    VECTOR(struct http_header) headers = {0};
    const char *at = arena_strndup(arena, api->text, api->length), *end = at + api->length;
    while (at < end && *at && *at != '\n') {
        size_t line = strcspn(at, "\n"), name = strcspn(at, ":\n");
        const char *value = name < line ? at + name + 1 : "";
        struct http_header header = {
            arena_strndup(arena, at, name),
            arena_strndup(arena, value, name < line ? line - name - 1 : 0)};
        vector_push(arena, &headers, header);
        at += line < (size_t)(end - at) ? line + 1 : line;
    }
    at += at < end;
    *reply = (struct http_reply){200, headers.items, headers.count, at, (size_t)(end - at)};
    return 0;
}

static int perform(struct transport *transport, struct task *task, struct arena *arena,
                   const struct http_request *request, struct http_reply *reply,
                   struct error *error)
{
    struct api *api = (struct api *)transport;
    (void)task;
    if (strcmp(request->method, "GET") == 0 && api->asked++)
        return error_set(error, ERR_FAILED, "there is no more");
    if (strcmp(request->method, "GET") == 0)
        return give_event(api, arena, reply);
    api->posted++;
    struct value *value;
    require(json_parse(arena, request->body, request->body_length, "answer", &value, error) == 0);
    *reply = (struct http_reply){.status = 202, .body = ""};
    return 0;
}

static void leave(struct transport *transport)
{
    (void)transport;
}

static int echo(void *data, const struct invocation *invocation, struct value **answer,
                struct error *error)
{
    (void)data;
    require(invocation->request_id && invocation->event);
    if (invocation->event->kind == VALUE_NULL)
        return error_set(error, ERR_INPUT, "nothing");
    *answer = value_copy(invocation->arena, invocation->event);
    return 0;
}

static void be_process(const char *text, size_t length)
{
    struct api api = {.transport = {perform, leave}, .text = text, .length = length};
    struct lambda lambda = {.api = "127.0.0.1:9", .handler = echo, .transport = &api.transport};
    struct error error = {0};
    require(lambda_run(&lambda, &error) < 0 && error.message[0]);
    require(api.posted <= 1 && (api.posted == 1) == (api.asked == 2));
}

/* -- the API -- */

static void send_request(struct worker *worker, const char *text, size_t length)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *line = arena_strndup(arena, text, strcspn(text, "\n"));
    const char *space = strchr(line, ' '), *body = text + strlen(line);
    struct reply reply = {0};
    body += *body == '\n';
    struct request request = {.arena = arena,
                              .method = arena_strndup(arena, line, strcspn(line, " ")),
                              .path = space ? space + 1 : "",
                              .query = "",
                              .headers = value_map(arena),
                              .body = body,
                              .body_length = length - (size_t)(body - text),
                              .peer = "127.0.0.1"};
    runtime_api_serve(worker, &request, &reply);
    require(reply.status == 200 || reply.status == 202 || (reply.status >= 400 && reply.body) ||
            reply.status == 410);
    worker->function->stopping = !worker->function->first; /* nobody waits for a second event */
}

static void be_api(const char *text, size_t length)
{
    struct worker worker = {0};
    struct event event = {.body = "{}", .length = 2, .reply = BUFFER(1 << 20)};
    struct function function = {.options = {.name = "ask", .region = "us-east-1"},
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER,
                                .first = &event,
                                .last = &event.next,
                                .workers = &worker,
                                .worker_count = 1,
                                .status = {.state = "Pending"}};
    worker.function = &function;
    snprintf(event.request_id, sizeof event.request_id, "id-1");
    for (const char *at = text, *end = text + length; at < end; at += strlen(at) + 1)
        send_request(&worker, at, strlen(at));
    require(event.ended ? !worker.event : event.reply.length == 0);
    buffer_free(&event.reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    if (size && *text == 'C')
        be_process(text + 1, size - 1);
    else
        be_api(text, size);
    return 0;
}
