/* A security group and its rules. The rules are owned whole: one added by hand is drift.
 * Source: Amazon EC2 API Reference, CreateSecurityGroup, DescribeSecurityGroups, AuthorizeSecurity-
 * GroupIngress and -Egress, RevokeSecurityGroupIngress and -Egress, UpdateSecurityGroupRule-
 * DescriptionsIngress and -Egress, DeleteSecurityGroup, IpPermission. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/ec2.h"
#include "pkg/cloud/types.h"

static const struct field rule_fields[] = {
    {.name = "direction",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "ingress|egress",
     .summary = "ingress: in; egress: out"},
    {.name = "protocol",
     .type = FIELD_STRING,
     .unset = "\"tcp\"",
     .summary = "tcp, udp, icmp, icmpv6, a number, or all"},
    {.name = "port",
     .type = FIELD_INT,
     .allowed = "0..65535",
     .summary = "one port; with neither port nor from_port: all of them"},
    {.name = "from_port",
     .type = FIELD_INT,
     .allowed = "-1..65535",
     .summary = "the first of a range of ports; of ICMP, the type"},
    {.name = "to_port",
     .type = FIELD_INT,
     .allowed = "-1..65535",
     .summary = "the last of a range of ports; of ICMP, the code"},
    {.name = "cidr", .type = FIELD_STRING, .summary = "the other side: IPv4 addresses"},
    {.name = "cidr6", .type = FIELD_STRING, .summary = "the other side: IPv6 addresses"},
    {.name = "group", .type = FIELD_STRING, .summary = "the other side: who is in this group"},
    {.name = "prefix_list", .type = FIELD_STRING, .summary = "the other side: a prefix list"},
    {.name = "description",
     .type = FIELD_STRING,
     .unset = "\"\"",
     .summary = "why it is open, for people"},
    {0},
};

static const struct field fields[] = {
    {.name = "vpc",
     .wire = "VpcId",
     .reply = "vpcId",
     .type = FIELD_STRING,
     .flags = REQUIRED | REPLACE,
     .summary = "the VPC that it is for"},
    {.name = "description",
     .wire = "GroupDescription",
     .reply = "groupDescription",
     .type = FIELD_STRING,
     .flags = REPLACE,
     .unset = "\"made by ragstack\"",
     .summary = "for people; AWS cannot change it"},
    {.name = "rules",
     .type = FIELD_LIST,
     .flags = LATE | BLOCKS | UNORDERED,
     .unset = "[]",
     .fields = rule_fields,
     .summary = "what may pass; nothing else does"},
    {.name = "id",
     .reply = "groupId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "sg-..."},
    {.name = "name",
     .reply = "groupName",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "its name in the VPC"},
    {0},
};

/* The four kinds of other side: our field, and the members of an IpPermission. */
static const struct peer {
    const char *field, *list, *member;     /* in requests */
    const char *reply_list, *reply_member; /* in replies */
} peers[] = {
    {"cidr", "IpRanges", "CidrIp", "ipRanges.item", "cidrIp"},
    {"cidr6", "Ipv6Ranges", "CidrIpv6", "ipv6Ranges.item", "cidrIpv6"},
    {"group", "Groups", "GroupId", "groups.item", "groupId"},
    {"prefix_list", "PrefixListIds", "PrefixListId", "prefixListIds.item", "prefixListId"},
};

static const struct peer *peer_of(const struct value *rule)
{
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        if (value_text(rule, peers[i].field))
            return &peers[i];
    }
    return NULL;
}

/* -- ports -- */

enum { LAST_PORT = 65535 };

static bool has_ports(const char *protocol)
{
    return strcmp(protocol, "tcp") == 0 || strcmp(protocol, "udp") == 0;
}

static bool is_icmp(const char *protocol)
{
    return strcmp(protocol, "icmp") == 0 || strcmp(protocol, "icmpv6") == 0;
}

static const char *protocol_of(const struct value *rule)
{
    const char *protocol = value_text(rule, "protocol");
    return protocol ? protocol : "tcp";
}

struct range {
    int64_t from, to; /* -1..-1: none, or all of ICMP */
};

static struct range range_of(const struct value *rule)
{
    int64_t port = value_int_at(rule, "port", -1);
    bool all = has_ports(protocol_of(rule));
    if (port >= 0)
        return (struct range){port, port};
    return (struct range){value_int_at(rule, "from_port", all ? 0 : -1),
                          value_int_at(rule, "to_port", all ? LAST_PORT : -1)};
}

/* -- observe -- */

static void read_ports(struct arena *arena, const struct value *permission, struct value *rule)
{
    const char *protocol = value_text(rule, "protocol");
    int64_t from = value_int_at(permission, "fromPort", -1);
    int64_t to = value_int_at(permission, "toPort", -1);
    bool all = has_ports(protocol) && from == 0 && to == LAST_PORT;
    if (all || (from == -1 && to == -1) || (!has_ports(protocol) && !is_icmp(protocol)))
        return;
    if (from == to && !is_icmp(protocol)) {
        value_set_int(arena, rule, "port", from);
    } else {
        value_set_int(arena, rule, "from_port", from);
        value_set_int(arena, rule, "to_port", to);
    }
}

