/* What an evaluation found, for people and programs. */
#ifndef RAGSTACK_EVAL_REPORT_H
#define RAGSTACK_EVAL_REPORT_H

#include "pkg/base/buffer.h"
#include "pkg/eval/calibrate.h"
#include "pkg/eval/compare.h"

/* --fail-under recall@5=0.8 */
struct gate {
    const struct eval_metric *metric;
    double least; /* or the most, where less is better */
    bool missed;
    double value; /* NAN: it was not measured, and counts as missed */
};
struct gate_list {
    struct gate *items;
    size_t count, capacity;
};

struct report {
    const struct eval_run *run;
    const struct measure *measures;
    const char *const *kinds;                   /* ends with NULL */
    const struct measure *const *kind_measures; /* one each */
    const struct calibration *calibration;
    const struct compared *compared; /* NULL: nothing to compare with */
    struct gate_list gates;
    struct bootstrap bootstrap;
};

/* Measures, calibrates, compares with `before` (NULL: nothing) and judges the gates. */
int report_make(struct arena *arena, const struct eval_run *run, const struct eval_run *before,
                double most_lost, const struct bootstrap *bootstrap, struct gate_list gates,
                struct report *out, struct error *error);

/* Why an answer is wrong, in words; NULL: it is right, or was not asked. */
const char *report_wrong(struct arena *arena, const struct eval_row *row);

struct report_style {
    bool colour;
    size_t most_wrong; /* wrong answers that are listed */
};
void report_print_text(struct buffer *out, const struct report *report,
                       const struct report_style *style);
void report_print_markdown(struct buffer *out, const struct report *report);
/* The run's own document (eval_run_to_value) and the figures: what --out saves. */
struct value *report_to_value(struct arena *arena, const struct report *report);
/* The body of the page: templates/eval.html has the rest. */
void report_print_html(struct buffer *out, const struct report *report);

/* -- for the printers -- */
/* "0.65", "312 ms", "$1.20" */
const char *report_figure(struct arena *arena, const struct eval_metric *metric, double value);
/* "0.52 to 0.76"; "" when it cannot be told. */
const char *report_interval(struct arena *arena, const struct eval_metric *metric,
                            struct interval interval);
/* "recall@5 is 0.650, and has to be at least 0.800" */
const char *report_gate(struct arena *arena, const struct gate *gate);
/* "0.25"; "-" of nothing. */
const char *report_share(struct arena *arena, size_t part, size_t all);
/* Metrics that are told of each kind of question. */
enum { KIND_METRICS = 5 };
extern const char *const report_kind_metrics[KIND_METRICS];
/* "p 0.031"; "" when it cannot be told. */
const char *report_chance(struct arena *arena, double p);
/* "top_k 6, floor 0.38, ..." */
const char *report_settings(struct arena *arena, const struct eval_settings *settings);
/* Steps of the floor that are worth a line; ends with -1. */
const int *report_floors(struct arena *arena, const struct calibration *calibration);
/* "better", "worse", "no difference seen" */
const char *report_verdict(const struct comparison *comparison);

#endif
