/* An internet gateway: the VPC's door to the internet.
 * Source: Amazon EC2 API Reference, CreateInternetGateway, AttachInternetGateway,
 * DescribeInternetGateways, DetachInternetGateway, DeleteInternetGateway. */
#include <string.h>

#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

/* The attachment can change in place, so that one that is lost (or was never made, after a crash)
 * is put right without a new gateway. */
static const struct field fields[] = {
    {.name = "vpc",
     .type = FIELD_STRING,
     .flags = REQUIRED | AFTER,
     .summary = "the VPC that it is attached to"},
    {.name = "id",
     .reply = "internetGatewayId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "igw-..."},
    {0},
};

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    (void)task, (void)error;
    const struct value *attachment = value_item(value_at(item, "attachmentSet.item"), 0);
    const char *state = value_text(attachment, "state");
    if (state && strcmp(state, "detached") != 0 && strcmp(state, "detaching") != 0)
        value_set_text(observation->arena, props, "vpc", value_text(attachment, "vpcId"));
    return 0;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeInternetGateways", "internetGatewayId",
                             decode, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = value_map(action->arena), *reply = NULL;
    ec2_add_tags(action, parameters, "internet-gateway");
    int result =
        cloud_call(task, action, &aws_ec2, "CreateInternetGateway", parameters, &reply, error);
    return result == 0 ? ec2_take_id(action, reply, "internetGateway.internetGatewayId", error)
                       : result;
}

static struct value *attachment(const struct action *action, const char *vpc)
{
    struct value *parameters =
        ec2_named(action->arena, "InternetGatewayId", action->have->physical_id);
    return value_set_text(action->arena, parameters, "VpcId", vpc);
}

/* A gateway that is not attached answers Gateway.NotAttached, which is what is wanted. */
static int detach(struct task *task, struct action *action, struct error *error)
{
    const char *vpc = value_text(action->have->props, "vpc");
    if (!vpc)
        return 0;
    struct error mine;
    int result = cloud_remove(task, action, &aws_ec2, "DetachInternetGateway",
                              attachment(action, vpc), &mine);
    if (result == 0 || strcmp(mine.aws_code, "Gateway.NotAttached") == 0)
        return 0;
    if (error)
        *error = mine;
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    const char *vpc = value_text(action->want, "vpc");
    if (!action_changes(action, "vpc"))
        return 0;
    int result = detach(task, action, error);
    return result == 0 ? cloud_call(task, action, &aws_ec2, "AttachInternetGateway",
                                    attachment(action, vpc), NULL, error)
                       : result;
}

static int remove_gateway(struct task *task, struct action *action, struct error *error)
{
    int result = detach(task, action, error);
    return result == 0 ? cloud_remove(task, action, &aws_ec2, "DeleteInternetGateway",
                                      ec2_named(action->arena, "InternetGatewayId",
                                                action->have->physical_id),
                                      error)
                       : result;
}

static const struct patience patience[] = {
    {"DependencyViolation", NULL, "public addresses in the VPC are still being released", 900, 5},
    {0},
};

const struct resource_type ec2_internet_gateway = {
    .kind = "ec2.internet_gateway",
    .summary = "the VPC's door to the internet",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_gateway,
    .retag = ec2_retag,
    .patience = patience,
};
