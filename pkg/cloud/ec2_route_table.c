/* A route table, with its routes and the subnets that it applies to: all of them are owned.
 * Source: Amazon EC2 API Reference, CreateRouteTable, DescribeRouteTables, CreateRoute,
 * ReplaceRoute, DeleteRoute, AssociateRouteTable, ReplaceRouteTableAssociation,
 * DisassociateRouteTable, DeleteRouteTable. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field route_fields[] = {
    {.name = "destination",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "where to: IPv4 or IPv6 addresses (\"0.0.0.0/0\"), or a prefix list's id"},
    {.name = "gateway",
     .wire = "GatewayId",
     .reply = "gatewayId",
     .type = FIELD_STRING,
     .summary = "by an internet gateway or a virtual private gateway"},
    {.name = "nat_gateway",
     .wire = "NatGatewayId",
     .reply = "natGatewayId",
     .type = FIELD_STRING,
     .summary = "by a NAT gateway"},
    {.name = "transit_gateway",
     .wire = "TransitGatewayId",
     .reply = "transitGatewayId",
     .type = FIELD_STRING,
     .summary = "by a transit gateway"},
    {.name = "peering",
     .wire = "VpcPeeringConnectionId",
     .reply = "vpcPeeringConnectionId",
     .type = FIELD_STRING,
     .summary = "by a VPC peering connection"},
    {.name = "egress_only_gateway",
     .wire = "EgressOnlyInternetGatewayId",
     .reply = "egressOnlyInternetGatewayId",
     .type = FIELD_STRING,
     .summary = "by an egress-only internet gateway (IPv6)"},
    {.name = "interface",
     .wire = "NetworkInterfaceId",
     .reply = "networkInterfaceId",
     .type = FIELD_STRING,
     .summary = "by a network interface"},
    {0},
};

static const struct field fields[] = {
    {.name = "vpc",
     .wire = "VpcId",
     .reply = "vpcId",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "the VPC that it is for"},
    {.name = "routes",
     .type = FIELD_LIST,
     .flags = AFTER | READY,
     .unset = "[]",
     .key = "destination",
     .fields = route_fields,
     .summary =
         "where traffic goes; the VPC's own and gateway endpoints' routes go without saying"},
    {.name = "subnets",
     .type = FIELD_LIST,
     .flags = AFTER | UNORDERED,
     .unset = "[]",
     .item = FIELD_STRING,
     .summary = "the subnets that it applies to"},
    {.name = "associations",
     .type = FIELD_MAP,
     .flags = COMPUTED,
     .summary = "the association's id by subnet"},
    {.name = "id",
     .reply = "routeTableId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "rtb-..."},
    {0},
};

/* -- observe -- */

static const char *destination_of(const struct value *route)
{
    static const char *const members[] = {"destinationCidrBlock", "destinationIpv6CidrBlock",
                                          "destinationPrefixListId"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (value_text(route, members[i]))
            return value_text(route, members[i]);
    }
    return NULL;
}

/* Not the VPC's own route, nor what gateway endpoints and route propagation put in. */
static bool is_ours(const struct value *route)
{
    const char *gateway = value_text(route, "gatewayId"), *origin = value_text(route, "origin");
    if (gateway && (strcmp(gateway, "local") == 0 || strncmp(gateway, "vpce-", 5) == 0))
        return false;
    return destination_of(route) && (!origin || strcmp(origin, "CreateRoute") == 0);
}

static struct value *read_routes(struct arena *arena, const struct value *set)
{
    struct value *routes = value_list(arena), *item;
    value_each(item, set)
    {
        if (!is_ours(item))
            continue;
        struct value *route = value_map(arena);
        value_set_text(arena, route, "destination", destination_of(item));
        for (const struct field *field = route_fields; field->name; field++) {
            const char *target = field->reply ? value_text(item, field->reply) : NULL;
            if (target)
                value_set_text(arena, route, field->name, target);
        }
        value_push(arena, routes, route);
    }
    return routes;
}

