/* A VPC endpoint: a way to an AWS service that does not leave the network.
 * Source: Amazon EC2 API Reference, CreateVpcEndpoint, DescribeVpcEndpoints, ModifyVpcEndpoint,
 * DeleteVpcEndpoints, DescribeVpcEndpointServices, DescribePrefixLists; AWS PrivateLink guide. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"
#include "pkg/value/json.h"

static const struct field fields[] = {
    {.name = "vpc",
     .wire = "VpcId",
     .reply = "vpcId",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "the VPC that it is in"},
    {.name = "service",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary =
         "an AWS service of this region (\"s3\", \"bedrock-runtime\"), or another's full name"},
    {.name = "type",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"interface\"",
     .allowed = "gateway|interface",
     .summary = "gateway: routes, for s3 and dynamodb, free; interface: addresses in subnets"},
    {.name = "route_tables",
     .wire = "RouteTableId",
     .reply = "routeTableIdSet.item",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .item = FIELD_STRING,
     .summary = "gateway: the route tables that get its route"},
    {.name = "subnets",
     .wire = "SubnetId",
     .reply = "subnetIdSet.item",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .item = FIELD_STRING,
     .summary = "interface: the subnets that it has an address in, one a zone"},
    {.name = "groups",
     .wire = "SecurityGroupId",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .item = FIELD_STRING,
     .summary = "interface: its security groups"},
    {.name = "private_dns",
     .wire = "PrivateDnsEnabled",
     .reply = "privateDnsEnabled",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "interface: the service's usual name leads here, inside the VPC"},
    {.name = "policy",
     .wire = "PolicyDocument",
     .reply = "policyDocument",
     .type = FIELD_DOCUMENT,
     .flags = POLICY,
     .summary = "what may be done through it; left out: everything that the caller may do anyway"},
    {.name = "id",
     .reply = "vpcEndpointId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "vpce-..."},
    {.name = "prefix_list",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "gateway: the prefix list of the service's addresses, for rules and routes"},
    {.name = "dns_name",
     .type = FIELD_STRING,
     .flags = COMPUTED | READY,
     .summary = "interface: its own name"},
    {.name = "state",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "pending, available, failed, deleting"},
    {.name = "reason",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "why it is in that state"},
    {0},
};

/* -- names of services -- */

static const char *region_of(const struct cloud *cloud)
{
    return aws_client_region(cloud->client);
}

/* In China some services have names that begin with "cn.": the second form is tried, too. */
static const char *service_name(struct arena *arena, const struct cloud *cloud, const char *service,
                                bool chinese)
{
    if (strstr(service, "com.amazonaws.") || strstr(service, "aws.sagemaker."))
        return service;
    return arena_printf(arena, "%scom.amazonaws.%s.%s", chinese ? "cn." : "", region_of(cloud),
                        service);
}

static const char *short_service(struct arena *arena, const struct cloud *cloud, const char *name)
{
    const char *prefix = arena_printf(arena, "com.amazonaws.%s.", region_of(cloud));
    const char *plain = strncmp(name, "cn.", 3) == 0 ? name + 3 : name;
    return strncmp(plain, prefix, strlen(prefix)) == 0 ? plain + strlen(prefix) : name;
}

/* -- observe -- */

static char *lower(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text ? text : "");
    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

/* What EC2 puts in when no policy is said: everything is allowed. */
static bool is_open_policy(const struct value *policy)
{
    const struct value *statements = value_get(policy, "Statement");
    const struct value *statement = value_item(statements, 0);
    return value_item_count(statements) == 1 &&
           value_is_text(value_get(statement, "Effect"), "Allow") &&
           value_is_text(value_get(statement, "Principal"), "*") &&
           value_is_text(value_get(statement, "Action"), "*") &&
           value_is_text(value_get(statement, "Resource"), "*") && value_count(statement) == 4;
}

static int find_prefix_list(struct task *task, struct cloud *cloud, const char *service,
                            struct value *props, struct error *error)
{
    struct value *parameters = value_map(cloud->arena);
    const struct value *items;
    ec2_add_filter(cloud->arena, parameters, "prefix-list-name", service);
    int result =
        cloud_ask_once(task, cloud, arena_printf(cloud->arena, "prefix list of %s", service),
                       &aws_ec2, "DescribePrefixLists", parameters, &items, error);
    const struct value *list = result == 0 ? value_find(items, "prefixListName", service) : NULL;
    if (list)
        value_set_text(cloud->arena, props, "prefix_list", value_text(list, "prefixListId"));
    return result;
}

