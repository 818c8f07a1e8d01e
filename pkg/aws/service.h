/* The AWS services that the program speaks to, and their operations, as tables.
 *
 * Source: aws-api model facts (protocol, version, target prefix, endpoint prefix, signing name) of
 * each service's public API reference. */
#ifndef RAGSTACK_AWS_SERVICE_H
#define RAGSTACK_AWS_SERVICE_H

#include <stdbool.h>

enum aws_protocol { AWS_EC2, AWS_QUERY, AWS_JSON, AWS_REST_JSON, AWS_REST_XML };

/* What may be done when the reply of a changing call is lost. */
enum aws_repeat {
    AWS_REPEAT_BY_NAME, /* Describe, Get, List, Head, Put, Modify, Update, Set, Delete, Remove, Tag,
                           Untag, and what reads: repeat; others: once */
    AWS_REPEAT_ALWAYS,  /* repeating has the same effect */
    AWS_REPEAT_TOKEN,   /* carries an idempotency token (filled in when absent): repeat */
    AWS_REPEAT_NEVER,   /* could be done twice: ERR_LOST_REPLY, and the caller looks it up */
};

/* Only operations that differ from their service's rule need a row; REST operations all have one.
 * Paths name members of the parameters: "/v2/apis/{apiId}/routes/{routeId}" ({Key+} keeps '/').
 * Members of path, query and headers may be given with their first letter in either case, since
 * API references differ in it; members of bodies go as they are. */
struct aws_operation {
    const char *name;
    const char *method, *path;
    const char *query;   /* members that go into the query string: "Qualifier TagKeys=tagKeys" */
    const char *headers; /* members that go into headers: "IfMatch=If-Match"; a map whose header
                            ends with '*' gives one each: "Metadata=x-amz-meta-*" */
    const char *payload; /* member whose raw bytes are the body; NULL: the members left over */
    const char *root;    /* rest-xml: the body's root element */
    const char *token;   /* member filled with an idempotency token when absent */
    enum aws_repeat repeat;
    /* Paging. Names of the members that take the next page's tokens, paths to where replies have
     * them, and paths of the items; several of each are separated by spaces. A listing that never
     * pages has only items. */
    const char *page_in, *page_out, *page_items;
    int timeout_s;      /* longer than http's; 0: that one */
    bool body_is_raw;   /* the reply's body is not decoded (GetObject, InvokeModel) */
    bool body_optional; /* rest-xml: no body rather than an empty root element */
    bool checksum;      /* S3 wants a checksum of the body */
    bool reads;         /* changes nothing, whatever its name says (AssumeRole, InvokeModel) */
};

struct aws_service {
    const char *id;              /* "ec2": in logs and errors */
    const char *sdk_id;          /* "CLOUDWATCH_LOGS": in AWS_ENDPOINT_URL_<ID> */
    const char *endpoint_prefix; /* host: <prefix>.<region>.amazonaws.com */
    const char *signing_name;
    enum aws_protocol protocol;
    const char *version;       /* ec2, query */
    const char *target_prefix; /* json: X-Amz-Target */
    const char *json_version;  /* "1.0", "1.1" */
    bool query_mode;           /* json: asks for the query protocol's error codes */
    const char *global_region; /* all calls go to, and are signed in, this region; NULL: the
                                  client's. Other partitions than "aws" have their own. */
    bool global_host;          /* at a host without a region (iam.amazonaws.com) */
    /* Client-side pacing of changing calls; 0: none. Reads get four times the rate and twice the
     * burst, or share the one bucket. */
    int calls_per_s, burst;
    bool one_bucket;
    const struct aws_operation *operations; /* ends with a NULL name */
};

extern const struct aws_service aws_ec2, aws_rds, aws_iam, aws_sns, aws_sts, aws_cloudwatch,
    aws_logs, aws_tagging, aws_quotas, aws_pricing, aws_lambda, aws_apigateway, aws_bedrock,
    aws_bedrock_runtime, aws_s3;

/* NULL if the operation has no row. */
const struct aws_operation *aws_operation(const struct aws_service *service, const char *name);
/* Does it change nothing? By its row, else by its name (Describe, Get, List, Head ...). */
bool aws_operation_reads(const struct aws_service *service, const char *name);
/* May it be sent again when its reply was lost? */
bool aws_operation_repeats(const struct aws_service *service, const char *name);

#endif
