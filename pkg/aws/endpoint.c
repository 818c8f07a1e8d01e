#include "pkg/aws/endpoint.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct partition {
    const char *region_prefix; /* of its regions' names */
    const char *name, *suffix, *dual_suffix;
    const char *global_infix, *global_dual_infix; /* "iam" + this + suffix */
    const char *global_region;
};

static const struct partition partitions[] = {
    {"cn-", "aws-cn", ".amazonaws.com.cn", ".api.amazonwebservices.com.cn", ".cn-north-1",
     ".global", "cn-north-1"},
    {"us-gov-", "aws-us-gov", ".amazonaws.com", ".api.aws", ".us-gov", ".us-gov", "us-gov-west-1"},
    {"us-iso-", "aws-iso", ".c2s.ic.gov", ".api.aws.ic.gov", ".us-iso-east-1", "", "us-iso-east-1"},
    {"us-isob-", "aws-iso-b", ".sc2s.sgov.gov", ".api.aws.scloud", ".us-isob-east-1", "",
     "us-isob-east-1"},
    {"eusc-", "aws-eusc", ".amazonaws.eu", ".api.amazonwebservices.eu", ".eusc-de-east-1", "",
     "eusc-de-east-1"},
    {"", "aws", ".amazonaws.com", ".api.aws", "", ".global", "us-east-1"},
};

static const struct partition *partition_of(const char *region)
{
    const struct partition *partition = partitions;
    while (strncmp(region, partition->region_prefix, strlen(partition->region_prefix)) != 0)
        partition++;
    return partition;
}

const char *endpoint_partition(const char *region)
{
    return partition_of(region)->name;
}

/* -- overrides -- */

typedef const char *get_variable(const char *name);

static bool is_true(get_variable *getenv, const char *name)
{
    const char *value = getenv(name);
    return value && strcasecmp(value, "true") == 0;
}

static const char *find_override(struct arena *arena, const struct aws_service *service,
                                 get_variable *getenv)
{
    if (is_true(getenv, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return NULL;
    const char *url = getenv(arena_printf(arena, "AWS_ENDPOINT_URL_%s", service->sdk_id));
    if (!url || !*url)
        url = getenv("AWS_ENDPOINT_URL");
    return url && *url ? url : NULL;
}

/* "https://host:443/" has the Host header "host", "http://host:8080" has "host:8080". */
static const char *host_header(struct arena *arena, const char *authority, size_t length, bool tls)
{
    const char *host = arena_strndup(arena, authority, length);
    const char *standard = tls ? ":443" : ":80";
    size_t port = strlen(standard);
    if (length > port && strcmp(host + length - port, standard) == 0)
        return arena_strndup(arena, host, length - port);
    return host;
}

static int take_override(struct arena *arena, const char *url, struct endpoint *out,
                         struct error *error)
{
    bool tls = strncasecmp(url, "https://", 8) == 0;
    if (!tls && strncasecmp(url, "http://", 7) != 0)
        return error_set(error, ERR_INPUT,
                         "the endpoint URL \"%s\" is none: it begins with neither http:// nor "
                         "https:// (AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_<SERVICE>)",
                         url);
    const char *authority = url + (tls ? 8 : 7);
    size_t length = strcspn(authority, "/?#"), end = length + strcspn(authority + length, "?#");
    while (end > length && authority[end - 1] == '/')
        end--;
    if (length == 0 || memchr(authority, '@', length))
        return error_set(error, ERR_INPUT,
                         "the endpoint URL in AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_<SERVICE> names "
                         "no plain host");
    out->base = arena_strndup(arena, url, (size_t)(authority - url) + end);
    out->host = host_header(arena, authority, length, tls);
    out->path = arena_strndup(arena, authority + length, end - length);
    return 0;
}

/* -- AWS's own hosts -- */

/* A name that can stand as one label of a host, under the wildcard of S3's certificate. */
static bool is_host_label(const char *bucket)
{
    size_t length = strlen(bucket);
    for (const char *c = bucket; *c; c++)
        if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '-')
            return false;
    return length >= 3 && length <= 63 && bucket[0] != '-' && bucket[length - 1] != '-';
}

static void make_host(struct arena *arena, const struct aws_service *service,
                      const struct partition *partition, const char *region, get_variable *getenv,
                      struct endpoint *out)
{
    bool dual = is_true(getenv, "AWS_USE_DUALSTACK_ENDPOINT");
    bool s3 = strcmp(service->id, "s3") == 0;
    const char *fips = is_true(getenv, "AWS_USE_FIPS_ENDPOINT") ? "-fips" : "";
    const char *suffix = dual && !s3 ? partition->dual_suffix : partition->suffix;
    if (service->global_host)
        out->host =
            arena_printf(arena, "%s%s%s%s", service->endpoint_prefix, fips,
                         dual ? partition->global_dual_infix : partition->global_infix, suffix);
    else
        out->host = arena_printf(arena, "%s%s%s.%s%s", service->endpoint_prefix, fips,
                                 dual && s3 ? ".dualstack" : "", region, suffix);
}

int endpoint_resolve(struct arena *arena, const struct aws_service *service, const char *region,
                     const char *bucket, const char *(*getenv)(const char *name),
                     struct endpoint *out, struct error *error)
{
    const struct partition *partition = partition_of(region);
    bool own_partition = strcmp(partition->name, "aws") == 0;
    *out = (struct endpoint){.path = "", .signing_region = region};
    if (service->global_region)
        out->signing_region = own_partition ? service->global_region : partition->global_region;
    const char *url = find_override(arena, service, getenv);
    if (url)
        return take_override(arena, url, out, error);
    make_host(arena, service, partition, out->signing_region, getenv, out);
    if (bucket && is_host_label(bucket)) {
        out->host = arena_printf(arena, "%s.%s", bucket, out->host);
        out->bucket_in_host = true;
    }
    out->base = arena_printf(arena, "https://%s", out->host);
    return 0;
}
