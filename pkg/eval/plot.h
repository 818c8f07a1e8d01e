/* The report's plots: inline SVG, coloured by the page's own classes. */
#ifndef RAGSTACK_EVAL_PLOT_H
#define RAGSTACK_EVAL_PLOT_H

#include "pkg/eval/report.h"

/* Each writes a <figure>, or nothing where there is nothing to show. */
void plot_measures(struct buffer *out, struct arena *arena, const struct report *report);
void plot_differences(struct buffer *out, struct arena *arena, const struct report *report);
void plot_floors(struct buffer *out, struct arena *arena, const struct report *report);
void plot_bests(struct buffer *out, struct arena *arena, const struct report *report);
void plot_latency(struct buffer *out, struct arena *arena, const struct report *report);

#endif
