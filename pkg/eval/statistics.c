/* Sources: E. B. Wilson, "Probable inference, the law of succession, and statistical inference"
 * (1927); B. Efron, "Bootstrap methods: another look at the jackknife" (1979); Q. McNemar, "Note
 * on the sampling error of the difference between correlated proportions" (1947). */
#include "pkg/eval/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/arena.h"

static const double NORMAL_95 = 1.959963984540054;

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

void numbers_sort(double *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, by_size);
}

static double quantile_of(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    double rest = place - (double)below;
    return below + 1 < count ? sorted[below] + rest * (sorted[below + 1] - sorted[below])
                             : sorted[count - 1];
}

/* The numbers that count, put to the front. */
static size_t drop_missing(double *numbers, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(numbers[i]))
            numbers[kept++] = numbers[i];
    }
    return kept;
}

/* May reorder the numbers. */
static double figure_of(const struct statistic *statistic, double *numbers, size_t count)
{
    double sum = 0;
    count = drop_missing(numbers, count);
    if (!count)
        return NAN;
    if (statistic->kind == QUANTILE) {
        numbers_sort(numbers, count);
        return quantile_of(numbers, count, statistic->share);
    }
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    return statistic->kind == SUM ? sum : sum / (double)count;
}

double statistic_of(const struct statistic *statistic, const double *numbers, size_t count)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    double *copy = arena_array(arena, count + 1, sizeof *copy);
    if (count)
        memcpy(copy, numbers, count * sizeof *copy);
    return figure_of(statistic, copy, count);
}

struct interval interval_wilson(size_t hits, size_t count)
{
    if (!count)
        return (struct interval){NAN, NAN};
    double n = (double)count, share = (double)hits / n, z2 = NORMAL_95 * NORMAL_95;
    double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
    double half = NORMAL_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n);
    double low = hits ? middle - half : 0, high = hits < count ? middle + half : 1;
    return (struct interval){low < 0 ? 0 : low, high > 1 ? 1 : high};
}

/* -- chance -- */

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 0 to count - 1; the high bits decide, so that the bias is below 2^-32 for what fits in memory. */
static size_t random_below(uint64_t *state, size_t count)
{
    return (size_t)(((random_next(state) >> 32) * (uint64_t)count) >> 32);
}

struct interval interval_bootstrap(const struct bootstrap *bootstrap,
                                   const struct statistic *statistic, const double *numbers,
                                   const double *base, size_t count)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    size_t draws = (size_t)bootstrap->draws;
    double *figures = arena_array(arena, draws + 1, sizeof *figures);
    double *drawn = arena_array(arena, count + 1, sizeof *drawn);
    double *drawn_base = arena_array(arena, count + 1, sizeof *drawn_base);
    uint64_t state = bootstrap->seed;
    for (size_t i = 0; count && i < draws; i++) {
        for (size_t j = 0; j < count; j++) {
            size_t one = random_below(&state, count);
            drawn[j] = numbers[one];
            drawn_base[j] = base ? base[one] : 0;
        }
        figures[i] = figure_of(statistic, drawn, count) -
                     (base ? figure_of(statistic, drawn_base, count) : 0);
    }
    size_t kept = count ? drop_missing(figures, draws) : 0;
    if (kept < draws / 2 || !kept) /* most draws have nothing to count */
        return (struct interval){NAN, NAN};
    numbers_sort(figures, kept);
    return (struct interval){quantile_of(figures, kept, 0.025), quantile_of(figures, kept, 0.975)};
}

/* -- pairs -- */

double mcnemar_exact(size_t gained, size_t lost)
{
    size_t count = gained + lost, fewer = gained < lost ? gained : lost;
    double tail = 0, n = (double)count;
    for (size_t i = 0; i <= fewer; i++) {
        double k = (double)i;
        tail += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * log(2));
    }
    return tail >= 0.5 ? 1 : 2 * tail;
}
