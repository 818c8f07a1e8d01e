/* A NAT gateway: the way from private subnets to the internet.
 * Source: Amazon EC2 API Reference, CreateNatGateway, DescribeNatGateways, DeleteNatGateway; VPC
 * User Guide, "Troubleshoot NAT gateways". */
#include <string.h>

#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "subnet",
     .wire = "SubnetId",
     .reply = "subnetId",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "the public subnet that it stands in"},
    {.name = "elastic_ip",
     .wire = "AllocationId",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .summary = "the elastic IP's id; a public gateway needs one"},
    {.name = "connectivity",
     .wire = "ConnectivityType",
     .reply = "connectivityType",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"public\"",
     .allowed = "public|private",
     .summary = "public: to the internet; private: to other networks only"},
    {.name = "internet_gateway",
     .type = FIELD_STRING,
     .flags = WRITE_ONLY,
     .summary = "what it goes out by: only made to stand first, since the gateway fails without"},
    {.name = "id",
     .reply = "natGatewayId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "nat-..."},
    {.name = "public_ip",
     .type = FIELD_STRING,
     .flags = COMPUTED | READY,
     .summary = "its public address"},
    {.name = "state",
     .reply = "state",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "pending, available, failed, deleting"},
    {.name = "reason",
     .reply = "failureMessage",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "why it failed"},
    {0},
};

/* Deleted gateways are listed for an hour, and failed ones clear themselves away: neither counts as
 * there, unless this very one is being watched. */
static bool counts(const struct observation *observation, const char *state)
{
    if (!state || strcmp(state, "deleted") == 0)
        return false;
    bool watched = observation->only && observation->only->physical_id;
    return watched || (strcmp(state, "failed") != 0 && strcmp(state, "deleting") != 0);
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    (void)task;
    struct value *address, *addresses = value_at(item, "natGatewayAddressSet.item");
    if (!counts(observation, value_text(item, "state")))
        return error_set(error, ERR_NOT_FOUND, "it is gone");
    const struct value *primary = value_item(addresses, 0);
    value_each(address, addresses)
    {
        if (value_bool_at(address, "isPrimary", false))
            primary = address;
    }
    value_set_text(observation->arena, props, "elastic_ip", value_text(primary, "allocationId"));
    value_set_text(observation->arena, props, "public_ip", value_text(primary, "publicIp"));
    return 0;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeNatGateways", "natGatewayId", decode,
                             error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    ec2_add_tags(action, parameters, "natgateway");
    int result = cloud_call(task, action, &aws_ec2, "CreateNatGateway", parameters, &reply, error);
    return result == 0 ? ec2_take_id(action, reply, "natGateway.natGatewayId", error) : result;
}

static int remove_gateway(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_ec2, "DeleteNatGateway",
                        ec2_named(action->arena, "NatGatewayId", action->have->physical_id), error);
}

static const struct patience patience[] = {
    {"Resource.AlreadyAssociated", NULL,
     "the elastic IP is still held by a gateway that is being deleted", 900, 5},
    {"InvalidElasticIpID.InUse", NULL,
     "the elastic IP is still held by a gateway that is being deleted", 900, 5},
    {0},
};

const struct resource_type ec2_nat_gateway = {
    .kind = "ec2.nat_gateway",
    .summary = "the way from private subnets to the internet",
    .flags = DELETE_FIRST, /* old and new would want the same address */
    .fields = fields,
    .observe = observe,
    .create = create,
    .remove = remove_gateway,
    .retag = ec2_retag,
    .ready = {"state", "available", "failed|deleting|deleted", "reason", 110, 900, 5},
    .gone = {.typical_s = 60, .longest_s = 900, .poll_s = 5},
    .patience = patience,
};