/* The main association is the VPC's, and no subnet's. */
static bool is_standing(const struct value *association)
{
    const char *state = value_text_at(association, "associationState.state");
    return value_text(association, "subnetId") && !value_bool_at(association, "main", false) &&
           (!state || strcmp(state, "associated") == 0 || strcmp(state, "associating") == 0);
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *subnets = value_list(arena), *associations = value_map(arena), *association;
    (void)task, (void)error;
    value_each(association, value_at(item, "associationSet.item"))
    {
        if (!is_standing(association))
            continue;
        const char *subnet = value_text(association, "subnetId");
        value_push_text(arena, subnets, subnet);
        value_set_text(arena, associations, subnet,
                       value_text(association, "routeTableAssociationId"));
    }
    value_set(arena, props, "routes", read_routes(arena, value_at(item, "routeSet.item")));
    value_set(arena, props, "subnets", subnets);
    value_set(arena, props, "associations", associations);
    return 0;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeRouteTables", "routeTableId", decode,
                             error);
}

/* -- create -- */

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    ec2_add_tags(action, parameters, "route-table");
    int result = cloud_call(task, action, &aws_ec2, "CreateRouteTable", parameters, &reply, error);
    return result == 0 ? ec2_take_id(action, reply, "routeTable.routeTableId", error) : result;
}

/* -- routes -- */

static struct value *this_table(const struct action *action)
{
    return ec2_named(action->arena, "RouteTableId", action->have->physical_id);
}

static struct value *name_route(const struct action *action, const char *destination)
{
    const char *member = strncmp(destination, "pl-", 3) == 0 ? "DestinationPrefixListId"
                         : strchr(destination, ':')          ? "DestinationIpv6CidrBlock"
                                                             : "DestinationCidrBlock";
    return value_set_text(action->arena, this_table(action), member, destination);
}

static int put_route(struct task *task, struct action *action, const struct value *route,
                     const char *operation, struct error *error)
{
    struct value *parameters = name_route(action, value_text(route, "destination"));
    for (const struct field *field = route_fields; field->name; field++) {
        if (field->wire && value_text(route, field->name))
            value_set_text(action->arena, parameters, field->wire, value_text(route, field->name));
    }
    return cloud_call(task, action, &aws_ec2, operation, parameters, NULL, error);
}

static bool same_target(const struct value *a, const struct value *b)
{
    for (const struct field *field = route_fields; field->name; field++) {
        const char *left = value_text(a, field->name), *right = value_text(b, field->name);
        if (!left != !right || (left && strcmp(left, right) != 0))
            return false;
    }
    return true;
}

static int update_routes(struct task *task, struct action *action, struct error *error)
{
    const struct value *want = value_get(action->want, "routes");
    const struct value *have = value_get(action->have->props, "routes");
    struct value *route;
    int result = 0;
    value_each(route, want)
    {
        const struct value *old = value_find(have, "destination", value_text(route, "destination"));
        if (result == 0 && (!old || !same_target(route, old)))
            result = put_route(task, action, route, old ? "ReplaceRoute" : "CreateRoute", error);
    }
    value_each(route, have)
    {
        const char *destination = value_text(route, "destination");
        if (result == 0 && !value_find(want, "destination", destination))
            result = cloud_remove(task, action, &aws_ec2, "DeleteRoute",
                                  name_route(action, destination), error);
    }
    return result;
}

/* -- subnets -- */

static bool holds(const struct value *list, const char *text)
{
    struct value *item;
    value_each(item, list)
    {
        if (value_is_text(item, text))
            return true;
    }
    return false;
}

/* A subnet that this run made is in no other table. */
static bool may_be_elsewhere(const struct action *action, const struct value *subnets)
{
    const struct cloud *cloud = action->target;
    struct value *subnet;
    value_each(subnet, subnets)
    {
        if (!map_get(&cloud->made, subnet->string.text))
            return true;
    }
    return false;
}

/* The associations that these subnets have with other tables: subnet -> association id. */
static int find_elsewhere(struct task *task, struct action *action, const struct value *subnets,
                          struct value **out, struct error *error)
{
    struct cloud *cloud = action->target;
    struct arena *arena = action->arena;
    struct value *parameters = value_map(arena), *tables = NULL, *table, *association;
    *out = value_map(arena);
    if (!may_be_elsewhere(action, subnets))
        return 0;
    struct value *filter = ec2_named(arena, "Name", "association.subnet-id");
    value_set(arena, filter, "Value", value_copy(arena, subnets));
    value_set(arena, parameters, "Filter", value_push(arena, value_list(arena), filter));
    int result = aws_list(task, cloud->client, arena, &aws_ec2, "DescribeRouteTables", parameters,
                          &tables, error);
    value_each(table, tables)
    {
        value_each(association, value_at(table, "associationSet.item"))
        {
            if (is_standing(association))
                value_set_text(arena, *out, value_text(association, "subnetId"),
                               value_text(association, "routeTableAssociationId"));
        }
    }
    return result;
}

