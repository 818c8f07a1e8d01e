/* The ledger in S3, by conditional writes.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 *
 * 412: the condition does not hold. 409 ConditionalRequestConflict: another write was under way,
 * ask again. A repeated write whose first reply was lost finds its own success and gets 412, too:
 * whoever cares reads what stands there. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/ledger/ledger.h"

enum { CONFLICTS = 5, CONFLICT_DELAY_MS = 200 };

struct s3_ledger {
    struct ledger ledger;
    struct arena *arena;
    struct aws_client *client;
    const char *account, *bucket, *prefix;
};

/* Another account cannot be kept from making a bucket of this name first: the owner is checked. */
const char *ledger_bucket_name(struct arena *arena, const char *partition, const char *account,
                               const char *region)
{
    const char *text = arena_printf(arena, "ragstack ledger %s %s %s", partition, account, region);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), digest);
    return arena_printf(arena, "ragstack-%s-%s-%02x%02x%02x%02x", account, region, digest[0],
                        digest[1], digest[2], digest[3]);
}

/* -- calls -- */

static struct value *parameters_for(const struct s3_ledger *s3, struct arena *arena,
                                    const char *key)
{
    struct value *parameters = value_map(arena);
    value_set_text(arena, parameters, "Bucket", s3->bucket);
    value_set_text(arena, parameters, "ExpectedBucketOwner", s3->account);
    if (key)
        value_set(arena, parameters, "Key", value_printf(arena, "%s%s", s3->prefix, key));
    return parameters;
}

static bool is_no_bucket(const struct error *error)
{
    return strcmp(error->aws_code, "NoSuchBucket") == 0;
}

/* Hands over an error with what people must know of it. Returns the code. */
static int fail(struct s3_ledger *s3, int code, const char *what, struct error *own,
                struct error *error)
{
    s3->ledger.missing = is_no_bucket(own);
    if (code == ERR_NOT_FOUND && is_no_bucket(own))
        error_wrap(own, "there is no ledger yet (bucket %s)", s3->bucket);
    else if (code == ERR_DENIED)
        error_wrap(own,
                   "cannot %s the ledger: the credentials need S3 access to the bucket %s, which "
                   "must belong to account %s",
                   what, s3->bucket, s3->account);
    else
        error_wrap(own, "cannot %s the ledger %s", what, s3->ledger.place);
    own->code = code;
    if (error)
        *error = *own;
    return code;
}

/* -1 if the reply has no such time. */
static int64_t time_of(const struct http_reply *reply, const char *header)
{
    const char *text = http_header(reply, header);
    return text ? clock_parse(text) : -1;
}

static void learn_time(struct ledger *ledger, const struct http_reply *reply)
{
    int64_t server_ms = time_of(reply, "date");
    if (server_ms > 0)
        ledger->skew_ms = server_ms - ledger->clock->wall_ms(ledger->clock);
}

static void take_version(const struct http_reply *reply, char version[LEDGER_VERSION_BYTES])
{
    const char *etag = http_header(reply, "etag");
    snprintf(version, LEDGER_VERSION_BYTES, "%s", etag ? etag : "");
}

/* -- the table -- */

static int get(struct task *task, struct ledger *ledger, struct arena *arena, const char *key,
               struct ledger_object *out, struct error *error)
{
    struct s3_ledger *s3 = (struct s3_ledger *)ledger;
    struct aws_reply reply = {0};
    struct error own = {0};
    int result = aws_call_raw(task, s3->client, arena, &aws_s3, "GetObject",
                              parameters_for(s3, arena, key), &reply, &own);
    if (result < 0)
        return fail(s3, result, "read", &own, error);
    int64_t written_ms = time_of(&reply.http, "last-modified");
    int64_t now_ms = time_of(&reply.http, "date");
    learn_time(ledger, &reply.http);
    ledger->missing = false;
    *out = (struct ledger_object){.bytes = reply.http.body, .length = reply.http.body_length};
    out->age_ms = written_ms > 0 && now_ms > written_ms ? now_ms - written_ms : 0;
    take_version(&reply.http, out->version);
    return 0;
}

/* What a refused write means. */
static int judge(const char *condition, int code, const struct error *error)
{
    if (error->http_status == 412)
        return condition && strcmp(condition, LEDGER_ABSENT) == 0 ? ERR_EXISTS : ERR_CONFLICT;
    if (error->http_status == 409)
        return ERR_LOST_REPLY;
    if (code == ERR_NOT_FOUND && !is_no_bucket(error))
        return ERR_CONFLICT; /* a version is wanted of what is not there */
    return code;
}

static int put_once(struct task *task, struct s3_ledger *s3, struct arena *arena,
                    const struct value *parameters, const char *condition,
                    char version[LEDGER_VERSION_BYTES], struct error *error)
{
    struct aws_reply reply = {0};
    int result =
        aws_call_raw(task, s3->client, arena, &aws_s3, "PutObject", parameters, &reply, error);
    if (result < 0)
        return judge(condition, result, error);
    learn_time(&s3->ledger, &reply.http);
    s3->ledger.missing = false;
    take_version(&reply.http, version);
    return 0;
}

