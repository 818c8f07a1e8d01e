/* IAM roles, with the policies inside them. Names are unique in an account over all regions; the
 * path /ragstack/<region>/<stack>/<environment>/ is what a stack's roles are listed by.
 * Source: IAM API Reference, CreateRole and its siblings. */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/cloud/types.h"
#include "pkg/value/json.h"

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .allowed = "^[A-Za-z0-9_+=,.@-]{1,64}$",
     .summary = "name of the role; unset: one of the stack's own"},
    {.name = "description",
     .wire = "Description",
     .type = FIELD_STRING,
     .unset = "\"\"",
     .summary = "for people"},
    {.name = "assume",
     .wire = "AssumeRolePolicyDocument",
     .type = FIELD_DOCUMENT,
     .flags = REQUIRED | POLICY,
     .summary = "trust policy: who may take the role"},
    {.name = "policies",
     .type = FIELD_MAP,
     .item = FIELD_DOCUMENT,
     .flags = AFTER | POLICY,
     .unset = "{}",
     .summary = "policies inside the role, by name"},
    {.name = "managed_policies",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = AFTER | UNORDERED,
     .unset = "[]",
     .allowed = "^arn:.+",
     .summary = "ARNs of policies that are attached"},
    {.name = "max_session_s",
     .wire = "MaxSessionDuration",
     .type = FIELD_INT,
     .unset = "3600",
     .allowed = "3600..43200",
     .summary = "longest session"},
    {.name = "permissions_boundary",
     .wire = "PermissionsBoundary",
     .reply = "PermissionsBoundary.PermissionsBoundaryArn",
     .type = FIELD_STRING,
     .allowed = "^arn:.+",
     .summary = "ARN of the policy that limits what it can ever do"},
    {.name = "arn", .reply = "Arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "its ARN"},
    {.name = "path",
     .reply = "Path",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "/ragstack/REGION/STACK/ENVIRONMENT/, which the stack's roles are listed by"},
    {.name = "role_id",
     .reply = "RoleId",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "AROA...: never used twice"},
    {0},
};

/* -- documents: IAM returns them percent-encoded -- */

/* As a tree; as text when it is no JSON. NULL when there is none. */
static struct value *decode_document(struct arena *arena, const char *encoded)
{
    struct value *tree = NULL;
    if (!encoded)
        return NULL;
    const char *text = http_decode(arena, encoded, strlen(encoded), false);
    if (json_parse(arena, text, strlen(text), "policy", &tree, NULL) == 0)
        return tree;
    return value_string(arena, text);
}

/* -- looking: all parts of all roles at once -- */

static struct value *named(struct arena *arena, const char *name)
{
    return value_set_text(arena, value_map(arena), "RoleName", name);
}

enum { ROLE, INLINE, ATTACHED, READS_A_ROLE };

struct role_reads {
    struct cloud_read *items; /* READS_A_ROLE each, after `first` */
    size_t count, first;
};

static void add_role(struct arena *arena, struct role_reads *reads, const char *name)
{
    struct value *parameters = named(arena, name);
    struct cloud_read *at = &reads->items[reads->count];
    at[ROLE] =
        (struct cloud_read){.service = &aws_iam, .operation = "GetRole", .parameters = parameters};
    at[INLINE] = (struct cloud_read){.service = &aws_iam,
                                     .operation = "ListRolePolicies",
                                     .parameters = parameters,
                                     .how = READ_LIST};
    at[ATTACHED] = (struct cloud_read){.service = &aws_iam,
                                       .operation = "ListAttachedRolePolicies",
                                       .parameters = parameters,
                                       .how = READ_LIST};
    reads->count += READS_A_ROLE;
}

static bool asks_for(const struct role_reads *reads, const char *name)
{
    for (size_t i = reads->first; i < reads->count; i += READS_A_ROLE) {
        if (value_is_text(value_get(reads->items[i].parameters, "RoleName"), name))
            return true;
    }
    return false;
}

