/* The target itself: who calls, and what the stack's tags find before the kinds are looked at. */
#include "pkg/cloud/cloud.h"

#include <string.h>

#include "pkg/base/vector.h"

/* -- who we are: STS GetCallerIdentity -- */

/* "arn:aws-cn:sts::123456789012:assumed-role/..": the second part. */
static const char *partition_of(struct arena *arena, const char *arn)
{
    if (!arn || strncmp(arn, "arn:", 4) != 0 || !strchr(arn + 4, ':'))
        return NULL;
    return arena_strndup(arena, arn + 4, strcspn(arn + 4, ":"));
}

static int ask_identity(struct task *task, struct cloud *cloud, struct error *error)
{
    if (cloud->identity.account)
        return 0;
    struct value *reply = NULL;
    int result = aws_call(task, cloud->client, cloud->arena, &aws_sts, "GetCallerIdentity", NULL,
                          &reply, error);
    if (result < 0)
        return error_wrap(error, "cannot tell whose credentials these are"), result;
    const char *account = value_text(reply, "Account");
    if (!account)
        return error_set(error, ERR_FAILED, "GetCallerIdentity named no account");
    const char *partition = partition_of(cloud->arena, value_text(reply, "Arn"));
    if (partition)
        cloud->identity.partition = partition;
    cloud->identity.account = account;
    return 0;
}

int cloud_identify(struct task *task, struct cloud *cloud, struct error *error)
{
    int result = semaphore_acquire(task, &cloud->one_asks, error);
    if (result < 0)
        return result;
    result = ask_identity(task, cloud, error);
    semaphore_release(&cloud->one_asks);
    return result;
}

/* -- what bears our tags: GetResources of the tagging API -- */

static struct value *tag_filter(struct arena *arena, const char *key, const char *value)
{
    struct value *filter = value_map(arena);
    value_set_text(arena, filter, "Key", key);
    value_set(arena, filter, "Values", value_push_text(arena, value_list(arena), value));
    return filter;
}

static int take_inventory(struct task *task, struct cloud *cloud, struct error *error)
{
    struct arena *arena = cloud->arena;
    const char *environment = cloud->identity.environment;
    struct value *filters = value_list(arena), *items = NULL, *item;
    value_push(arena, filters, tag_filter(arena, TAG_STACK, cloud->identity.stack));
    value_push(arena, filters,
               tag_filter(arena, TAG_ENVIRONMENT, environment[0] ? environment : "-"));
    struct value *parameters = value_wrap(arena, "TagFilters", filters);
    value_set_int(arena, parameters, "ResourcesPerPage", 100);
    int result = aws_list(task, cloud->client, arena, &aws_tagging, "GetResources", parameters,
                          &items, error);
    if (result < 0)
        return error_wrap(error, "cannot ask for what bears the stack's tags"), result;
    struct value *inventory = value_list(arena);
    value_each(item, items)
    {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "arn", value_text(item, "ResourceARN"));
        value_set(arena, row, "tags",
                  cloud_tag_map(arena, value_get(item, "Tags"), "Key", "Value"));
        value_push(arena, inventory, row);
    }
    cloud->inventory = inventory;
    return 0;
}

/* -- both at once -- */

struct question {
    struct cloud *cloud;
    int (*ask)(struct task *task, struct cloud *cloud, struct error *error);
};

static int ask_one(struct task *task, void *argument, struct error *error)
{
    struct question *question = argument;
    return question->ask(task, question->cloud, error);
}

static void remember_wanted_tags(struct cloud *cloud, const struct resource_list *wanted)
{
    cloud->wanted = wanted;
    cloud->wanted_tags = map_in(cloud->arena);
    for (size_t i = 0; wanted && i < wanted->count; i++) {
        const struct resource *resource = &wanted->items[i];
        map_put(&cloud->wanted_tags, arena_strdup(cloud->arena, resource->id),
                identity_tags(cloud->arena, &cloud->identity, resource->id, 1, resource->tags));
    }
}

static int prepare(struct task *task, struct target *target, const struct resource_list *wanted,
                   struct error *error)
{
    struct cloud *cloud = target->data;
    struct question questions[] = {{cloud, cloud_identify}, {cloud, take_inventory}};
    remember_wanted_tags(cloud, wanted);
    return task_each(task, "prepare", ask_one, questions, sizeof *questions, COUNT_OF(questions), 0,
                     error);
}

static void made(struct target *target, const char *physical_id)
{
    struct cloud *cloud = target->data;
    char *copy = arena_strdup(cloud->arena, physical_id);
    map_put(&cloud->made, copy, copy);
}

struct cloud *cloud_new(struct arena *arena, struct aws_client *client,
                        const struct identity *identity)
{
    struct cloud *cloud = arena_new_of(arena, struct cloud);
    *cloud = (struct cloud){.identity = *identity,
                            .client = client,
                            .arena = arena,
                            .wanted_tags = map_in(arena),
                            .made = map_in(arena),
                            .held = map_in(arena),
                            .one_asks = {.places = 1},
                            .answers = map_in(arena)};
    if (!cloud->identity.partition)
        cloud->identity.partition = aws_client_partition(client);
    cloud->inventory = value_list(arena);
    cloud->target = (struct target){.name = "aws",
                                    .types = cloud_types,
                                    .data = cloud,
                                    .identity = &cloud->identity,
                                    .prepare = prepare,
                                    .made = made};
    return cloud;
}

const char *cloud_arn(struct arena *arena, const struct cloud *cloud, const char *service,
                      const char *rest)
{
    return arena_printf(arena, "arn:%s:%s:%s:%s:%s", cloud->identity.partition, service,
                        cloud->identity.region, cloud->identity.account, rest);
}
