/* One call under way, and the client that it belongs to. Internal to client.c, call.c, list.c. */
#ifndef RAGSTACK_AWS_CALL_H
#define RAGSTACK_AWS_CALL_H

#include "pkg/aws/client.h"
#include "pkg/aws/endpoint.h"
#include "pkg/aws/pace.h"
#include "pkg/aws/protocol.h"
#include "pkg/aws/retry.h"
#include "pkg/base/vector.h"

/* A service's buckets. */
struct service_pace {
    const struct aws_service *service;
    struct pace writes, reads;
};

struct aws_client {
    struct arena *arena;
    struct aws_client_options options;
    int64_t clock_offset_ms; /* the servers' clock minus ours, when it differed too much */
    struct retry_budget budget;
    VECTOR(struct service_pace *) paces;
    struct aws_statistics statistics;
    int (*guard)(void *data, struct error *error);
    void *guard_data;
};

struct call {
    struct task *task;
    struct aws_client *client;
    struct wire_call wire;
    struct endpoint endpoint;
    struct wire_request request;
    struct retry retry;
    bool reads, repeatable;
    int attempts;
    char credential_source[64]; /* for messages */
    struct arena *arena;        /* the call's own */
    /* What the caller gets. */
    struct arena *reply_arena;
    struct value *value;     /* NULL for raw bodies */
    struct http_reply *http; /* NULL when the caller does not want it */
};

/* Sends it as often as the policy says. `error` is not NULL. */
int call_run(struct call *call, const struct value *parameters, struct error *error);

#endif
