/* Buckets.
 * Source: Amazon S3 API Reference, CreateBucket and the Get, Put and Delete calls of each aspect
 * (versioning, encryption, public access, ownership, policy, lifecycle, notifications, tags).
 *
 * Who a bucket is. Tags go into CreateBucket itself, and right after it once more, for regions
 * whose S3 drops them there. A run that ends between the two leaves a bucket without tags: it is
 * ours when it is this account's, its name ends with the hash of our whole identity (a name that
 * the file says proves nothing), and there is nothing in it. An untagged bucket with anything in it
 * is never touched. Every call but CreateBucket says which account must own the bucket. */
#include <string.h>
#include <strings.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "pkg/value/json.h"

static const struct field public_access_fields[] = {
    {.name = "block_acls",
     .type = FIELD_BOOL,
     .wire = "BlockPublicAcls",
     .unset = "true",
     .summary = "refuse ACLs that make public"},
    {.name = "ignore_acls",
     .type = FIELD_BOOL,
     .wire = "IgnorePublicAcls",
     .unset = "true",
     .summary = "ignore ACLs that make public"},
    {.name = "block_policy",
     .type = FIELD_BOOL,
     .wire = "BlockPublicPolicy",
     .unset = "true",
     .summary = "refuse policies that make public"},
    {.name = "restrict",
     .type = FIELD_BOOL,
     .wire = "RestrictPublicBuckets",
     .unset = "true",
     .summary = "let a public policy reach this account alone"},
    {0},
};

static const struct field lifecycle_fields[] = {
    {.name = "id",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "ID",
     .summary = "the rule's name"},
    {.name = "prefix",
     .type = FIELD_STRING,
     .wire = "Filter.Prefix",
     .unset = "\"\"",
     .summary = "objects whose keys begin so; unset: all"},
    {.name = "expire_days",
     .type = FIELD_INT,
     .wire = "Expiration.Days",
     .allowed = "1..",
     .summary = "objects are deleted after this long"},
    {.name = "noncurrent_days",
     .type = FIELD_INT,
     .wire = "NoncurrentVersionExpiration.NoncurrentDays",
     .allowed = "1..",
     .summary = "old versions are deleted after this long"},
    {.name = "abort_multipart_days",
     .type = FIELD_INT,
     .wire = "AbortIncompleteMultipartUpload.DaysAfterInitiation",
     .allowed = "1..",
     .summary = "uploads that were never ended are dropped after this long"},
    {.name = "enabled", .type = FIELD_BOOL, .unset = "true", .summary = "false: the rule rests"},
    {0},
};

static const struct field notification_fields[] = {
    {.name = "id",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "Id",
     .summary = "the notification's name"},
    {.name = "function",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .wire = "CloudFunction",
     .summary = "ARN of the function, or of its alias"},
    {.name = "events",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .wire = "Event",
     .summary = "\"s3:ObjectCreated:*\" ..."},
    {.name = "prefix",
     .type = FIELD_STRING,
     .unset = "\"\"",
     .summary = "keys that begin so; unset: all"},
    {.name = "suffix",
     .type = FIELD_STRING,
     .unset = "\"\"",
     .summary = "keys that end so; unset: all"},
    {0},
};

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = REPLACE | STICKY,
     .allowed = "^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$",
     .summary = "name, unique in the world; unset: one of the stack's own"},
    {.name = "versioning",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "old versions are kept; switched off later, it only pauses"},
    {.name = "encryption",
     .type = FIELD_STRING,
     .unset = "\"AES256\"",
     .allowed = "AES256|aws:kms|aws:kms:dsse",
     .summary = "how objects are encrypted when they come"},
    {.name = "kms_key",
     .type = FIELD_STRING,
     .summary = "ARN of the key, with aws:kms; unset: S3's own"},
    {.name = "bucket_key",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "one key a bucket for a while: fewer calls to KMS"},
    {.name = "public_access_block",
     .type = FIELD_MAP,
     .unset = "{\"block_acls\": true, \"ignore_acls\": true, \"block_policy\": true, "
              "\"restrict\": true}",
     .fields = public_access_fields,
     .summary = "what keeps it from being public; unset: all four"},
    {.name = "ownership",
     .type = FIELD_STRING,
     .unset = "\"BucketOwnerEnforced\"",
     .allowed = "BucketOwnerEnforced|BucketOwnerPreferred|ObjectWriter",
     .summary = "who owns objects; BucketOwnerEnforced: no ACLs"},
    {.name = "tls_only",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "a statement in its policy that denies all without TLS"},
    {.name = "policy",
     .type = FIELD_DOCUMENT,
     .flags = POLICY,
     .summary = "further statements of its policy"},
    {.name = "lifecycle",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .key = "id",
     .unset = "[]",
     .fields = lifecycle_fields,
     .summary = "what is deleted, and when"},
    {.name = "notifications",
     .type = FIELD_LIST,
     .flags = LATE | COMPLETE | UNORDERED,
     .key = "id",
     .unset = "[]",
     .fields = notification_fields,
     .summary = "functions that are called when objects come or go; each needs to permit "
                "s3.amazonaws.com"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "its ARN"},
    {0},
};