/* A group of another account is "ACCOUNT/sg-...", so that its rule can be told and revoked. */
static const char *peer_text(const struct observation *observation, const struct peer *peer,
                             const struct value *item)
{
    const struct cloud *cloud = observation->target;
    const char *id = value_text(item, peer->reply_member), *owner = value_text(item, "userId");
    bool foreign = strcmp(peer->field, "group") == 0 && owner && cloud->identity.account &&
                   strcmp(owner, cloud->identity.account) != 0;
    return foreign && id ? arena_printf(observation->arena, "%s/%s", owner, id) : id;
}

static void read_permission(struct observation *observation, const char *direction,
                            const struct value *permission, struct value *rules)
{
    struct arena *arena = observation->arena;
    const char *protocol = value_text(permission, "ipProtocol");
    for (size_t i = 0; i < COUNT_OF(peers) && protocol; i++) {
        struct value *item;
        value_each(item, value_at(permission, peers[i].reply_list))
        {
            struct value *rule = value_map(arena);
            const char *description = value_text(item, "description");
            value_set_text(arena, rule, "direction", direction);
            value_set_text(arena, rule, "protocol", strcmp(protocol, "-1") == 0 ? "all" : protocol);
            read_ports(arena, permission, rule);
            value_set_text(arena, rule, peers[i].field, peer_text(observation, &peers[i], item));
            value_set_text(arena, rule, "description", description ? description : "");
            value_push(arena, rules, rule);
        }
    }
}

static int decode(struct task *task, struct observation *observation, const struct value *item,
                  struct value *props, struct error *error)
{
    struct value *rules = value_list(observation->arena), *permission;
    (void)task, (void)error;
    value_each(permission, value_at(item, "ipPermissions.item"))
        read_permission(observation, "ingress", permission, rules);
    value_each(permission, value_at(item, "ipPermissionsEgress.item"))
        read_permission(observation, "egress", permission, rules);
    value_set(observation->arena, props, "rules", rules);
    return 0;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    return cloud_observe_ec2(task, observation, "DescribeSecurityGroups", "groupId", decode, error);
}

/* -- permissions in requests -- */

static struct value *peer_item(struct arena *arena, const struct value *rule,
                               const struct peer *peer)
{
    const char *text = value_text(rule, peer->field), *slash = strchr(text, '/');
    const char *description = value_text(rule, "description");
    struct value *item = value_map(arena);
    if (slash && strcmp(peer->field, "group") == 0) {
        value_set(arena, item, "UserId", value_string_n(arena, text, (size_t)(slash - text)));
        text = slash + 1;
    }
    value_set_text(arena, item, peer->member, text);
    if (description && *description)
        value_set_text(arena, item, "Description", description);
    return item;
}

static struct value *permission_of(struct arena *arena, const struct value *rule)
{
    const struct peer *peer = peer_of(rule);
    const char *protocol = protocol_of(rule);
    struct range range = range_of(rule);
    bool all = strcmp(protocol, "all") == 0;
    struct value *permission = ec2_named(arena, "IpProtocol", all ? "-1" : protocol);
    if (!all) { /* where a protocol has no ports, EC2 takes no notice of them */
        value_set_int(arena, permission, "FromPort", range.from);
        value_set_int(arena, permission, "ToPort", range.to);
    }
    return value_set(arena, permission, peer->list,
                     value_push(arena, value_list(arena), peer_item(arena, rule, peer)));
}

/* Every permission of one direction in one call; none, no call. */
static int change_permissions(struct task *task, struct action *action, const char *group,
                              const char *operation, const struct value *rules,
                              const char *direction, struct error *error)
{
    struct value *permissions = value_list(action->arena), *rule;
    value_each(rule, rules)
    {
        if (value_is_text(value_get(rule, "direction"), direction))
            value_push(action->arena, permissions, permission_of(action->arena, rule));
    }
    if (!value_count(permissions))
        return 0;
    bool ingress = strcmp(direction, "ingress") == 0;
    const char *whole =
        arena_printf(action->arena, "%s%s", operation, ingress ? "Ingress" : "Egress");
    struct value *parameters = ec2_named(action->arena, "GroupId", group);
    value_set(action->arena, parameters, "IpPermissions", permissions);
    return cloud_call(task, action, &aws_ec2, whole, parameters, NULL, error);
}

static int change_both(struct task *task, struct action *action, const char *operation,
                       const struct value *rules, struct error *error)
{
    const char *group = action->have->physical_id;
    int result = change_permissions(task, action, group, operation, rules, "ingress", error);
    return result == 0 ? change_permissions(task, action, group, operation, rules, "egress", error)
                       : result;
}

/* -- differences, by what a rule lets pass -- */

