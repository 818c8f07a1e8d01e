#include "tests/unit/fake_transport.h"

#include <string.h>
#include <strings.h>

static const struct http_header *copy_headers(struct arena *arena,
                                              const struct http_header *headers, size_t count)
{
    struct http_header *copy = arena_array(arena, count, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = arena_strdup(arena, headers[i].name);
        copy[i].value = arena_strdup(arena, headers[i].value);
    }
    return copy;
}

static struct fake_request record(struct fake_transport *fake, struct task *task,
                                  const struct http_request *request)
{
    if (fake->request_count == fake->request_capacity) {
        size_t capacity = fake->request_capacity ? fake->request_capacity * 2 : 16;
        fake->requests =
            arena_grow(fake->arena, fake->requests, fake->request_count * sizeof *fake->requests,
                       capacity * sizeof *fake->requests);
        fake->request_capacity = capacity;
    }
    struct fake_request *copy = &fake->requests[fake->request_count++];
    *copy = (struct fake_request){
        .method = arena_strdup(fake->arena, request->method),
        .url = arena_strdup(fake->arena, request->url),
        .body = arena_strndup(fake->arena, request->body, request->body_length),
        .body_length = request->body_length,
        .headers = copy_headers(fake->arena, request->headers, request->header_count),
        .header_count = request->header_count,
        .at_ms = task_now_ms(task),
    };
    return *copy;
}

static struct fake_reply next_reply(struct fake_transport *fake, const struct fake_request *request)
{
    if (fake->next_reply < fake->reply_count)
        return fake->replies[fake->next_reply++];
    if (fake->answer)
        return fake->answer(fake->data, request);
    fake->unexpected++;
    return (struct fake_reply){.code = ERR_FAILED};
}

static size_t count_headers(const struct http_header *headers)
{
    size_t count = 0;
    while (headers && headers[count].name)
        count++;
    return count;
}

static int perform(struct transport *transport, struct task *task, struct arena *arena,
                   const struct http_request *request, struct http_reply *reply,
                   struct error *error)
{
    struct fake_transport *fake = (struct fake_transport *)transport;
    struct fake_request copy = record(fake, task, request);
    int unexpected = fake->unexpected;
    struct fake_reply given = next_reply(fake, &copy);
    if (fake->unexpected > unexpected)
        return error_set(error, ERR_FAILED, "unexpected request: %s %s", request->method,
                         request->url);
    if (given.delay_ms && task_sleep(task, given.delay_ms, error))
        return ERR_CANCELLED;
    if (given.code)
        return error_set(error, given.code, "no reply from %s", request->url);
    size_t length = given.body && !given.body_length ? strlen(given.body) : given.body_length;
    *reply = (struct http_reply){.status = given.status,
                                 .header_count = count_headers(given.headers),
                                 .body = arena_strndup(arena, given.body, length),
                                 .body_length = length};
    reply->headers = (struct http_header *)copy_headers(arena, given.headers, reply->header_count);
    if (request->on_data && length && given.status < 400) {
        reply->body = "";
        reply->body_length = 0;
        if (request->on_data(request->data, given.body, length))
            return error_set(error, ERR_CANCELLED, "the reader ended the transfer");
    }
    return 0;
}

static void close_fake(struct transport *transport)
{
    fake_transport_free((struct fake_transport *)transport);
}

struct fake_transport *fake_transport_new(void)
{
    struct arena *arena = arena_new();
    struct fake_transport *fake = arena_new_of(arena, struct fake_transport);
    fake->transport = (struct transport){perform, close_fake};
    fake->arena = arena;
    return fake;
}

void fake_transport_free(struct fake_transport *fake)
{
    if (fake)
        arena_free(fake->arena);
}

void fake_reply_with(struct fake_transport *fake, struct fake_reply reply)
{
    if (fake->reply_count == fake->reply_capacity) {
        size_t capacity = fake->reply_capacity ? fake->reply_capacity * 2 : 16;
        fake->replies =
            arena_grow(fake->arena, fake->replies, fake->reply_count * sizeof *fake->replies,
                       capacity * sizeof *fake->replies);
        fake->reply_capacity = capacity;
    }
    fake->replies[fake->reply_count++] = reply;
}

void fake_reply(struct fake_transport *fake, int status, const char *body)
{
    fake_reply_with(fake, (struct fake_reply){.status = status, .body = body});
}

void fake_no_reply(struct fake_transport *fake, int code)
{
    fake_reply_with(fake, (struct fake_reply){.code = code});
}

const char *fake_header(const struct fake_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

struct fake_request fake_last(const struct fake_transport *fake)
{
    if (!fake->request_count)
        return (struct fake_request){.method = "", .url = "", .body = ""};
    return fake->requests[fake->request_count - 1];
}
