/* Events and answers of API Gateway's HTTP APIs, payload format 2.0.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
#ifndef RAGSTACK_LAMBDA_GATEWAY_H
#define RAGSTACK_LAMBDA_GATEWAY_H

#include "pkg/value/value.h"

/* Does the event come from an HTTP API (or a function URL, which has the same form)? */
bool gateway_event(const struct value *event);
const char *gateway_method(const struct value *event); /* "GET" */
/* Without the stage in front: "/health". */
const char *gateway_path(struct arena *arena, const struct value *event);

/* {"statusCode", "headers", "body"}; `body` is printed as JSON. */
struct value *gateway_answer(struct arena *arena, int status, const char *content_type,
                             const struct value *body);
/* RFC 9457: {"type": "about:blank", "title", "status", "detail", "instance"}. */
struct value *gateway_problem(struct arena *arena, int status, const char *title,
                              const char *detail, const char *instance);

#endif
