/* A virtual private cloud: the address range that everything of the stack lives in.
 * Source: Amazon EC2 API Reference, CreateVpc, DescribeVpcs, DescribeVpcAttribute,
 * ModifyVpcAttribute, DeleteVpc. */
#include "pkg/base/vector.h"
#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "cidr",
     .wire = "CidrBlock",
     .reply = "cidrBlock",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .allowed = "^[0-9]+(\\.[0-9]+){3}/(1[6-9]|2[0-8])$",
     .summary = "its IPv4 addresses: \"10.20.0.0/16\", /16 to /28"},
    {.name = "tenancy",
     .wire = "InstanceTenancy",
     .reply = "instanceTenancy",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"default\"",
     .allowed = "default|dedicated",
     .summary = "whether instances share hardware with other accounts"},
    {.name = "dns_support",
     .type = FIELD_BOOL,
     .flags = AFTER,
     .unset = "true",
     .summary = "Amazon's DNS server answers inside the VPC"},
    {.name = "dns_hostnames",
     .type = FIELD_BOOL,
     .flags = AFTER,
     .unset = "false",
     .summary = "instances get DNS names; endpoints with private DNS need this and dns_support"},
    {.name = "id", .reply = "vpcId", .type = FIELD_STRING, .flags = COMPUTED, .summary = "vpc-..."},
    {.name = "state",
     .reply = "state",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "pending or available"},
    {0},
};

/* -- observe: each attribute is a call of its own -- */

struct attribute {
    struct observation *observation;
    const char *vpc;
    const char *name, *reply, *field; /* "enableDnsSupport", "enableDnsSupport.value" */
    struct value *props;
};

static int ask_attribute(struct task *task, void *argument, struct error *error)
{
    struct attribute *attribute = argument;
    struct arena *arena = attribute->observation->arena;
    struct value *parameters = ec2_named(arena, "VpcId", attribute->vpc), *reply = NULL;
    value_set_text(arena, parameters, "Attribute", attribute->name);
    int result = cloud_get(task, attribute->observation, &aws_ec2, "DescribeVpcAttribute",
                           parameters, &reply, error);
    if (result == 0 && !reply)
        return error_set(error, ERR_NOT_FOUND, "%s went while it was looked at", attribute->vpc);
    if (result == 0)
        value_set_bool(arena, attribute->props, attribute->field,
                       value_bool_at(reply, attribute->reply, false));
    return result;
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    const char *vpc = value_text(item, "vpcId");
    struct attribute attributes[] = {
        {observation, vpc, "enableDnsSupport", "enableDnsSupport.value", "dns_support", props},
        {observation, vpc, "enableDnsHostnames", "enableDnsHostnames.value", "dns_hostnames",
         props},
    };
    return task_each(task, "VPC attributes", ask_attribute, attributes, sizeof *attributes,
                     COUNT_OF(attributes), 0, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeVpcs", "vpcId", decode, error);
}

/* -- change -- */

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    ec2_add_tags(action, parameters, "vpc");
    int result = cloud_call(task, action, &aws_ec2, "CreateVpc", parameters, &reply, error);
    return result == 0 ? ec2_take_id(action, reply, "vpc.vpcId", error) : result;
}

static int set_attribute(struct task *task, struct action *action, const char *field,
                         const char *member, struct error *error)
{
    struct arena *arena = action->arena;
    if (!action_changes(action, field))
        return 0;
    struct value *parameters = ec2_named(arena, "VpcId", action->have->physical_id);
    bool wanted = value_as_bool(value_get(action->want, field), false);
    value_set(arena, parameters, member, value_wrap(arena, "Value", value_bool(arena, wanted)));
    return cloud_call(task, action, &aws_ec2, "ModifyVpcAttribute", parameters, NULL, error);
}

/* One attribute a call. Host names need DNS: it comes first and goes last. */
static int update(struct task *task, struct action *action, struct error *error)
{
    bool support = value_as_bool(value_get(action->want, "dns_support"), true);
    int result = 0;
    if (support)
        result = set_attribute(task, action, "dns_support", "EnableDnsSupport", error);
    if (result == 0)
        result = set_attribute(task, action, "dns_hostnames", "EnableDnsHostnames", error);
    if (result == 0 && !support)
        result = set_attribute(task, action, "dns_support", "EnableDnsSupport", error);
    return result;
}

static int remove_vpc(struct task *task, struct action *action, struct error *error)
{
    return ec2_remove_held(task, action, "DeleteVpc",
                           ec2_named(action->arena, "VpcId", action->have->physical_id), "vpc-id",
                           error);
}

const struct resource_type ec2_vpc = {
    .kind = "ec2.vpc",
    .summary = "a virtual private cloud: the network that the stack lives in",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_vpc,
    .retag = ec2_retag,
};
