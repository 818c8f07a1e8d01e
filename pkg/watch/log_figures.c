#include "pkg/watch/log_figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/resource/identity.h"
#include "pkg/value/json.h"
#include "pkg/watch/samples.h"

enum {
    ROUND_MS = 2000,
    DAY_MS = 86400000,
    KEPT_MS = 2 * DAY_MS, /* samples */
    PERIODS_MOST = 288,   /* five minutes each: a day */
    LINE_METRICS_MOST = 24,
};

/* Where a source was read up to: the time of its last line, and how many lines of that time. */
struct progress {
    int64_t time_ms;
    size_t lines;
};

struct source {
    struct log_figures_options options;
    struct progress *progress;            /* one a log source */
    struct samples samples[METRICS_MOST]; /* from kept_ms on */
    int64_t kept_ms;
    double days[METRICS_MOST][FIGURE_DAYS];
    int64_t month_ms; /* the month that `days` is of */
};

/* -- what a line tells -- */

/* The metrics of one line, as CloudWatch would have them. */
struct told {
    struct {
        const char *namespace, *name;
        double value;
    } items[LINE_METRICS_MOST];
    size_t count;
    const char *subject; /* the resource that it is about; NULL: the stack */
};

static void tell(struct told *told, const char *namespace, const char *name, double value)
{
    if (told->count == LINE_METRICS_MOST)
        return;
    told->items[told->count].namespace = namespace;
    told->items[told->count].name = name;
    told->items[told->count++].value = value;
}

static void tell_embedded(struct told *told, const struct value *line)
{
    struct value *directive, *metric;
    value_each(directive, value_at(line, "_aws.CloudWatchMetrics"))
    {
        const char *namespace = value_text(directive, "Namespace");
        value_each(metric, value_get(directive, "Metrics"))
        {
            const char *name = value_text(metric, "Name");
            if (namespace && name && value_get(line, name))
                tell(told, namespace, name, value_as_real(value_get(line, name), 0));
        }
    }
}

static void tell_access(struct told *told, const struct value *line)
{
    static const char api[] = "AWS/ApiGateway";
    int64_t status = value_int_at(line, "status", 0);
    const struct value *latency = value_get(line, "responseLatency");
    const struct value *integration = value_get(line, "integrationLatency");
    tell(told, api, "Count", 1);
    tell(told, api, "4xx", status >= 400 && status < 500);
    tell(told, api, "5xx", status >= 500);
    if (latency)
        tell(told, api, "Latency", value_as_real(latency, 0));
    if (integration)
        tell(told, api, "IntegrationLatency", value_as_real(integration, 0));
}

static void tell_report(struct told *told, const struct value *line)
{
    bool failed = !value_is_text(value_get(line, "status"), "success");
    tell(told, "AWS/Lambda", "Errors", failed);
}

static void read_line(const char *source, const struct value *line, struct told *told)
{
    if (value_get(line, "_aws")) {
        tell_embedded(told, line);
    } else if (value_get(line, "routeKey")) {
        told->subject = "api";
        tell_access(told, line);
    } else if (value_is_text(value_get(line, "type"), "platform.report")) {
        told->subject = source;
        tell_report(told, line);
    }
}

/* NAN when the line does not tell it. */
static double find(const struct told *told, const char *namespace, const char *name)
{
    for (size_t i = 0; i < told->count; i++) {
        if (strcmp(told->items[i].namespace, namespace) == 0 &&
            strcmp(told->items[i].name, name) == 0)
            return told->items[i].value;
    }
    return NAN;
}

static bool is_about(struct arena *arena, const struct metric *metric, const char *subject)
{
    return strcmp(metric_subject(arena, metric), subject ? subject : STACK_REFERENCE) == 0;
}

static double value_of(const struct metric *metric, const struct told *told)
{
    double value = find(told, metric->namespace, metric->name);
    double less = metric->less ? find(told, metric->namespace, metric->less) : 0;
    return isnan(less) ? NAN : metric->less ? fmax(0, value - less) : value;
}