static struct value *bucket(struct arena *arena, const struct cloud *cloud, const char *name)
{
    struct value *parameters = value_set_text(arena, value_map(arena), "Bucket", name);
    return value_set_text(arena, parameters, "ExpectedBucketOwner", cloud->identity.account);
}

static const char *bucket_arn(struct arena *arena, const struct cloud *cloud, const char *name)
{
    return arena_printf(arena, "arn:%s:s3:::%s", cloud->identity.partition, name);
}

/* -- the policy: the file's statements, and one that denies all without TLS -- */

static struct value *tls_statement(struct arena *arena, const char *arn)
{
    struct value *statement = value_map(arena), *resources = value_list(arena);
    value_push_text(arena, resources, arn);
    value_push_text(arena, resources, arena_printf(arena, "%s/*", arn));
    struct value *insecure =
        value_set_text(arena, value_map(arena), "aws:SecureTransport", "false");
    value_set_text(arena, statement, "Sid", "TlsOnly");
    value_set_text(arena, statement, "Effect", "Deny");
    value_set_text(arena, statement, "Principal", "*");
    value_set_text(arena, statement, "Action", "s3:*");
    value_set(arena, statement, "Resource", resources);
    return value_set(arena, statement, "Condition", value_wrap(arena, "Bool", insecure));
}

/* A document that the file says as a tree or as text, as a tree of its own. */
static int policy_tree(struct arena *arena, const struct value *document, struct value **out,
                       struct error *error)
{
    if (!value_is(document, VALUE_STRING)) {
        *out = value_copy(arena, document);
        return 0;
    }
    return json_parse(arena, document->string.text, document->string.length, "policy", out, error);
}

/* NULL in *out when there is nothing to say. */
static int wanted_policy(struct action *action, const char *arn, const char **out,
                         struct error *error)
{
    struct arena *arena = action->arena;
    const struct value *said = value_get(action->want, "policy");
    bool tls = value_as_bool(value_get(action->want, "tls_only"), true);
    bool own = said && said->kind != VALUE_NULL;
    struct value *policy = value_set_text(arena, value_map(arena), "Version", "2012-10-17"), *one;
    struct value *statements = value_list(arena);
    *out = NULL;
    if (!own && !tls)
        return 0;
    int result = own ? policy_tree(arena, said, &policy, error) : 0;
    if (result < 0)
        return result;
    value_each(one, value_get(policy, "Statement")) value_push(arena, statements, one);
    if (tls)
        value_push(arena, statements, tls_statement(arena, arn));
    value_set(arena, policy, "Statement", statements);
    *out = json_text(arena, policy);
    return 0;
}

/* Splits what is there into the two again. */
static void decode_policy(struct arena *arena, const char *arn, const struct value *body,
                          struct value *props)
{
    static const struct field rule = {.name = "policy", .type = FIELD_DOCUMENT, .flags = POLICY};
    struct value *policy = NULL, *statement, *rest = value_list(arena);
    struct value *tls = tls_statement(arena, arn);
    bool has_tls = false;
    if (body && policy_tree(arena, body, &policy, NULL) < 0)
        policy = NULL;
    value_each(statement, value_get(policy, "Statement"))
    {
        if (!has_tls && field_equal(arena, &rule, tls, statement))
            has_tls = true;
        else
            value_push(arena, rest, statement);
    }
    value_set_bool(arena, props, "tls_only", has_tls);
    if (value_count(rest))
        value_set(arena, props, "policy", value_set(arena, policy, "Statement", rest));
}

