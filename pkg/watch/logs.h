/* Log lines of many sources, merged by time: once, or followed.
 *
 * Lines arrive late and out of order. So following asks again for a while that was asked already
 * (always for half a minute, now and then for ten) and tells only what it has not told: a line that
 * shows at most nine minutes late is never lost, and none is told twice. (Where more lines come in
 * ten minutes than are remembered, only the waiting for late ones gets shorter.) Within one round
 * lines come in the order of their times; what shows late comes in a later round. */
#ifndef RAGSTACK_WATCH_LOGS_H
#define RAGSTACK_WATCH_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/task/task.h"

struct log_event {
    int64_t time_ms; /* wall */
    const char *id;  /* unique in its source */
    const char *stream, *message;
};

struct log_page {
    struct log_event *events;
    size_t count;
    const char *next; /* the next page; NULL: this was the last. A page may be empty and have one */
};

struct log_request {
    int64_t from_ms, to_ms; /* both included; to_ms 0: open */
    const char *filter;     /* in the source's own language; NULL: all */
    const char *page;       /* NULL: the first */
};

struct log_source {
    const char *name; /* as people see it: "ask", "api" */
    /* Reads one page into the arena. ERR_NOT_FOUND: nothing was ever logged, which is no error. */
    int (*read)(struct task *task, void *data, struct arena *arena,
                const struct log_request *request, struct log_page *page, struct error *error);
    void *data;
};

struct log_options {
    const struct log_source *sources;
    size_t source_count;
    int64_t from_ms, to_ms; /* wall; to_ms 0: now, or no end when followed */
    bool follow;
    const char *filter;
    int round_ms;      /* followed: at least so long between the starts of rounds; 0: 2000 */
    int call_ms;       /* at least so long between two pages; 0: 250 */
    size_t remembered; /* ids at most; 0: 131072 */
    /* Told in order. Nonzero ends the reading with ERR_CANCELLED. */
    int (*tell)(void *data, const struct log_source *source, const struct log_event *event);
    /* After each round: all that is known is told. Nonzero ends the reading, too. May be NULL. */
    int (*pause)(void *data);
    /* A round failed, and is tried again. May be NULL. */
    void (*trouble)(void *data, const struct error *error);
    void *data;
};

/* Without `follow`: 0 at the end. With it: only an error (cancelled, denied, or five minutes of
 * failures). */
int logs_read(struct task *task, const struct log_options *options, struct error *error);

#endif