/* -- keeping -- */

static void keep(struct source *source, size_t row, int64_t time_ms, double value)
{
    bool is_nothing = value == 0 && strcmp(metrics[row].statistic, "Sum") == 0;
    if (isnan(value) || is_nothing)
        return;
    if (time_ms >= source->kept_ms)
        samples_add(&source->samples[row], time_ms, value);
    if (metrics[row].daily && time_ms >= source->month_ms &&
        month_start_ms(time_ms) == source->month_ms)
        source->days[row][day_of_month(time_ms)] += value;
}

static void keep_line(struct source *source, struct arena *arena, const char *name,
                      const struct log_event *event)
{
    struct value *line = NULL;
    struct error ignored;
    struct told told = {.count = 0};
    if (event->message[0] != '{' ||
        json_parse(arena, event->message, strlen(event->message), "log", &line, &ignored) < 0)
        return;
    read_line(name, line, &told);
    for (size_t row = 0; told.count && metrics[row].id; row++) {
        if (is_about(arena, &metrics[row], told.subject))
            keep(source, row, event->time_ms, value_of(&metrics[row], &told));
    }
}

/* -- reading on -- */

/* Passes what was told: the lines of the last one's millisecond come again. */
static void keep_page(struct source *source, struct arena *arena, size_t number,
                      const struct log_page *page, size_t *again)
{
    struct progress *progress = &source->progress[number];
    for (size_t i = 0; i < page->count; i++) {
        const struct log_event *event = &page->events[i];
        if (event->time_ms == progress->time_ms && *again) {
            --*again;
            continue;
        }
        if (event->time_ms > progress->time_ms)
            *progress = (struct progress){event->time_ms, 0};
        progress->lines++;
        keep_line(source, arena, source->options.sources[number].name, event);
    }
}

/* On a month's first days, the samples reach back into the month before. */
static int64_t oldest_ms(const struct source *source)
{
    return source->kept_ms < source->month_ms ? source->kept_ms : source->month_ms;
}

static int read_on(struct task *task, struct source *source, size_t number, struct error *error)
{
    const struct log_source *log = &source->options.sources[number];
    struct progress *progress = &source->progress[number];
    struct log_request request = {.from_ms =
                                      progress->time_ms ? progress->time_ms : oldest_ms(source)};
    char page_token[64];
    size_t again = progress->lines;
    for (;;) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct log_page page = {0};
        int result = log->read(task, log->data, arena, &request, &page, error);
        if (result == ERR_NOT_FOUND) {
            error_clear(error);
            return 0;
        }
        if (result < 0)
            return result;
        keep_page(source, arena, number, &page, &again);
        if (!page.next || strlen(page.next) >= sizeof page_token)
            return 0;
        memcpy(page_token, page.next, strlen(page.next) + 1);
        request.page = page_token;
    }
}

static void begin_reading(struct source *source, int64_t now_ms)
{
    int64_t start_ms = month_start_ms(now_ms);
    source->kept_ms = now_ms - KEPT_MS;
    if (source->month_ms == start_ms)
        return;
    source->month_ms = start_ms;
    memset(source->days, 0, sizeof source->days);
}

static int read_gauges(struct task *task, struct source *source, int64_t now_ms,
                       struct error *error)
{
    double values[METRICS_MOST];
    if (!source->options.gauges)
        return 0;
    int result = host_gauges_read(task, source->options.gauges, values, error);
    for (size_t row = 0; result == 0 && metrics[row].id; row++)
        keep(source, row, now_ms, values[row]);
    return result;
}

/* -- figures -- */

