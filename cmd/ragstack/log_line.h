/* A log line for people, or as JSON. */
#ifndef RAGSTACK_CMD_LOG_LINE_H
#define RAGSTACK_CMD_LOG_LINE_H

#include "cmd/ragstack/session.h"
#include "pkg/watch/logs.h"

struct log_printer {
    const struct session *session;
    int name_width; /* of the longest source name */
    bool clock;     /* a terminal: local time of day, and a line for each new day */
    char day[16];   /* that was told last */
};

/* `number` is the source's: it chooses the colour. */
void log_line_print(struct log_printer *printer, int number, const char *source,
                    const struct log_event *event);

/* The message on one line: JSON objects as key=value (metric definitions left out), and nothing
 * that could steer a terminal. Appended to `out`. */
void log_line_words(struct arena *arena, struct buffer *out, const char *message);

#endif
