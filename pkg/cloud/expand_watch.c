/* What watches: alarms, the topic they go to, and a dashboard of the same metrics. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"

/* One metric that matters: an alarm when the file gives it a threshold, and a graph on the
 * dashboard. */
struct metric {
    const char *id, *title, *key; /* key: its threshold under watch.alarms; NULL: only a graph */
    const char *namespace, *name, *dimension, *dimension_value;
    const char *statistic;
    int period_s, periods;
    const char *comparison, *missing;
    double scale; /* from the file's unit to the metric's */
};

static const struct metric metrics[] = {
    {"errors-ask", "ask: failed invocations", "errors", "AWS/Lambda", "Errors", "FunctionName",
     "${ask.name}", "Sum", 300, 1, "GreaterThanOrEqualToThreshold", "notBreaching", 1},
    {"errors-ingest", "ingest: failed invocations", "errors", "AWS/Lambda", "Errors",
     "FunctionName", "${ingest.name}", "Sum", 300, 1, "GreaterThanOrEqualToThreshold",
     "notBreaching", 1},
    {"latency", "API: 95th percentile of latency (ms)", "p95_latency_ms", "AWS/ApiGateway",
     "Latency", "ApiId", "${api.id}", "p95", 300, 3, "GreaterThanThreshold", "notBreaching", 1},
    {"model-cost", "models: dollars a day", "bedrock_usd_per_day", "ragstack", "CostUSD", "Stack",
     "${stack.full_name}", "Sum", 86400, 1, "GreaterThanThreshold", "notBreaching", 1},
    {"database-cpu", "database: processor (%)", "database_cpu_percent", "AWS/RDS", "CPUUtilization",
     "DBInstanceIdentifier", "${database.name}", "Average", 300, 3, "GreaterThanThreshold",
     "missing", 1},
    {"database-storage", "database: free storage (bytes)", "database_free_gb", "AWS/RDS",
     "FreeStorageSpace", "DBInstanceIdentifier", "${database.name}", "Minimum", 300, 1,
     "LessThanThreshold", "missing", 1073741824},
    {"requests", "API: requests", NULL, "AWS/ApiGateway", "Count", "ApiId", "${api.id}", "Sum", 300,
     1, NULL, NULL, 1},
    {"failures", "API: answers with 5xx", NULL, "AWS/ApiGateway", "5xx", "ApiId", "${api.id}",
     "Sum", 300, 1, NULL, NULL, 1},
    {"duration", "ask: 95th percentile of duration (ms)", NULL, "AWS/Lambda", "Duration",
     "FunctionName", "${ask.name}", "p95", 300, 1, NULL, NULL, 1},
    {"connections", "database: connections", NULL, "AWS/RDS", "DatabaseConnections",
     "DBInstanceIdentifier", "${database.name}", "Maximum", 300, 1, NULL, NULL, 1},
};

static void add_alarm(struct expansion *expansion, const struct metric *metric, bool notify)
{
    struct arena *arena = expansion->arena;
    const struct value *threshold =
        metric->key ? value_get(say(expansion, "watch.alarms"), metric->key) : NULL;
    if (!threshold || threshold->kind == VALUE_NULL)
        return;
    struct value *topic =
        notify ? items(arena, text(arena, "${alerts.arn}"), NULL) : value_list(arena);
    expand_add(
        expansion, &cloudwatch_alarm, arena_printf(arena, "alarm-%s", metric->id), threshold,
        props(arena, "description", text(arena, "%s", metric->title), "namespace",
              text(arena, "%s", metric->namespace), "metric", text(arena, "%s", metric->name),
              "dimensions",
              props(arena, metric->dimension, text(arena, "%s", metric->dimension_value), NULL),
              "statistic", text(arena, "%s", metric->statistic), "period_s",
              value_int(arena, metric->period_s), "evaluation_periods",
              value_int(arena, metric->periods), "threshold",
              value_real(arena, value_as_real(threshold, 0) * metric->scale), "comparison",
              text(arena, "%s", metric->comparison), "missing_data",
              text(arena, "%s", metric->missing), "actions", topic, "ok_actions",
              value_copy(arena, topic), NULL));
}

static struct value *widget(struct arena *arena, const struct metric *metric, int place)
{
    enum { WIDTH = 12, HEIGHT = 6 };
    struct value *line = items(
        arena, text(arena, "%s", metric->namespace), text(arena, "%s", metric->name),
        text(arena, "%s", metric->dimension), text(arena, "%s", metric->dimension_value), NULL);
    struct value *properties = props(
        arena, "title", text(arena, "%s", metric->title), "metrics", items(arena, line, NULL),
        "stat", text(arena, "%s", metric->statistic), "period", value_int(arena, metric->period_s),
        "region", text(arena, "${stack.region}"), "view", text(arena, "timeSeries"), NULL);
    return props(arena, "type", text(arena, "metric"), "x", value_int(arena, place % 2 * WIDTH),
                 "y", value_int(arena, place / 2 * HEIGHT), "width", value_int(arena, WIDTH),
                 "height", value_int(arena, HEIGHT), "properties", properties, NULL);
}

static void add_dashboard(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    struct value *widgets = value_list(arena);
    for (size_t i = 0; i < COUNT_OF(metrics); i++)
        value_push(arena, widgets, widget(arena, &metrics[i], (int)i));
    expand_add(expansion, &cloudwatch_dashboard, "dashboard", say(expansion, "watch"),
               props(arena, "body", props(arena, "widgets", widgets, NULL), NULL));
}

void expand_watch(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *notify = say(expansion, "watch.notify");
    bool has_topic = value_is(notify, VALUE_STRING);
    if (has_topic)
        expand_add(expansion, &sns_topic, "alerts", notify,
                   props(arena, "subscriptions",
                         items(arena,
                               props(arena, "protocol", text(arena, "email"), "endpoint",
                                     value_copy(arena, notify), NULL),
                               NULL),
                         NULL));
    for (size_t i = 0; i < COUNT_OF(metrics); i++)
        add_alarm(expansion, &metrics[i], has_topic);
    if (say_bool(expansion, "watch.dashboard"))
        add_dashboard(expansion);
}
