/* Log groups.
 * Source: CloudWatch Logs API Reference, CreateLogGroup, DescribeLogGroups, PutRetentionPolicy,
 * AssociateKmsKey, TagResource. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"

#define GROUP_PREFIX "/ragstack/"

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .allowed = "^[-._/#A-Za-z0-9]{1,512}$",
     .summary = "name of the group; unset: " GROUP_PREFIX " and a name of the stack's own"},
    {.name = "retention_days",
     .type = FIELD_INT,
     .flags = AFTER,
     .allowed =
         "1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827|2192|2557|2922|3288|3653",
     .summary = "events are kept for this long; unset: for ever"},
    {.name = "kms_key",
     .type = FIELD_STRING,
     .summary = "ARN of the key that encrypts the events; unset: CloudWatch's own"},
    {.name = "class",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"STANDARD\"",
     .allowed = "STANDARD|INFREQUENT_ACCESS",
     .summary = "what can be done with the events, and what they cost"},
    {.name = "arn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its ARN, without the \":*\" that policies want after it"},
    {0},
};

static struct value *named(struct arena *arena, const char *member, const char *text)
{
    return value_set_text(arena, value_map(arena), member, text);
}

static const char *group_arn(struct arena *arena, const struct cloud *cloud, const char *name)
{
    return cloud_arn(arena, cloud, "logs", arena_printf(arena, "log-group:%s", name));
}

/* -- observing -- */

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct value *reply;
    int result = cloud_get(task, observation, &aws_logs, "ListTagsForResource",
                           named(observation->arena, "resourceArn", arn), &reply, error);
    *tags = result == 0 ? value_get(reply, "tags") : NULL;
    return result;
}

/* All groups that are named after the stack begin like this. Those of a stack whose name is longer
 * ("acme" and "acme-docs") do too: that is why nothing follows from it. */
static const char *own_prefix(struct arena *arena, const struct identity *identity)
{
    return arena_printf(arena, GROUP_PREFIX "%s-%s%s", identity->stack, identity->environment,
                        identity->environment[0] ? "-" : "");
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* One listing for the stack's own names, one more for each name that the file says. */
static int read_groups(struct task *task, struct observation *observation,
                       const struct candidate *candidates, size_t count, struct value *groups,
                       struct error *error)
{
    const struct cloud *cloud = observation->target;
    struct arena *arena = observation->arena;
    const char *prefix = own_prefix(arena, &cloud->identity);
    VECTOR(struct cloud_read) reads = {0};
    bool own = false;
    for (size_t i = 0; i < count; i++) {
        bool covered = !observation->only && begins_with(candidates[i].name, prefix);
        if (!covered || !own)
            vector_push(
                arena, &reads,
                ((struct cloud_read){.service = &aws_logs,
                                     .operation = "DescribeLogGroups",
                                     .how = READ_LIST,
                                     .parameters = named(arena, "logGroupNamePrefix",
                                                         covered ? prefix : candidates[i].name)}));
        own = own || covered;
    }
    int result = cloud_get_all(task, observation, reads.items, reads.count, error);
    for (size_t i = 0; result == 0 && i < reads.count; i++) {
        struct value *group;
        value_each(group, reads.items[i].reply)
        {
            if (value_text(group, "logGroupName"))
                value_set(arena, groups, value_text(group, "logGroupName"), group);
        }
    }
    return result;
}

static struct value *decode(struct arena *arena, const struct value *group, const char *arn)
{
    struct value *props = value_map(arena);
    value_set_text(arena, props, "name", value_text(group, "logGroupName"));
    value_set(arena, props, "retention_days", value_get(group, "retentionInDays"));
    value_set(arena, props, "kms_key", value_get(group, "kmsKeyId"));
    value_set(arena, props, "class", value_get(group, "logGroupClass"));
    return value_set_text(arena, props, "arn", arn);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "logs", "log-group:", &candidates);
    struct value *groups = value_map(arena), *tags;
    int result = read_groups(task, observation, candidates, count, groups, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        const char *name = candidates[i].name;
        const struct value *group = value_get(groups, name);
        const char *arn = group_arn(arena, observation->target, name);
        if (!group)
            continue;
        result = cloud_tags_of(task, observation, &candidates[i], arn, fetch, &tags, error);
        if (result == 0)
            cloud_add(observation, name, name, decode(arena, group, arn), tags);
    }
    return result;
}

/* -- changing -- */

/* A group of this name that Lambda made by itself is "already there": the engine looks whose it is,
 * and leaves it alone unless it bears the stack's tags. */
static int create(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = named(arena, "logGroupName", action->name);
    const char *key = value_text(action->want, "kms_key"),
               *class = value_text(action->want, "class");
    if (key)
        value_set_text(arena, parameters, "kmsKeyId", key);
    if (class && strcmp(class, "STANDARD") != 0) /* the default; not every region knows the word */
        value_set_text(arena, parameters, "logGroupClass", class);
    value_set(arena, parameters, "tags", value_copy(arena, action->tags));
    int result = cloud_call(task, action, &aws_logs, "CreateLogGroup", parameters, NULL, error);
    if (result < 0)
        return result;
    action->physical_id = action->name;
    value_set_text(arena, action->made, "arn", group_arn(arena, action->target, action->name));
    return 0;
}

static int set_retention(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = named(action->arena, "logGroupName", action->have->physical_id);
    int64_t days = value_as_int(value_get(action->want, "retention_days"), 0);
    if (days == 0)
        return cloud_call(task, action, &aws_logs, "DeleteRetentionPolicy", parameters, NULL,
                          error);
    value_set_int(action->arena, parameters, "retentionInDays", days);
    return cloud_call(task, action, &aws_logs, "PutRetentionPolicy", parameters, NULL, error);
}

static int set_key(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = named(action->arena, "logGroupName", action->have->physical_id);
    const char *key = value_text(action->want, "kms_key");
    if (!key)
        return cloud_call(task, action, &aws_logs, "DisassociateKmsKey", parameters, NULL, error);
    value_set_text(action->arena, parameters, "kmsKeyId", key);
    return cloud_call(task, action, &aws_logs, "AssociateKmsKey", parameters, NULL, error);
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    if (action_changes(action, "retention_days"))
        result = set_retention(task, action, error);
    if (result == 0 && action_changes(action, "kms_key"))
        result = set_key(task, action, error);
    return result;
}

static int remove_group(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_logs, "DeleteLogGroup",
                        named(action->arena, "logGroupName", action->have->physical_id), error);
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct value *set, *gone;
    const char *arn = group_arn(action->arena, action->target, action->have->physical_id);
    struct value *parameters = named(action->arena, "resourceArn", arn);
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set))
        result = cloud_call(task, action, &aws_logs, "TagResource",
                            value_set(action->arena, parameters, "tags", set), NULL, error);
    if (result < 0 || !value_count(gone))
        return result;
    parameters = named(action->arena, "resourceArn", arn);
    value_set(action->arena, parameters, "tagKeys", gone);
    return cloud_call(task, action, &aws_logs, "UntagResource", parameters, NULL, error);
}

static const struct patience patience[] = {
    {"OperationAbortedException", NULL, "another change of this log group is under way", 60, 0},
    {0},
};

static const char *const by_name[] = {
    "arn=arn:{partition}:logs:{region}:{account}:log-group:{name}",
    NULL,
};

const struct resource_type logs_group = {
    .kind = "logs.group",
    .summary = "log group: where a function or an API writes its log",
    .flags = NAMED,
    .name_maximum = 512,
    .name_format = GROUP_PREFIX "%s",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_group,
    .retag = retag,
    .patience = patience,
    .computed_by_name = by_name,
};
