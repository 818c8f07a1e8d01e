/* The network: VPC, subnets in fixed slots, routes, groups with the rules that a question needs,
 * and endpoints, so that nothing has to leave it. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"

enum { POSTGRES_PORT = 5432, HTTPS_PORT = 443, SLOT_BITS = 4, PRIVATE_SLOT = 8 };

/* The network is cut into sixteen equal slots, whatever the number of zones: a zone more takes the
 * next slot and moves nobody. */
static struct value *slot_cidr(struct arena *arena, const char *network, int slot)
{
    char address[INET_ADDRSTRLEN], *end;
    struct in_addr base;
    size_t length = strcspn(network, "/");
    if (length >= sizeof address || !network[length])
        return NULL;
    memcpy(address, network, length);
    address[length] = '\0';
    int prefix = (int)strtol(network + length + 1, &end, 10);
    if (*end || inet_pton(AF_INET, address, &base) != 1)
        return NULL;
    uint32_t first = ntohl(base.s_addr) + ((uint32_t)slot << (32 - prefix - SLOT_BITS));
    base.s_addr = htonl(first);
    inet_ntop(AF_INET, &base, address, sizeof address);
    return text(arena, "%s/%d", address, prefix + SLOT_BITS);
}

static void add_subnets(struct expansion *expansion, const char *side, int first_slot)
{
    struct arena *arena = expansion->arena;
    const struct value *network = say(expansion, "network");
    for (int n = 1; n <= say_int(expansion, "network.zones"); n++) {
        struct value *subnet =
            props(arena, "vpc", text(arena, "${vpc.id}"), "zone_index", value_int(arena, n - 1),
                  "cidr", slot_cidr(arena, value_text(network, "cidr"), first_slot + n - 1), NULL);
        expand_add(expansion, &ec2_subnet, arena_printf(arena, "%s-%d", side, n),
                   value_get(network, "zones"), subnet);
    }
}

static int nat_count(const struct expansion *expansion)
{
    const char *nat = say_text(expansion, "network.nat");
    return strcmp(nat, "none") == 0     ? 0
           : strcmp(nat, "single") == 0 ? 1
                                        : (int)say_int(expansion, "network.zones");
}

static void add_nats(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = say(expansion, "network.nat");
    for (int n = 1; n <= nat_count(expansion); n++) {
        expand_add(expansion, &ec2_elastic_ip, arena_printf(arena, "nat-address-%d", n), from,
                   props(arena, NULL));
        expand_add(expansion, &ec2_nat_gateway, arena_printf(arena, "nat-%d", n), from,
                   props(arena, "subnet", text(arena, "${public-%d.id}", n), "elastic_ip",
                         text(arena, "${nat-address-%d.id}", n), "internet_gateway",
                         text(arena, "${internet-gateway.id}"), NULL));
    }
}

static struct value *default_route(struct arena *arena, const char *member, struct value *to)
{
    struct value *route = props(arena, "destination", text(arena, "0.0.0.0/0"), member, to, NULL);
    return items(arena, route, NULL);
}

/* One private table, or one a zone when each zone has its own way out. */
static int private_table_count(const struct expansion *expansion)
{
    return nat_count(expansion) > 1 ? nat_count(expansion) : 1;
}

static void add_routes(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = say(expansion, "network");
    int zones = (int)say_int(expansion, "network.zones"), tables = private_table_count(expansion);
    expand_add(expansion, &ec2_route_table, "public-routes", from,
               props(arena, "vpc", text(arena, "${vpc.id}"), "routes",
                     default_route(arena, "gateway", text(arena, "${internet-gateway.id}")),
                     "subnets", each_reference(arena, "public-", zones, "id"), NULL));
    for (int n = 1; n <= tables; n++) {
        struct value *subnets = tables == 1
                                    ? each_reference(arena, "private-", zones, "id")
                                    : items(arena, text(arena, "${private-%d.id}", n), NULL);
        struct value *routes = nat_count(expansion) ? default_route(arena, "nat_gateway",
                                                                    text(arena, "${nat-%d.id}", n))
                                                    : value_list(arena);
        expand_add(expansion, &ec2_route_table, arena_printf(arena, "private-routes-%d", n), from,
                   props(arena, "vpc", text(arena, "${vpc.id}"), "routes", routes, "subnets",
                         subnets, NULL));
    }
}

/* -- groups -- */

static struct value *rule(struct arena *arena, const char *direction, int port, const char *member,
                          struct value *peer, const char *description)
{
    return props(arena, "direction", text(arena, "%s", direction), "protocol", text(arena, "tcp"),
                 "port", value_int(arena, port), member, peer, "description",
                 text(arena, "%s", description), NULL);
}

static void add_group(struct expansion *expansion, const char *id, const char *description,
                      struct value *rules)
{
    struct arena *arena = expansion->arena;
    expand_add(expansion, &ec2_security_group, id, say(expansion, "network"),
               props(arena, "vpc", text(arena, "${vpc.id}"), "description",
                     text(arena, "%s", description), "rules", rules, NULL));
}

