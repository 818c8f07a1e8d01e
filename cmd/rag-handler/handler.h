/* What a handler is: one file, one const struct, one line in main.c's table. */
#ifndef RAGSTACK_CMD_RAG_HANDLER_HANDLER_H
#define RAGSTACK_CMD_RAG_HANDLER_HANDLER_H

#include "pkg/lambda/lambda.h"

/* A variable of the environment that a handler reads. */
struct setting {
    const char *name; /* ends the table when NULL */
    bool optional;
};

struct handler {
    const char *name; /* as _HANDLER has it */
    const struct setting *settings;
    /* Answers everything but health events. */
    int (*answer)(const struct invocation *invocation, struct value **answer, struct error *error);
};

extern const struct handler handler_ask, handler_ingest, handler_schema;

/* {"ragstack": "health"}, and GET /health of an HTTP API. */
bool is_health_event(const struct invocation *invocation);
/* Who answers, and which of its settings are there: names only, never what they say. */
struct value *health_answer(const struct handler *handler, const struct invocation *invocation);

#endif
