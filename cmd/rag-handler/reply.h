/* Replies of the HTTP API: JSON, and problems by RFC 9457. */
#ifndef RAGSTACK_CMD_RAG_HANDLER_REPLY_H
#define RAGSTACK_CMD_RAG_HANDLER_REPLY_H

#include "pkg/lambda/lambda.h"

struct value *reply_ok(const struct invocation *invocation, const struct value *body);
/* 204 */
struct value *reply_nothing(const struct invocation *invocation);
/* Text of a type of its own. */
struct value *reply_text(const struct invocation *invocation, const char *content_type,
                         const char *text);
struct value *reply_problem(const struct invocation *invocation, int status, const char *title,
                            const char *detail);
/* The reply for an error: 400 for bad input, 404, 409, 429 with Retry-After, 503, 500. What is not
 * the caller's business is told in the log alone. */
struct value *reply_error(const struct invocation *invocation, const struct error *error);

/* The body as a JSON map: decoded from base64, its type checked. 0, or the reply that refuses it in
 * *refusal: 415 for another content type than application/json, 413 above 5 MB, 400 for anything
 * else. */
int request_body(const struct invocation *invocation, struct value **body, struct value **refusal);
/* A parameter of the path ("id"), decoded; NULL if absent. */
const char *request_parameter(const struct invocation *invocation, const char *name);
/* A parameter of the query; NULL if absent. */
const char *request_query(const struct invocation *invocation, const char *name);
bool request_is(const struct invocation *invocation, const char *method, const char *path);

#endif
