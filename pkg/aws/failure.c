#include "pkg/aws/failure.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "pkg/aws/xml.h"
#include "pkg/value/json.h"

/* -- reading -- */

const char *failure_request_id(const struct http_reply *reply)
{
    static const char *const names[] = {"x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id",
                                        "apigw-requestid"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *id = http_header(reply, names[i]);
        if (id && *id)
            return id;
    }
    return "";
}

static const char *first_text(const struct value *map, const char *const *names)
{
    for (; *names; names++) {
        const char *text = value_text(map, *names);
        if (text && *text)
            return text;
    }
    return NULL;
}

static const char *const message_names[] = {"message", "Message", "errorMessage", NULL};
static const char *const code_names[] = {"__type", "code", "Code", "errorType", NULL};

/* "com.amazon.coral#ThrottlingException:http://..." is a ThrottlingException. */
static const char *bare_code(struct arena *arena, const char *code)
{
    const char *hash = strchr(code, '#');
    if (hash)
        code = hash + 1;
    return arena_strndup(arena, code, strcspn(code, ":;"));
}

/* <ErrorResponse><Error>, <Response><Errors><Error>, <Error>, or an element named by the code. */
static void read_xml(struct arena *arena, const struct http_reply *reply, struct failure *out)
{
    const char *root;
    struct value *content;
    if (xml_parse(arena, reply->body, reply->body_length, "the reply", &root, &content, NULL))
        return;
    const struct value *error = content;
    if (strcmp(root, "ErrorResponse") == 0)
        error = value_get(content, "Error");
    else if (strcmp(root, "Response") == 0)
        error = value_item(value_at(content, "Errors.Error"), 0);
    const char *code = value_text(error, "Code"), *message = first_text(error, message_names);
    if (!code && message && error == content && strcmp(root, "Error") != 0)
        code = root;
    static const char *const id_names[] = {"RequestId", "RequestID", "requestId", NULL};
    const char *id = first_text(content, id_names);
    out->code = code ? code : out->code;
    out->message = message ? message : out->message;
    out->request_id = id ? id : out->request_id;
}

static void read_json(struct arena *arena, const struct http_reply *reply, struct failure *out)
{
    struct value *body;
    if (json_parse(arena, reply->body, reply->body_length, "the reply", &body, NULL))
        return;
    const char *code = first_text(body, code_names), *message = first_text(body, message_names);
    out->code = code ? bare_code(arena, code) : out->code;
    out->message = message ? message : out->message;
}

static void read_headers(struct arena *arena, const struct http_reply *reply, struct failure *out)
{
    const char *code = http_header(reply, "x-amzn-query-error"); /* "Code;Sender" */
    if (!code)
        code = http_header(reply, "x-amzn-errortype");
    if (code && *code)
        out->code = bare_code(arena, code);
}

/* Replies to HEAD and a few others have no body: the status is all there is. */
static void read_status(struct failure *out)
{
    static const struct {
        int status;
        const char *code, *message;
    } known[] = {
        {304, "NotModified", "it has not changed"},
        {400, "BadRequest", "the request is wrong"},
        {403, "AccessDenied", "access is denied"},
        {404, "NotFound", "it does not exist"},
        {405, "MethodNotAllowed", "the method is not allowed here"},
        {409, "Conflict", "it conflicts with another operation"},
        {412, "PreconditionFailed", "a condition of the request does not hold"},
        {429, "TooManyRequests", "too many requests"},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (known[i].status == out->status) {
            out->code = known[i].code;
            out->message = known[i].message;
        }
    }
}

static const char *describe_unread(struct arena *arena, const struct http_reply *reply)
{
    const char *type = http_header(reply, "content-type");
    if (reply->body_length == 0)
        return arena_printf(arena, "HTTP %d without a body", reply->status);
    return arena_printf(arena, "HTTP %d with a body that is no AWS error (%zu bytes of %s)",
                        reply->status, reply->body_length, type && *type ? type : "unknown type");
}

