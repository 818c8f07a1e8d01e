#include "pkg/aws/protocol.h"

struct wire_call wire_call_of(const struct aws_service *service, const char *operation)
{
    return (struct wire_call){
        .service = service, .operation = operation, .row = aws_operation(service, operation)};
}

void wire_add_header(struct arena *arena, struct wire_request *request, const char *name,
                     const char *value)
{
    if (request->header_count == request->header_capacity) {
        size_t capacity = request->header_capacity ? request->header_capacity * 2 : 8;
        request->headers =
            arena_grow(arena, request->headers, request->header_count * sizeof *request->headers,
                       capacity * sizeof *request->headers);
        request->header_capacity = capacity;
    }
    request->headers[request->header_count++] = (struct http_header){name, value};
}

int wire_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error)
{
    *out = (struct wire_request){0};
    if (value_has_unknown(parameters))
        return error_set(error, ERR_INPUT, "%s %s: a parameter is not known yet", call->service->id,
                         call->operation);
    switch (call->service->protocol) {
    case AWS_EC2:
    case AWS_QUERY:
        return query_encode(arena, call, parameters, out, error);
    case AWS_JSON:
        return json_encode(arena, call, parameters, out, error);
    case AWS_REST_JSON:
    case AWS_REST_XML:
        break;
    }
    return rest_encode(arena, call, parameters, out, error);
}

int wire_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                struct value **out, struct error *error)
{
    *out = NULL;
    if (call->row && call->row->body_is_raw)
        return 0;
    if (reply->body_length == 0) {
        *out = value_map(arena);
        return 0;
    }
    switch (call->service->protocol) {
    case AWS_EC2:
    case AWS_QUERY:
        return query_decode(arena, call, reply, out, error);
    case AWS_REST_XML:
        return rest_xml_decode(arena, call, reply, out, error);
    case AWS_JSON:
    case AWS_REST_JSON:
        break;
    }
    return json_decode(arena, call, reply, out, error);
}
