/* Dashboards.
 * Source: CloudWatch API Reference, PutDashboard, GetDashboard, ListDashboards, TagResource.
 *
 * Who a dashboard is. PutDashboard takes tags when it makes one, and they are asked for; but
 * dashboards are one set for all regions, so that the tagging API of a region may not know them,
 * and an API that keeps no tags for dashboards drops them without a word. So the name has to do:
 * it ends with the hash of the whole identity (account, region, stack, environment, id), and one
 * that bears such a name and no tags at all is ours. A name that the file says proves nothing:
 * there, only tags do. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .allowed = "^[-_A-Za-z0-9]{1,255}$",
     .summary = "name of the dashboard; unset: one of the stack's own"},
    {.name = "body",
     .type = FIELD_DOCUMENT,
     .flags = REQUIRED,
     .wire = "DashboardBody",
     .summary = "widgets, as CloudWatch has them"},
    {.name = "arn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "DashboardArn",
     .summary = "its ARN"},
    {0},
};

static const char *dashboard_arn(struct arena *arena, const struct cloud *cloud, const char *name)
{
    return arena_printf(arena, "arn:%s:cloudwatch::%s:dashboard/%s", cloud->identity.partition,
                        cloud->identity.account, name);
}

static struct value *named(struct arena *arena, const char *member, const char *text)
{
    return value_set_text(arena, value_map(arena), member, text);
}

/* -- observing -- */

/* One that is looked at: what it is, and its tags. */
struct pair {
    const char *name;
    struct cloud_read *dashboard, *tags;
};

static void ask_for(struct observation *observation, const char *name, struct cloud_read reads[2])
{
    struct arena *arena = observation->arena;
    const char *arn = dashboard_arn(arena, observation->target, name);
    reads[0] = (struct cloud_read){.service = &aws_cloudwatch,
                                   .operation = "GetDashboard",
                                   .parameters = named(arena, "DashboardName", name)};
    reads[1] = (struct cloud_read){.service = &aws_cloudwatch,
                                   .operation = "ListTagsForResource",
                                   .parameters = named(arena, "ResourceARN", arn)};
}

/* The id in a name that ends with the hash of this identity and that id; NULL for any other. */
static const char *id_in_name(struct observation *observation, const char *name)
{
    const struct cloud *cloud = observation->target;
    const struct identity *identity = &cloud->identity;
    struct arena *arena = observation->arena;
    const char *prefix = arena_printf(arena, "%s-%s%s", identity->stack, identity->environment,
                                      identity->environment[0] ? "-" : "");
    const char *end = strrchr(name, '-');
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || !end || end < name + length)
        return NULL;
    const char *id = arena_strndup(arena, name + length, (size_t)(end - name) - length);
    const char *derived = type_name(arena, observation->type, identity, id, NULL, 1);
    return strcmp(derived, name) == 0 ? id : NULL;
}

/* `id`: what its name says, or NULL. */
static void add_dashboard(struct observation *observation, const char *name, const char *id,
                          const struct value *dashboard, const struct value *tag_reply)
{
    const struct cloud *cloud = observation->target;
    struct arena *arena = observation->arena;
    struct value *tags = cloud_tag_map(arena, value_get(tag_reply, "Tags"), "Key", "Value");
    struct value *props = cloud_decode(arena, observation->type, dashboard);
    value_set_text(arena, props, "name", name);
    value_set_text(arena, props, "arn", dashboard_arn(arena, cloud, name));
    if (id && !value_count(tags)) {
        const struct value *wanted = map_get(&cloud->wanted_tags, id);
        tags = wanted ? value_copy(arena, wanted)
                      : identity_tags(arena, &cloud->identity, id, 1, NULL);
    }
    cloud_add(observation, name, name, props, tags);
}

