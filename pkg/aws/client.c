#include "pkg/aws/client.h"

#include <stdlib.h>

#include "pkg/aws/call.h"

enum { PATIENCE_S = 300 };

static const char *process_variable(const char *name)
{
    return getenv(name);
}

struct aws_client *aws_client_new(const struct aws_client_options *options)
{
    struct arena *arena = arena_new();
    struct aws_client *client = arena_new_of(arena, struct aws_client);
    client->arena = arena;
    client->options = *options;
    client->options.region = arena_strdup(arena, options->region);
    if (!client->options.getenv)
        client->options.getenv = process_variable;
    if (!client->options.patience_s)
        client->options.patience_s = PATIENCE_S;
    client->budget = retry_budget_full();
    return client;
}

void aws_client_free(struct aws_client *client)
{
    if (client)
        arena_free(client->arena);
}

const char *aws_client_region(const struct aws_client *client)
{
    return client->options.region;
}

const char *aws_client_partition(const struct aws_client *client)
{
    return endpoint_partition(client->options.region);
}

struct aws_statistics aws_client_statistics(const struct aws_client *client)
{
    return client->statistics;
}

void aws_client_set_guard(struct aws_client *client, int (*guard)(void *data, struct error *error),
                          void *data)
{
    client->guard = guard;
    client->guard_data = data;
}

/* -- calls -- */

/* The caller's error is touched by failure only, not by what was put right on the way. */
static int run(struct call *call, struct aws_client *client, const struct aws_service *service,
               const char *operation, const struct value *parameters, struct error *error)
{
    CLEANUP(arena_freep) struct arena *own = arena_new();
    struct error own_error = {0};
    call->client = client;
    call->wire = wire_call_of(service, operation);
    call->arena = own;
    int result = call_run(call, parameters, &own_error);
    if (result && error)
        *error = own_error;
    return result;
}

int aws_call_raw(struct task *task, struct aws_client *client, struct arena *arena,
                 const struct aws_service *service, const char *operation,
                 const struct value *parameters, struct aws_reply *reply, struct error *error)
{
    *reply = (struct aws_reply){0};
    struct call call = {.task = task, .reply_arena = arena, .http = &reply->http};
    int result = run(&call, client, service, operation, parameters, error);
    reply->value = call.value;
    return result;
}

int aws_call(struct task *task, struct aws_client *client, struct arena *arena,
             const struct aws_service *service, const char *operation,
             const struct value *parameters, struct value **reply, struct error *error)
{
    const struct aws_operation *row = aws_operation(service, operation);
    struct http_reply http = {0};
    struct call call = {
        .task = task, .reply_arena = arena, .http = row && row->body_is_raw ? &http : NULL};
    int result = run(&call, client, service, operation, parameters, error);
    if (result == 0 && call.http)
        call.value = value_string_n(arena, http.body, http.body_length);
    if (reply)
        *reply = call.value;
    return result;
}
