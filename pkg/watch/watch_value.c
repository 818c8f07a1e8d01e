#include "pkg/watch/watch_value.h"

#include <math.h>

static struct value *number(struct arena *arena, double value)
{
    return isnan(value) ? value_null(arena) : value_real(arena, value);
}

static void set_time(struct arena *arena, struct value *map, const char *key, int64_t wall_ms)
{
    char text[32];
    clock_format_iso(wall_ms, text, sizeof text);
    value_set(arena, map, key, wall_ms ? value_string(arena, text) : value_null(arena));
}

static struct value *row_value(struct arena *arena, const struct figures *figures, size_t row)
{
    const struct metric *metric = &metrics[row];
    const struct figure *figure = &figures->rows[row];
    struct value *map = value_map(arena), *series = value_list(arena);
    value_set_text(arena, map, "title", metric->title);
    value_set_text(arena, map, "unit", metric_unit_names[metric->unit]);
    value_set_text(arena, map, "statistic", metric->statistic);
    value_set(arena, map, "value", number(arena, figure->value));
    value_set(arena, map, "latest", number(arena, figure->latest));
    if (metric->unit == UNIT_MS) {
        value_set(arena, map, "p50", number(arena, figure->p50));
        value_set(arena, map, "p95", number(arena, figure->p95));
        value_set(arena, map, "p99", number(arena, figure->p99));
    }
    if (metric->daily) {
        value_set(arena, map, "today", number(arena, figure_today(figures, row)));
        value_set(arena, map, "month", number(arena, figure_month(figures, row)));
        value_set(arena, map, "projected", number(arena, figure_projected(figures, row)));
    }
    for (size_t b = 0; b < figures->window.buckets; b++)
        value_push(arena, series, number(arena, figure->series[b]));
    return value_set(arena, map, "series", series);
}

static struct value *alarm_value(struct arena *arena, const struct alarm_figure *alarm)
{
    static const char *const states[] = {
        [ALARM_OK] = "ok", [ALARM_FIRING] = "alarm", [ALARM_NO_DATA] = "no_data"};
    struct value *map = value_map(arena);
    value_set_text(arena, map, "id", alarm->id);
    value_set_text(arena, map, "title", alarm->title);
    value_set_text(arena, map, "state", states[alarm->state]);
    set_time(arena, map, "since", alarm->since_ms);
    return value_set_text(arena, map, "reason", alarm->reason);
}

struct value *figures_to_value(struct arena *arena, const struct figures *figures)
{
    struct value *map = value_map(arena), *rows = value_map(arena), *alarms = value_list(arena),
                 *watching = value_map(arena);
    value_set_int(arena, map, "schema", 1);
    set_time(arena, map, "time", figures->now_ms);
    set_time(arena, map, "from", figures->window.from_ms);
    set_time(arena, map, "to", figures->window.to_ms);
    value_set_int(arena, map, "bucket_s", figures->window.bucket_s);
    for (size_t row = 0; metrics[row].id; row++) {
        if (figures->rows[row].applies)
            value_set(arena, rows, metrics[row].id, row_value(arena, figures, row));
    }
    value_set(arena, map, "metrics", rows);
    for (size_t i = 0; i < figures->alarm_count; i++)
        value_push(arena, alarms, alarm_value(arena, &figures->alarms[i]));
    value_set(arena, map, "alarms", alarms);
    value_set_int(arena, watching, "calls", figures->watching.calls);
    value_set_int(arena, watching, "metrics", figures->watching.metrics);
    value_set(arena, watching, "usd", value_real(arena, figures->watching.usd));
    value_set(arena, watching, "usd_per_day", value_real(arena, figures->watching.usd_per_day));
    value_set(arena, map, "watching", watching);
    if (figures->note)
        value_set_text(arena, map, "note", figures->note);
    return map;
}
