#include "pkg/cloud/metrics.h"

#include <string.h>

#include "pkg/base/panic.h"

const char *const metric_panel_titles[METRIC_PANELS] = {
    [PANEL_TRAFFIC] = "Questions", [PANEL_LATENCY] = "Latency",   [PANEL_FAILURES] = "Failures",
    [PANEL_MODELS] = "Models",     [PANEL_DATABASE] = "Database",
};

const char *const metric_unit_names[METRIC_UNITS] = {
    [UNIT_COUNT] = "count",     [UNIT_MS] = "ms",       [UNIT_USD] = "usd",
    [UNIT_PERCENT] = "percent", [UNIT_BYTES] = "bytes",
};

#define OWN(name) "ragstack", (name), "Stack", "${stack.full_name}"
#define API(name) "AWS/ApiGateway", (name), "ApiId", "${api.id}"
#define FUNCTION(id, name) "AWS/Lambda", (name), "FunctionName", "${" id ".name}"
#define INSTANCE(name) "AWS/RDS", (name), "DBInstanceIdentifier", "${database.name}"
#define PROXY(name) "AWS/RDS", (name), "ProxyName", "${proxy.name}"

const struct metric metrics[] = {
    {"questions", "questions", PANEL_TRAFFIC, OWN("Questions"), "Sum", NULL, UNIT_COUNT, true},
    {"requests", "requests of the API", PANEL_TRAFFIC, API("Count"), "Sum", NULL, UNIT_COUNT,
     false},
    {"refusals", "no answer in the documents", PANEL_TRAFFIC, OWN("NoAnswer"), "Sum", NULL,
     UNIT_COUNT, false},
    {"cold-starts", "cold starts", PANEL_TRAFFIC, OWN("ColdStarts"), "Sum", NULL, UNIT_COUNT,
     false},

    {"whole", "whole request", PANEL_LATENCY, API("Latency"), "p95", NULL, UNIT_MS, false},
    {"gateway", "gateway", PANEL_LATENCY, API("Latency"), "p95", "IntegrationLatency", UNIT_MS,
     false},
    {"ask", "question", PANEL_LATENCY, OWN("TotalMs"), "p95", NULL, UNIT_MS, false},
    {"embed", "embed", PANEL_LATENCY, OWN("EmbedMs"), "p95", NULL, UNIT_MS, false},
    {"search", "search", PANEL_LATENCY, OWN("SearchMs"), "p95", NULL, UNIT_MS, false},
    {"generate", "generate", PANEL_LATENCY, OWN("GenerateMs"), "p95", NULL, UNIT_MS, false},

    {"answers-5xx", "API: answers with 5xx", PANEL_FAILURES, API("5xx"), "Sum", NULL, UNIT_COUNT,
     false},
    {"answers-4xx", "API: answers with 4xx", PANEL_FAILURES, API("4xx"), "Sum", NULL, UNIT_COUNT,
     false},
    {"errors-ask", "ask: failed invocations", PANEL_FAILURES, FUNCTION("ask", "Errors"), "Sum",
     NULL, UNIT_COUNT, false},
    {"errors-ingest", "ingest: failed invocations", PANEL_FAILURES, FUNCTION("ingest", "Errors"),
     "Sum", NULL, UNIT_COUNT, false},
    {"throttles-ask", "ask: throttled by Lambda", PANEL_FAILURES, FUNCTION("ask", "Throttles"),
     "Sum", NULL, UNIT_COUNT, false},
    {"failed-database", "questions: the database failed", PANEL_FAILURES, OWN("FailedDatabase"),
     "Sum", NULL, UNIT_COUNT, false},
    {"failed-models", "questions: a model failed", PANEL_FAILURES, OWN("FailedModels"), "Sum", NULL,
     UNIT_COUNT, false},
    {"failed-other", "questions: failed otherwise", PANEL_FAILURES, OWN("FailedOther"), "Sum", NULL,
     UNIT_COUNT, false},
    {"throttled-models", "questions: models throttled", PANEL_FAILURES, OWN("Throttled"), "Sum",
     NULL, UNIT_COUNT, false},
    {"late", "questions: the model was late", PANEL_FAILURES, OWN("Late"), "Sum", NULL, UNIT_COUNT,
     false},

    {"cost", "models: dollars", PANEL_MODELS, OWN("CostUSD"), "Sum", NULL, UNIT_USD, true},
    {"input-tokens", "tokens in", PANEL_MODELS, OWN("InputTokens"), "Sum", NULL, UNIT_COUNT, true},
    {"output-tokens", "tokens out", PANEL_MODELS, OWN("OutputTokens"), "Sum", NULL, UNIT_COUNT,
     true},

    {"database-cpu", "database: processor (%)", PANEL_DATABASE, INSTANCE("CPUUtilization"),
     "Average", NULL, UNIT_PERCENT, false},
    {"connections", "database: connections", PANEL_DATABASE, INSTANCE("DatabaseConnections"),
     "Maximum", NULL, UNIT_COUNT, false},
    {"pinned", "proxy: pinned sessions", PANEL_DATABASE,
     PROXY("DatabaseConnectionsCurrentlySessionPinned"), "Maximum", NULL, UNIT_COUNT, false},
    {"free-storage", "database: free storage (bytes)", PANEL_DATABASE, INSTANCE("FreeStorageSpace"),
     "Minimum", NULL, UNIT_BYTES, false},
    {"free-memory", "database: free memory (bytes)", PANEL_DATABASE, INSTANCE("FreeableMemory"),
     "Minimum", NULL, UNIT_BYTES, false},
    {0},
};
_Static_assert(COUNT_OF(metrics) <= METRICS_MOST + 1, "METRICS_MOST");

