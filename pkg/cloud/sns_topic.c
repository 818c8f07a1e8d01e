/* Topics with their subscriptions.
 * Source: Amazon SNS API Reference, CreateTopic, GetTopicAttributes, SetTopicAttributes, Subscribe,
 * ListSubscriptionsByTopic, TagResource.
 *
 * A subscription by mail is pending until a human follows the link in it: pending ones count as
 * there, and nothing waits for them. One that is pending cannot be taken away (AWS drops it after
 * two days), so those that nobody wants do not count. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/cloud/types.h"
#include "pkg/value/json.h"

static const struct field subscription_fields[] = {
    {.name = "protocol",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .reply = "Protocol",
     .allowed = "email|email-json|https|http|sms|sqs|lambda|firehose",
     .summary = "how messages get there"},
    {.name = "endpoint",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .reply = "Endpoint",
     .summary = "mail address, URL, telephone number or ARN"},
    {0},
};

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .allowed = "^[-_A-Za-z0-9]{1,256}$",
     .summary = "name of the topic; unset: one of the stack's own"},
    {.name = "display_name",
     .type = FIELD_STRING,
     .wire = "DisplayName",
     .unset = "\"\"",
     .summary = "sender's name in mails"},
    {.name = "kms_key",
     .type = FIELD_STRING,
     .wire = "KmsMasterKeyId",
     .unset = "\"\"",
     .summary = "key that encrypts messages; alarms need one whose policy lets CloudWatch use it"},
    {.name = "policy",
     .type = FIELD_DOCUMENT,
     .flags = POLICY,
     .wire = "Policy",
     .summary = "who may publish; unset: this account"},
    {.name = "subscriptions",
     .type = FIELD_LIST,
     .flags = LATE | COMPLETE | UNORDERED,
     .unset = "[]",
     .fields = subscription_fields,
     .summary = "who gets the messages"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "its ARN"},
    {.name = "confirmed",
     .type = FIELD_DOCUMENT,
     .flags = COMPUTED,
     .summary = "subscriptions that have an ARN, as SNS tells them"},
    {.name = "pending",
     .type = FIELD_INT,
     .flags = COMPUTED,
     .reply = "SubscriptionsPending",
     .summary = "subscriptions that nobody has confirmed yet"},
    {0},
};

static struct value *topic(struct arena *arena, const char *arn)
{
    return value_set_text(arena, value_map(arena), "TopicArn", arn);
}

/* -- the policy that AWS gives to a topic for which nobody says one -- */

static struct value *default_policy(struct arena *arena, const struct cloud *cloud, const char *arn)
{
    static const char *const actions[] = {
        "SNS:GetTopicAttributes",
        "SNS:SetTopicAttributes",
        "SNS:AddPermission",
        "SNS:RemovePermission",
        "SNS:DeleteTopic",
        "SNS:Subscribe",
        "SNS:Publish",
        "SNS:ListSubscriptionsByTopic",
    };
    struct value *list = value_list(arena), *statement = value_map(arena);
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        value_push_text(arena, list, actions[i]);
    struct value *owner =
        value_set_text(arena, value_map(arena), "AWS:SourceOwner", cloud->identity.account);
    value_set_text(arena, statement, "Sid", "__default_statement_ID");
    value_set_text(arena, statement, "Effect", "Allow");
    value_set(arena, statement, "Principal", value_set_text(arena, value_map(arena), "AWS", "*"));
    value_set(arena, statement, "Action", list);
    value_set_text(arena, statement, "Resource", arn);
    value_set(arena, statement, "Condition", value_wrap(arena, "StringEquals", owner));
    struct value *policy = value_set_text(arena, value_map(arena), "Version", "2008-10-17");
    value_set_text(arena, policy, "Id", "__default_policy_ID");
    return value_set(arena, policy, "Statement", value_push(arena, value_list(arena), statement));
}

static bool is_default_policy(struct arena *arena, const struct cloud *cloud, const char *arn,
                              const struct value *policy)
{
    static const struct field rule = {.name = "policy", .type = FIELD_DOCUMENT, .flags = POLICY};
    return field_equal(arena, &rule, default_policy(arena, cloud, arn), policy);
}

/* -- observing -- */

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *reply;
    int result =
        cloud_get(task, observation, &aws_sns, "ListTagsForResource",
                  value_set_text(arena, value_map(arena), "ResourceArn", arn), &reply, error);
    *tags = result == 0 && reply
                ? cloud_tag_map(arena, value_at(reply, "Tags.member"), "Key", "Value")
                : NULL;
    return result;
}

