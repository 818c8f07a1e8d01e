/* Source: GetMetricData, DescribeAlarms, Amazon CloudWatch API Reference; "Amazon CloudWatch
 * pricing": a metric that is asked for is billed once for up to five statistics of it. */
#include "pkg/watch/cloudwatch_figures.h"

#include <math.h>
#include <string.h>

#include "pkg/base/vector.h"

enum {
    ROUND_MS = 60000, /* metrics come by the minute */
    MONTH_EVERY_MS = 300000,
    DAY_S = 86400,
};

static const double USD_A_METRIC = 0.01 / 1000, USD_A_REQUEST = 0.01 / 1000;

/* What the percentiles of the whole time are asked for. */
static const char *const percentiles[] = {"p50", "p95", "p99"};

struct source {
    struct cloudwatch_figures_options options;
    struct watching watching;
    double days[METRICS_MOST][FIGURE_DAYS];
    int64_t month_read_ms; /* 0: not yet */
};

/* -- asking -- */

/* The queries of one call: names are "r<row>" and "l<row>" for what is taken off, with the number
 * of a percentile behind it. */
struct asking {
    struct arena *arena;
    const struct source *source;
    struct value *queries;
    int billed;
};

static void add_query(struct asking *asking, const char *id, size_t row, const char *name,
                      const char *statistic, int period_s)
{
    struct arena *arena = asking->arena;
    const struct metric *metric = &metrics[row];
    struct value *dimension = value_map(arena), *what = value_map(arena), *how = value_map(arena),
                 *query = value_map(arena);
    value_set_text(arena, dimension, "Name", metric->dimension);
    value_set_text(arena, dimension, "Value", asking->source->options.values[row]);
    value_set_text(arena, what, "Namespace", metric->namespace);
    value_set_text(arena, what, "MetricName", name);
    value_set(arena, what, "Dimensions", value_push(arena, value_list(arena), dimension));
    value_set(arena, how, "Metric", what);
    value_set_int(arena, how, "Period", period_s);
    value_set_text(arena, how, "Stat", statistic);
    value_set_text(arena, query, "Id", id);
    value_push(arena, asking->queries, value_set(arena, query, "MetricStat", how));
}

static void ask_for_row(struct asking *asking, size_t row, const struct figure_window *window)
{
    struct arena *arena = asking->arena;
    const struct metric *metric = &metrics[row];
    const char *const names[] = {metric->name, metric->less};
    int window_s = (int)((window->to_ms - window->from_ms) / 1000);
    for (size_t part = 0; part < COUNT_OF(names) && names[part]; part++) {
        char letter = part ? 'l' : 'r';
        add_query(asking, arena_printf(arena, "%c%zu", letter, row), row, names[part],
                  metric->statistic, window->bucket_s);
        asking->billed++;
        if (metric->unit != UNIT_MS)
            continue;
        for (size_t i = 0; i < COUNT_OF(percentiles); i++)
            add_query(asking, arena_printf(arena, "%c%zu%s", letter, row, percentiles[i]), row,
                      names[part], percentiles[i], window_s);
        asking->billed += window_s != window->bucket_s;
    }
}

static int get_data(struct task *task, struct source *source, struct asking *asking,
                    int64_t from_ms, int64_t to_ms, struct value **results, struct error *error)
{
    struct arena *arena = asking->arena;
    struct value *parameters = value_map(arena);
    *results = NULL;
    if (!value_count(asking->queries))
        return 0;
    value_set(arena, parameters, "MetricDataQueries", asking->queries);
    value_set_int(arena, parameters, "StartTime", from_ms / 1000);
    value_set_int(arena, parameters, "EndTime", to_ms / 1000);
    value_set_text(arena, parameters, "ScanBy", "TimestampAscending");
    source->watching.calls++;
    source->watching.metrics += asking->billed;
    source->watching.usd += asking->billed * USD_A_METRIC;
    return aws_list(task, source->options.client, arena, &aws_cloudwatch, "GetMetricData",
                    parameters, results, error);
}

/* -- reading replies -- */

static int64_t time_of(const struct value *result, size_t i)
{
    return (int64_t)(value_as_real(value_item(value_get(result, "Timestamps"), i), 0) * 1000);
}

