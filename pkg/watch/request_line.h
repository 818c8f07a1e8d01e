/* What a log line tells of one request: the handler's line of a question, the gateway's access
 * line, the report of the function's run; in the shapes of both targets. */
#ifndef RAGSTACK_WATCH_REQUEST_LINE_H
#define RAGSTACK_WATCH_REQUEST_LINE_H

#include <stdbool.h>

#include "pkg/value/value.h"

enum request_line_kind {
    LINE_OTHER,
    LINE_QUESTION, /* answered, or honestly not */
    LINE_FAILURE,  /* a question that ended with an error */
    LINE_ACCESS,   /* of the gateway */
    LINE_REPORT,   /* of the function's run */
};

struct request_line {
    enum request_line_kind kind;
    const struct value *json; /* all of it; NULL when it is no JSON object */
    const char *request_id;   /* of the function's run; "": not told */
    /* LINE_REPORT */
    double duration_ms, init_ms; /* init_ms: a cold start's; 0: none */
    const char *status;          /* "success", "error", "timeout" */
};

/* In the arena. */
struct request_line request_line_read(struct arena *arena, const char *message);
/* A number of the line; 0 when it is not there. */
double request_line_number(const struct request_line *line, const char *name);
/* A text of the line, without control characters; "" when it is not there. */
const char *request_line_text(struct arena *arena, const struct request_line *line,
                              const char *name);

#endif
