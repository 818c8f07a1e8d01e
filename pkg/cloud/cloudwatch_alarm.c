/* Alarms on one metric.
 * Source: CloudWatch API Reference, PutMetricAlarm, DescribeAlarms, TagResource.
 *
 * PutMetricAlarm replaces the whole alarm: every change sends all of it. It takes tags only when it
 * makes one. */
#include <string.h>

#include "pkg/cloud/cloud.h"

enum { NAMES_A_CALL = 100 };

#define UNITS                                                                               \
    "Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|" \
    "Kilobits|Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|"      \
    "Megabytes/Second|Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|"       \
    "Megabits/Second|Gigabits/Second|Terabits/Second|Count/Second|None"

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .reply = "AlarmName",
     .summary = "name of the alarm; unset: one of the stack's own"},
    {.name = "description",
     .type = FIELD_STRING,
     .wire = "AlarmDescription",
     .unset = "\"\"",
     .summary = "what it means, and what to do then"},
    {.name = "namespace",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "Namespace",
     .summary = "whose metric: \"AWS/Lambda\""},
    {.name = "metric",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "MetricName",
     .summary = "name of the metric: \"Errors\""},
    {.name = "dimensions",
     .type = FIELD_MAP,
     .item = FIELD_STRING,
     .unset = "{}",
     .summary = "which one: {FunctionName: ...}"},
    {.name = "statistic",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|tc|ts|wm)[0-9]+([.][0-9]+)?|"
                "(TM|TC|TS|WM|PR)[(].+[)])$",
     .summary = "of a period's values: Sum, Average, p95 ..."},
    {.name = "period_s",
     .type = FIELD_INT,
     .flags = REQUIRED,
     .wire = "Period",
     .allowed = "10..86400",
     .summary = "10, 20, 30, or a multiple of 60"},
    {.name = "evaluation_periods",
     .type = FIELD_INT,
     .wire = "EvaluationPeriods",
     .unset = "1",
     .allowed = "1..",
     .summary = "periods that are looked at"},
    {.name = "datapoints",
     .type = FIELD_INT,
     .wire = "DatapointsToAlarm",
     .allowed = "1..",
     .summary = "how many of them must be over the threshold; unset: all"},
    {.name = "threshold",
     .type = FIELD_REAL,
     .flags = REQUIRED,
     .wire = "Threshold",
     .summary = "what the statistic is compared with"},
    {.name = "comparison",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "ComparisonOperator",
     .allowed = "GreaterThanOrEqualToThreshold|GreaterThanThreshold|LessThanThreshold|"
                "LessThanOrEqualToThreshold",
     .summary = "how"},
    {.name = "missing_data",
     .type = FIELD_STRING,
     .wire = "TreatMissingData",
     .unset = "\"missing\"",
     .allowed = "breaching|notBreaching|ignore|missing",
     .summary = "what a period without values counts as"},
    {.name = "low_samples",
     .type = FIELD_STRING,
     .reply = "EvaluateLowSampleCountPercentile",
     .unset = "\"evaluate\"",
     .allowed = "evaluate|ignore",
     .summary = "what percentiles of too few values count as"},
    {.name = "unit",
     .type = FIELD_STRING,
     .wire = "Unit",
     .allowed = UNITS,
     .summary = "only values in this unit; unset: whatever there is"},
    {.name = "actions_enabled",
     .type = FIELD_BOOL,
     .wire = "ActionsEnabled",
     .unset = "true",
     .summary = "false: it changes its state and tells nobody"},
    {.name = "actions",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .wire = "AlarmActions",
     .unset = "[]",
     .summary = "ARNs that are told of an alarm"},
    {.name = "ok_actions",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .wire = "OKActions",
     .unset = "[]",
     .summary = "ARNs that are told when it is over"},
    {.name = "insufficient_actions",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .wire = "InsufficientDataActions",
     .unset = "[]",
     .summary = "ARNs that are told when there is no data"},
    {.name = "arn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "AlarmArn",
     .summary = "its ARN"},
    {.name = "state",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "StateValue",
     .summary = "OK, ALARM or INSUFFICIENT_DATA"},
    {.name = "state_reason",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "StateReason",
     .summary = "why"},
    {.name = "state_since", .type = FIELD_STRING, .flags = COMPUTED, .summary = "since when"},
    {0},
};

static bool is_plain_statistic(const char *statistic)
{
    static const char *const plain[] = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"};
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        if (strcmp(plain[i], statistic) == 0)
            return true;
    }
    return false;
}

static const char *alarm_arn(struct arena *arena, const struct cloud *cloud, const char *name)
{
    return cloud_arn(arena, cloud, "cloudwatch", arena_printf(arena, "alarm:%s", name));
}

static struct value *resource(struct arena *arena, const char *arn)
{
    return value_set_text(arena, value_map(arena), "ResourceARN", arn);
}

/* -- observing -- */

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct value *reply;
    int result = cloud_get(task, observation, &aws_cloudwatch, "ListTagsForResource",
                           resource(observation->arena, arn), &reply, error);
    *tags = result == 0 && reply
                ? cloud_tag_map(observation->arena, value_get(reply, "Tags"), "Key", "Value")
                : NULL;
    return result;
}

/* JSON replies count seconds since 1970. */
static struct value *moment(struct arena *arena, const struct value *value)
{
    char text[32];
    if (value_is(value, VALUE_STRING) || !value)
        return value_string(arena, value ? value->string.text : NULL);
    clock_format_iso((int64_t)(value_as_real(value, 0) * 1000), text, sizeof text);
    return value_string(arena, text);
}

