/* Calls to AWS: encoded, paced, signed, sent, retried, decoded.
 *
 * Parameters and replies are values in the wire's own member names:
 * - ec2 and query: maps and lists flatten to `A.B.1.C`. Lists number their items and nothing else,
 *   so wrappers are written out: {"Filter": [{"Name": .., "Value": [..]}]} for ec2,
 *   {"Tags": {"Tag": [..]}} or {"Auth": {"member": [..]}} for query.
 * - json, rest-json: the members as the API reference writes them.
 * - rest-xml: {"Status": "Enabled"} is the content of the operation's root element.
 * - XML replies become maps of elements; repeated elements become lists, a single one does not:
 *   read lists with value_each, which takes both. Query replies start inside <XResult>. All XML
 *   scalars are strings. An empty element is an empty map.
 * - A raw body (GetObject, GetBucketPolicy, Invoke, InvokeModel) is a string.
 *
 * Retries: one policy (pkg/aws/retry.h). A changing call whose reply was lost and that could be
 * done twice is not repeated: ERR_LOST_REPLY. So is one with a condition (IfMatch, IfNoneMatch,
 * RevisionId), since its repeat would fail by its own success.
 * Errors: AWS's code is in error->aws_code, its text in the message, the HTTP status in
 * error->http_status; code is ERR_NOT_FOUND, ERR_EXISTS, ERR_DENIED, ERR_CONFLICT (in use, wrong
 * state, a condition that does not hold), ERR_THROTTLED or ERR_FAILED. Parameters that cannot be
 * sent are ERR_INPUT. Where AWS answers 200 although some items failed (DeleteObjects,
 * DeleteVpcEndpoints, TagResources), the first of them is the error. */
#ifndef RAGSTACK_AWS_CLIENT_H
#define RAGSTACK_AWS_CLIENT_H

#include "pkg/aws/credentials.h"
#include "pkg/aws/service.h"
#include "pkg/http/http.h"
#include "pkg/value/value.h"

struct aws_client;

struct aws_client_options {
    struct transport *transport;
    struct clock *clock;
    struct credential_provider *credentials;
    const char *region;                      /* copied */
    const char *(*getenv)(const char *name); /* AWS_ENDPOINT_URL...; NULL: the process's */
    int patience_s;                          /* with throttles, a call; 0: five minutes */
};

struct aws_client *aws_client_new(const struct aws_client_options *options);
void aws_client_free(struct aws_client *client);
const char *aws_client_region(const struct aws_client *client);
/* "aws", "aws-cn", "aws-us-gov" ...: by the region. */
const char *aws_client_partition(const struct aws_client *client);

/* `parameters` may be NULL, and `reply` too. The reply lives in `arena`. */
int aws_call(struct task *task, struct aws_client *client, struct arena *arena,
             const struct aws_service *service, const char *operation,
             const struct value *parameters, struct value **reply, struct error *error);

/* Follows the pages of a listing operation, and gives all items as one list. */
int aws_list(struct task *task, struct aws_client *client, struct arena *arena,
             const struct aws_service *service, const char *operation,
             const struct value *parameters, struct value **items, struct error *error);

struct aws_reply {
    struct value *value;    /* NULL for raw bodies */
    struct http_reply http; /* headers (lower case) and raw body */
};
/* For a reply's headers (ETag) or a large raw body. */
int aws_call_raw(struct task *task, struct aws_client *client, struct arena *arena,
                 const struct aws_service *service, const char *operation,
                 const struct value *parameters, struct aws_reply *reply, struct error *error);

/* Counters since the client was made: for the tests, the benchmarks and -v. */
struct aws_statistics {
    int requests; /* sent: reads + writes */
    int reads, writes, retries, throttles;
    int64_t paced_ms; /* waited for pacing, over all calls */
};
struct aws_statistics aws_client_statistics(const struct aws_client *client);
/* Called before each changing request is sent; nonzero stops it (the lease was lost). */
void aws_client_set_guard(struct aws_client *client, int (*guard)(void *data, struct error *error),
                          void *data);

#endif
