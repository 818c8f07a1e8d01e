/* DB subnet groups: the subnets that a database may stand in, in at least two zones.
 * Source: Amazon RDS API Reference, CreateDBSubnetGroup and its siblings. */
#include "pkg/cloud/rds.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "description",
     .wire = "DBSubnetGroupDescription",
     .type = FIELD_STRING,
     .unset = "\"subnets of a database\"",
     .summary = "for people"},
    {.name = "subnets",
     .wire = "SubnetIds.SubnetIdentifier",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .summary = "subnets of one network, in at least two zones"},
    {.name = "vpc",
     .reply = "VpcId",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .summary = "the network of the subnets; a group cannot move to another"},
    {.name = "arn",
     .reply = "DBSubnetGroupArn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its ARN"},
    {0},
};

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    (void)task;
    (void)error;
    struct value *subnets = value_list(observation->arena), *subnet;
    value_each(subnet, value_at(item, "Subnets.Subnet"))
    {
        const char *id = value_text(subnet, "SubnetIdentifier");
        if (id)
            value_push_text(observation->arena, subnets, id);
    }
    value_set(observation->arena, props, "subnets", subnets);
    return 0;
}

static const struct rds_kind kind = {
    .arn_prefix = "subgrp:",
    .operation = "DescribeDBSubnetGroups",
    .name_member = "DBSubnetGroupName",
    .items = "DBSubnetGroups.DBSubnetGroup",
    .arn = "DBSubnetGroupArn",
    .decode = decode,
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return rds_observe(task, observation, &kind, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    value_set_text(action->arena, parameters, "DBSubnetGroupName", action->name);
    rds_add_tags(action, parameters);
    int result =
        cloud_call(task, action, &aws_rds, "CreateDBSubnetGroup", parameters, &reply, error);
    if (result == 0)
        rds_take_made(action, value_get(reply, "DBSubnetGroup"));
    return result;
}

/* It wants the subnets in any case. */
static int update(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    value_set_text(action->arena, parameters, "DBSubnetGroupName", action->have->name);
    return cloud_call(task, action, &aws_rds, "ModifyDBSubnetGroup", parameters, NULL, error);
}

static int remove_group(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_rds, "DeleteDBSubnetGroup",
                        rds_named(action->arena, "DBSubnetGroupName", action->have->name), error);
}

static const struct patience patience[] = {
    {"InvalidSubnet", "are invalid", "the new subnets are not known to RDS yet", 90, 0},
    {"InvalidDBSubnetGroupStateFault", NULL, "a database that is being deleted still uses it", 2700,
     0},
    {0},
};

static const char *const computed_by_name[] = {
    "arn=arn:{partition}:rds:{region}:{account}:subgrp:{name}", NULL};

const struct resource_type rds_subnet_group = {
    .kind = "rds.subnet_group",
    .summary = "subnets that a database may stand in",
    .flags = NAMED,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_group,
    .retag = rds_retag,
    .patience = patience,
    .computed_by_name = computed_by_name,
};
