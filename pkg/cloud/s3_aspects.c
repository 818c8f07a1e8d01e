/* What is said of a bucket, aspect by aspect: each has its own calls to read and to change it.
 * Source: Amazon S3 API Reference, the Get, Put and Delete calls of versioning, encryption, public
 * access, ownership, policy, lifecycle and notifications. */
#include <string.h>
#include <strings.h>

#include "pkg/cloud/s3.h"
#include "pkg/value/json.h"

const struct field s3_public_access_fields[] = {
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

const struct field s3_lifecycle_fields[] = {
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

const struct field s3_notification_fields[] = {
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

/* -- parameters -- */

struct value *s3_bucket_of(struct arena *arena, const struct cloud *cloud, const char *name)
{
    struct value *parameters = value_set_text(arena, value_map(arena), "Bucket", name);
    return value_set_text(arena, parameters, "ExpectedBucketOwner", cloud->identity.account);
}

const char *s3_arn(struct arena *arena, const struct cloud *cloud, const char *name)
{
    return arena_printf(arena, "arn:%s:s3:::%s", cloud->identity.partition, name);
}

const char *s3_name(const struct action *action)
{
    return action->have ? action->have->physical_id : action->name;
}

struct value *s3_this(const struct action *action)
{
    return s3_bucket_of(action->arena, action->target, s3_name(action));
}

int s3_put(struct task *task, struct action *action, const char *operation, struct value *content,
           struct error *error)
{
    struct value *parameters = value_merge(action->arena, s3_this(action), content);
    return cloud_call(task, action, &aws_s3, operation, parameters, NULL, error);
}

struct value *s3_text(struct arena *arena, const char *key, const char *text)
{
    return value_set_text(arena, value_map(arena), key, text);
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
    value_set(arena, props, "whole_policy", value_copy(arena, policy));
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

/* -- reading -- */

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
    /* Without KMS there is no such key, whatever is said of it. */
    bool kms = algorithm && strncmp(algorithm, "aws:kms", 7) == 0;
    value_set_bool(arena, props, "bucket_key",
                   kms && value_as_bool(value_get(rule, "BucketKeyEnabled"), false));
}

/* No configuration means that nothing is blocked. */
static struct value *decode_public_access(struct arena *arena, const struct value *reply)
{
    struct value *map = value_map(arena);
    for (const struct field *field = s3_public_access_fields; field->name; field++)
        value_set_bool(arena, map, field->name,
                       value_as_bool(value_get(reply, field->wire), false));
    return map;
}

static struct value *decode_lifecycle(struct arena *arena, const struct value *reply)
{
    static const struct resource_type rule_type = {.fields = s3_lifecycle_fields};
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
    static const struct resource_type notification_type = {.fields = s3_notification_fields};
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
    const char *arn = s3_arn(arena, observation->target, name);
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
        reads[i] = (struct cloud_read){
            .service = &aws_s3,
            .operation = operations[i],
            .parameters = s3_bucket_of(observation->arena, observation->target, name),
            .how = i == POLICY_TEXT ? READ_TEXT : READ_ONE};
    return cloud_get_all(task, observation, reads, ASPECTS, error);
}

int s3_read(struct task *task, struct observation *observation, const char *name,
            struct value **props, struct error *error)
{
    struct cloud_read reads[ASPECTS];
    int result = read_aspects(task, observation, name, reads, error);
    /* Every bucket answers to this one, whatever is said of it. */
    *props = result == 0 && reads[VERSIONING].reply ? decode(observation, name, reads) : NULL;
    return result;
}

/* -- changing -- */

static int put_versioning(struct task *task, struct action *action, struct error *error)
{
    bool on = value_as_bool(value_get(action->want, "versioning"), false);
    return s3_put(task, action, "PutBucketVersioning",
                  s3_text(action->arena, "Status", on ? "Enabled" : "Suspended"), error);
}

static int put_encryption(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *key = value_text(action->want, "kms_key");
    struct value *how = s3_text(arena, "SSEAlgorithm", value_text(action->want, "encryption"));
    if (key)
        value_set_text(arena, how, "KMSMasterKeyID", key);
    struct value *rule = value_wrap(arena, "ApplyServerSideEncryptionByDefault", how);
    value_set_bool(arena, rule, "BucketKeyEnabled",
                   value_as_bool(value_get(action->want, "bucket_key"), false));
    return s3_put(task, action, "PutBucketEncryption",
                  value_wrap(arena, "Rule", value_push(arena, value_list(arena), rule)), error);
}

static int put_public_access(struct task *task, struct action *action, struct error *error)
{
    static const struct resource_type block = {.fields = s3_public_access_fields};
    return s3_put(
        task, action, "PutPublicAccessBlock",
        cloud_encode(action->arena, &block, value_get(action->want, "public_access_block")), error);
}

static int put_ownership(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *rule = s3_text(arena, "ObjectOwnership", value_text(action->want, "ownership"));
    return s3_put(task, action, "PutBucketOwnershipControls",
                  value_wrap(arena, "Rule", value_push(arena, value_list(arena), rule)), error);
}

static int put_policy(struct task *task, struct action *action, struct error *error)
{
    const char *arn = s3_arn(action->arena, action->target, s3_name(action)), *policy;
    int result = wanted_policy(action, arn, &policy, error);
    if (result < 0)
        return result;
    if (!policy)
        return cloud_remove(task, action, &aws_s3, "DeleteBucketPolicy", s3_this(action), error);
    return s3_put(task, action, "PutBucketPolicy", s3_text(action->arena, "Policy", policy), error);
}

static int put_lifecycle(struct task *task, struct action *action, struct error *error)
{
    static const struct resource_type rule_type = {.fields = s3_lifecycle_fields};
    struct arena *arena = action->arena;
    struct value *rules = value_list(arena), *want;
    value_each(want, value_get(action->want, "lifecycle"))
    {
        struct value *rule = cloud_encode(arena, &rule_type, want);
        bool enabled = value_as_bool(value_get(want, "enabled"), true);
        if (!value_get(rule, "Filter"))
            value_set(arena, rule, "Filter", s3_text(arena, "Prefix", ""));
        value_set_text(arena, rule, "Status", enabled ? "Enabled" : "Disabled");
        value_push(arena, rules, rule);
    }
    if (!value_count(rules))
        return cloud_remove(task, action, &aws_s3, "DeleteBucketLifecycle", s3_this(action), error);
    return s3_put(task, action, "PutBucketLifecycleConfiguration", value_wrap(arena, "Rule", rules),
                  error);
}

static struct value *encode_notification(struct arena *arena, const struct value *want)
{
    static const struct resource_type notification_type = {.fields = s3_notification_fields};
    static const char *const parts[] = {"prefix", "suffix"};
    struct value *one = cloud_encode(arena, &notification_type, want), *rules = value_list(arena);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        const char *text = value_text(want, parts[i]);
        if (text && *text)
            value_push(arena, rules,
                       value_set_text(arena, s3_text(arena, "Name", parts[i]), "Value", text));
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
                            s3_this(action), &reply, error);
    if (result < 0)
        return result;
    struct value *content =
        value_is(reply, VALUE_MAP) ? value_copy(arena, reply) : value_map(arena);
    value_each(want, value_get(action->want, "notifications"))
        value_push(arena, functions, encode_notification(arena, want));
    value_remove(content, "CloudFunctionConfiguration");
    if (value_count(functions))
        value_set(arena, content, "CloudFunctionConfiguration", functions);
    return s3_put(task, action, "PutBucketNotificationConfiguration", content, error);
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

int s3_put_made(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(aspects) && result == 0; i++) {
        bool made_with = aspects[i].put == put_ownership; /* said to CreateBucket */
        if (!made_with && !is_as_made(action, &aspects[i]))
            result = aspects[i].put(task, action, error);
    }
    return result;
}

int s3_put_changes(struct task *task, struct action *action, struct error *error)
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
