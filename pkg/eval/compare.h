/* Two runs over the same questions, side by side. */
#ifndef RAGSTACK_EVAL_COMPARE_H
#define RAGSTACK_EVAL_COMPARE_H

#include "pkg/eval/measure.h"

struct comparison {
    const struct eval_metric *metric;
    double before, after;
    struct interval difference; /* of after - before: paired bootstrap */
    size_t gained, lost;        /* questions that went from no to yes, and back */
    double p;                   /* McNemar's exact test; NAN where it does not apply */
};
struct compared {
    const struct eval_run *before, *after;
    struct comparison *items; /* what both measured */
    size_t count;
    size_t pairs;         /* questions that both asked */
    size_t unpaired;      /* that only one of them asked */
    const char *settings; /* what differs in the settings, in words; "" for nothing */
};

/* ERR_INPUT when they have no question in common. */
int eval_compare(struct arena *arena, const struct eval_run *before, const struct eval_run *after,
                 const struct bootstrap *bootstrap, struct compared *out, struct error *error);

/* 1: better, -1: worse, 0: the interval of the difference holds 0. */
int comparison_verdict(const struct comparison *comparison);

#endif