/* Deleted ones linger in the list, and deleting ones do not count either, unless this very one is
 * being watched. */
static bool counts(const struct observation *observation, const char *state)
{
    bool watched = observation->only && observation->only->physical_id;
    return strcmp(state, "deleted") != 0 && (watched || strcmp(state, "deleting") != 0);
}

static void read_more(struct arena *arena, const struct value *item, struct value *props)
{
    struct value *groups = value_list(arena), *group;
    value_each(group, value_at(item, "groupSet.item"))
        value_push_text(arena, groups, value_text(group, "groupId"));
    value_set(arena, props, "groups", groups);
    const struct value *entry = value_item(value_at(item, "dnsEntrySet.item"), 0);
    if (value_text(entry, "dnsName"))
        value_set_text(arena, props, "dns_name", value_text(entry, "dnsName"));
    const char *reason = value_text_at(item, "lastError.message");
    reason = reason ? reason : value_text(item, "failureReason");
    if (reason)
        value_set_text(arena, props, "reason", reason);
    if (is_open_policy(value_get(props, "policy")))
        value_remove(props, "policy");
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct cloud *cloud = observation->target;
    struct arena *arena = observation->arena;
    const char *service = value_text(item, "serviceName");
    const char *type = lower(arena, value_text(item, "vpcEndpointType"));
    const char *state = lower(arena, value_text(item, "state"));
    if (!service || !counts(observation, state))
        return error_set(error, ERR_NOT_FOUND, "it is gone");
    value_set_text(arena, props, "service", short_service(arena, cloud, service));
    value_set_text(arena, props, "type", type);
    value_set_text(arena, props, "state", state);
    read_more(arena, item, props);
    if (strcmp(type, "gateway") != 0)
        return 0;
    value_set_bool(arena, props, "private_dns", false); /* it has no addresses to be named */
    return find_prefix_list(task, cloud, service, props, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeVpcEndpoints", "vpcEndpointId", decode,
                             error);
}

/* -- create -- */

/* Says in which zones the service is offered, after EC2 said that one of ours is none of them. */
static int explain_zones(struct task *task, struct action *action, const char *service,
                         struct error *error)
{
    struct cloud *cloud = action->target;
    struct value *parameters = value_map(action->arena), *details = NULL, *zone;
    struct error ignored;
    ec2_add_filter(action->arena, parameters, "service-name", service);
    if (aws_call(task, cloud->client, action->arena, &aws_ec2, "DescribeVpcEndpointServices",
                 parameters, &details, &ignored) < 0)
        return error->code;
    const char *zones = "";
    const struct value *detail = value_item(value_at(details, "serviceDetailSet.item"), 0);
    value_each(zone, value_at(detail, "availabilityZoneSet.item")) zones =
        arena_printf(action->arena, "%s %s", zones, value_as_text(action->arena, zone));
    return error_wrap(error,
                      "%s is offered in these zones only:%s; give the endpoint subnets there",
                      service, zones);
}

static int create_named(struct task *task, struct action *action, const char *service,
                        struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    bool gateway = value_is_text(value_get(action->want, "type"), "gateway");
    value_set_text(action->arena, parameters, "ServiceName", service);
    value_set_text(action->arena, parameters, "VpcEndpointType", gateway ? "Gateway" : "Interface");
    if (gateway)
        value_remove(parameters, "PrivateDnsEnabled");
    ec2_add_tags(action, parameters, "vpc-endpoint");
    int result = cloud_call(task, action, &aws_ec2, "CreateVpcEndpoint", parameters, &reply, error);
    if (result < 0 && error && strstr(error->message, "does not support the availability zone"))
        return explain_zones(task, action, service, error);
    return result == 0 ? ec2_take_id(action, reply, "vpcEndpoint.vpcEndpointId", error) : result;
}

/* Without groups EC2 takes the VPC's default one, which the file then does not say. */
static int check_parts(const struct action *action, struct error *error)
{
    bool gateway = value_is_text(value_get(action->want, "type"), "gateway");
    bool subnets = value_count(value_get(action->want, "subnets")) > 0;
    bool groups = value_count(value_get(action->want, "groups")) > 0;
    if (gateway && (subnets || groups))
        return error_set(error, ERR_INPUT,
                         "a gateway endpoint has route_tables, and neither "
                         "subnets nor groups");
    if (!gateway && !(subnets && groups))
        return error_set(error, ERR_INPUT, "an interface endpoint needs subnets and groups");
    return 0;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct cloud *cloud = action->target;
    const char *said = value_text(action->want, "service");
    const char *service = service_name(action->arena, cloud, said, false);
    bool china = strncmp(region_of(cloud), "cn-", 3) == 0;
    struct error mine = {0};
    int result = check_parts(action, &mine);
    if (result == 0)
        result = create_named(task, action, service, &mine);
    if (result < 0 && china && strcmp(mine.aws_code, "InvalidServiceName") == 0) {
        service = service_name(action->arena, cloud, said, true);
        error_clear(&mine);
        result = create_named(task, action, service, &mine);
    }
    if (result == 0 && value_is_text(value_get(action->want, "type"), "gateway"))
        result = find_prefix_list(task, cloud, service, action->made, &mine);
    if (result < 0 && error)
        *error = mine;
    return result;
}

