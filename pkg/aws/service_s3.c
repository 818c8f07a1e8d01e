#include <stddef.h>

#include "pkg/aws/service.h"

#define BUCKET "/{Bucket}"
#define OBJECT "/{Bucket}/{Key+}"
#define OWNER "ExpectedBucketOwner=x-amz-expected-bucket-owner"
#define CONDITIONS " IfMatch=If-Match IfNoneMatch=If-None-Match"
#define ENCRYPTION                                       \
    " ServerSideEncryption=x-amz-server-side-encryption" \
    " SSEKMSKeyId=x-amz-server-side-encryption-aws-kms-key-id"
#define ROW(operation, http_method, http_path, more, ...)                                         \
    {                                                                                             \
        .name = (operation), .method = (http_method), .path = (http_path), .headers = OWNER more, \
        __VA_ARGS__                                                                               \
    }
#define PUT_XML(operation, http_path, element) \
    ROW(operation, "PUT", http_path, "", .root = (element), .checksum = true)

static const struct aws_operation operations[] = {
    {.name = "ListBuckets",
     .method = "GET",
     .path = "/",
     .query = "MaxBuckets=max-buckets ContinuationToken=continuation-token Prefix=prefix "
              "BucketRegion=bucket-region",
     .page_in = "ContinuationToken",
     .page_out = "ContinuationToken",
     .page_items = "Buckets.Bucket"},
    {.name = "CreateBucket",
     .method = "PUT",
     .path = BUCKET,
     .headers = "ACL=x-amz-acl ObjectOwnership=x-amz-object-ownership "
                "ObjectLockEnabledForBucket=x-amz-bucket-object-lock-enabled",
     .root = "CreateBucketConfiguration",
     .body_optional = true},
    ROW("HeadBucket", "HEAD", BUCKET, "", ),
    ROW("DeleteBucket", "DELETE", BUCKET, "", ),
    ROW("GetBucketLocation", "GET", BUCKET "?location", "", ),

    PUT_XML("PutBucketVersioning", BUCKET "?versioning", "VersioningConfiguration"),
    ROW("GetBucketVersioning", "GET", BUCKET "?versioning", "", ),
    PUT_XML("PutBucketEncryption", BUCKET "?encryption", "ServerSideEncryptionConfiguration"),
    ROW("GetBucketEncryption", "GET", BUCKET "?encryption", "", ),
    ROW("DeleteBucketEncryption", "DELETE", BUCKET "?encryption", "", ),
    PUT_XML("PutPublicAccessBlock", BUCKET "?publicAccessBlock", "PublicAccessBlockConfiguration"),
    ROW("GetPublicAccessBlock", "GET", BUCKET "?publicAccessBlock", "", ),
    ROW("DeletePublicAccessBlock", "DELETE", BUCKET "?publicAccessBlock", "", ),
    PUT_XML("PutBucketTagging", BUCKET "?tagging", "Tagging"),
    ROW("GetBucketTagging", "GET", BUCKET "?tagging", "", .page_items = "TagSet.Tag"),
    ROW("DeleteBucketTagging", "DELETE", BUCKET "?tagging", "", ),
    PUT_XML("PutBucketOwnershipControls", BUCKET "?ownershipControls", "OwnershipControls"),
    ROW("GetBucketOwnershipControls", "GET", BUCKET "?ownershipControls", "", ),
    ROW("DeleteBucketOwnershipControls", "DELETE", BUCKET "?ownershipControls", "", ),
    ROW("PutBucketPolicy", "PUT", BUCKET "?policy",
        " ConfirmRemoveSelfBucketAccess=x-amz-confirm-remove-self-bucket-access",
        .payload = "Policy", .checksum = true),
    ROW("GetBucketPolicy", "GET", BUCKET "?policy", "", .body_is_raw = true),
    ROW("DeleteBucketPolicy", "DELETE", BUCKET "?policy", "", ),
    ROW("PutBucketLifecycleConfiguration", "PUT", BUCKET "?lifecycle",
        " TransitionDefaultMinimumObjectSize=x-amz-transition-default-minimum-object-size",
        .root = "LifecycleConfiguration", .checksum = true),
    ROW("GetBucketLifecycleConfiguration", "GET", BUCKET "?lifecycle", "", .page_items = "Rule"),
    ROW("DeleteBucketLifecycle", "DELETE", BUCKET "?lifecycle", "", ),
    ROW("PutBucketNotificationConfiguration", "PUT", BUCKET "?notification",
        " SkipDestinationValidation=x-amz-skip-destination-validation",
        .root = "NotificationConfiguration"),
    ROW("GetBucketNotificationConfiguration", "GET", BUCKET "?notification", "", ),

    ROW("PutObject", "PUT", OBJECT,
        CONDITIONS ENCRYPTION " ContentType=Content-Type ContentEncoding=Content-Encoding "
                              "CacheControl=Cache-Control Tagging=x-amz-tagging "
                              "Metadata=x-amz-meta-*",
        .payload = "Body", .checksum = true),
    ROW("GetObject", "GET", OBJECT, CONDITIONS " Range=Range", .query = "VersionId=versionId",
        .body_is_raw = true, .timeout_s = 300),
    ROW("HeadObject", "HEAD", OBJECT, CONDITIONS, .query = "VersionId=versionId"),
    ROW("DeleteObject", "DELETE", OBJECT, " IfMatch=If-Match", .query = "VersionId=versionId"),
    ROW("DeleteObjects", "POST", BUCKET "?delete", "", .root = "Delete", .checksum = true,
        .repeat = AWS_REPEAT_ALWAYS),
    ROW("ListObjectsV2", "GET", BUCKET "?list-type=2", "",
        .query = "Delimiter=delimiter MaxKeys=max-keys Prefix=prefix StartAfter=start-after "
                 "ContinuationToken=continuation-token",
        .page_in = "ContinuationToken", .page_out = "NextContinuationToken",
        .page_items = "Contents"),
    ROW("ListObjectVersions", "GET", BUCKET "?versions", "",
        .query = "Delimiter=delimiter MaxKeys=max-keys Prefix=prefix KeyMarker=key-marker "
                 "VersionIdMarker=version-id-marker",
        .page_in = "KeyMarker VersionIdMarker", .page_out = "NextKeyMarker NextVersionIdMarker",
        .page_items = "Version DeleteMarker"),

    ROW("CreateMultipartUpload", "POST", OBJECT "?uploads",
        ENCRYPTION " ContentType=Content-Type ChecksumAlgorithm=x-amz-checksum-algorithm", ),
    ROW("UploadPart", "PUT", OBJECT, "", .query = "PartNumber=partNumber UploadId=uploadId",
        .payload = "Body", .checksum = true, .repeat = AWS_REPEAT_ALWAYS),
    ROW("CompleteMultipartUpload", "POST", OBJECT, CONDITIONS, .query = "UploadId=uploadId",
        .root = "CompleteMultipartUpload"),
    ROW("AbortMultipartUpload", "DELETE", OBJECT, "", .query = "UploadId=uploadId",
        .repeat = AWS_REPEAT_ALWAYS),
    ROW("ListMultipartUploads", "GET", BUCKET "?uploads", "",
        .query = "Prefix=prefix KeyMarker=key-marker UploadIdMarker=upload-id-marker "
                 "MaxUploads=max-uploads",
        .page_in = "KeyMarker UploadIdMarker", .page_out = "NextKeyMarker NextUploadIdMarker",
        .page_items = "Upload"),
    {.name = NULL},
};

const struct aws_service aws_s3 = {
    .id = "s3",
    .sdk_id = "S3",
    .endpoint_prefix = "s3",
    .signing_name = "s3",
    .protocol = AWS_REST_XML,
    .version = "2006-03-01",
    .calls_per_s = 50,
    .burst = 100,
    .operations = operations,
};
