/* The handlers of a stack's functions: one program, which serves as the one that _HANDLER names. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/rag-handler/handler.h"
#include "pkg/lambda/lambda.h"

static const struct handler *const handlers[] = {
    &handler_ask,
    &handler_ingest,
    &handler_schema,
};

static const struct handler *find_handler(const char *name)
{
    for (size_t i = 0; name && i < COUNT_OF(handlers); i++) {
        if (strcmp(handlers[i]->name, name) == 0)
            return handlers[i];
    }
    return NULL;
}

static int answer(void *data, const struct invocation *invocation, struct value **out,
                  struct error *error)
{
    const struct handler *handler = data;
    if (!is_health_event(invocation))
        return handler->answer(invocation, out, error);
    *out = health_answer(handler, invocation);
    return 0;
}

static int refuse_to_start(const struct lambda *lambda, const char *name)
{
    struct error reason, error = {0};
    error_set(&reason, ERR_INPUT, "there is no handler \"%s\": ask, ingest and schema are",
              name ? name : "");
    fprintf(stderr, "%s\n", reason.message);
    if (lambda_fail_init(lambda, &reason, &error) < 0)
        fprintf(stderr, "%s\n", error.message);
    return 1;
}

int main(void)
{
    const char *name = getenv("_HANDLER");
    const struct handler *handler = find_handler(name);
    struct lambda lambda = {
        .api = getenv("AWS_LAMBDA_RUNTIME_API"),
        .handler = answer,
        .data = (void *)handler,
    };
    struct error error = {0};
    signal(SIGPIPE, SIG_IGN);
    if (!lambda.api) {
        fputs("AWS_LAMBDA_RUNTIME_API is not set: this program runs as an AWS Lambda function\n",
              stderr);
        return 64;
    }
    if (!handler)
        return refuse_to_start(&lambda, name);
    lambda_run(&lambda, &error); /* comes back only with an error */
    fprintf(stderr, "%s\n", error.message);
    return 1;
}
