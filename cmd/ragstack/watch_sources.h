/* Where the figures of a stack come from, on both targets. */
#ifndef RAGSTACK_CMD_WATCH_SOURCES_H
#define RAGSTACK_CMD_WATCH_SOURCES_H

#include "cmd/ragstack/session.h"
#include "pkg/watch/figures.h"

/* ERR_NOT_FOUND when nothing of the stack exists yet. The stack is expanded. Ended by
 * watch_source_close. */
int watch_source_open(struct task *task, struct session *session, struct figure_source *out,
                      struct error *error);
void watch_source_close(struct figure_source *source);

#endif
