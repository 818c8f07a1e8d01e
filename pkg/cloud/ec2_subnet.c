/* A subnet: a part of the VPC's addresses in one availability zone.
 * Source: Amazon EC2 API Reference, CreateSubnet, DescribeSubnets, ModifySubnetAttribute,
 * DeleteSubnet, DescribeAvailabilityZones. */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "vpc",
     .wire = "VpcId",
     .reply = "vpcId",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "the VPC that it is a part of"},
    {.name = "cidr",
     .wire = "CidrBlock",
     .reply = "cidrBlock",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .allowed = "^[0-9]+(\\.[0-9]+){3}/(1[6-9]|2[0-8])$",
     .summary = "its IPv4 addresses, inside the VPC's"},
    {.name = "zone_index",
     .type = FIELD_INT,
     .flags = WRITE_ONLY,
     .allowed = "0..25",
     .summary = "place it in the n-th usable zone of the region; what exists stays where it is"},
    {.name = "zone",
     .wire = "AvailabilityZone",
     .reply = "availabilityZone",
     .type = FIELD_STRING,
     .flags = STICKY | REPLACE,
     .summary = "the zone by name (\"us-east-1b\"), in place of zone_index"},
    {.name = "map_public_ip",
     .reply = "mapPublicIpOnLaunch",
     .type = FIELD_BOOL,
     .flags = AFTER,
     .unset = "false",
     .summary = "instances started here get a public address"},
    {.name = "id",
     .reply = "subnetId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "subnet-..."},
    {0},
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeSubnets", "subnetId", NULL, error);
}

/* -- the choice of a zone -- */

/* Old zones in which Lambda, RDS Proxy or endpoints of newer services are missing: taken last. */
static bool is_poor(const char *zone_id)
{
    static const char *const poor[] = {"use1-az3", "usw1-az2", "cac1-az3", "apne1-az3"};
    for (size_t i = 0; i < COUNT_OF(poor); i++) {
        if (strcmp(poor[i], zone_id) == 0)
            return true;
    }
    return false;
}

static bool is_usable(const struct value *zone)
{
    const char *type = value_text(zone, "zoneType"), *consent = value_text(zone, "optInStatus");
    return value_text(zone, "zoneName") &&
           value_is_text(value_get(zone, "zoneState"), "available") &&
           (!type || strcmp(type, "availability-zone") == 0) &&
           (!consent || strcmp(consent, "not-opted-in") != 0);
}

static int by_quality_and_name(const void *a, const void *b)
{
    const struct value *left = *(const struct value *const *)a;
    const struct value *right = *(const struct value *const *)b;
    const char *left_id = value_text(left, "zoneId"), *right_id = value_text(right, "zoneId");
    int difference = is_poor(left_id ? left_id : "") - is_poor(right_id ? right_id : "");
    return difference ? difference
                      : strcmp(value_text(left, "zoneName"), value_text(right, "zoneName"));
}

static int nth_zone(struct task *task, struct action *action, int64_t index, const char **zone,
                    struct error *error)
{
    struct cloud *cloud = action->target;
    const struct value *items;
    struct value *item;
    int result = cloud_ask_once(task, cloud, "zones", &aws_ec2, "DescribeAvailabilityZones", NULL,
                                &items, error);
    if (result < 0)
        return result;
    const struct value **usable =
        arena_array(action->arena, value_item_count(items) + 1, sizeof *usable);
    size_t count = 0;
    value_each(item, items)
    {
        if (is_usable(item))
            usable[count++] = item;
    }
    if ((size_t)index >= count)
        return error_set(error, ERR_INPUT,
                         "zone_index is %d, but %s has only %zu zones that this account can use",
                         (int)index, aws_client_region(cloud->client), count);
    qsort(usable, count, sizeof *usable, by_quality_and_name);
    *zone = value_text(usable[index], "zoneName");
    return 0;
}

/* -- change -- */

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    const struct value *index = value_get(action->want, "zone_index");
    struct value *reply = NULL;
    const char *zone = value_text(action->want, "zone");
    int result = 0;
    if (!zone && value_is(index, VALUE_INT))
        result = nth_zone(task, action, index->integer, &zone, error);
    value_set(action->arena, parameters, "AvailabilityZone",
              zone ? value_string(action->arena, zone) : NULL);
    ec2_add_tags(action, parameters, "subnet");
    if (result == 0)
        result = cloud_call(task, action, &aws_ec2, "CreateSubnet", parameters, &reply, error);
    if (result < 0 && error && strcmp(error->aws_code, "InvalidSubnet.Conflict") == 0)
        return error_wrap(error,
                          "%s is taken; a subnet that moves to another zone needs other "
                          "addresses, since the old one stands until the new one is in use",
                          value_text(action->want, "cidr"));
    if (result < 0)
        return result;
    value_set(action->arena, action->made, "zone",
              value_copy(action->arena, value_at(reply, "subnet.availabilityZone")));
    return ec2_take_id(action, reply, "subnet.subnetId", error);
}

static int update(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    if (!action_changes(action, "map_public_ip"))
        return 0;
    bool wanted = value_as_bool(value_get(action->want, "map_public_ip"), false);
    struct value *parameters = ec2_named(arena, "SubnetId", action->have->physical_id);
    value_set(arena, parameters, "MapPublicIpOnLaunch",
              value_wrap(arena, "Value", value_bool(arena, wanted)));
    return cloud_call(task, action, &aws_ec2, "ModifySubnetAttribute", parameters, NULL, error);
}

static int remove_subnet(struct task *task, struct action *action, struct error *error)
{
    return ec2_remove_held(task, action, "DeleteSubnet",
                           ec2_named(action->arena, "SubnetId", action->have->physical_id),
                           "subnet-id", error);
}

const struct resource_type ec2_subnet = {
    .kind = "ec2.subnet",
    .summary = "a part of the VPC's addresses, in one zone",
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_subnet,
    .retag = ec2_retag,
};
