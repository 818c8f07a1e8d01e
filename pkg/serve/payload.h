/* Payload format 2.0: a request as the event of a function, and its answer as a reply. */
#ifndef RAGSTACK_SERVE_PAYLOAD_H
#define RAGSTACK_SERVE_PAYLOAD_H

#include "pkg/serve/server.h"

struct value *payload_event(const struct request *request, const char *route_key,
                            struct value *parameters, const char *request_id);

/* A JSON map with statusCode is taken apart; any other JSON becomes a 200 with it as the body.
 * False when it cannot be a reply (bad status, bad base64). */
bool payload_reply(const struct request *request, const char *answer, size_t length,
                   struct reply *reply);

#endif
