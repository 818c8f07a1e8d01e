/* The metrics that matter, in one list: what `ragstack watch` shows, what the dashboard draws, and
 * what the alarms of `watch.alarms` look at.
 *
 * Sources: "Embedded metric format" and the metrics' reference pages of API Gateway (HTTP APIs),
 * Lambda, RDS and RDS Proxy in their guides; what is in the namespace "ragstack" the handlers write
 * (pkg/rag/answer_print.c). */
#ifndef RAGSTACK_CLOUD_METRICS_H
#define RAGSTACK_CLOUD_METRICS_H

#include <stddef.h>

#include "pkg/value/value.h"

enum metric_panel {
    PANEL_TRAFFIC,
    PANEL_LATENCY,
    PANEL_FAILURES,
    PANEL_MODELS,
    PANEL_DATABASE,
    METRIC_PANELS,
};
extern const char *const metric_panel_titles[METRIC_PANELS];

enum metric_unit { UNIT_COUNT, UNIT_MS, UNIT_USD, UNIT_PERCENT, UNIT_BYTES, METRIC_UNITS };
extern const char *const metric_unit_names[METRIC_UNITS]; /* "count", "ms", "usd" ... */

enum { METRICS_MOST = 32, ALARMS_MOST = 16 };

struct metric {
    const char *id;    /* "questions" */
    const char *title; /* for people */
    enum metric_panel panel;
    const char *namespace, *name;
    const char *dimension, *value; /* "FunctionName", "${ask.name}" */
    const char *statistic;         /* Sum, Average, Minimum, Maximum or p95 */
    const char *less;              /* metric of the same dimension that is taken off; NULL: none */
    enum metric_unit unit;
    bool daily; /* also by the day: what a month's sum is made of */
};
extern const struct metric metrics[]; /* ends with a NULL id */
/* Rows of `metrics`, at most METRICS_MOST. */
size_t metric_count(void);
/* The row's number; it must be there. */
size_t metric_number(const char *id);

/* An alarm on a row, when the file gives it a threshold. */
struct alarm_rule {
    const char *id;     /* "errors-ask": the resource is "alarm-errors-ask" */
    const char *key;    /* its threshold's, under watch.alarms */
    const char *metric; /* id */
    int period_s, periods;
    const char *comparison; /* CloudWatch's word */
    const char *missing;    /* what periods without values count as: CloudWatch's word */
    double scale;           /* from the file's unit to the metric's */
};
extern const struct alarm_rule alarm_rules[]; /* ends with a NULL id; at most ALARMS_MOST */
/* "Sum of AWS/Lambda Errors (FunctionName ${ask.name}) over 300 s >= 1, in 1 period in a row; a
 * period without values counts as fine". Without a threshold (NULL): "the threshold". */
const char *alarm_rule_words(struct arena *arena, const struct alarm_rule *rule,
                             const struct value *threshold);

/* The resource that a row is about: "ask" of "${ask.name}", "stack" of "${stack.full_name}". */
const char *metric_subject(struct arena *arena, const struct metric *metric);

#endif