/* Gateway endpoints are free, and exist for these two alone. */
static bool is_gateway(const char *service)
{
    return strcmp(service, "s3") == 0 || strcmp(service, "dynamodb") == 0;
}

static bool has_interface_endpoint(const struct expansion *expansion)
{
    struct value *service, *list = say(expansion, "network.endpoints");
    value_each(service, list)
    {
        if (!is_gateway(service->string.text))
            return true;
    }
    return false;
}

static struct value *gateway_rule(struct arena *arena, const char *service, const char *description)
{
    return rule(arena, "egress", HTTPS_PORT, "prefix_list",
                text(arena, "${endpoint-%s.prefix_list}", service), description);
}

static struct value *function_rules(const struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const char *door = say_bool(expansion, "database.proxy") ? "proxy" : "database";
    struct value *rules = items(arena,
                                rule(arena, "egress", POSTGRES_PORT, "group",
                                     text(arena, "${%s-group.id}", door), "to the database"),
                                NULL);
    if (has_interface_endpoint(expansion))
        value_push(arena, rules,
                   rule(arena, "egress", HTTPS_PORT, "group", text(arena, "${endpoints-group.id}"),
                        "to AWS services"));
    if (has_endpoint(expansion, "s3"))
        value_push(arena, rules, gateway_rule(arena, "s3", "to S3"));
    if (has_endpoint(expansion, "dynamodb"))
        value_push(arena, rules, gateway_rule(arena, "dynamodb", "to DynamoDB"));
    if (nat_count(expansion))
        value_push(arena, rules,
                   rule(arena, "egress", HTTPS_PORT, "cidr", text(arena, "0.0.0.0/0"),
                        "to the internet by NAT"));
    return rules;
}

static struct value *from_group(struct arena *arena, int port, const char *group,
                                const char *description)
{
    return rule(arena, "ingress", port, "group", text(arena, "${%s-group.id}", group), description);
}

static void add_groups(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    bool proxy = say_bool(expansion, "database.proxy");
    add_group(expansion, "functions-group", "ask and ingest", function_rules(expansion));
    add_group(expansion, "schema-group", "schema",
              items(arena,
                    rule(arena, "egress", POSTGRES_PORT, "group",
                         text(arena, "${database-group.id}"), "to the database itself"),
                    NULL));
    add_group(expansion, "database-group", "the database",
              items(arena, from_group(arena, POSTGRES_PORT, "schema", "schema"),
                    from_group(arena, POSTGRES_PORT, proxy ? "proxy" : "functions",
                               proxy ? "proxy" : "ask and ingest"),
                    NULL));
    if (proxy)
        add_group(expansion, "proxy-group", "RDS Proxy",
                  items(arena, from_group(arena, POSTGRES_PORT, "functions", "ask and ingest"),
                        rule(arena, "egress", POSTGRES_PORT, "group",
                             text(arena, "${database-group.id}"), "to the database"),
                        NULL));
    if (has_interface_endpoint(expansion))
        add_group(expansion, "endpoints-group", "VPC endpoints",
                  items(arena, from_group(arena, HTTPS_PORT, "functions", "ask and ingest"), NULL));
}

/* "ecr.api" is "endpoint-ecr-api": an id has no dots. */
static const char *endpoint_id(struct arena *arena, const char *service)
{
    char *id = arena_printf(arena, "endpoint-%s", service);
    for (char *at = strchr(id, '.'); at; at = strchr(at, '.'))
        *at = '-';
    return id;
}

static void add_endpoints(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    struct value *service, *list = say(expansion, "network.endpoints");
    int zones = (int)say_int(expansion, "network.zones");
    value_each(service, list)
    {
        bool gateway = is_gateway(service->string.text);
        struct value *common = props(arena, "vpc", text(arena, "${vpc.id}"), "service", service,
                                     "type", text(arena, gateway ? "gateway" : "interface"), NULL);
        struct value *own =
            gateway ? props(arena, "route_tables",
                            each_reference(arena, "private-routes-", private_table_count(expansion),
                                           "id"),
                            NULL)
                    : props(arena, "subnets", each_reference(arena, "private-", zones, "id"),
                            "groups", items(arena, text(arena, "${endpoints-group.id}"), NULL),
                            "private_dns", value_bool(arena, true), NULL);
        expand_add(expansion, &ec2_vpc_endpoint, endpoint_id(arena, service->string.text), service,
                   value_merge(arena, common, own));
    }
}

void expand_network(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *network = say(expansion, "network");
    expand_add(expansion, &ec2_vpc, "vpc", value_get(network, "cidr"),
               props(arena, "cidr", value_get(network, "cidr"), "dns_support",
                     value_bool(arena, true), "dns_hostnames", value_bool(arena, true), NULL));
    expand_add(expansion, &ec2_internet_gateway, "internet-gateway", network,
               props(arena, "vpc", text(arena, "${vpc.id}"), NULL));
    add_subnets(expansion, "public", 0);
    add_subnets(expansion, "private", PRIVATE_SLOT);
    add_nats(expansion);
    add_routes(expansion);
    add_groups(expansion);
    add_endpoints(expansion);
}