void failure_read(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                  struct failure *out)
{
    const char *body = reply->body ? reply->body : "";
    *out = (struct failure){.status = reply->status,
                            .code = "",
                            .message = "",
                            .request_id = failure_request_id(reply),
                            .date = http_header(reply, "date")};
    while (isspace((unsigned char)*body))
        body++;
    if (*body == '<')
        read_xml(arena, reply, out);
    else if (*body == '{')
        read_json(arena, reply, out);
    read_headers(arena, reply, out);
    if (!*out->code && !*body)
        read_status(out);
    if (!*out->message)
        out->message = *out->code ? "no further message" : describe_unread(arena, reply);
    const char *region = http_header(reply, "x-amz-bucket-region");
    if (region && call->service->protocol == AWS_REST_XML && reply->status < 400)
        out->message = arena_printf(arena, "%s (the bucket is in region %s)", out->message, region);
}

/* -- failures in success -- */

static const struct {
    const char *operation, *items, *code, *message, *which;
} partial_failures[] = {
    {"DeleteObjects", "Error", "Code", "Message", "Key"},
    {"DeleteVpcEndpoints", "unsuccessful.item", "error.code", "error.message", "resourceId"},
    {"TagResources", "FailedResourcesMap", "ErrorCode", "ErrorMessage", NULL},
    {"UntagResources", "FailedResourcesMap", "ErrorCode", "ErrorMessage", NULL},
};

/* FailedResourcesMap is keyed by ARN; the others are lists. */
static const struct value *first_failed(const struct value *items, const char *path)
{
    if (strcmp(path, "FailedResourcesMap") == 0)
        return value_count(items) ? value_entry(items, 0)->value : NULL;
    return value_item(items, 0);
}

static bool failed_item(struct arena *arena, const struct wire_call *call,
                        const struct http_reply *reply, const struct value *value,
                        struct failure *out)
{
    for (size_t i = 0; i < COUNT_OF(partial_failures); i++) {
        if (strcmp(call->operation, partial_failures[i].operation) != 0)
            continue;
        const char *path = partial_failures[i].items;
        const struct value *items = value_at(value, path), *failed = first_failed(items, path);
        if (!failed)
            return false;
        const char *code = value_text_at(failed, partial_failures[i].code);
        const char *message = value_text_at(failed, partial_failures[i].message);
        const char *which =
            partial_failures[i].which ? value_text_at(failed, partial_failures[i].which) : NULL;
        size_t count = items->kind == VALUE_MAP && failed != items ? value_count(items)
                                                                   : value_item_count(items);
        *out = (struct failure){.status = reply->status,
                                .code = code ? code : "",
                                .message = arena_printf(arena, "%s%s%s (%zu failed)",
                                                        which ? which : "", which ? ": " : "",
                                                        message ? message : "no message", count),
                                .request_id = failure_request_id(reply)};
        return true;
    }
    return false;
}

/* A function that failed: Invoke says so in a header, and the body is the function's. */
static bool failed_function(struct arena *arena, const struct wire_call *call,
                            const struct http_reply *reply, struct failure *out)
{
    if (!http_header(reply, "x-amz-function-error"))
        return false;
    failure_read(arena, call, reply, out);
    return true;
}

bool failure_in_success(struct arena *arena, const struct wire_call *call,
                        const struct http_reply *reply, const struct value *value,
                        struct failure *out)
{
    return failed_item(arena, call, reply, value, out) || failed_function(arena, call, reply, out);
}

/* -- what a code means -- */

static bool is_one_of(const char *code, const char *const *codes)
{
    for (; *codes; codes++)
        if (strcmp(code, *codes) == 0)
            return true;
    return false;
}

/* LimitExceededException is not among them: where this program calls, it is a hard quota. */
bool failure_is_throttle(const struct failure *failure)
{
    static const char *const codes[] = {"Throttling",
                                        "ThrottlingException",
                                        "Throttled",
                                        "ThrottledException",
                                        "RequestThrottled",
                                        "RequestThrottledException",
                                        "TooManyRequests",
                                        "TooManyRequestsException",
                                        "ProvisionedThroughputExceededException",
                                        "RequestLimitExceeded",
                                        "BandwidthLimitExceeded",
                                        "SlowDown",
                                        "EC2ThrottledException",
                                        NULL};
    return is_one_of(failure->code, codes) || (failure->status == 429 && !*failure->code);
}

bool failure_is_expiry(const struct failure *failure)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException", "RequestExpired",
                                        "TokenRefreshRequired", NULL};
    return is_one_of(failure->code, codes);
}

