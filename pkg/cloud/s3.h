/* The aspects of a bucket that are read and changed by calls of their own. Shared by the files of
 * this kind. */
#ifndef RAGSTACK_CLOUD_S3_H
#define RAGSTACK_CLOUD_S3_H

#include "pkg/cloud/cloud.h"

extern const struct field s3_public_access_fields[], s3_lifecycle_fields[],
    s3_notification_fields[];

/* {"Bucket": name, "ExpectedBucketOwner": this account} */
struct value *s3_bucket_of(struct arena *arena, const struct cloud *cloud, const char *name);
const char *s3_arn(struct arena *arena, const struct cloud *cloud, const char *name);
/* The bucket that an action is about: its name, and the same as above. */
const char *s3_name(const struct action *action);
struct value *s3_this(const struct action *action);
/* {"<key>": "<text>"} */
struct value *s3_text(struct arena *arena, const char *key, const char *text);
/* Calls an operation on that bucket with this content. */
int s3_put(struct task *task, struct action *action, const char *operation, struct value *content,
           struct error *error);

/* All properties, in one round trip; NULL in *props when there is no such bucket. */
int s3_read(struct task *task, struct observation *observation, const char *name,
            struct value **props, struct error *error);
/* What CreateBucket has not made as it is wanted. */
int s3_put_made(struct task *task, struct action *action, struct error *error);
/* What differs: the update verb. */
int s3_put_changes(struct task *task, struct action *action, struct error *error);

#endif
