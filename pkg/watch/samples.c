#include "pkg/watch/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"

enum { MOST = 65536, FIRST = 64 };

void samples_free(struct samples *samples)
{
    free(samples->items);
    samples->items = NULL;
    samples->count = samples->capacity = 0;
}

static void drop(struct samples *samples, size_t number)
{
    samples->count -= number;
    memmove(samples->items, samples->items + number, samples->count * sizeof *samples->items);
}

static void make_room(struct samples *samples)
{
    size_t most = samples->maximum ? samples->maximum : MOST;
    if (samples->count == most) {
        drop(samples, (most + 1) / 2);
        samples->incomplete = true;
    }
    if (samples->count < samples->capacity)
        return;
    samples->capacity = samples->capacity ? samples->capacity * 2 : FIRST;
    samples->items = reallocarray(samples->items, samples->capacity, sizeof *samples->items);
    require(samples->items);
}

/* The number of the first that is not before this time. */
static size_t place_of(const struct samples *samples, int64_t time_ms)
{
    size_t low = 0, high = samples->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (samples->items[middle].time_ms < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void samples_add(struct samples *samples, int64_t time_ms, double value)
{
    make_room(samples);
    size_t at = place_of(samples, time_ms + 1); /* nearly always the end */
    memmove(samples->items + at + 1, samples->items + at,
            (samples->count - at) * sizeof *samples->items);
    samples->items[at] = (struct sample){time_ms, value};
    samples->count++;
}

void samples_forget(struct samples *samples, int64_t before_ms)
{
    size_t old = place_of(samples, before_ms);
    if (old > samples->count / 2) /* moves each at most once, on average */
        drop(samples, old);
}

/* -- statistics -- */

static int by_value(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return first < second ? -1 : first > second;
}

static double percentile(const struct sample *items, size_t count, double percent)
{
    double *values = calloc(count, sizeof *values);
    require(values);
    for (size_t i = 0; i < count; i++)
        values[i] = items[i].value;
    qsort(values, count, sizeof *values, by_value);
    double rank = ceil(percent / 100 * (double)count);
    double value = values[rank < 1 ? 0 : (size_t)rank - 1];
    free(values);
    return value;
}

double samples_statistic(const struct samples *samples, int64_t from_ms, int64_t to_ms,
                         const char *statistic)
{
    size_t from = place_of(samples, from_ms), to = place_of(samples, to_ms);
    if (from >= to)
        return NAN;
    const struct sample *items = samples->items + from;
    size_t count = to - from;
    double sum = 0, least = items[0].value, most = items[0].value;
    if (statistic[0] == 'p')
        return percentile(items, count, strtod(statistic + 1, NULL));
    for (size_t i = 0; i < count; i++) {
        sum += items[i].value;
        least = fmin(least, items[i].value);
        most = fmax(most, items[i].value);
    }
    if (strcmp(statistic, "Sum") == 0)
        return sum;
    if (strcmp(statistic, "Average") == 0)
        return sum / (double)count;
    if (strcmp(statistic, "SampleCount") == 0)
        return (double)count;
    return strcmp(statistic, "Minimum") == 0 ? least : most;
}