static double value_of(const struct value *result, size_t i)
{
    return value_as_real(value_item(value_get(result, "Values"), i), NAN);
}

/* Values that belong together may come on several pages: each time with the same id. */
static void take_series(const struct value *results, const char *id,
                        const struct figure_window *window, double *series, double sign)
{
    struct value *result;
    value_each(result, results)
    {
        if (!value_is_text(value_get(result, "Id"), id))
            continue;
        for (size_t i = 0; i < value_count(value_get(result, "Values")); i++) {
            int64_t at_ms = time_of(result, i) - window->from_ms;
            int64_t bucket = at_ms / ((int64_t)window->bucket_s * 1000);
            if (at_ms < 0 || bucket >= (int64_t)window->buckets)
                continue;
            double value = value_of(result, i);
            if (sign < 0)
                series[bucket] = fmax(0, series[bucket] - value); /* NAN stays */
            else
                series[bucket] = value;
        }
    }
}

/* The one value of a period as long as the window: CloudWatch counts periods from StartTime. */
static double take_whole(const struct value *results, const char *id)
{
    struct value *result;
    value_each(result, results)
    {
        if (value_is_text(value_get(result, "Id"), id) && value_count(value_get(result, "Values")))
            return value_of(result, 0);
    }
    return NAN;
}

static double take_percentile(struct arena *arena, const struct value *results, size_t row,
                              const char *name)
{
    double value = take_whole(results, arena_printf(arena, "r%zu%s", row, name));
    if (!metrics[row].less)
        return value;
    double less = take_whole(results, arena_printf(arena, "l%zu%s", row, name));
    return isnan(less) ? value : fmax(0, value - less);
}

static void take_row(struct arena *arena, const struct value *results, size_t row,
                     struct figures *out)
{
    struct figure *figure = &out->rows[row];
    take_series(results, arena_printf(arena, "r%zu", row), &out->window, figure->series, 1);
    if (metrics[row].less)
        take_series(results, arena_printf(arena, "l%zu", row), &out->window, figure->series, -1);
    figures_conclude(out, row);
    if (metrics[row].unit != UNIT_MS)
        return;
    figure->p50 = take_percentile(arena, results, row, "p50");
    figure->p95 = take_percentile(arena, results, row, "p95");
    figure->p99 = take_percentile(arena, results, row, "p99");
    figure->value = figure->p95;
}

static int read_window(struct task *task, struct source *source, struct arena *arena,
                       struct figures *out, struct error *error)
{
    struct asking asking = {arena, source, value_list(arena), 0};
    struct value *results;
    for (size_t row = 0; metrics[row].id; row++) {
        out->rows[row].applies = source->options.values[row] != NULL;
        if (out->rows[row].applies)
            ask_for_row(&asking, row, &out->window);
    }
    int result =
        get_data(task, source, &asking, out->window.from_ms, out->window.to_ms, &results, error);
    source->watching.usd_per_day = asking.billed * USD_A_METRIC * DAY_S * 1000 / ROUND_MS;
    for (size_t row = 0; result == 0 && metrics[row].id; row++) {
        if (out->rows[row].applies)
            take_row(arena, results, row, out);
    }
    return result;
}

/* -- the days of the month -- */

static void take_days(struct arena *arena, struct source *source, const struct value *results,
                      size_t row, int64_t start_ms)
{
    const char *id = arena_printf(arena, "r%zu", row);
    struct value *result;
    memset(source->days[row], 0, sizeof source->days[row]);
    value_each(result, results)
    {
        if (!value_is_text(value_get(result, "Id"), id))
            continue;
        for (size_t i = 0; i < value_count(value_get(result, "Values")); i++) {
            int64_t at_ms = time_of(result, i) - start_ms;
            int64_t day = at_ms / ((int64_t)DAY_S * 1000);
            if (at_ms >= 0 && day < FIGURE_DAYS)
                source->days[row][day] += value_of(result, i);
        }
    }
}

