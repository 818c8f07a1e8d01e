/* What watches: alarms, the topic they go to, and a dashboard: all of the one list of metrics. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/metrics.h"
#include "pkg/cloud/types.h"

static void add_alarm(struct expansion *expansion, const struct alarm_rule *rule, bool notify)
{
    struct arena *arena = expansion->arena;
    const struct value *threshold = value_get(say(expansion, "watch.alarms"), rule->key);
    const struct metric *metric = &metrics[metric_number(rule->metric)];
    if (!threshold || threshold->kind == VALUE_NULL)
        return;
    struct value *topic =
        notify ? items(arena, text(arena, "${alerts.arn}"), NULL) : value_list(arena);
    expand_add(
        expansion, &cloudwatch_alarm, arena_printf(arena, "alarm-%s", rule->id), threshold,
        props(arena, "description",
              text(arena, "%s (%s of %s)", metric->title, metric->statistic, metric->name),
              "namespace", text(arena, "%s", metric->namespace), "metric",
              text(arena, "%s", metric->name), "dimensions",
              props(arena, metric->dimension, text(arena, "%s", metric->value), NULL), "statistic",
              text(arena, "%s", metric->statistic), "period_s", value_int(arena, rule->period_s),
              "evaluation_periods", value_int(arena, rule->periods), "threshold",
              value_real(arena, value_as_real(threshold, 0) * rule->scale), "comparison",
              text(arena, "%s", rule->comparison), "missing_data", text(arena, "%s", rule->missing),
              "actions", topic, "ok_actions", value_copy(arena, topic), NULL));
}

/* -- the dashboard: a widget a panel -- */

enum { WIDGET_WIDTH = 12, WIDGET_HEIGHT = 6, PERIOD_S = 300 };

static bool is_expanded(const struct expansion *expansion, const char *id)
{
    for (size_t i = 0; i < expansion->out->count; i++) {
        if (strcmp(expansion->out->items[i].id, id) == 0)
            return true;
    }
    return strcmp(id, STACK_REFERENCE) == 0;
}

static struct value *line(struct arena *arena, const struct metric *metric, const char *name,
                          struct value *options)
{
    value_set_text(arena, options, "stat", metric->statistic);
    return items(arena, text(arena, "%s", metric->namespace), text(arena, "%s", name),
                 text(arena, "%s", metric->dimension), text(arena, "%s", metric->value), options,
                 NULL);
}

/* A difference is an expression over two lines that are not drawn. */
static void add_lines(struct arena *arena, struct value *lines, const struct metric *metric,
                      size_t number)
{
    struct value *label = value_set_text(arena, value_map(arena), "label", metric->title);
    if (!metric->less) {
        value_push(arena, lines, line(arena, metric, metric->name, label));
        return;
    }
    const char *const parts[] = {metric->name, metric->less};
    value_set(arena, label, "expression", text(arena, "m%zua - m%zub", number, number));
    value_push(arena, lines, items(arena, label, NULL));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        struct value *hidden = props(arena, "id", text(arena, "m%zu%c", number, 'a' + (int)i),
                                     "visible", value_bool(arena, false), NULL);
        value_push(arena, lines, line(arena, metric, parts[i], hidden));
    }
}

static struct value *widget(const struct expansion *expansion, enum metric_panel panel)
{
    struct arena *arena = expansion->arena;
    struct value *lines = value_list(arena);
    for (size_t i = 0; metrics[i].id; i++) {
        if (metrics[i].panel != panel ||
            !is_expanded(expansion, metric_subject(arena, &metrics[i])))
            continue;
        add_lines(arena, lines, &metrics[i], i);
        struct value *last = value_item(lines, value_count(lines) - 1);
        if (metrics[i].unit ==
            UNIT_BYTES) /* thousands of millions beside per cents: on an axis of their own */
            value_set_text(arena, value_item(last, value_count(last) - 1), "yAxis", "right");
    }
    struct value *properties =
        props(arena, "title", text(arena, "%s", metric_panel_titles[panel]), "metrics", lines,
              "period", value_int(arena, PERIOD_S), "region", text(arena, "${stack.region}"),
              "view", text(arena, "timeSeries"), NULL);
    return props(arena, "type", text(arena, "metric"), "x",
                 value_int(arena, (int)panel % 2 * WIDGET_WIDTH), "y",
                 value_int(arena, (int)panel / 2 * WIDGET_HEIGHT), "width",
                 value_int(arena, WIDGET_WIDTH), "height", value_int(arena, WIDGET_HEIGHT),
                 "properties", properties, NULL);
}

static void add_dashboard(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    struct value *widgets = value_list(arena);
    for (int panel = 0; panel < METRIC_PANELS; panel++)
        value_push(arena, widgets, widget(expansion, (enum metric_panel)panel));
    expand_add(expansion, &cloudwatch_dashboard, "dashboard", say(expansion, "watch"),
               props(arena, "body", props(arena, "widgets", widgets, NULL), NULL));
}

bool has_topic(const struct expansion *expansion)
{
    return value_is(say(expansion, "watch.notify"), VALUE_STRING);
}

void expand_watch(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *notify = say(expansion, "watch.notify");
    bool notifies = has_topic(expansion);
    if (notifies)
        expand_add(expansion, &sns_topic, "alerts", notify,
                   props(arena, "subscriptions",
                         items(arena,
                               props(arena, "protocol", text(arena, "email"), "endpoint",
                                     value_copy(arena, notify), NULL),
                               NULL),
                         NULL));
    for (const struct alarm_rule *rule = alarm_rules; rule->id; rule++)
        add_alarm(expansion, rule, notifies);
    if (say_bool(expansion, "watch.dashboard"))
        add_dashboard(expansion);
}