/* -- observing -- */

enum { VERSIONING, ENCRYPTION, PUBLIC_ACCESS, OWNERSHIP, POLICY_TEXT, LIFECYCLE, EVENTS, ASPECTS };

static void decode_encryption(struct arena *arena, const struct value *reply, struct value *props)
{
    const struct value *rule = value_item(value_get(reply, "Rule"), 0);
    const struct value *how = value_get(rule, "ApplyServerSideEncryptionByDefault");
    const char *algorithm = value_text(how, "SSEAlgorithm"),
               *key = value_text(how, "KMSMasterKeyID");
    /* S3 encrypts everything since 2023: none said is its own. */
    value_set_text(arena, props, "encryption", algorithm ? algorithm : "AES256");
    if (key)
        value_set_text(arena, props, "kms_key", key);
    value_set_bool(arena, props, "bucket_key",
                   value_as_bool(value_get(rule, "BucketKeyEnabled"), false));
}

/* No configuration means that nothing is blocked. */
static struct value *decode_public_access(struct arena *arena, const struct value *reply)
{
    struct value *map = value_map(arena);
    for (const struct field *field = public_access_fields; field->name; field++)
        value_set_bool(arena, map, field->name,
                       value_as_bool(value_get(reply, field->wire), false));
    return map;
}

static struct value *decode_lifecycle(struct arena *arena, const struct value *reply)
{
    static const struct resource_type rule_type = {.fields = lifecycle_fields};
    struct value *list = value_list(arena), *rule;
    value_each(rule, value_get(reply, "Rule"))
    {
        struct value *one = cloud_decode(arena, &rule_type, rule);
        if (!value_get(one, "prefix") && value_text(rule, "Prefix"))
            value_set_text(arena, one, "prefix", value_text(rule, "Prefix"));
        value_set_bool(arena, one, "enabled", value_is_text(value_get(rule, "Status"), "Enabled"));
        value_push(arena, list, one);
    }
    return list;
}

static struct value *decode_notifications(struct arena *arena, const struct value *reply)
{
    static const struct resource_type notification_type = {.fields = notification_fields};
    struct value *list = value_list(arena), *notification, *rule;
    value_each(notification, value_get(reply, "CloudFunctionConfiguration"))
    {
        struct value *one = cloud_decode(arena, &notification_type, notification);
        value_each(rule, value_at(notification, "Filter.S3Key.FilterRule"))
        {
            const char *name = value_text(rule, "Name"), *text = value_text(rule, "Value");
            bool prefix = name && strcasecmp(name, "prefix") == 0;
            value_set_text(arena, one, prefix ? "prefix" : "suffix", text ? text : "");
        }
        value_push(arena, list, one);
    }
    return list;
}

static struct value *decode(struct observation *observation, const char *name,
                            const struct cloud_read *reads)
{
    struct arena *arena = observation->arena;
    struct value *props = value_map(arena);
    const char *arn = bucket_arn(arena, observation->target, name);
    const char *ownership =
        value_text(value_item(value_get(reads[OWNERSHIP].reply, "Rule"), 0), "ObjectOwnership");
    value_set_text(arena, props, "name", name);
    value_set_text(arena, props, "arn", arn);
    value_set_bool(arena, props, "versioning",
                   value_is_text(value_get(reads[VERSIONING].reply, "Status"), "Enabled"));
    decode_encryption(arena, reads[ENCRYPTION].reply, props);
    value_set(arena, props, "public_access_block",
              decode_public_access(arena, reads[PUBLIC_ACCESS].reply));
    value_set_text(arena, props, "ownership", ownership ? ownership : "ObjectWriter");
    decode_policy(arena, arn, reads[POLICY_TEXT].reply, props);
    value_set(arena, props, "lifecycle", decode_lifecycle(arena, reads[LIFECYCLE].reply));
    return value_set(arena, props, "notifications",
                     decode_notifications(arena, reads[EVENTS].reply));
}