static struct value *decode(struct observation *observation, const struct value *alarm)
{
    struct arena *arena = observation->arena;
    struct value *props = cloud_decode(arena, observation->type, alarm);
    const char *statistic = value_text(alarm, "Statistic");
    if (!statistic)
        statistic = value_text(alarm, "ExtendedStatistic");
    value_set(arena, props, "dimensions",
              cloud_tag_map(arena, value_get(alarm, "Dimensions"), "Name", "Value"));
    if (statistic)
        value_set_text(arena, props, "statistic", statistic);
    return value_set(arena, props, "state_since",
                     moment(arena, value_get(alarm, "StateUpdatedTimestamp")));
}

static int read_alarms(struct task *task, struct observation *observation,
                       const struct candidate *candidates, size_t count, struct value *alarms,
                       struct error *error)
{
    struct arena *arena = observation->arena;
    size_t calls = (count + NAMES_A_CALL - 1) / NAMES_A_CALL;
    struct cloud_read *reads = arena_array(arena, calls + 1, sizeof *reads);
    for (size_t i = 0; i < calls; i++) {
        struct value *names = value_list(arena);
        for (size_t j = i * NAMES_A_CALL; j < count && j < (i + 1) * NAMES_A_CALL; j++)
            value_push_text(arena, names, candidates[j].name);
        reads[i] = (struct cloud_read){.service = &aws_cloudwatch,
                                       .operation = "DescribeAlarms",
                                       .parameters = value_wrap(arena, "AlarmNames", names),
                                       .how = READ_LIST};
    }
    int result = cloud_get_all(task, observation, reads, calls, error);
    for (size_t i = 0; result == 0 && i < calls; i++) {
        struct value *alarm;
        value_each(alarm, reads[i].reply)
        {
            if (value_text(alarm, "AlarmName"))
                value_set(arena, alarms, value_text(alarm, "AlarmName"), alarm);
        }
    }
    return result;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "cloudwatch", "alarm:", &candidates);
    struct value *alarms = value_map(arena), *tags;
    int result = read_alarms(task, observation, candidates, count, alarms, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        const char *name = candidates[i].name;
        const struct value *alarm = value_get(alarms, name);
        if (!alarm)
            continue;
        result = cloud_tags_of(task, observation, &candidates[i],
                               alarm_arn(arena, observation->target, name), fetch, &tags, error);
        if (result == 0)
            cloud_add(observation, name, name, decode(observation, alarm), tags);
    }
    return result;
}

/* -- changing -- */

static int put(struct task *task, struct action *action, const char *name, bool with_tags,
               struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = cloud_encode(arena, action->type, action->want);
    const char *statistic = value_text(action->want, "statistic");
    value_set_text(arena, parameters, "AlarmName", name);
    if (statistic)
        value_set_text(arena, parameters,
                       is_plain_statistic(statistic) ? "Statistic" : "ExtendedStatistic",
                       statistic);
    if (value_is_text(value_get(action->want, "low_samples"), "ignore"))
        value_set_text(arena, parameters, "EvaluateLowSampleCountPercentile", "ignore");
    value_set(arena, parameters, "Dimensions",
              cloud_tag_list(arena, value_get(action->want, "dimensions"), "Name", "Value"));
    if (with_tags)
        value_set(arena, parameters, "Tags", cloud_tag_list(arena, action->tags, "Key", "Value"));
    return cloud_call(task, action, &aws_cloudwatch, "PutMetricAlarm", parameters, NULL, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int result = put(task, action, action->name, true, error);
    if (result < 0)
        return result;
    action->physical_id = action->name;
    value_set_text(action->arena, action->made, "arn",
                   alarm_arn(action->arena, action->target, action->name));
    return 0;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    return put(task, action, action->have->physical_id, false, error);
}

static int remove_alarm(struct task *task, struct action *action, struct error *error)
{
    struct value *names =
        value_push_text(action->arena, value_list(action->arena), action->have->physical_id);
    return cloud_remove(task, action, &aws_cloudwatch, "DeleteAlarms",
                        value_wrap(action->arena, "AlarmNames", names), error);
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *arn = alarm_arn(arena, action->target, action->have->physical_id);
    struct value *set, *gone, *parameters = resource(arena, arn);
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set)) {
        value_set(arena, parameters, "Tags", cloud_tag_list(arena, set, "Key", "Value"));
        result = cloud_call(task, action, &aws_cloudwatch, "TagResource", parameters, NULL, error);
    }
    if (result < 0 || !value_count(gone))
        return result;
    parameters = value_set(arena, resource(arena, arn), "TagKeys", gone);
    return cloud_call(task, action, &aws_cloudwatch, "UntagResource", parameters, NULL, error);
}

static const struct patience patience[] = {
    {"ConcurrentModificationException", NULL, "another change of this alarm is under way", 60, 0},
    {0},
};

static const char *const by_name[] = {
    "arn=arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
    NULL,
};

const struct resource_type cloudwatch_alarm = {
    .kind = "cloudwatch.alarm",
    .summary = "alarm: a metric, a threshold, and who is told",
    .flags = NAMED,
    .name_maximum = 255,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_alarm,
    .retag = retag,
    .patience = patience,
    .computed_by_name = by_name,
};