size_t metric_count(void)
{
    return COUNT_OF(metrics) - 1;
}

size_t metric_number(const char *id)
{
    size_t i = 0;
    while (metrics[i].id && strcmp(metrics[i].id, id) != 0)
        i++;
    require(metrics[i].id);
    return i;
}

/* A day's dollars are looked at with a period of a day; the database's own values may be missing
 * only when it is, which the alarm then says. */
const struct alarm_rule alarm_rules[] = {
    {"errors-ask", "errors", "errors-ask", 300, 1, "GreaterThanOrEqualToThreshold", "notBreaching",
     1},
    {"errors-ingest", "errors", "errors-ingest", 300, 1, "GreaterThanOrEqualToThreshold",
     "notBreaching", 1},
    {"latency", "p95_latency_ms", "whole", 300, 3, "GreaterThanThreshold", "notBreaching", 1},
    {"model-cost", "bedrock_usd_per_day", "cost", 86400, 1, "GreaterThanThreshold", "notBreaching",
     1},
    {"database-cpu", "database_cpu_percent", "database-cpu", 300, 3, "GreaterThanThreshold",
     "missing", 1},
    {"database-storage", "database_free_gb", "free-storage", 300, 1, "LessThanThreshold", "missing",
     1073741824},
    {0},
};
_Static_assert(COUNT_OF(alarm_rules) <= ALARMS_MOST + 1, "ALARMS_MOST");

static const char *word_of(const char *word, const char *const (*words)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i][0], word) == 0)
            return words[i][1];
    }
    return word;
}

const char *alarm_rule_words(struct arena *arena, const struct alarm_rule *rule,
                             const struct value *threshold)
{
    static const char *const signs[][2] = {
        {"GreaterThanOrEqualToThreshold", ">="},
        {"GreaterThanThreshold", ">"},
        {"LessThanOrEqualToThreshold", "<="},
        {"LessThanThreshold", "<"},
    };
    static const char *const meanings[][2] = {
        {"notBreaching", "counts as fine (notBreaching)"},
        {"breaching", "counts as over it (breaching)"},
        {"ignore", "changes nothing (ignore)"},
        {"missing", "is no data, which the alarm then says (missing)"},
    };
    const struct metric *metric = &metrics[metric_number(rule->metric)];
    const char *limit =
        threshold ? arena_printf(arena, "%.12g", value_as_real(threshold, 0) * rule->scale)
                  : "the threshold";
    const char *scale = rule->scale != 1 ? arena_printf(arena, " (times %.12g)", rule->scale) : "";
    return arena_printf(
        arena,
        "%s of %s %s (%s %s) over %d s %s %s%s, in %d period%s in a row; a period without values "
        "%s",
        metric->statistic, metric->namespace, metric->name, metric->dimension, metric->value,
        rule->period_s, word_of(rule->comparison, signs, COUNT_OF(signs)), limit,
        threshold ? "" : scale, rule->periods, rule->periods == 1 ? "" : "s",
        word_of(rule->missing, meanings, COUNT_OF(meanings)));
}

const char *metric_subject(struct arena *arena, const struct metric *metric)
{
    const char *start = metric->value + strlen("${");
    return arena_strndup(arena, start, strcspn(start, "."));
}