static int read_aspects(struct task *task, struct observation *observation, const char *name,
                        struct cloud_read *reads, struct error *error)
{
    static const char *const operations[ASPECTS] = {
        [VERSIONING] = "GetBucketVersioning",
        [ENCRYPTION] = "GetBucketEncryption",
        [PUBLIC_ACCESS] = "GetPublicAccessBlock",
        [OWNERSHIP] = "GetBucketOwnershipControls",
        [POLICY_TEXT] = "GetBucketPolicy",
        [LIFECYCLE] = "GetBucketLifecycleConfiguration",
        [EVENTS] = "GetBucketNotificationConfiguration",
    };
    for (size_t i = 0; i < ASPECTS; i++)
        reads[i] =
            (struct cloud_read){.service = &aws_s3,
                                .operation = operations[i],
                                .parameters = bucket(observation->arena, observation->target, name),
                                .how = i == POLICY_TEXT ? READ_TEXT : READ_ONE};
    return cloud_get_all(task, observation, reads, ASPECTS, error);
}

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *reply;
    int result =
        cloud_get(task, observation, &aws_s3, "GetBucketTagging",
                  bucket(arena, observation->target, strrchr(arn, ':') + 1), &reply, error);
    *tags = result == 0 && reply
                ? cloud_tag_map(arena, value_at(reply, "TagSet.Tag"), "Key", "Value")
                : NULL;
    return result;
}

static int is_empty(struct task *task, struct observation *observation, const char *name,
                    bool *empty, struct error *error)
{
    struct cloud *cloud = observation->target;
    struct arena *arena = observation->arena;
    struct value *reply = NULL, *parameters = bucket(arena, cloud, name);
    value_set_int(arena, parameters, "MaxKeys", 1);
    int result = aws_call(task, cloud->client, arena, &aws_s3, "ListObjectVersions", parameters,
                          &reply, error);
    *empty = result == 0 && !value_get(reply, "Version") && !value_get(reply, "DeleteMarker");
    return result;
}

/* Half made by us, as the head of this file has it? */
static int add_untagged(struct task *task, struct observation *observation, const char *name,
                        struct value *props, struct error *error)
{
    const char *id = cloud_derived_id(observation, name);
    struct value *no_tags = value_map(observation->arena);
    bool empty = false;
    int result = id ? is_empty(task, observation, name, &empty, error) : 0;
    if (result < 0)
        return result;
    struct found found = {.type = observation->type,
                          .id = id,
                          .generation = 1,
                          .physical_id = name,
                          .name = name,
                          .props = props,
                          .tags = no_tags};
    if (empty)
        observation->add(observation, &found);
    else
        cloud_add(observation, name, name, props, no_tags);
    return 0;
}

/* One that is only known by its name may be another account's, or in another region. */
enum whose { NOBODYS, OURS, SOMEBODYS };

static int ask_whose(struct task *task, struct observation *observation, const char *name,
                     enum whose *whose, struct error *error)
{
    struct cloud *cloud = observation->target;
    enum { MOVED = 301, BAD_REQUEST = 400 };
    int result = aws_call(task, cloud->client, observation->arena, &aws_s3, "HeadBucket",
                          bucket(observation->arena, cloud, name), NULL, error);
    bool elsewhere =
        result < 0 && (error->http_status == MOVED || error->http_status == BAD_REQUEST);
    *whose = result == 0 ? OURS : result == ERR_DENIED || elsewhere ? SOMEBODYS : NOBODYS;
    if (result == 0 || (result != ERR_NOT_FOUND && *whose == NOBODYS))
        return result;
    error_clear(error);
    return 0;
}

struct look {
    struct observation *observation;
    const struct candidate *candidate;
};

