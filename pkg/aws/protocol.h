/* What an operation's parameters look like on the wire, and a reply's body as a value. One file a
 * protocol; nothing here knows of hosts, signatures or repeats. */
#ifndef RAGSTACK_AWS_PROTOCOL_H
#define RAGSTACK_AWS_PROTOCOL_H

#include "pkg/aws/service.h"
#include "pkg/http/http.h"
#include "pkg/value/value.h"

/* What is called: service and row belong together; row is NULL for operations without one. */
struct wire_call {
    const struct aws_service *service;
    const char *operation;
    const struct aws_operation *row;
    bool bucket_in_host; /* S3: the path begins after the bucket */
};
struct wire_call wire_call_of(const struct aws_service *service, const char *operation);

struct wire_request {
    const char *method;
    const char *path;  /* percent-encoded, starts with '/' */
    const char *query; /* percent-encoded, without '?'; NULL for none */
    struct http_header *headers;
    size_t header_count, header_capacity;
    const char *body; /* NULL for none; borrowed from the parameters when it is a payload */
    size_t body_length;
};
void wire_add_header(struct arena *arena, struct wire_request *request, const char *name,
                     const char *value);

/* ERR_INPUT when a member that the path needs is missing, or one has no place in the request.
 * `parameters` may be NULL. */
int wire_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error);
/* A successful reply's body. ERR_INPUT when it is not what the protocol says. An S3 reply that is
 * an <Error> after all gives ERR_CONFLICT. */
int wire_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                struct value **out, struct error *error);

/* -- one protocol each, called by the two above -- */
int query_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                 struct wire_request *out, struct error *error);
int query_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                 struct value **out, struct error *error);
int json_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error);
int json_decode(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                struct value **out, struct error *error);
int rest_encode(struct arena *arena, const struct wire_call *call, const struct value *parameters,
                struct wire_request *out, struct error *error);
int rest_xml_decode(struct arena *arena, const struct wire_call *call,
                    const struct http_reply *reply, struct value **out, struct error *error);

#endif