/* Those of the stack that the file does not name any more. */
static int observe_strays(struct task *task, struct observation *observation,
                          const struct value *entries, const struct value *seen,
                          struct error *error)
{
    struct arena *arena = observation->arena;
    VECTOR(const char *) names = {0};
    struct value *entry;
    value_each(entry, entries)
    {
        const char *name = value_text(entry, "DashboardName");
        if (name && !value_get(seen, name) && id_in_name(observation, name))
            vector_push(arena, &names, name);
    }
    struct cloud_read *reads = arena_array(arena, 2 * names.count + 1, sizeof *reads);
    for (size_t i = 0; i < names.count; i++)
        ask_for(observation, names.items[i], &reads[2 * i]);
    int result = cloud_get_all(task, observation, reads, 2 * names.count, error);
    for (size_t i = 0; result == 0 && i < names.count; i++) {
        const char *id = id_in_name(observation, names.items[i]);
        if (reads[2 * i].reply)
            add_dashboard(observation, names.items[i], id, reads[2 * i].reply,
                          reads[2 * i + 1].reply);
    }
    return result;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    const struct cloud *cloud = observation->target;
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "cloudwatch", "dashboard/", &candidates);
    struct cloud_read *reads = arena_array(arena, 2 * count + 1, sizeof *reads);
    struct value *seen = value_map(arena);
    for (size_t i = 0; i < count; i++) {
        ask_for(observation, candidates[i].name, &reads[2 * i]);
        value_set_bool(arena, seen, candidates[i].name, true);
    }
    reads[2 * count] =
        (struct cloud_read){.service = &aws_cloudwatch,
                            .operation = "ListDashboards",
                            .parameters = named(arena, "DashboardNamePrefix",
                                                arena_printf(arena, "%s-", cloud->identity.stack)),
                            .how = READ_LIST};
    size_t all = 2 * count + !observation->only;
    int result = cloud_get_all(task, observation, reads, all, error);
    if (result < 0)
        return result;
    for (size_t i = 0; i < count; i++) {
        const char *name = candidates[i].name;
        if (reads[2 * i].reply)
            add_dashboard(observation, name, cloud_derived_id(observation, name),
                          reads[2 * i].reply, reads[2 * i + 1].reply);
    }
    return observation->only
               ? 0
               : observe_strays(task, observation, reads[2 * count].reply, seen, error);
}

/* -- changing -- */

static int put(struct task *task, struct action *action, const char *name, bool with_tags,
               struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply = NULL, *parameters = cloud_encode(arena, action->type, action->want);
    value_set_text(arena, parameters, "DashboardName", name);
    if (with_tags)
        value_set(arena, parameters, "Tags", cloud_tag_list(arena, action->tags, "Key", "Value"));
    int result =
        cloud_call(task, action, &aws_cloudwatch, "PutDashboard", parameters, &reply, error);
    const struct value *message = value_item(value_get(reply, "DashboardValidationMessages"), 0);
    if (result == 0 && message)
        return error_set(error, ERR_INPUT, "CloudWatch does not understand the body at %s: %s",
                         value_text(message, "DataPath") ? value_text(message, "DataPath") : "/",
                         value_text(message, "Message") ? value_text(message, "Message") : "");
    return result;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int result = put(task, action, action->name, true, error);
    if (result < 0)
        return result;
    action->physical_id = action->name;
    value_set_text(action->arena, action->made, "arn",
                   dashboard_arn(action->arena, action->target, action->name));
    return 0;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    return put(task, action, action->have->physical_id, false, error);
}

static int remove_dashboard(struct task *task, struct action *action, struct error *error)
{
    struct value *names =
        value_push_text(action->arena, value_list(action->arena), action->have->physical_id);
    return cloud_remove(task, action, &aws_cloudwatch, "DeleteDashboards",
                        value_wrap(action->arena, "DashboardNames", names), error);
}

/* An API without tags for dashboards answers that there is no such thing: nothing to do then. */
static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *arn = dashboard_arn(arena, action->target, action->have->physical_id);
    struct value *set, *gone, *parameters = named(arena, "ResourceARN", arn);
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set)) {
        value_set(arena, parameters, "Tags", cloud_tag_list(arena, set, "Key", "Value"));
        result = cloud_remove(task, action, &aws_cloudwatch, "TagResource", parameters, error);
    }
    if (result < 0 || !value_count(gone))
        return result;
    parameters = value_set(arena, named(arena, "ResourceARN", arn), "TagKeys", gone);
    return cloud_remove(task, action, &aws_cloudwatch, "UntagResource", parameters, error);
}

static const struct patience patience[] = {
    {"ConflictException", NULL, "another change of this dashboard is under way", 60, 0},
    {"ConcurrentModificationException", NULL, "another change of its tags is under way", 60, 0},
    {0},
};

static const char *const by_name[] = {
    "arn=arn:{partition}:cloudwatch::{account}:dashboard/{name}",
    NULL,
};

const struct resource_type cloudwatch_dashboard = {
    .kind = "cloudwatch.dashboard",
    .summary = "dashboard: graphs of metrics on one page",
    .flags = NAMED | UNLISTED,
    .name_maximum = 255,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_dashboard,
    .retag = retag,
    .patience = patience,
    .computed_by_name = by_name,
};
