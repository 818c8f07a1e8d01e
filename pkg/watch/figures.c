#include "pkg/watch/figures.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

struct figure_window figure_window(int64_t now_ms, int seconds)
{
    int minutes = (seconds + 59) / 60;
    int each = (minutes + FIGURE_BUCKETS_MOST - 1) / FIGURE_BUCKETS_MOST;
    int64_t bucket_ms = (int64_t)each * MINUTE_MS;
    struct figure_window window = {.bucket_s = each * 60,
                                   .buckets = (size_t)((minutes + each - 1) / each)};
    window.to_ms = (now_ms / bucket_ms + 1) * bucket_ms;
    window.from_ms = window.to_ms - (int64_t)window.buckets * bucket_ms;
    return window;
}

void figures_begin(struct arena *arena, int64_t now_ms, int seconds, struct figures *out)
{
    *out = (struct figures){.now_ms = now_ms, .window = figure_window(now_ms, seconds)};
    for (size_t i = 0; metrics[i].id; i++) {
        struct figure *row = &out->rows[i];
        row->value = row->latest = row->p50 = row->p95 = row->p99 = NAN;
        row->series = arena_array(arena, out->window.buckets, sizeof *row->series);
        for (size_t b = 0; b < out->window.buckets; b++)
            row->series[b] = NAN;
        if (metrics[i].daily)
            row->days = arena_array(arena, FIGURE_DAYS, sizeof *row->days);
    }
}

void figures_conclude(struct figures *figures, size_t row)
{
    struct figure *figure = &figures->rows[row];
    const char *statistic = metrics[row].statistic;
    double sum = 0, least = NAN, most = NAN;
    size_t count = 0;
    for (size_t b = 0; b < figures->window.buckets; b++) {
        double value = figure->series[b];
        if (isnan(value))
            continue;
        sum += value;
        least = fmin(least, value); /* takes the number of two when one is NAN */
        most = fmax(most, value);
        count++;
        figure->latest = value;
    }
    if (strcmp(statistic, "Sum") == 0)
        figure->value = sum;
    else if (strcmp(statistic, "Average") == 0)
        figure->value = count ? sum / (double)count : NAN;
    else if (strcmp(statistic, "Minimum") == 0)
        figure->value = least;
    else if (strcmp(statistic, "Maximum") == 0)
        figure->value = most;
}

/* -- days and months -- */

static struct tm parts_of(int64_t now_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    return parts;
}

int day_of_month(int64_t now_ms)
{
    return parts_of(now_ms).tm_mday - 1;
}

int64_t month_start_ms(int64_t now_ms)
{
    return now_ms / DAY_MS * DAY_MS - (int64_t)day_of_month(now_ms) * DAY_MS;
}

static int64_t month_end_ms(int64_t now_ms)
{
    enum { LONGER_THAN_A_MONTH = 32 };
    return month_start_ms(month_start_ms(now_ms) + (int64_t)LONGER_THAN_A_MONTH * DAY_MS);
}

double figure_today(const struct figures *figures, size_t row)
{
    const double *days = figures->rows[row].days;
    return days ? days[day_of_month(figures->now_ms)] : NAN;
}

double figure_month(const struct figures *figures, size_t row)
{
    const double *days = figures->rows[row].days;
    double sum = 0;
    for (int day = 0; days && day < FIGURE_DAYS; day++)
        sum += days[day];
    return days ? sum : NAN;
}

double figure_projected(const struct figures *figures, size_t row)
{
    const double *days = figures->rows[row].days;
    int64_t now_ms = figures->now_ms;
    double month = figure_month(figures, row);
    if (isnan(month) || month <= 0)
        return month;
    int first = 0;
    while (days[first] <= 0)
        first++;
    int64_t elapsed_ms = now_ms - month_start_ms(now_ms) - (int64_t)first * DAY_MS;
    if (elapsed_ms < HOUR_MS) /* the first minutes of a month say little */
        elapsed_ms = HOUR_MS;
    return month + month / (double)elapsed_ms * (double)(month_end_ms(now_ms) - now_ms);
}

/* -- alarms -- */

bool alarm_breaches(const struct alarm_rule *rule, double value, double threshold)
{
    if (strcmp(rule->comparison, "GreaterThanOrEqualToThreshold") == 0)
        return value >= threshold;
    if (strcmp(rule->comparison, "GreaterThanThreshold") == 0)
        return value > threshold;
    if (strcmp(rule->comparison, "LessThanThreshold") == 0)
        return value < threshold;
    return value <= threshold;
}

static enum alarm_state judge_from(const struct alarm_rule *rule, double threshold,
                                   const double *values, size_t count)
{
    bool silence_is_fine = strcmp(rule->missing, "notBreaching") == 0;
    bool all_over = true, any = false;
    for (size_t i = 0; i < (size_t)rule->periods; i++) {
        double value = i < count ? values[i] : NAN;
        any = any || !isnan(value);
        all_over = all_over && !isnan(value) && alarm_breaches(rule, value, threshold);
    }
    if (!any && !silence_is_fine)
        return ALARM_NO_DATA;
    return all_over ? ALARM_FIRING : ALARM_OK;
}

enum alarm_state alarm_judge(const struct alarm_rule *rule, double threshold, const double *values,
                             size_t count, size_t *lasts)
{
    enum alarm_state state = judge_from(rule, threshold, values, count);
    size_t last = 1;
    while (last < count && judge_from(rule, threshold, values + last, count - last) == state)
        last++;
    *lasts = last;
    return state;
}
