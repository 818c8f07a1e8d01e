/* Where a call goes, and in which region's name it is signed. */
#ifndef RAGSTACK_AWS_ENDPOINT_H
#define RAGSTACK_AWS_ENDPOINT_H

#include "pkg/aws/service.h"
#include "pkg/base/arena.h"
#include "pkg/base/error.h"

struct endpoint {
    const char *base; /* "https://ec2.eu-west-1.amazonaws.com", with the path of an override,
                         without a final slash */
    const char *host; /* as the Host header says it: with a port that is not the scheme's own */
    const char *path; /* of the override: "" mostly */
    const char *signing_region;
    bool bucket_in_host; /* S3: the bucket's name is part of the host */
};

/* The partition that a region belongs to: "aws", "aws-cn", "aws-us-gov" ... */
const char *endpoint_partition(const char *region);

/* AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL (unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is
 * true), AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT are read by `getenv`. `bucket` is
 * NULL but for S3's calls on one. ERR_INPUT when an override is no http or https URL. */
int endpoint_resolve(struct arena *arena, const struct aws_service *service, const char *region,
                     const char *bucket, const char *(*getenv)(const char *name),
                     struct endpoint *out, struct error *error);

#endif
