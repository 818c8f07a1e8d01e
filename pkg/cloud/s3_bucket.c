/* Buckets.
 * Source: Amazon S3 API Reference, CreateBucket, HeadBucket, PutBucketTagging, DeleteBucket,
 * ListObjectVersions, DeleteObjects; what is said of it is in s3_aspects.c.
 *
 * Who a bucket is. Tags go into CreateBucket itself, and right after it once more, for regions
 * whose S3 drops them there. A run that ends between the two leaves a bucket without tags: it is
 * ours when it is this account's, its name ends with the hash of our whole identity (a name that
 * the file says proves nothing), and there is nothing in it. An untagged bucket with anything in it
 * is never touched. Every call but CreateBucket says which account must own the bucket. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/s3.h"
#include "pkg/cloud/types.h"

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
     .fields = s3_public_access_fields,
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
     .fields = s3_lifecycle_fields,
     .summary = "what is deleted, and when"},
    {.name = "notifications",
     .type = FIELD_LIST,
     .flags = LATE | COMPLETE | UNORDERED,
     .key = "id",
     .unset = "[]",
     .fields = s3_notification_fields,
     .summary = "functions that are called when objects come or go; each needs to permit "
                "s3.amazonaws.com"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "its ARN"},
    {.name = "whole_policy",
     .type = FIELD_DOCUMENT,
     .flags = COMPUTED,
     .summary = "its policy, with the statement of tls_only"},
    {0},
};

/* -- observing -- */

static int fetch(struct task *task, struct observation *observation, const char *arn,
                 struct value **tags, struct error *error)
{
    struct arena *arena = observation->arena;
    struct value *reply;
    int result =
        cloud_get(task, observation, &aws_s3, "GetBucketTagging",
                  s3_bucket_of(arena, observation->target, strrchr(arn, ':') + 1), &reply, error);
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
    struct value *reply = NULL, *parameters = s3_bucket_of(arena, cloud, name);
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
                          s3_bucket_of(observation->arena, cloud, name), NULL, error);
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
    enum whose whose = OURS;
    struct value *tags, *props = NULL;
    int result = look->candidate->arn ? 0 : ask_whose(task, observation, name, &whose, error);
    if (result == 0 && whose == SOMEBODYS)
        cloud_add(observation, name, name, value_map(arena), NULL);
    if (result == 0 && whose == OURS)
        result = s3_read(task, observation, name, &props, error);
    if (result < 0 || !props)
        return result;
    result = cloud_tags_of(task, observation, look->candidate,
                           s3_arn(arena, observation->target, name), fetch, &tags, error);
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

/* -- creating -- */

static int put_tags(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *set =
        value_wrap(arena, "Tag", cloud_tag_list(arena, action->tags, "Key", "Value"));
    return s3_put(task, action, "PutBucketTagging", value_wrap(arena, "TagSet", set), error);
}

static int create_bucket(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const struct cloud *cloud = action->target;
    struct value *parameters = s3_text(arena, "Bucket", action->name);
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
                   s3_arn(action->arena, action->target, action->name));
    result = put_tags(task, action, error);
    return result == 0 ? s3_put_made(task, action, error) : result;
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
    struct value *parameters = s3_this(action);
    value_set(action->arena, parameters, "Object", objects);
    value_set_bool(action->arena, parameters, "Quiet", true);
    return cloud_call(task, action, &aws_s3, "DeleteObjects", parameters, NULL, error);
}

/* All versions and delete markers, a thousand at a time. */
static int empty_bucket(struct task *task, struct action *action, struct error *error)
{
    const char *what = arena_printf(action->arena, "emptying %s", s3_name(action));
    for (;;) {
        struct arena *page_arena CLEANUP(arena_freep) = arena_new();
        struct action page_action = *action;
        page_action.arena = page_arena; /* a bucket may hold millions */
        struct value *page = NULL;
        int result = cloud_call(task, &page_action, &aws_s3, "ListObjectVersions",
                                s3_this(&page_action), &page, error);
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
                     s3_name(action), action->id);
}

static int remove_bucket(struct task *task, struct action *action, struct error *error)
{
    int result = cloud_remove(task, action, &aws_s3, "DeleteBucket", s3_this(action), error);
    if (result == 0 || strcmp(error->aws_code, "BucketNotEmpty") != 0)
        return result;
    if (!action->consented)
        return refuse(action, error);
    error_clear(error);
    result = empty_bucket(task, action, error);
    return result < 0 ? result
                      : cloud_remove(task, action, &aws_s3, "DeleteBucket", s3_this(action), error);
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
    .update = s3_put_changes,
    .remove = remove_bucket,
    .retag = put_tags,
    .patience = patience,
    .computed_by_name = by_name,
};
