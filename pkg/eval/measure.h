/* The figures of a run, each with its interval. */
#ifndef RAGSTACK_EVAL_MEASURE_H
#define RAGSTACK_EVAL_MEASURE_H

#include "pkg/eval/run.h"
#include "pkg/eval/statistics.h"

struct eval_metric {
    const char *name; /* "recall@5", for --fail-under */
    const char *unit; /* "", "ms", "$" */
    bool less_is_better;
    bool needs_model; /* not measured by search alone */
    int parameter;
    struct statistic statistic;
    /* What a row adds to the figure; NAN: nothing, it does not count. */
    double (*of)(const struct eval_row *row, int parameter);
    const char *summary; /* one line */
};
/* Ends with a NULL name. */
extern const struct eval_metric eval_metrics[];
/* NULL if there is none. */
const struct eval_metric *eval_metric_find(const char *name);

struct measure {
    const struct eval_metric *metric;
    double value; /* NAN: not measured */
    struct interval interval;
    size_t count;  /* questions that count */
    bool is_share; /* of yes and no: the interval is Wilson's, else the bootstrap's */
};
/* One of each metric, in their order; only rows of `kind` (NULL: all). */
struct measure *eval_measure(struct arena *arena, const struct eval_run *run, const char *kind,
                             const struct bootstrap *bootstrap);
const struct measure *measure_find(const struct measure *measures, const char *name);
/* The numbers behind a metric, one a row. */
double *metric_numbers(struct arena *arena, const struct eval_run *run,
                       const struct eval_metric *metric, const char *kind);
bool numbers_are_yes_or_no(const double *numbers, size_t count);

/* The kinds of question in a run, in their order; ends with NULL. */
const char *const *eval_kinds(struct arena *arena, const struct eval_run *run);

#endif