static struct value *by_path(const struct observation *observation)
{
    const struct cloud *cloud = observation->target;
    return value_set_text(observation->arena, value_map(observation->arena), "PathPrefix",
                          identity_path(observation->arena, &cloud->identity));
}

/* The wanted ones by name, and the whole path beside them; then what the path has beyond them. */
static int read_roles(struct task *task, struct observation *observation, struct role_reads *reads,
                      struct error *error)
{
    struct arena *arena = observation->arena;
    const struct value *role;
    reads->items =
        arena_array(arena, 1 + observation->wanted_count * READS_A_ROLE, sizeof *reads->items);
    if (!observation->only)
        reads->items[reads->count++] = (struct cloud_read){.service = &aws_iam,
                                                           .operation = "ListRoles",
                                                           .parameters = by_path(observation),
                                                           .how = READ_LIST};
    reads->first = reads->count;
    for (size_t i = 0; i < observation->wanted_count; i++)
        add_role(arena, reads, observation->wanted[i].name);
    int result = cloud_get_all(task, observation, reads->items, reads->count, error);
    if (result < 0 || observation->only)
        return result;
    const struct value *listed = reads->items[0].reply;
    size_t before = reads->count;
    reads->items =
        arena_grow(arena, reads->items, before * sizeof *reads->items,
                   (before + value_item_count(listed) * READS_A_ROLE + 1) * sizeof *reads->items);
    value_each(role, listed)
    {
        const char *name = value_text(role, "RoleName");
        if (name && !asks_for(reads, name))
            add_role(arena, reads, name);
    }
    return cloud_get_all(task, observation, reads->items + before, reads->count - before, error);
}

struct policy_reads {
    struct cloud_read *items;
    size_t count, capacity;
};

static int read_policies(struct task *task, struct observation *observation,
                         const struct role_reads *roles, struct policy_reads *policies,
                         struct error *error)
{
    struct arena *arena = observation->arena;
    for (size_t i = roles->first; i < roles->count; i += READS_A_ROLE) {
        const struct cloud_read *role = &roles->items[i];
        const struct value *policy;
        value_each(policy, role[ROLE].reply ? role[INLINE].reply : NULL)
        {
            struct value *parameters = named(arena, value_text(role->parameters, "RoleName"));
            value_set(arena, parameters, "PolicyName", value_copy(arena, policy));
            vector_push(arena, policies,
                        ((struct cloud_read){.service = &aws_iam,
                                             .operation = "GetRolePolicy",
                                             .parameters = parameters}));
        }
    }
    return cloud_get_all(task, observation, policies->items, policies->count, error);
}

static struct value *policies_of(struct arena *arena, const char *name,
                                 const struct policy_reads *reads)
{
    struct value *map = value_map(arena);
    for (size_t i = 0; i < reads->count; i++) {
        const struct value *reply = reads->items[i].reply;
        const char *policy = value_text(reply, "PolicyName");
        if (policy && value_is_text(value_get(reads->items[i].parameters, "RoleName"), name))
            value_set(arena, map, policy,
                      decode_document(arena, value_text(reply, "PolicyDocument")));
    }
    return map;
}

static void take_role(struct observation *observation, const struct cloud_read *reads,
                      const struct policy_reads *policies)
{
    struct arena *arena = observation->arena;
    const struct value *role = value_get(reads[ROLE].reply, "Role"), *attached;
    const char *name = value_text(role, "RoleName");
    if (!name)
        return;
    struct value *props = cloud_decode(arena, observation->type, role);
    struct value *managed = value_list(arena);
    value_each(attached, reads[ATTACHED].reply)
        value_push(arena, managed, value_get(attached, "PolicyArn"));
    value_set_text(arena, props, "name", name);
    value_set(arena, props, "assume",
              decode_document(arena, value_text(role, "AssumeRolePolicyDocument")));
    value_set(arena, props, "policies", policies_of(arena, name, policies));
    value_set(arena, props, "managed_policies", managed);
    cloud_add(observation, name, name, props,
              cloud_tag_map(arena, value_at(role, "Tags.member"), "Key", "Value"));
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct role_reads roles = {0};
    struct policy_reads policies = {0};
    int result = read_roles(task, observation, &roles, error);
    if (result == 0)
        result = read_policies(task, observation, &roles, &policies, error);
    for (size_t i = roles.first; result == 0 && i < roles.count; i += READS_A_ROLE)
        take_role(observation, &roles.items[i], &policies);
    return result;
}

