/* Figures from log lines, where there is no CloudWatch: the metrics that the handlers' lines carry
 * (embedded metric format), the gateway's access lines, the functions' reports; and what the host
 * itself says of the database. */
#ifndef RAGSTACK_WATCH_LOG_FIGURES_H
#define RAGSTACK_WATCH_LOG_FIGURES_H

#include "pkg/value/value.h"
#include "pkg/watch/figures.h"
#include "pkg/watch/host_gauges.h"
#include "pkg/watch/logs.h"

struct log_figures_options {
    const struct log_source *sources; /* "api", and the functions by their names */
    size_t source_count;
    const struct value *alarms; /* watch.alarms of the stack file: thresholds */
    struct host_gauges *gauges; /* closed with the source; NULL: none */
    const bool *applies;        /* METRICS_MOST rows */
};

/* What the options point to is borrowed. The source reads on where it stopped: each line once. */
struct figure_source log_figure_source(const struct log_figures_options *options);

#endif