static int put(struct task *task, struct ledger *ledger, const char *key, const char *bytes,
               size_t length, const char *condition, char version[LEDGER_VERSION_BYTES],
               struct error *error)
{
    struct s3_ledger *s3 = (struct s3_ledger *)ledger;
    struct error own = {0};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = parameters_for(s3, arena, key);
    value_set(arena, parameters, "Body", value_string_n(arena, bytes, length));
    if (condition)
        value_set_text(arena, parameters,
                       strcmp(condition, LEDGER_ABSENT) == 0 ? "IfNoneMatch" : "IfMatch",
                       condition);
    for (int attempt = 1;; attempt++) {
        int result = put_once(task, s3, arena, parameters, condition, version, &own);
        if (result == 0)
            return 0;
        if (own.http_status != 409 || attempt == CONFLICTS)
            return fail(s3, result, "write to", &own, error);
        result = task_sleep(task, CONFLICT_DELAY_MS * attempt, error);
        if (result < 0)
            return result;
    }
}

static int remove_object(struct task *task, struct ledger *ledger, const char *key,
                         const char *version, struct error *error)
{
    struct s3_ledger *s3 = (struct s3_ledger *)ledger;
    struct error own = {0};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = parameters_for(s3, arena, key);
    value_set_text(arena, parameters, "IfMatch", version);
    int result = aws_call(task, s3->client, arena, &aws_s3, "DeleteObject", parameters, NULL, &own);
    if (result == 0 || own.http_status == 404)
        return 0;
    result = own.http_status == 412 || own.http_status == 409 ? ERR_CONFLICT : result;
    return fail(s3, result, "write to", &own, error);
}

static int list(struct task *task, struct ledger *ledger, struct arena *arena, const char *prefix,
                size_t most, const char ***keys, size_t *count, struct error *error)
{
    struct s3_ledger *s3 = (struct s3_ledger *)ledger;
    struct error own = {0};
    struct value *reply = NULL, *item;
    struct value *parameters = parameters_for(s3, arena, NULL);
    value_set(arena, parameters, "Prefix", value_printf(arena, "%s%s", s3->prefix, prefix));
    value_set_int(arena, parameters, "MaxKeys", (int64_t)most);
    *count = 0;
    int result =
        aws_call(task, s3->client, arena, &aws_s3, "ListObjectsV2", parameters, &reply, &own);
    ledger->missing = is_no_bucket(&own);
    if (result == ERR_NOT_FOUND)
        return 0;
    if (result < 0)
        return fail(s3, result, "read", &own, error);
    const struct value *contents = value_get(reply, "Contents");
    *keys = arena_array(arena, value_item_count(contents) + 1, sizeof **keys);
    value_each(item, contents)
    {
        const char *key = value_text(item, "Key");
        if (key && *count < most && strncmp(key, s3->prefix, strlen(s3->prefix)) == 0)
            (*keys)[(*count)++] = key + strlen(s3->prefix);
    }
    return 0;
}

/* Again after a lost reply: a bucket that is ours already is what was wanted. */
static int create_bucket(struct task *task, struct s3_ledger *s3, struct arena *arena,
                         const struct value *parameters, struct error *error)
{
    enum { TIMES = 3 };
    int result = ERR_LOST_REPLY;
    for (int i = 0; i < TIMES && result == ERR_LOST_REPLY; i++)
        result =
            aws_call(task, s3->client, arena, &aws_s3, "CreateBucket", parameters, NULL, error);
    return strcmp(error->aws_code, "BucketAlreadyOwnedByYou") == 0 ? 0 : result;
}

/* In us-east-1 a constraint is an error; everywhere else it is needed. New buckets are private,
 * encrypted, and without access lists by themselves. */
static int create(struct task *task, struct ledger *ledger, struct error *error)
{
    struct s3_ledger *s3 = (struct s3_ledger *)ledger;
    struct error own = {0};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = value_map(arena);
    const char *region = aws_client_region(s3->client);
    value_set_text(arena, parameters, "Bucket", s3->bucket);
    if (strcmp(region, "us-east-1") != 0)
        value_set_text(arena, parameters, "LocationConstraint", region);
    int result = create_bucket(task, s3, arena, parameters, &own);
    ledger->missing = false;
    if (result == 0)
        return 0;
    if (strcmp(own.aws_code, "BucketAlreadyExists") == 0)
        error_wrap(&own,
                   "the bucket name %s, where the ledger of this account and region belongs, is "
                   "taken by another account: ask AWS support for it",
                   s3->bucket);
    else
        error_wrap(&own, "cannot make the ledger's bucket %s", s3->bucket);
    if (error)
        *error = own;
    return result;
}

static void close_ledger(struct ledger *ledger)
{
    arena_free(((struct s3_ledger *)ledger)->arena);
}

struct ledger *ledger_s3_new(const struct ledger_s3_options *options)
{
    struct arena *arena = arena_new();
    struct s3_ledger *s3 = arena_new_of(arena, struct s3_ledger);
    const char *environment = options->environment[0] ? options->environment : "-";
    *s3 = (struct s3_ledger){
        .ledger = {.clock = options->clock,
                   .get = get,
                   .put = put,
                   .remove = remove_object,
                   .list = list,
                   .create = create,
                   .close = close_ledger},
        .arena = arena,
        .client = options->client,
        .account = arena_strdup(arena, options->account),
        .bucket = ledger_bucket_name(arena, options->partition, options->account,
                                     aws_client_region(options->client)),
        .prefix = arena_printf(arena, "%s/%s/", options->stack, environment),
    };
    s3->ledger.place =
        arena_printf(arena, "s3://%s/%s/%s", s3->bucket, options->stack, environment);
    return &s3->ledger;
}
