/* An elastic IP: a public address that stays the same.
 * Source: Amazon EC2 API Reference, AllocateAddress, DescribeAddresses, ReleaseAddress. */
#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "id",
     .reply = "allocationId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "eipalloc-..."},
    {.name = "public_ip",
     .reply = "publicIp",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "the address"},
    {0},
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeAddresses", "allocationId", NULL, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = ec2_named(action->arena, "Domain", "vpc"), *reply = NULL;
    ec2_add_tags(action, parameters, "elastic-ip");
    int result = cloud_call(task, action, &aws_ec2, "AllocateAddress", parameters, &reply, error);
    if (result < 0)
        return result;
    value_set(action->arena, action->made, "public_ip", value_get(reply, "publicIp"));
    return ec2_take_id(action, reply, "allocationId", error);
}

static int release(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_ec2, "ReleaseAddress",
                        ec2_named(action->arena, "AllocationId", action->have->physical_id), error);
}

/* EC2 answers AuthFailure, too, for an address that a NAT gateway has not let go of yet. */
static const struct patience patience[] = {
    {"InvalidIPAddress.InUse", NULL, "the NAT gateway has not let go of the address yet", 900, 5},
    {"AuthFailure", "permission to access the specified resource",
     "the NAT gateway has not let go of the address yet", 120, 5},
    {0},
};

const struct resource_type ec2_elastic_ip = {
    .kind = "ec2.elastic_ip",
    .summary = "a public address that stays the same",
    .fields = fields,
    .observe = observe,
    .create = create,
    .remove = release,
    .retag = ec2_retag,
    .patience = patience,
};