static int move(struct task *task, struct action *action, const char *association,
                const char **new_association, struct error *error)
{
    struct value *reply = NULL, *parameters = this_table(action);
    value_set_text(action->arena, parameters, "AssociationId", association);
    int result = cloud_call(task, action, &aws_ec2, "ReplaceRouteTableAssociation", parameters,
                            &reply, error);
    *new_association = value_text(reply, "newAssociationId");
    return result;
}

/* The association is moved, so that the subnet is not without its routes in between. When it went
 * meanwhile, a new one is made. */
static int associate(struct task *task, struct action *action, const char *subnet,
                     const char *elsewhere, struct error *error)
{
    struct value *reply = NULL, *parameters = this_table(action);
    const char *association = NULL;
    int result = ERR_NOT_FOUND;
    if (elsewhere)
        result = move(task, action, elsewhere, &association, error);
    if (result == ERR_NOT_FOUND) {
        value_set_text(action->arena, parameters, "SubnetId", subnet);
        result =
            cloud_call(task, action, &aws_ec2, "AssociateRouteTable", parameters, &reply, error);
        association = value_text(reply, "associationId");
    }
    if (result == 0)
        value_set_text(action->arena, value_get(action->made, "associations"), subnet, association);
    return result;
}

static int disassociate(struct task *task, struct action *action, const char *association,
                        struct error *error)
{
    return cloud_remove(task, action, &aws_ec2, "DisassociateRouteTable",
                        ec2_named(action->arena, "AssociationId", association), error);
}

static int update_subnets(struct task *task, struct action *action, struct error *error)
{
    const struct value *want = value_get(action->want, "subnets");
    const struct value *have = value_get(action->have->props, "subnets");
    const struct value *associations = value_get(action->have->props, "associations");
    struct value *fresh = value_list(action->arena), *elsewhere, *subnet;
    value_set(action->arena, action->made, "associations", value_map(action->arena));
    value_each(subnet, want)
    {
        if (!holds(have, subnet->string.text))
            value_push_text(action->arena, fresh, subnet->string.text);
    }
    int result = find_elsewhere(task, action, fresh, &elsewhere, error);
    value_each(subnet, fresh)
    {
        if (result == 0)
            result = associate(task, action, subnet->string.text,
                               value_text(elsewhere, subnet->string.text), error);
    }
    value_each(subnet, have)
    {
        const char *association = value_text(associations, subnet->string.text);
        if (result == 0 && association && !holds(want, subnet->string.text))
            result = disassociate(task, action, association, error);
    }
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    if (action_changes(action, "routes")) /* before the subnets that are to go by them */
        result = update_routes(task, action, error);
    if (result == 0 && action_changes(action, "subnets"))
        result = update_subnets(task, action, error);
    return result;
}

/* -- remove -- */

static int remove_table(struct task *task, struct action *action, struct error *error)
{
    const struct value *associations = value_get(action->have->props, "associations");
    int result = 0;
    for (size_t i = 0; i < value_count(associations) && result == 0; i++) {
        const struct value *association = value_entry(associations, i)->value;
        if (value_is(association, VALUE_STRING))
            result = disassociate(task, action, association->string.text, error);
    }
    return result == 0
               ? cloud_remove(task, action, &aws_ec2, "DeleteRouteTable", this_table(action), error)
               : result;
}

static const struct patience patience[] = {
    {"DependencyViolation", NULL, "its subnets or endpoints still use the route table", 300, 3},
    {"InvalidParameterValue", "belong to different networks",
     "the gateway's attachment is not known everywhere yet", 30, 2},
    {0},
};

const struct resource_type ec2_route_table = {
    .kind = "ec2.route_table",
    .summary = "where traffic from its subnets goes",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_table,
    .retag = ec2_retag,
    .patience = patience,
};
