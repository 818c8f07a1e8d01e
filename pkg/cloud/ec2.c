#include "pkg/cloud/ec2.h"

#include <ctype.h>
#include <string.h>

struct value *ec2_named(struct arena *arena, const char *member, const char *text)
{
    return value_set_text(arena, value_map(arena), member, text);
}

void ec2_add_filter(struct arena *arena, struct value *parameters, const char *name,
                    const char *value)
{
    struct value *filters = value_get(parameters, "Filter");
    if (!filters) {
        filters = value_list(arena);
        value_set(arena, parameters, "Filter", filters);
    }
    struct value *filter = ec2_named(arena, "Name", name);
    value_set(arena, filter, "Value", value_push_text(arena, value_list(arena), value));
    value_push(arena, filters, filter);
}

/* -- creating -- */

void ec2_add_tags(struct action *action, struct value *parameters, const char *resource_type)
{
    struct arena *arena = action->arena;
    struct value *specification = ec2_named(arena, "ResourceType", resource_type);
    value_set(arena, specification, "Tag", cloud_tag_list(arena, action->tags, "Key", "Value"));
    value_set(arena, parameters, "TagSpecification",
              value_push(arena, value_list(arena), specification));
}

int ec2_take_id(struct action *action, const struct value *reply, const char *path,
                struct error *error)
{
    const char *id = value_text_at(reply, path);
    if (!id)
        return error_set(error, ERR_FAILED, "the reply has no %s", path);
    action->physical_id = id;
    value_set_text(action->arena, action->made, "id", id);
    return 0;
}

/* -- tags -- */

static struct value *tagged_resource(struct action *action)
{
    struct value *ids =
        value_push_text(action->arena, value_list(action->arena), action->have->physical_id);
    return value_wrap(action->arena, "ResourceId", ids);
}

int ec2_retag(struct task *task, struct action *action, struct error *error)
{
    struct value *set, *remove, *key;
    cloud_tag_changes(action, &set, &remove);
    int result = 0;
    if (value_count(set)) {
        struct value *parameters = tagged_resource(action);
        value_set(action->arena, parameters, "Tag",
                  cloud_tag_list(action->arena, set, "Key", "Value"));
        result = cloud_call(task, action, &aws_ec2, "CreateTags", parameters, NULL, error);
    }
    if (result < 0 || !value_count(remove))
        return result;
    struct value *keys = value_list(action->arena), *parameters = tagged_resource(action);
    value_each(key, remove)
        value_push(action->arena, keys, ec2_named(action->arena, "Key", key->string.text));
    value_set(action->arena, parameters, "Tag", keys);
    return cloud_call(task, action, &aws_ec2, "DeleteTags", parameters, NULL, error);
}

/* -- observing -- */

/* "vpcEndpointId" in replies is "VpcEndpointId" in requests. */
static struct value *by_id(struct arena *arena, const char *id_member, const char *id)
{
    char *member = arena_strdup(arena, id_member);
    member[0] = (char)toupper((unsigned char)member[0]);
    return value_wrap(arena, member, value_push_text(arena, value_list(arena), id));
}

/* Which ones: one by its id; one by its tags, when its id was in a lost reply; or all of the
 * stack's. */
static struct value *which(const struct observation *observation, const char *id_member)
{
    const struct cloud *cloud = observation->target;
    const struct found *only = observation->only;
    if (only && only->physical_id)
        return by_id(observation->arena, id_member, only->physical_id);
    struct value *parameters = value_map(observation->arena);
    const char *environment = cloud->identity.environment;
    ec2_add_filter(observation->arena, parameters, "tag:" TAG_STACK, cloud->identity.stack);
    ec2_add_filter(observation->arena, parameters, "tag:" TAG_ENVIRONMENT,
                   environment[0] ? environment : "-");
    if (only)
        ec2_add_filter(observation->arena, parameters, "tag:" TAG_ID, only->id);
    return parameters;
}

int cloud_observe_ec2(struct task *task, struct observation *observation, const char *operation,
                      const char *id_member, decode_item *decode, struct error *error)
{
    struct value *items = NULL, *item;
    int result = cloud_list(task, observation, &aws_ec2, operation, which(observation, id_member),
                            &items, error);
    if (result < 0)
        return result;
    value_each(item, items)
    {
        const char *id = value_text(item, id_member);
        struct value *props = cloud_decode(observation->arena, observation->type, item);
        struct value *tags =
            cloud_tag_map(observation->arena, value_at(item, "tagSet.item"), "key", "value");
        if (!id)
            continue;
        value_set_text(observation->arena, props, "id", id);
        result = decode ? decode(task, observation, item, props, error) : 0;
        if (result == ERR_NOT_FOUND) { /* on its way out: as good as gone */
            error_clear(error);
            continue;
        }
        if (result < 0)
            return result;
        const char *name = value_text(props, "name");
        cloud_add(observation, id, name ? name : id, props, tags);
    }
    return 0;
}
