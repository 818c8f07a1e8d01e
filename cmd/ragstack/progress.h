/* What a person sees while a plan is applied: a live list on a terminal, plain lines elsewhere. */
#ifndef RAGSTACK_CMD_PROGRESS_H
#define RAGSTACK_CMD_PROGRESS_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

struct progress_view;

/* All output goes to stderr. */
struct progress_view *progress_new(struct session *session);
/* For apply_options.progress, with the view as data. */
void progress_show(void *view, const struct progress *progress);
/* Takes the live list away; what was done stays on the screen. */
void progress_end(struct progress_view *view);

#endif
