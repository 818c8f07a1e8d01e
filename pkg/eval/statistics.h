/* What the figures of an evaluation rest on. All intervals are of 95 %. Pure: chance comes from a
 * generator with a seed. */
#ifndef RAGSTACK_EVAL_STATISTICS_H
#define RAGSTACK_EVAL_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
    double low, high; /* NAN: it cannot be told */
};

/* How a list of numbers becomes one figure. A NAN in the list is not counted; none left: NAN. */
struct statistic {
    enum { MEAN, SUM, QUANTILE } kind;
    double share; /* QUANTILE: 0.5 is the median; between two numbers by straight line */
};
void numbers_sort(double *numbers, size_t count);
double statistic_of(const struct statistic *statistic, const double *numbers, size_t count);

/* Wilson's score interval for `hits` of `count`. */
struct interval interval_wilson(size_t hits, size_t count);

/* Percentile bootstrap: the statistic of `count` numbers drawn with replacement, again and again.
 * `base` is what is subtracted, number by number of the same draw: the interval is then that of
 * statistic(numbers) - statistic(base), paired. NULL: nothing. */
struct bootstrap {
    uint64_t seed;
    int draws;
};
struct interval interval_bootstrap(const struct bootstrap *bootstrap,
                                   const struct statistic *statistic, const double *numbers,
                                   const double *base, size_t count);

/* McNemar's exact test, two-sided: of pairs that differ, `gained` went one way and `lost` the
 * other. The probability of at least this much imbalance by chance alone. */
double mcnemar_exact(size_t gained, size_t lost);

#endif