/* -- change -- */

static bool holds(const struct value *list, const struct value *item)
{
    struct value *other;
    value_each(other, list)
    {
        if (value_equal(other, item))
            return true;
    }
    return false;
}

static void add_only_in(struct arena *arena, struct value *parameters, const char *member,
                        const struct value *these, const struct value *those)
{
    struct value *list = value_list(arena), *item;
    value_each(item, these)
    {
        if (!holds(those, item))
            value_push(arena, list, item);
    }
    if (value_count(list))
        value_set(arena, parameters, member, list);
}

static void add_list_change(const struct action *action, const char *field, const char *member,
                            struct value *parameters)
{
    struct arena *arena = action->arena;
    const struct value *want = value_get(action->want, field);
    const struct value *have = value_get(action->have->props, field);
    if (!action_changes(action, field))
        return;
    add_only_in(arena, parameters, arena_printf(arena, "Add%s", member), want, have);
    add_only_in(arena, parameters, arena_printf(arena, "Remove%s", member), have, want);
}

static void add_policy_change(const struct action *action, struct value *parameters)
{
    const struct value *policy = value_get(action->want, "policy");
    if (!action_changes(action, "policy"))
        return;
    if (!policy || policy->kind == VALUE_NULL)
        value_set_bool(action->arena, parameters, "ResetPolicy", true);
    else
        value_set_text(action->arena, parameters, "PolicyDocument",
                       value_is(policy, VALUE_STRING) ? policy->string.text
                                                      : json_text(action->arena, policy));
}

static int update(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = ec2_named(action->arena, "VpcEndpointId", action->have->physical_id);
    add_list_change(action, "route_tables", "RouteTableId", parameters);
    add_list_change(action, "subnets", "SubnetId", parameters);
    add_list_change(action, "groups", "SecurityGroupId", parameters);
    add_policy_change(action, parameters);
    if (action_changes(action, "private_dns"))
        value_set(action->arena, parameters, "PrivateDnsEnabled",
                  value_get(action->want, "private_dns"));
    return cloud_call(task, action, &aws_ec2, "ModifyVpcEndpoint", parameters, NULL, error);
}

/* -- remove: the reply is 200, with a list of what did not work -- */

static int remove_endpoint(struct task *task, struct action *action, struct error *error)
{
    struct value *reply = NULL, *parameters = value_map(action->arena);
    value_set(action->arena, parameters, "VpcEndpointId",
              value_push_text(action->arena, value_list(action->arena), action->have->physical_id));
    int result =
        cloud_call(task, action, &aws_ec2, "DeleteVpcEndpoints", parameters, &reply, error);
    const struct value *failed = value_item(value_at(reply, "unsuccessful.item"), 0);
    const char *code = value_text_at(failed, "error.code");
    if (result < 0 || !code || strstr(code, "NotFound"))
        return result == ERR_NOT_FOUND ? 0 : result;
    error_set(error, ERR_FAILED, "DeleteVpcEndpoints: %s: %s", code,
              value_text_at(failed, "error.message"));
    if (error)
        (void)snprintf(error->aws_code, sizeof error->aws_code, "%s", code);
    return ERR_FAILED;
}

static const struct patience patience[] = {
    {"InvalidParameter", "conflicting DNS domain",
     "the endpoint that had this name before is still being deleted", 900, 5},
    {"IncorrectState", NULL, "the endpoint is still changing", 900, 5},
    {"InvalidStateTransition", NULL, "the endpoint is still changing", 900, 5},
    {0},
};

const struct resource_type ec2_vpc_endpoint = {
    .kind = "ec2.vpc_endpoint",
    .summary = "a way to an AWS service that does not leave the network",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_endpoint,
    .retag = ec2_retag,
    .ready = {"state", "available", "failed|rejected|expired|deleting|deleted", "reason", 60, 900,
              3},
    .gone = {.typical_s = 60, .longest_s = 1800, .poll_s = 5},
    .patience = patience,
};