static int look_at(struct task *task, void *argument, struct error *error)
{
    const struct look *look = argument;
    struct observation *observation = look->observation;
    struct arena *arena = observation->arena;
    const char *name = look->candidate->name;
    struct cloud_read reads[ASPECTS];
    enum whose whose = OURS;
    struct value *tags;
    int result = look->candidate->arn ? 0 : ask_whose(task, observation, name, &whose, error);
    if (result == 0 && whose == SOMEBODYS)
        cloud_add(observation, name, name, value_map(arena), NULL);
    if (result == 0 && whose == OURS)
        result = read_aspects(task, observation, name, reads, error);
    if (result < 0 || whose != OURS || !reads[VERSIONING].reply)
        return result;
    result = cloud_tags_of(task, observation, look->candidate,
                           bucket_arn(arena, observation->target, name), fetch, &tags, error);
    struct value *props = result == 0 ? decode(observation, name, reads) : NULL;
    if (result == 0 && !value_count(tags))
        return add_untagged(task, observation, name, props, error);
    if (result == 0)
        cloud_add(observation, name, name, props, tags);
    return result;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "s3", "", &candidates);
    struct look *looks = arena_array(observation->arena, count + 1, sizeof *looks);
    for (size_t i = 0; i < count; i++)
        looks[i] = (struct look){observation, &candidates[i]};
    return task_each(task, "bucket", look_at, looks, sizeof *looks, count, 0, error);
}

/* -- changing, aspect by aspect -- */

static const char *name_of(const struct action *action)
{
    return action->have ? action->have->physical_id : action->name;
}

static struct value *this_bucket(const struct action *action)
{
    return bucket(action->arena, action->target, name_of(action));
}

static int put(struct task *task, struct action *action, const char *operation,
               struct value *content, struct error *error)
{
    struct value *parameters = value_merge(action->arena, this_bucket(action), content);
    return cloud_call(task, action, &aws_s3, operation, parameters, NULL, error);
}

static struct value *text_map(struct arena *arena, const char *key, const char *text)
{
    return value_set_text(arena, value_map(arena), key, text);
}

static int put_versioning(struct task *task, struct action *action, struct error *error)
{
    bool on = value_as_bool(value_get(action->want, "versioning"), false);
    return put(task, action, "PutBucketVersioning",
               text_map(action->arena, "Status", on ? "Enabled" : "Suspended"), error);
}

static int put_encryption(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *key = value_text(action->want, "kms_key");
    struct value *how = text_map(arena, "SSEAlgorithm", value_text(action->want, "encryption"));
    if (key)
        value_set_text(arena, how, "KMSMasterKeyID", key);
    struct value *rule = value_wrap(arena, "ApplyServerSideEncryptionByDefault", how);
    value_set_bool(arena, rule, "BucketKeyEnabled",
                   value_as_bool(value_get(action->want, "bucket_key"), false));
    return put(task, action, "PutBucketEncryption",
               value_wrap(arena, "Rule", value_push(arena, value_list(arena), rule)), error);
}

static int put_public_access(struct task *task, struct action *action, struct error *error)
{
    static const struct resource_type block = {.fields = public_access_fields};
    return put(task, action, "PutPublicAccessBlock",
               cloud_encode(action->arena, &block, value_get(action->want, "public_access_block")),
               error);
}

static int put_ownership(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *rule = text_map(arena, "ObjectOwnership", value_text(action->want, "ownership"));
    return put(task, action, "PutBucketOwnershipControls",
               value_wrap(arena, "Rule", value_push(arena, value_list(arena), rule)), error);
}

static int put_policy(struct task *task, struct action *action, struct error *error)
{
    const char *arn = bucket_arn(action->arena, action->target, name_of(action)), *policy;
    int result = wanted_policy(action, arn, &policy, error);
    if (result < 0)
        return result;
    if (!policy)
        return cloud_remove(task, action, &aws_s3, "DeleteBucketPolicy", this_bucket(action),
                            error);
    return put(task, action, "PutBucketPolicy", text_map(action->arena, "Policy", policy), error);
}