/* -- verbs -- */

static int create(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct cloud *cloud = action->target;
    struct value *parameters = cloud_encode(arena, action->type, action->want), *reply = NULL;
    value_set_text(arena, parameters, "Path", identity_path(arena, &cloud->identity));
    value_set_text(arena, parameters, "RoleName", action->name);
    value_set(arena, parameters, "Tags",
              value_wrap(arena, "member", cloud_tag_list(arena, action->tags, "Key", "Value")));
    int result = cloud_call(task, action, &aws_iam, "CreateRole", parameters, &reply, error);
    if (result < 0)
        return result;
    value_set(arena, action->made, "arn", value_at(reply, "Role.Arn"));
    value_set(arena, action->made, "role_id", value_at(reply, "Role.RoleId"));
    action->physical_id = action->name;
    return 0;
}

static struct value *with(struct action *action, const char *member, const char *text)
{
    return value_set_text(action->arena, named(action->arena, action->have->name), member, text);
}

static int put_policies(struct task *task, struct action *action, struct error *error)
{
    const struct value *want = value_get(action->want, "policies");
    const struct value *have = value_get(action->have->props, "policies");
    struct field document = {.name = "policies", .type = FIELD_DOCUMENT, .flags = POLICY};
    int result = 0;
    for (size_t i = 0; result == 0 && i < value_count(want); i++) {
        const struct value_entry *entry = value_entry(want, i);
        if (field_equal(action->arena, &document, entry->value, value_get(have, entry->key)))
            continue;
        struct value *parameters = with(action, "PolicyName", entry->key);
        value_set_text(action->arena, parameters, "PolicyDocument",
                       value_is(entry->value, VALUE_STRING)
                           ? entry->value->string.text
                           : json_text(action->arena, entry->value));
        result = cloud_call(task, action, &aws_iam, "PutRolePolicy", parameters, NULL, error);
    }
    return result;
}

/* Policies that `keep` does not have; NULL keeps none. */
static int delete_policies(struct task *task, struct action *action, const struct value *keep,
                           struct error *error)
{
    const struct value *have = value_get(action->have->props, "policies");
    int result = 0;
    for (size_t i = 0; result == 0 && i < value_count(have); i++) {
        const char *name = value_entry(have, i)->key;
        if (!value_get(keep, name))
            result = cloud_remove(task, action, &aws_iam, "DeleteRolePolicy",
                                  with(action, "PolicyName", name), error);
    }
    return result;
}

static bool holds(const struct value *list, const struct value *wanted)
{
    const struct value *item;
    value_each(item, list)
    {
        if (value_equal(item, wanted))
            return true;
    }
    return false;
}

static int attach_policies(struct task *task, struct action *action, struct error *error)
{
    const struct value *have = value_get(action->have->props, "managed_policies"), *arn;
    int result = 0;
    value_each(arn, value_get(action->want, "managed_policies"))
    {
        if (result == 0 && !holds(have, arn))
            result = cloud_call(task, action, &aws_iam, "AttachRolePolicy",
                                with(action, "PolicyArn", arn->string.text), NULL, error);
    }
    return result;
}

static int detach_policies(struct task *task, struct action *action, const struct value *keep,
                           struct error *error)
{
    const struct value *arn;
    int result = 0;
    value_each(arn, value_get(action->have->props, "managed_policies"))
    {
        if (result == 0 && !holds(keep, arn))
            result = cloud_remove(task, action, &aws_iam, "DetachRolePolicy",
                                  with(action, "PolicyArn", arn->string.text), error);
    }
    return result;
}

