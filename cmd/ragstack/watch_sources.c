#include "cmd/ragstack/watch_sources.h"

#include <string.h>
#include <unistd.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/types.h"
#include "pkg/local/types.h"
#include "pkg/watch/cloudwatch_figures.h"
#include "pkg/watch/file_logs.h"
#include "pkg/watch/log_figures.h"

static int nothing_yet(const struct session *session, struct error *error)
{
    return error_set(error, ERR_NOT_FOUND,
                     "nothing of the stack exists yet; `ragstack up%s` makes it",
                     session->local ? " --local" : "");
}

/* -- AWS -- */

static const struct found *find(const struct found_list *found, const char *id)
{
    for (size_t i = 0; i < found->count; i++) {
        if (!found->items[i].foreign && strcmp(found->items[i].id, id) == 0)
            return &found->items[i];
    }
    return NULL;
}

/* What the dimension's "${ask.name}" stands for; NULL when there is no such thing. */
static const char *dimension_value(struct session *session, const struct found_list *found,
                                   const struct metric *metric)
{
    struct arena *arena = session->arena;
    const char *id = metric_subject(arena, metric), *dot = strchr(metric->value, '.');
    const char *attribute = arena_strndup(arena, dot + 1, strcspn(dot + 1, "}"));
    if (strcmp(id, STACK_REFERENCE) == 0)
        return value_as_text(arena,
                             identity_attribute(arena, session->target->identity, attribute));
    const struct found *one = find(found, id);
    return one ? value_text(found_attributes(arena, one), attribute) : NULL;
}

static void add_alarms(struct session *session, const struct found_list *found,
                       struct cloudwatch_figures_options *options)
{
    enum { MOST = 100 };
    static const char prefix[] = "alarm-";
    struct watched_alarm *alarms = arena_array(session->arena, MOST, sizeof *alarms);
    options->alarms = alarms;
    for (size_t i = 0; i < found->count && options->alarm_count < MOST; i++) {
        const struct found *one = &found->items[i];
        if (one->type != &cloudwatch_alarm || one->foreign)
            continue;
        bool is_ours = strncmp(one->id, prefix, sizeof prefix - 1) == 0;
        const char *id = is_ours ? one->id + sizeof prefix - 1 : one->id, *title = id;
        for (const struct alarm_rule *rule = alarm_rules; is_ours && rule->id; rule++) {
            if (strcmp(rule->id, id) == 0)
                title = metrics[metric_number(rule->metric)].title;
        }
        alarms[options->alarm_count++] = (struct watched_alarm){id, title, one->name};
    }
}

/* Only what the rows and alarms are about is looked for. */
static int open_cloudwatch(struct task *task, struct session *session, struct figure_source *out,
                           struct error *error)
{
    static const struct resource_type *const only[] = {
        &cloudwatch_alarm, &lambda_function, &apigateway_api, &rds_instance, &rds_proxy, NULL};
    struct target narrow = *session->target;
    struct found_list found = {0};
    struct cloudwatch_figures_options options = {.client = session->client};
    narrow.types = only;
    int result = observe_all(task, session->arena, &narrow, &session->wanted, &found, error);
    if (result < 0)
        return result;
    if (!found.count)
        return nothing_yet(session, error);
    for (size_t row = 0; metrics[row].id; row++)
        options.values[row] = dimension_value(session, &found, &metrics[row]);
    add_alarms(session, &found, &options);
    *out = cloudwatch_figure_source(session->arena, &options);
    return 0;
}

/* -- this machine -- */

static bool is_wanted(const struct session *session, const char *id)
{
    for (size_t i = 0; i < session->wanted.count; i++) {
        if (strcmp(session->wanted.items[i].id, id) == 0)
            return true;
    }
    return strcmp(id, STACK_REFERENCE) == 0;
}

/* Files that are not there yet come with the first line. */
static int open_files(struct session *session, struct figure_source *out, struct error *error)
{
    struct arena *arena = session->arena;
    const char *folder = session->local->folder;
    VECTOR(struct log_source) sources = {0};
    bool *applies = arena_array(arena, METRICS_MOST, sizeof *applies);
    if (access(arena_printf(arena, "%s/logs", folder), R_OK) != 0)
        return nothing_yet(session, error);
    for (size_t i = 0; i < session->wanted.count; i++) {
        const struct resource *one = &session->wanted.items[i];
        if (one->type == &local_function || one->type == &local_gateway)
            vector_push(arena, &sources,
                        file_log_source(arena, one->id,
                                        arena_printf(arena, "%s/logs/%s.log", folder, one->id)));
    }
    for (size_t row = 0; metrics[row].id; row++)
        applies[row] = is_wanted(session, metric_subject(arena, &metrics[row]));
    struct log_figures_options options = {
        .sources = sources.items,
        .source_count = sources.count,
        .alarms = value_at(session->stack->tree, "watch.alarms"),
        .gauges = host_gauges_open(folder, arena_printf(arena, "%s/postgres.url", folder)),
        .applies = applies};
    *out = log_figure_source(&options);
    return 0;
}

int watch_source_open(struct task *task, struct session *session, struct figure_source *out,
                      struct error *error)
{
    int result = session_expand(session, error);
    if (result < 0)
        return result;
    return session->local ? open_files(session, out, error)
                          : open_cloudwatch(task, session, out, error);
}

void watch_source_close(struct figure_source *source)
{
    if (source->close)
        source->close(source->data);
}
