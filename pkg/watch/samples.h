/* Values with their times, in order of time, of bounded number: what statistics are made of. */
#ifndef RAGSTACK_WATCH_SAMPLES_H
#define RAGSTACK_WATCH_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sample {
    int64_t time_ms;
    double value;
};

struct samples {
    struct sample *items; /* by time; malloc'ed */
    size_t count, capacity;
    size_t maximum;  /* when there are more, the older half is dropped; 0: 65536 */
    bool incomplete; /* some were */
};

void samples_free(struct samples *samples);
void samples_add(struct samples *samples, int64_t time_ms, double value);
/* Forgets what is older. */
void samples_forget(struct samples *samples, int64_t before_ms);

/* Of the values from `from_ms` to before `to_ms`, as CloudWatch names it: Sum, Average, Minimum,
 * Maximum, SampleCount, or a percentile ("p95": the smallest value that at least 95 % do not
 * exceed). NAN when there are none. */
double samples_statistic(const struct samples *samples, int64_t from_ms, int64_t to_ms,
                         const char *statistic);

#endif
