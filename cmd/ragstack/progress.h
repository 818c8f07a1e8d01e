/* What a person sees while a plan is applied: a live list on a terminal, plain lines elsewhere. */
#ifndef RAGSTACK_CMD_PROGRESS_H
#define RAGSTACK_CMD_PROGRESS_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

struct progress_view;

/* All output goes to stderr. Starts a task that keeps the elapsed times moving; without a terminal
 * it says once a minute what is still awaited, so that a pipeline's log does not fall silent. */
struct progress_view *progress_begin(struct session *session, const struct plan *plan);
/* For apply_options.progress, with the view as data. */
void progress_show(void *view, const struct progress *progress);
/* Takes the live list away; what was done stays on the screen. */
void progress_end(struct task *task, struct progress_view *view);

#endif
