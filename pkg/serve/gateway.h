/* The front of the local target, in place of API Gateway's HTTP APIs: routes, payload format 2.0,
 * CORS, throttling and limits as they are there. Source: "Working with AWS Lambda proxy
 * integrations for HTTP APIs", API Gateway Developer Guide. */
#ifndef RAGSTACK_SERVE_GATEWAY_H
#define RAGSTACK_SERVE_GATEWAY_H

#include <stdbool.h>

#include "pkg/serve/runtime.h"
#include "pkg/value/value.h"

struct gateway_options {
    int port; /* 0: any free one */
    /* {"routes": [{"key": "POST /ask", "function": "ask"}], "cors": {"origins": [], "methods": [],
     * "headers": [], "max_age_s":} or null, "throttle_rate":, "throttle_burst":} */
    const struct value *config;
    /* Runs an event by the function of a route; false when there is no such function (500). */
    bool (*invoke)(void *data, const char *name, struct arena *arena, const char *event,
                   size_t length, const char *trace, struct function_answer *out);
    void (*log)(void *data, const char *line); /* one access line a request */
    void *data;
};

struct gateway;
int gateway_start(const struct gateway_options *options, struct gateway **out, struct error *error);
int gateway_port(const struct gateway *gateway);
void gateway_stop(struct gateway *gateway);

#endif