static bool same_passage(const struct value *a, const struct value *b)
{
    const struct peer *peer = peer_of(a);
    struct range left = range_of(a), right = range_of(b);
    return peer == peer_of(b) && peer &&
           strcmp(value_text(a, peer->field), value_text(b, peer->field)) == 0 &&
           strcmp(value_text(a, "direction"), value_text(b, "direction")) == 0 &&
           strcmp(protocol_of(a), protocol_of(b)) == 0 && left.from == right.from &&
           left.to == right.to;
}

static const struct value *find_rule(const struct value *rules, const struct value *like)
{
    struct value *rule;
    value_each(rule, rules)
    {
        if (same_passage(rule, like))
            return rule;
    }
    return NULL;
}

static struct value *only_in(struct arena *arena, const struct value *these,
                             const struct value *those)
{
    struct value *list = value_list(arena), *rule;
    value_each(rule, these)
    {
        if (!find_rule(those, rule))
            value_push(arena, list, rule);
    }
    return list;
}

static struct value *described_anew(struct arena *arena, const struct value *want,
                                    const struct value *have)
{
    struct value *list = value_list(arena), *rule;
    value_each(rule, want)
    {
        const struct value *old = find_rule(have, rule);
        if (old && !value_equal(value_get(rule, "description"), value_get(old, "description")))
            value_push(arena, list, rule);
    }
    return list;
}

static int check_rule(const struct value *rule, struct error *error)
{
    int sides = 0;
    for (size_t i = 0; i < COUNT_OF(peers); i++)
        sides += value_text(rule, peers[i].field) != NULL;
    if (sides != 1)
        return error_set_at(error, ERR_INPUT, rule->mark,
                            "a rule has one other side: cidr, cidr6, group or prefix_list");
    int64_t from = value_int_at(rule, "from_port", -1), to = value_int_at(rule, "to_port", -1);
    if (has_ports(protocol_of(rule)) && from >= 0 && from == to)
        return error_set_at(error, ERR_INPUT, rule->mark, "one port is `port: %d`", (int)from);
    if ((from < 0) != (to < 0) && has_ports(protocol_of(rule)))
        return error_set_at(error, ERR_INPUT, rule->mark, "from_port and to_port go together");
    return 0;
}

/* What is new first: what is open stays open while the rules change. */
static int update(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const struct value *want = value_get(action->want, "rules");
    const struct value *have = value_get(action->have->props, "rules");
    struct value *rule;
    int result = 0;
    value_each(rule, want)
    {
        if (result == 0)
            result = check_rule(rule, error);
    }
    if (result == 0)
        result =
            change_both(task, action, "AuthorizeSecurityGroup", only_in(arena, want, have), error);
    if (result == 0)
        result = change_both(task, action, "UpdateSecurityGroupRuleDescriptions",
                             described_anew(arena, want, have), error);
    if (result == 0)
        result =
            change_both(task, action, "RevokeSecurityGroup", only_in(arena, have, want), error);
    return result;
}

/* -- create -- */

/* EC2 lets everything out of a new group. Nothing is open here that nobody said. */
static int close_egress(struct task *task, struct action *action, struct error *error)
{
    enum { TIMES = 3 };
    struct value *rule = value_map(action->arena), *rules = value_list(action->arena);
    value_set_text(action->arena, rule, "direction", "egress");
    value_set_text(action->arena, rule, "protocol", "all");
    value_set_text(action->arena, rule, "cidr", "0.0.0.0/0");
    value_push(action->arena, rules, rule);
    struct error mine = {0};
    int result = ERR_LOST_REPLY;
    for (int i = 0; i < TIMES && result == ERR_LOST_REPLY; i++)
        result = change_permissions(task, action, action->physical_id, "RevokeSecurityGroup", rules,
                                    "egress", &mine);
    if (strcmp(mine.aws_code, "InvalidPermission.NotFound") == 0)
        return 0;
    if (error && result < 0)
        *error = mine;
    return result;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = cloud_encode(action->arena, action->type, action->want);
    struct value *reply = NULL;
    value_set_text(action->arena, parameters, "GroupName", action->name);
    ec2_add_tags(action, parameters, "security-group");
    int result =
        cloud_call(task, action, &aws_ec2, "CreateSecurityGroup", parameters, &reply, error);
    if (result == 0)
        result = ec2_take_id(action, reply, "groupId", error);
    if (result == 0)
        value_set_text(action->arena, action->made, "name", action->name);
    return result == 0 ? close_egress(task, action, error) : result;
}

static int remove_group(struct task *task, struct action *action, struct error *error)
{
    return ec2_remove_held(task, action, "DeleteSecurityGroup",
                           ec2_named(action->arena, "GroupId", action->have->physical_id),
                           "group-id", error);
}

/* A rule that is not there is an answer, and not a group that is too new to be known. */
static const struct patience patience[] = {
    {"InvalidPermission.NotFound", NULL, "there is no such rule", 0, 0},
    {0},
};

const struct resource_type ec2_security_group = {
    .kind = "ec2.security_group",
    .summary = "what may pass to and from its members",
    .flags = NAMED,
    .name_maximum = 255,
    .name_format = "ragstack-%s", /* EC2 keeps names that begin with \"sg-\" for itself */
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_group,
    .retag = ec2_retag,
    .patience = patience,
};
