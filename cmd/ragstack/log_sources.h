/* Where the log lines of a stack come from, on both targets. */
#ifndef RAGSTACK_CMD_LOG_SOURCES_H
#define RAGSTACK_CMD_LOG_SOURCES_H

#include "cmd/ragstack/session.h"
#include "pkg/watch/logs.h"

struct log_source_list {
    struct log_source *items;
    size_t count, capacity;
    const char *const *groups; /* the log group of each, on AWS; ends with NULL */
};

/* The sources that exist: of the functions and the API, or only those of the names said (ends with
 * NULL; none: all). ERR_USAGE for a name that the stack does not have. The stack is expanded. */
int log_sources_find(struct task *task, struct session *session, const char *const *said,
                     struct log_source_list *out, struct error *error);

#endif
