/* Protocol json: one target header an operation, JSON both ways. */
#include <string.h>

#include "pkg/aws/protocol.h"
#include "pkg/value/json.h"

int json_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error)
{
    const struct aws_service *service = call->service;
    out->method = "POST";
    out->path = "/";
    out->body = parameters ? json_text(arena, parameters) : "{}";
    out->body_length = strlen(out->body);
    wire_add_header(arena, out, "Content-Type",
                    arena_printf(arena, "application/x-amz-json-%s", service->json_version));
    wire_add_header(arena, out, "X-Amz-Target",
                    arena_printf(arena, "%s.%s", service->target_prefix, call->operation));
    if (service->query_mode)
        wire_add_header(arena, out, "x-amzn-query-mode", "true");
    (void)error;
    return 0;
}

int json_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                struct value **out, struct error *error)
{
    (void)call;
    return json_parse(arena, reply->body, reply->body_length, "the reply", out, error);
}
