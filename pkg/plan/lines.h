/* A difference taken apart into lines: one for each member, key or item that differs. Shared by the
 * text, Markdown and JSON forms of a plan. */
#ifndef RAGSTACK_PLAN_LINES_H
#define RAGSTACK_PLAN_LINES_H

#include "pkg/plan/plan.h"

struct difference_line {
    const char *path;           /* "rules[https].port", "environment.DB_HOST" */
    const char *before, *after; /* as people read them; NULL: absent */
};
typedef void difference_line_sink(void *data, const struct difference_line *line);
void difference_lines(struct arena *arena, const struct difference *difference,
                      difference_line_sink *sink, void *data);

/* A value on one line: strings quoted, long ones cut, unknown as (known after create). */
const char *value_words(struct arena *arena, const struct value *value);

const char *step_word(enum step_kind kind); /* "create" ... */
const char *why_words(enum why why);        /* "drifted" ... */
const char *origin_key(enum origin origin); /* "since" ...; NULL: unknown */
/* ", since main"; "" when it is not known. */
const char *origin_words(struct arena *arena, enum origin origin, const char *base);
/* What its loss of data would take, in words; NULL: nothing, or it is not known. */
const char *step_would_lose(const struct step *step);

#endif
