/* One request through gateway, function, models and database, put together from its log lines.
 *
 * The lines tell how long each part took, and the order of the parts is known; so the beginnings
 * are put together from those: what the gateway adds stands before the function, what the function
 * needs to start before its work. */
#ifndef RAGSTACK_WATCH_WATERFALL_H
#define RAGSTACK_WATCH_WATERFALL_H

#include "pkg/base/buffer.h"
#include "pkg/watch/request_line.h"

enum { SPANS_MOST = 8 };

struct span {
    const char *name;  /* "gateway", "function", "start", "connect", "embed" ... */
    const char *where; /* "API Gateway", "database", a model's name; "": nothing to tell */
    double start_ms, length_ms;
    int depth; /* in the tree: 0 is the gateway */
    bool failed;
};

struct waterfall {
    struct arena *arena;
    const char *request_id; /* the function's; "": no line told one */
    const char *function;   /* the source that wrote its lines; "": none did */
    struct request_line question, access, report;
};

void waterfall_begin(struct waterfall *waterfall, struct arena *arena);
/* A line of the request, and the source that it is from. */
void waterfall_take(struct waterfall *waterfall, const char *source, const char *message);
/* Is there anything to draw? */
bool waterfall_has_spans(const struct waterfall *waterfall);
size_t waterfall_spans(const struct waterfall *waterfall, struct span out[SPANS_MOST]);

/* Lines of at most `columns`. */
void waterfall_print(struct buffer *out, const struct waterfall *waterfall, int columns,
                     bool colour);
struct value *waterfall_to_value(struct arena *arena, const struct waterfall *waterfall);

#endif