static int read_month(struct task *task, struct source *source, struct arena *arena,
                      struct figures *out, struct error *error)
{
    struct asking asking = {arena, source, value_list(arena), 0};
    struct value *results;
    int64_t start_ms = month_start_ms(out->now_ms);
    for (size_t row = 0; metrics[row].id; row++) {
        if (!metrics[row].daily || !source->options.values[row])
            continue;
        add_query(&asking, arena_printf(arena, "r%zu", row), row, metrics[row].name, "Sum", DAY_S);
        asking.billed++;
    }
    bool is_due = !source->month_read_ms || out->now_ms - source->month_read_ms >= MONTH_EVERY_MS ||
                  source->month_read_ms < start_ms;
    int result =
        is_due ? get_data(task, source, &asking, start_ms, out->window.to_ms, &results, error) : 0;
    source->watching.usd_per_day += asking.billed * USD_A_METRIC * DAY_S * 1000 / MONTH_EVERY_MS;
    if (result < 0)
        return result;
    for (size_t row = 0; metrics[row].id; row++) {
        if (!metrics[row].daily)
            continue;
        if (is_due)
            take_days(arena, source, results, row, start_ms);
        memcpy(out->rows[row].days, source->days[row], sizeof source->days[row]);
    }
    source->month_read_ms = is_due ? out->now_ms : source->month_read_ms;
    return 0;
}

/* -- alarms -- */

static void take_alarm(struct arena *arena, const struct watched_alarm *alarm,
                       const struct value *found, struct alarm_figure *out)
{
    const char *state = value_text(found, "StateValue"), *reason = value_text(found, "StateReason");
    const struct value *since = value_get(found, "StateTransitionedTimestamp");
    if (!since)
        since = value_get(found, "StateUpdatedTimestamp");
    *out = (struct alarm_figure){.id = alarm->id, .title = alarm->title, .reason = ""};
    out->state = !state                        ? ALARM_NO_DATA
                 : strcmp(state, "ALARM") == 0 ? ALARM_FIRING
                 : strcmp(state, "OK") == 0    ? ALARM_OK
                                               : ALARM_NO_DATA;
    out->since_ms = (int64_t)(value_as_real(since, 0) * 1000);
    if (reason)
        out->reason = arena_strdup(arena, reason);
}

static int read_alarms(struct task *task, struct source *source, struct arena *arena,
                       struct figures *out, struct error *error)
{
    const struct cloudwatch_figures_options *options = &source->options;
    struct value *parameters = value_map(arena), *names = value_list(arena), *reply;
    if (!options->alarm_count)
        return 0;
    for (size_t i = 0; i < options->alarm_count; i++)
        value_push_text(arena, names, options->alarms[i].name);
    value_set(arena, parameters, "AlarmNames", names);
    value_set_int(arena, parameters, "MaxRecords", 100);
    source->watching.calls++;
    source->watching.usd += USD_A_REQUEST;
    source->watching.usd_per_day += USD_A_REQUEST * DAY_S * 1000 / ROUND_MS;
    int result = aws_call(task, options->client, arena, &aws_cloudwatch, "DescribeAlarms",
                          parameters, &reply, error);
    out->alarms = arena_array(arena, options->alarm_count, sizeof *out->alarms);
    for (size_t i = 0; result == 0 && i < options->alarm_count; i++) {
        const struct value *found =
            value_find(value_get(reply, "MetricAlarms"), "AlarmName", options->alarms[i].name);
        if (found) /* else it was taken away meanwhile */
            take_alarm(arena, &options->alarms[i], found, &out->alarms[out->alarm_count++]);
    }
    return result;
}

static int read_figures(struct task *task, void *data, struct arena *arena, int seconds,
                        struct figures *out, struct error *error)
{
    struct source *source = data;
    figures_begin(arena, task_wall_ms(task), seconds, out);
    int result = read_window(task, source, arena, out, error);
    if (result == 0)
        result = read_month(task, source, arena, out, error);
    if (result == 0)
        result = read_alarms(task, source, arena, out, error);
    out->watching = source->watching;
    return result;
}

struct figure_source cloudwatch_figure_source(struct arena *arena,
                                              const struct cloudwatch_figures_options *options)
{
    struct source *source = arena_new_of(arena, struct source);
    source->options = *options;
    return (struct figure_source){.read = read_figures, .interval_ms = ROUND_MS, .data = source};
}