static void take_row(struct source *source, size_t row, struct figures *out)
{
    const struct samples *samples = &source->samples[row];
    const struct figure_window *window = &out->window;
    struct figure *figure = &out->rows[row];
    for (size_t b = 0; b < window->buckets; b++) {
        int64_t from_ms = window->from_ms + (int64_t)b * window->bucket_s * 1000;
        figure->series[b] = samples_statistic(
            samples, from_ms, from_ms + (int64_t)window->bucket_s * 1000, metrics[row].statistic);
    }
    figures_conclude(out, row);
    if (metrics[row].daily)
        memcpy(figure->days, source->days[row], sizeof source->days[row]);
    if (metrics[row].unit != UNIT_MS)
        return;
    figure->p50 = samples_statistic(samples, window->from_ms, window->to_ms, "p50");
    figure->p95 = samples_statistic(samples, window->from_ms, window->to_ms, "p95");
    figure->p99 = samples_statistic(samples, window->from_ms, window->to_ms, "p99");
    figure->value = figure->p95;
}

static void take_alarm(struct source *source, const struct alarm_rule *rule, struct figures *out)
{
    const struct value *said = value_get(source->options.alarms, rule->key);
    size_t row = metric_number(rule->metric), lasts,
           count = (size_t)(DAY_MS / 1000 / rule->period_s);
    require(count <= PERIODS_MOST);
    double values[PERIODS_MOST], threshold = value_as_real(said, 0) * rule->scale;
    int64_t period_ms = (int64_t)rule->period_s * 1000;
    int64_t end_ms = (out->now_ms / period_ms + 1) * period_ms;
    if (!said || said->kind == VALUE_NULL || !source->options.applies[row])
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = samples_statistic(&source->samples[row], end_ms - (int64_t)(i + 1) * period_ms,
                                      end_ms - (int64_t)i * period_ms, metrics[row].statistic);
    struct alarm_figure *alarm = &out->alarms[out->alarm_count++];
    *alarm = (struct alarm_figure){.id = rule->id, .title = metrics[row].title, .reason = ""};
    alarm->state = alarm_judge(rule, threshold, values, count, &lasts);
    if (lasts < count)
        alarm->since_ms = end_ms - (int64_t)lasts * period_ms;
}

static void take_all(struct source *source, struct arena *arena, struct figures *out)
{
    bool incomplete = false;
    for (size_t row = 0; metrics[row].id; row++) {
        samples_forget(&source->samples[row], source->kept_ms);
        out->rows[row].applies = source->options.applies[row];
        take_row(source, row, out);
        incomplete = incomplete || source->samples[row].incomplete;
    }
    out->alarms = arena_array(arena, ALARMS_MOST, sizeof *out->alarms);
    for (const struct alarm_rule *rule = alarm_rules; rule->id; rule++)
        take_alarm(source, rule, out);
    if (incomplete)
        out->note = "more questions than are kept: the oldest of this time are left out";
}

static int read_figures(struct task *task, void *data, struct arena *arena, int seconds,
                        struct figures *out, struct error *error)
{
    struct source *source = data;
    int64_t now_ms = task_wall_ms(task);
    begin_reading(source, now_ms);
    int result = 0;
    for (size_t i = 0; result == 0 && i < source->options.source_count; i++)
        result = read_on(task, source, i, error);
    if (result == 0)
        result = read_gauges(task, source, now_ms, error);
    figures_begin(arena, task_wall_ms(task), seconds, out);
    if (result == 0)
        take_all(source, arena, out);
    return result;
}

static void close_source(void *data)
{
    struct source *source = data;
    for (size_t row = 0; row < METRICS_MOST; row++)
        samples_free(&source->samples[row]);
    host_gauges_close(source->options.gauges);
    free(source->progress);
    free(source);
}

struct figure_source log_figure_source(const struct log_figures_options *options)
{
    struct source *source = calloc(1, sizeof *source);
    require(source);
    source->options = *options;
    source->progress = calloc(options->source_count + 1, sizeof *source->progress);
    require(source->progress);
    return (struct figure_source){
        .read = read_figures, .close = close_source, .interval_ms = ROUND_MS, .data = source};
}