static int put_lifecycle(struct task *task, struct action *action, struct error *error)
{
    static const struct resource_type rule_type = {.fields = lifecycle_fields};
    struct arena *arena = action->arena;
    struct value *rules = value_list(arena), *want;
    value_each(want, value_get(action->want, "lifecycle"))
    {
        struct value *rule = cloud_encode(arena, &rule_type, want);
        bool enabled = value_as_bool(value_get(want, "enabled"), true);
        if (!value_get(rule, "Filter"))
            value_set(arena, rule, "Filter", text_map(arena, "Prefix", ""));
        value_set_text(arena, rule, "Status", enabled ? "Enabled" : "Disabled");
        value_push(arena, rules, rule);
    }
    if (!value_count(rules))
        return cloud_remove(task, action, &aws_s3, "DeleteBucketLifecycle", this_bucket(action),
                            error);
    return put(task, action, "PutBucketLifecycleConfiguration", value_wrap(arena, "Rule", rules),
               error);
}

static struct value *encode_notification(struct arena *arena, const struct value *want)
{
    static const struct resource_type notification_type = {.fields = notification_fields};
    static const char *const parts[] = {"prefix", "suffix"};
    struct value *one = cloud_encode(arena, &notification_type, want), *rules = value_list(arena);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *text = value_text(want, parts[i]);
        if (text && *text)
            value_push(arena, rules,
                       value_set_text(arena, text_map(arena, "Name", parts[i]), "Value", text));
    }
    if (value_count(rules))
        value_set(arena, one, "Filter",
                  value_wrap(arena, "S3Key", value_wrap(arena, "FilterRule", rules)));
    return one;
}

/* Topics, queues and EventBridge, which no field says, stay as they are. */
static int put_notifications(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply = NULL, *want, *functions = value_list(arena);
    int result = cloud_call(task, action, &aws_s3, "GetBucketNotificationConfiguration",
                            this_bucket(action), &reply, error);
    if (result < 0)
        return result;
    struct value *content =
        value_is(reply, VALUE_MAP) ? value_copy(arena, reply) : value_map(arena);
    value_each(want, value_get(action->want, "notifications"))
        value_push(arena, functions, encode_notification(arena, want));
    value_remove(content, "CloudFunctionConfiguration");
    if (value_count(functions))
        value_set(arena, content, "CloudFunctionConfiguration", functions);
    return put(task, action, "PutBucketNotificationConfiguration", content, error);
}

/* In an order in which no moment is less safe than the one before. */
static const struct aspect {
    const char *fields[4]; /* one of them differs */
    int (*put)(struct task *task, struct action *action, struct error *error);
    bool made_so; /* CreateBucket gives the unset values */
} aspects[] = {
    {{"public_access_block"}, put_public_access, false},
    {{"ownership"}, put_ownership, true},
    {{"tls_only", "policy"}, put_policy, false},
    {{"encryption", "kms_key", "bucket_key"}, put_encryption, true},
    {{"versioning"}, put_versioning, true},
    {{"lifecycle"}, put_lifecycle, true},
};

static bool is_as_made(const struct action *action, const struct aspect *aspect)
{
    for (const char *const *name = aspect->fields; *name; name++) {
        const struct field *field = type_field(action->type, *name);
        if (!field_equal(action->arena, field, value_get(action->want, *name),
                         field_unset(action->arena, field)))
            return false;
    }
    return aspect->made_so;
}

static bool is_changed(const struct action *action, const struct aspect *aspect)
{
    for (const char *const *name = aspect->fields; *name; name++) {
        if (action_changes(action, *name))
            return true;
    }
    return false;
}

/* -- creating -- */

static int put_tags(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *set =
        value_wrap(arena, "Tag", cloud_tag_list(arena, action->tags, "Key", "Value"));
    return put(task, action, "PutBucketTagging", value_wrap(arena, "TagSet", set), error);
}

