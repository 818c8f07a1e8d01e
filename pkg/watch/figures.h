/* The figures of a stack: the rows of pkg/cloud/metrics.h over a time, the same from CloudWatch and
 * from log files, through one interface. */
#ifndef RAGSTACK_WATCH_FIGURES_H
#define RAGSTACK_WATCH_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/cloud/metrics.h"
#include "pkg/task/task.h"

enum {
    FIGURE_DAYS = 31,
    FIGURE_BUCKETS_MOST = 60,
    FIGURE_LONGEST_S = 86400, /* the longest time that percentiles can be asked for */
};

/* The time that is looked at, in whole buckets of whole minutes; the last one is under way. */
struct figure_window {
    int64_t from_ms, to_ms;
    int bucket_s;
    size_t buckets;
};
/* At least `seconds` (60 to FIGURE_LONGEST_S) up to now, in at most FIGURE_BUCKETS_MOST buckets. */
struct figure_window figure_window(int64_t now_ms, int seconds);

struct figure {
    bool applies;  /* this stack and this target have such a thing */
    double value;  /* by the row's statistic, over the whole time; NAN: none. Sums are 0 then */
    double latest; /* of the last bucket that has one; NAN: none */
    double p50, p95, p99; /* over the whole time, of rows in UNIT_MS; NAN otherwise */
    double *series;       /* one a bucket, oldest first; NAN: none */
    double *days;         /* of daily rows: by the day of this month (UTC), 0 is the first */
};

enum alarm_state { ALARM_OK, ALARM_FIRING, ALARM_NO_DATA };
struct alarm_figure {
    const char *id, *title;
    enum alarm_state state;
    int64_t since_ms;   /* 0: not known */
    const char *reason; /* "": none is told */
};

/* What the watching itself took, since it began. */
struct watching {
    int calls, metrics; /* metrics: as they are billed */
    double usd;
    double usd_per_day; /* if it went on like this */
};

struct figures {
    int64_t now_ms;
    struct figure_window window;
    struct figure rows[METRICS_MOST]; /* as metrics[] */
    struct alarm_figure *alarms;
    size_t alarm_count;
    struct watching watching;
    const char *note; /* what is missing, and why; NULL: nothing */
};

struct figure_source {
    /* Reads all into the arena. */
    int (*read)(struct task *task, void *data, struct arena *arena, int seconds,
                struct figures *out, struct error *error);
    void (*close)(void *data); /* may be NULL */
    int interval_ms;           /* reading more often shows nothing new */
    void *data;
};

/* -- for the sources -- */

/* Empty figures of this time, every row with its series. */
void figures_begin(struct arena *arena, int64_t now_ms, int seconds, struct figures *out);
/* Sets value and latest of a row by its series (those of percentiles: only latest). */
void figures_conclude(struct figures *figures, size_t row);
/* The last day of the row counts up to now: of this day, of this month, and what the whole month
 * will be at the pace since its first day with a value. */
double figure_today(const struct figures *figures, size_t row);
double figure_month(const struct figures *figures, size_t row);
double figure_projected(const struct figures *figures, size_t row);
/* Midnight (UTC) of the month's first day. */
int64_t month_start_ms(int64_t now_ms);
/* 0 for the first. */
int day_of_month(int64_t now_ms);

/* -- alarms as CloudWatch judges them, where nothing else does -- */

/* Is the value over the rule's threshold (in the metric's unit)? */
bool alarm_breaches(const struct alarm_rule *rule, double value, double threshold);
/* The state after these values of periods, the newest first (NAN: none). *lasts becomes the number
 * of periods for which it has been so; as many as there are: perhaps for longer. */
enum alarm_state alarm_judge(const struct alarm_rule *rule, double threshold, const double *values,
                             size_t count, size_t *lasts);

#endif