/* What is not said in UpdateRole goes back to its default: both are said. */
static int update_role(struct task *task, struct action *action, struct error *error)
{
    const char *description = value_text(action->want, "description");
    struct value *parameters = with(action, "Description", description ? description : "");
    value_set(action->arena, parameters, "MaxSessionDuration",
              value_copy(action->arena, value_get(action->want, "max_session_s")));
    return cloud_call(task, action, &aws_iam, "UpdateRole", parameters, NULL, error);
}

static int update_trust(struct task *task, struct action *action, struct error *error)
{
    const struct value *assume = value_get(action->want, "assume");
    const char *text =
        value_is(assume, VALUE_STRING) ? assume->string.text : json_text(action->arena, assume);
    return cloud_call(task, action, &aws_iam, "UpdateAssumeRolePolicy",
                      with(action, "PolicyDocument", text), NULL, error);
}

static int update_boundary(struct task *task, struct action *action, struct error *error)
{
    const char *arn = value_text(action->want, "permissions_boundary");
    if (!arn)
        return cloud_remove(task, action, &aws_iam, "DeleteRolePermissionsBoundary",
                            named(action->arena, action->have->name), error);
    return cloud_call(task, action, &aws_iam, "PutRolePermissionsBoundary",
                      with(action, "PermissionsBoundary", arn), NULL, error);
}

/* Rights are given before others are taken away: what uses the role goes on. */
static int update(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    if (action_changes(action, "description") || action_changes(action, "max_session_s"))
        result = update_role(task, action, error);
    if (result == 0 && action_changes(action, "assume"))
        result = update_trust(task, action, error);
    if (result == 0 && action_changes(action, "permissions_boundary"))
        result = update_boundary(task, action, error);
    if (result == 0 && action_changes(action, "policies"))
        result = put_policies(task, action, error);
    if (result == 0 && action_changes(action, "managed_policies"))
        result = attach_policies(task, action, error);
    if (result == 0 && action_changes(action, "policies"))
        result = delete_policies(task, action, value_get(action->want, "policies"), error);
    if (result == 0 && action_changes(action, "managed_policies"))
        result = detach_policies(task, action, value_get(action->want, "managed_policies"), error);
    return result;
}

static int remove_role(struct task *task, struct action *action, struct error *error)
{
    int result = delete_policies(task, action, NULL, error);
    if (result == 0)
        result = detach_policies(task, action, NULL, error);
    return result == 0 ? cloud_remove(task, action, &aws_iam, "DeleteRole",
                                      named(action->arena, action->have->name), error)
                       : result;
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *set, *gone;
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set)) {
        struct value *parameters = named(arena, action->have->name);
        value_set(arena, parameters, "Tags",
                  value_wrap(arena, "member", cloud_tag_list(arena, set, "Key", "Value")));
        result = cloud_call(task, action, &aws_iam, "TagRole", parameters, NULL, error);
    }
    if (result == 0 && value_count(gone)) {
        struct value *parameters = named(arena, action->have->name);
        value_set(arena, parameters, "TagKeys", value_wrap(arena, "member", gone));
        result = cloud_call(task, action, &aws_iam, "UntagRole", parameters, NULL, error);
    }
    return result;
}

static const struct patience patience[] = {
    {"MalformedPolicyDocument", "nvalid principal", "a new principal is not known to IAM yet", 120,
     0},
    {"ConcurrentModification", NULL, "somebody else changes the role", 60, 0},
    {"DeleteConflict", NULL, "IAM has not taken its policies away everywhere yet", 60, 0},
    {0},
};

static const char *const computed_by_name[] = {
    "arn=arn:{partition}:iam::{account}:role{path}{name}", NULL};

const struct resource_type iam_role = {
    .kind = "iam.role",
    .summary = "what a function or service may do",
    .flags = NAMED | UNLISTED,
    .name_maximum = 64,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_role,
    .retag = retag,
    .patience = patience,
    .computed_by_name = computed_by_name,
};