static int create_bucket(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const struct cloud *cloud = action->target;
    struct value *parameters = text_map(arena, "Bucket", action->name);
    value_set_text(arena, parameters, "ObjectOwnership", value_text(action->want, "ownership"));
    if (strcmp(cloud->identity.region, "us-east-1") != 0) /* there, it must not be said */
        value_set_text(arena, parameters, "LocationConstraint", cloud->identity.region);
    value_set(arena, parameters, "Tags",
              value_wrap(arena, "Tag", cloud_tag_list(arena, action->tags, "Key", "Value")));
    return cloud_call(task, action, &aws_s3, "CreateBucket", parameters, NULL, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int result = create_bucket(task, action, error);
    if (result < 0)
        return result;
    action->physical_id = action->name;
    value_set_text(action->arena, action->made, "arn",
                   bucket_arn(action->arena, action->target, action->name));
    result = put_tags(task, action, error);
    for (size_t i = 0; i < COUNT_OF(aspects) && result == 0; i++) {
        bool made_with = aspects[i].put == put_ownership; /* said to CreateBucket */
        if (!made_with && !is_as_made(action, &aspects[i]))
            result = aspects[i].put(task, action, error);
    }
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(aspects) && result == 0; i++) {
        if (is_changed(action, &aspects[i]))
            result = aspects[i].put(task, action, error);
    }
    if (result == 0 && action_changes(action, "notifications"))
        result = put_notifications(task, action, error);
    return result;
}

/* -- removing -- */

static struct value *objects_of(struct arena *arena, const struct value *page)
{
    static const char *const kinds[] = {"Version", "DeleteMarker"};
    struct value *list = value_list(arena), *item;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        value_each(item, value_get(page, kinds[i]))
        {
            struct value *object = value_map(arena);
            value_set(arena, object, "Key", value_get(item, "Key"));
            value_set(arena, object, "VersionId", value_get(item, "VersionId"));
            value_push(arena, list, object);
        }
    }
    return list;
}

static int delete_objects(struct task *task, struct action *action, struct value *objects,
                          struct error *error)
{
    struct value *parameters = this_bucket(action);
    value_set(action->arena, parameters, "Object", objects);
    value_set_bool(action->arena, parameters, "Quiet", true);
    return cloud_call(task, action, &aws_s3, "DeleteObjects", parameters, NULL, error);
}

/* All versions and delete markers, a thousand at a time. */
static int empty_bucket(struct task *task, struct action *action, struct error *error)
{
    const char *what = arena_printf(action->arena, "emptying %s", name_of(action));
    for (;;) {
        struct arena *page_arena CLEANUP(arena_freep) = arena_new();
        struct action page_action = *action;
        page_action.arena = page_arena; /* a bucket may hold millions */
        struct value *page = NULL;
        int result = cloud_call(task, &page_action, &aws_s3, "ListObjectVersions",
                                this_bucket(&page_action), &page, error);
        if (result < 0)
            return result;
        struct value *objects = objects_of(page_arena, page);
        if (!value_count(objects))
            return 0;
        result = delete_objects(task, &page_action, objects, error);
        if (result == 0 && action->waiting)
            result = action->waiting(action->waiting_data, what, error);
        if (result < 0)
            return result;
    }
}

static int refuse(const struct action *action, struct error *error)
{
    return error_set(error, ERR_DATA_LOSS,
                     "bucket %s is not empty, and was kept: empty it, or say "
                     "--allow-data-loss=%s to delete all objects and versions in it",
                     name_of(action), action->id);
}

static int remove_bucket(struct task *task, struct action *action, struct error *error)
{
    int result = cloud_remove(task, action, &aws_s3, "DeleteBucket", this_bucket(action), error);
    if (result == 0 || strcmp(error->aws_code, "BucketNotEmpty") != 0)
        return result;
    if (!action->consented)
        return refuse(action, error);
    error_clear(error);
    result = empty_bucket(task, action, error);
    return result < 0
               ? result
               : cloud_remove(task, action, &aws_s3, "DeleteBucket", this_bucket(action), error);
}

static const struct patience patience[] = {
    {"OperationAborted", NULL, "a bucket of this name was deleted just now", 300, 0},
    {"InvalidArgument", "Unable to validate the following destination configurations",
     "S3 does not see the function's permission yet", 90, 0},
    {"MalformedPolicy", "Invalid principal", "the role is not known everywhere yet", 120, 0},
    {0},
};

static const char *const by_name[] = {
    "arn=arn:{partition}:s3:::{name}",
    NULL,
};

const struct resource_type s3_bucket = {
    .kind = "s3.bucket",
    .summary = "bucket: objects by key",
    .flags = HOLDS_DATA | NAMED,
    .name_maximum = 63,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_bucket,
    .retag = put_tags,
    .patience = patience,
    .computed_by_name = by_name,
};
