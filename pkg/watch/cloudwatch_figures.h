/* Figures from CloudWatch: one GetMetricData and one DescribeAlarms a reading, and every five
 * minutes another GetMetricData for the days of the month. */
#ifndef RAGSTACK_WATCH_CLOUDWATCH_FIGURES_H
#define RAGSTACK_WATCH_CLOUDWATCH_FIGURES_H

#include "pkg/aws/client.h"
#include "pkg/watch/figures.h"

struct watched_alarm {
    const char *id, *title;
    const char *name; /* in CloudWatch */
};

struct cloudwatch_figures_options {
    struct aws_client *client;
    /* The dimension's value of each row; NULL where the stack has no such thing. */
    const char *values[METRICS_MOST];
    const struct watched_alarm *alarms; /* at most 100 */
    size_t alarm_count;
};

/* Lives in the arena; what the options point to is borrowed. */
struct figure_source cloudwatch_figure_source(struct arena *arena,
                                              const struct cloudwatch_figures_options *options);

#endif