bool failure_is_clock(const struct failure *failure)
{
    static const char *const codes[] = {"RequestTimeTooSkewed",
                                        "RequestExpired",
                                        "RequestInTheFuture",
                                        "InvalidSignatureException",
                                        "SignatureDoesNotMatch",
                                        "AuthFailure",
                                        NULL};
    return is_one_of(failure->code, codes);
}

bool failure_is_passing(const struct failure *failure)
{
    static const char *const codes[] = {"RequestTimeout",
                                        "RequestTimeoutException",
                                        "PriorRequestNotComplete",
                                        "TransactionInProgressException",
                                        "ModelNotReadyException",
                                        "ConcurrentModification",
                                        "ConcurrentModificationException",
                                        "ConcurrentAccess",
                                        "ConcurrentAccessException",
                                        "OperationAborted",
                                        "OperationAbortedException",
                                        "EntityTemporarilyUnmodifiable",
                                        NULL};
    return is_one_of(failure->code, codes);
}

/* -- as an error -- */

static bool contains_one_of(const char *text, const char *const *parts)
{
    for (; *parts; parts++)
        if (strstr(text, *parts))
            return true;
    return false;
}

static int code_by_name(const struct failure *failure)
{
    static const char *const missing[] = {"NotFound", "NoSuch", NULL};
    static const char *const taken[] = {
        "AlreadyExist",      "AlreadyOwnedByYou",       ".Duplicate", "AlreadyAssociated",
        "AlreadyRegistered", "ResourceExistsException", NULL};
    static const char *const denied[] = {"AccessDenied",
                                         "Unauthorized",
                                         "NotAuthorized",
                                         "AuthorizationError",
                                         "AuthFailure",
                                         "UnrecognizedClient",
                                         "InvalidClientTokenId",
                                         "InvalidAccessKeyId",
                                         "SignatureDoesNotMatch",
                                         "InvalidSignature",
                                         "ExpiredToken",
                                         "RequestExpired",
                                         "MissingAuthenticationToken",
                                         "OptInRequired",
                                         NULL};
    static const char *const conflicts[] = {"Conflict",
                                            "InUse",
                                            "DependencyViolation",
                                            "StateFault",
                                            "InvalidState",
                                            "NotReady",
                                            "Incorrect",
                                            "NotEmpty",
                                            "Concurrent",
                                            "OperationAborted",
                                            "Busy",
                                            "Precondition",
                                            "Unmodifiable",
                                            NULL};
    const char *code = failure->code;
    if (contains_one_of(code, taken))
        return ERR_EXISTS;
    if (contains_one_of(code, missing))
        return ERR_NOT_FOUND;
    if (contains_one_of(code, denied))
        return ERR_DENIED;
    if (contains_one_of(code, conflicts) ||
        (strncmp(code, "Invalid", 7) == 0 && strstr(code, "State"))) /* InvalidDBInstanceState */
        return strstr(failure->message, "already exist") ? ERR_EXISTS : ERR_CONFLICT;
    return 0;
}

static int error_code(const struct failure *failure)
{
    static const char *const quotas[] = {"LimitExceeded", "QuotaExceeded", NULL};
    if (failure_is_throttle(failure))
        return ERR_THROTTLED;
    if (contains_one_of(failure->code, quotas))
        return ERR_FAILED; /* whatever its status: waiting does not help */
    int code = *failure->code ? code_by_name(failure) : 0;
    if (code)
        return code;
    if (failure->status == 401 || failure->status == 403)
        return ERR_DENIED;
    if (failure->status == 404 && *failure->code)
        return ERR_NOT_FOUND;
    if (failure->status == 409 || failure->status == 412)
        return ERR_CONFLICT;
    return ERR_FAILED;
}

int failure_to_error(const struct wire_call *call, const struct failure *failure,
                     struct error *error)
{
    if (!error)
        return error_code(failure);
    error_set(error, error_code(failure), "%s %s: %s%s%s", call->service->id, call->operation,
              failure->code, *failure->code ? ": " : "", failure->message);
    error->http_status = failure->status;
    snprintf(error->aws_code, sizeof error->aws_code, "%s", failure->code);
    snprintf(error->request_id, sizeof error->request_id, "%s", failure->request_id);
    return error->code;
}