/* {"entry": [{"key":, "value":}]} as a map; empty values are empty elements. */
static struct value *attribute_map(struct arena *arena, const struct value *reply)
{
    return cloud_tag_map(arena, value_at(reply, "Attributes.entry"), "key", "value");
}

/* "PendingConfirmation" and "Deleted" stand where an ARN would. */
static bool is_confirmed(const struct value *item)
{
    const char *arn = value_text(item, "SubscriptionArn");
    return arn && strncmp(arn, "arn:", 4) == 0;
}

static const struct value *same_subscription(const struct value *list, const struct value *one,
                                             const char *protocol, const char *endpoint)
{
    struct value *item;
    value_each(item, list)
    {
        const char *item_endpoint = value_text(item, endpoint);
        if (item_endpoint && value_is_text(value_get(one, "endpoint"), item_endpoint) &&
            value_is_text(value_get(one, "protocol"), value_text(item, protocol)))
            return item;
    }
    return NULL;
}

static bool is_wanted(const struct cloud *cloud, const struct value *one)
{
    for (size_t i = 0; cloud->wanted && i < cloud->wanted->count; i++) {
        const struct resource *resource = &cloud->wanted->items[i];
        if (resource->type == &sns_topic &&
            same_subscription(value_get(resource->props, "subscriptions"), one, "protocol",
                              "endpoint"))
            return true;
    }
    return false;
}

static struct value *decode(struct observation *observation, const char *name, const char *arn,
                            const struct value *reply, const struct value *subscriptions)
{
    static const struct resource_type subscription = {.fields = subscription_fields};
    struct arena *arena = observation->arena;
    struct value *list = value_list(arena), *confirmed = value_list(arena), *item;
    struct value *props = cloud_decode(arena, observation->type, attribute_map(arena, reply));
    value_each(item, subscriptions)
    {
        struct value *one = cloud_decode(arena, &subscription, item);
        if (is_confirmed(item))
            value_push(arena, confirmed, item);
        if (is_confirmed(item) || is_wanted(observation->target, one))
            value_push(arena, list, one);
    }
    if (is_default_policy(arena, observation->target, arn, value_get(props, "policy")))
        value_remove(props, "policy");
    value_set_text(arena, props, "name", name);
    value_set_text(arena, props, "arn", arn);
    value_set(arena, props, "confirmed", confirmed);
    return value_set(arena, props, "subscriptions", list);
}

static int add_topic(struct task *task, struct observation *observation,
                     const struct candidate *candidate, const struct cloud_read reads[2],
                     struct error *error)
{
    const char *arn = value_text(reads[0].parameters, "TopicArn");
    struct value *tags;
    if (!reads[0].reply)
        return 0;
    int result = cloud_tags_of(task, observation, candidate, arn, fetch, &tags, error);
    if (result == 0)
        cloud_add(observation, arn, candidate->name,
                  decode(observation, candidate->name, arn, reads[0].reply, reads[1].reply), tags);
    return result;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "sns", "", &candidates);
    struct cloud_read *reads = arena_array(arena, 2 * count + 1, sizeof *reads);
    for (size_t i = 0; i < count; i++) {
        struct value *parameters =
            topic(arena, cloud_arn(arena, observation->target, "sns", candidates[i].name));
        reads[2 * i] = (struct cloud_read){
            .service = &aws_sns, .operation = "GetTopicAttributes", .parameters = parameters};
        reads[2 * i + 1] = (struct cloud_read){.service = &aws_sns,
                                               .operation = "ListSubscriptionsByTopic",
                                               .parameters = parameters,
                                               .how = READ_LIST};
    }
    int result = cloud_get_all(task, observation, reads, 2 * count, error);
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add_topic(task, observation, &candidates[i], &reads[2 * i], error);
    return result;
}

/* -- changing -- */

static int create(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply,
        *parameters = value_set_text(arena, value_map(arena), "Name", action->name);
    struct value *attributes = cloud_encode(arena, action->type, action->want);
    if (value_count(attributes))
        value_set(arena, parameters, "Attributes",
                  value_wrap(arena, "entry", cloud_tag_list(arena, attributes, "key", "value")));
    value_set(arena, parameters, "Tags",
              value_wrap(arena, "member", cloud_tag_list(arena, action->tags, "Key", "Value")));
    int result = cloud_call(task, action, &aws_sns, "CreateTopic", parameters, &reply, error);
    if (result == ERR_FAILED && strstr(error->message, "already exists with different tags"))
        return error->code = ERR_EXISTS;
    if (result < 0)
        return result;
    action->physical_id = value_text(reply, "TopicArn");
    value_set_text(arena, action->made, "arn", action->physical_id);
    return action->physical_id ? 0 : error_set(error, ERR_FAILED, "CreateTopic named no topic");
}

static int set_attribute(struct task *task, struct action *action, const struct field *field,
                         struct error *error)
{
    struct arena *arena = action->arena;
    const char *arn = action->have->physical_id;
    const struct value *want = value_get(action->want, field->name);
    struct value *encoded = cloud_encode_changes(arena, action), *parameters = topic(arena, arn);
    const char *text = value_text(encoded, field->wire);
    if (strcmp(field->name, "policy") == 0 && (!want || want->kind == VALUE_NULL))
        text = json_text(arena, default_policy(arena, action->target, arn));
    value_set_text(arena, parameters, "AttributeName", field->wire);
    value_set_text(arena, parameters, "AttributeValue", text ? text : "");
    return cloud_call(task, action, &aws_sns, "SetTopicAttributes", parameters, NULL, error);
}

static int subscribe(struct task *task, struct action *action, const struct value *subscription,
                     struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = topic(arena, action->have->physical_id);
    value_set_text(arena, parameters, "Protocol", value_text(subscription, "protocol"));
    value_set_text(arena, parameters, "Endpoint", value_text(subscription, "endpoint"));
    value_set_text(arena, parameters, "ReturnSubscriptionArn", "true");
    return cloud_call(task, action, &aws_sns, "Subscribe", parameters, NULL, error);
}

static int unsubscribe(struct task *task, struct action *action, const struct value *item,
                       struct error *error)
{
    struct value *parameters = value_map(action->arena);
    value_set(action->arena, parameters, "SubscriptionArn", value_get(item, "SubscriptionArn"));
    return is_confirmed(item)
               ? cloud_remove(task, action, &aws_sns, "Unsubscribe", parameters, error)
               : 0;
}

static int set_subscriptions(struct task *task, struct action *action, struct error *error)
{
    struct cloud *cloud = action->target;
    const struct value *wanted = value_get(action->want, "subscriptions");
    struct value *live, *item;
    int result = aws_list(task, cloud->client, action->arena, &aws_sns, "ListSubscriptionsByTopic",
                          topic(action->arena, action->have->physical_id), &live, error);
    if (result < 0)
        return result;
    value_each(item, wanted)
    {
        if (!same_subscription(live, item, "Protocol", "Endpoint"))
            result = subscribe(task, action, item, error);
        if (result < 0)
            return result;
    }
    value_each(item, live)
    {
        struct value *one = value_map(action->arena);
        value_set(action->arena, one, "protocol", value_get(item, "Protocol"));
        value_set(action->arena, one, "endpoint", value_get(item, "Endpoint"));
        if (!same_subscription(wanted, one, "protocol", "endpoint"))
            result = unsubscribe(task, action, item, error);
        if (result < 0)
            return result;
    }
    return 0;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < action->change_count && result == 0; i++) {
        const struct field *field = action->changes[i].field;
        if (field && field->wire)
            result = set_attribute(task, action, field, error);
    }
    if (result == 0 && action_changes(action, "subscriptions"))
        result = set_subscriptions(task, action, error);
    return result;
}

static int remove_topic(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_sns, "DeleteTopic",
                        topic(action->arena, action->have->physical_id), error);
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *set, *gone, *parameters = value_map(arena);
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    value_set_text(arena, parameters, "ResourceArn", action->have->physical_id);
    if (value_count(set)) {
        value_set(arena, parameters, "Tags",
                  value_wrap(arena, "member", cloud_tag_list(arena, set, "Key", "Value")));
        result = cloud_call(task, action, &aws_sns, "TagResource", parameters, NULL, error);
    }
    if (result < 0 || !value_count(gone))
        return result;
    value_remove(parameters, "Tags");
    value_set(arena, parameters, "TagKeys", value_wrap(arena, "member", gone));
    return cloud_call(task, action, &aws_sns, "UntagResource", parameters, NULL, error);
}

static const struct patience patience[] = {
    {"ConcurrentAccess", NULL, "another change of this topic's tags is under way", 60, 0},
    {0},
};

static const char *const by_name[] = {
    "arn=arn:{partition}:sns:{region}:{account}:{name}",
    NULL,
};

const struct resource_type sns_topic = {
    .kind = "sns.topic",
    .summary = "topic: messages to whoever subscribes",
    .flags = NAMED,
    .name_maximum = 256,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_topic,
    .retag = retag,
    .patience = patience,
    .computed_by_name = by_name,
};
