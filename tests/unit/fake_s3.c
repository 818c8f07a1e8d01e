#include "tests/unit/fake_s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pkg/base/vector.h"

struct fake_s3_object {
    const char *body, *etag;
    size_t length;
    int64_t written_ms;
};

static const char *environment(const char *name)
{
    return strcmp(name, "AWS_ENDPOINT_URL_S3") == 0 ? "http://127.0.0.1:9" : NULL;
}

static const char *http_date(struct arena *arena, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char text[64];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return arena_strdup(arena, text);
}

static int64_t now_ms(const struct fake_s3 *s3)
{
    return s3->clock->wall_ms(s3->clock) + s3->skew_ms;
}

/* -- replies -- */

static struct fake_reply reply(struct fake_s3 *s3, int status, const char *body, size_t length,
                               const struct fake_s3_object *object)
{
    struct arena *arena = s3->transport->arena;
    struct http_header *headers = arena_array(arena, 4, sizeof *headers);
    headers[0] = (struct http_header){"date", http_date(arena, now_ms(s3))};
    if (object) {
        headers[1] = (struct http_header){"etag", object->etag};
        headers[2] = (struct http_header){"last-modified", http_date(arena, object->written_ms)};
    }
    return (struct fake_reply){.status = status,
                               .body = body,
                               .body_length = length,
                               .headers = headers,
                               .delay_ms = s3->delay_ms};
}

static struct fake_reply refuse(struct fake_s3 *s3, int status, const char *code)
{
    const char *body = arena_printf(
        s3->transport->arena, "<Error><Code>%s</Code><Message>refused</Message></Error>", code);
    return reply(s3, status, body, strlen(body), NULL);
}

/* -- operations -- */

static struct fake_reply create_bucket(struct fake_s3 *s3, const char *name)
{
    if (s3->taken && strcmp(name, s3->taken) == 0)
        return refuse(s3, 409, "BucketAlreadyExists");
    if (s3->bucket && strcmp(name, s3->bucket) == 0)
        return refuse(s3, 409, "BucketAlreadyOwnedByYou");
    s3->bucket = name;
    return reply(s3, 200, "", 0, NULL);
}

static struct fake_reply put_object(struct fake_s3 *s3, const struct fake_request *request,
                                    const char *key)
{
    struct arena *arena = s3->transport->arena;
    const struct fake_s3_object *old = map_get(&s3->objects, key);
    const char *match = fake_header(request, "If-Match");
    if (fake_header(request, "If-None-Match") && old)
        return refuse(s3, 412, "PreconditionFailed");
    if (match && !old)
        return refuse(s3, 404, "NoSuchKey");
    if (match && strcmp(match, old->etag) != 0)
        return refuse(s3, 412, "PreconditionFailed");
    struct fake_s3_object *object = arena_new_of(arena, struct fake_s3_object);
    *object = (struct fake_s3_object){
        .body = arena_strndup(arena, request->body, request->body_length),
        .length = request->body_length,
        .etag = arena_printf(arena, "\"etag-%d\"", ++s3->writes),
        .written_ms = now_ms(s3),
    };
    map_put(&s3->objects, key, object);
    return reply(s3, 200, "", 0, object);
}

static struct fake_reply get_object(struct fake_s3 *s3, const char *key)
{
    const struct fake_s3_object *object = map_get(&s3->objects, key);
    return object ? reply(s3, 200, object->body, object->length, object)
                  : refuse(s3, 404, "NoSuchKey");
}

static struct fake_reply delete_object(struct fake_s3 *s3, const struct fake_request *request,
                                       const char *key)
{
    const struct fake_s3_object *object = map_get(&s3->objects, key);
    const char *match = fake_header(request, "If-Match");
    if (match && !object)
        return refuse(s3, 404, "NoSuchKey");
    if (match && strcmp(match, object->etag) != 0)
        return refuse(s3, 412, "PreconditionFailed");
    map_put(&s3->objects, key, NULL);
    return reply(s3, 204, "", 0, NULL);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The value of a query parameter, its %2F decoded. */
static const char *parameter(struct arena *arena, const char *query, const char *name)
{
    const char *found = strstr(query, arena_printf(arena, "%s=", name));
    if (!found)
        return "";
    char *text = arena_strdup(arena, found + strlen(name) + 1), *end = text;
    for (const char *at = text; *at && *at != '&'; at++) {
        bool slash = strncmp(at, "%2F", 3) == 0;
        *end++ = slash ? '/' : *at;
        at += slash ? 2 : 0;
    }
    *end = '\0';
    return text;
}

static struct fake_reply list_objects(struct fake_s3 *s3, const char *query)
{
    struct arena *arena = s3->transport->arena;
    const char *prefix = parameter(arena, query, "prefix");
    const char **keys = arena_array(arena, s3->objects.count + 1, sizeof *keys);
    long most = strtol(parameter(arena, query, "max-keys"), NULL, 10);
    size_t count = 0;
    for (size_t i = 0; i < s3->objects.count; i++) {
        const struct map_entry *entry = &s3->objects.entries[i];
        if (entry->value && strncmp(entry->key, prefix, strlen(prefix)) == 0)
            keys[count++] = entry->key;
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    const char *body = "<ListBucketResult>";
    for (size_t i = 0; i < count && (long)i < most; i++)
        body = arena_printf(arena, "%s<Contents><Key>%s</Key></Contents>", body, keys[i]);
    body = arena_printf(arena, "%s</ListBucketResult>", body);
    return reply(s3, 200, body, strlen(body), NULL);
}

/* -- the server -- */

static struct fake_reply serve(struct fake_s3 *s3, const struct fake_request *request)
{
    struct arena *arena = s3->transport->arena;
    const char *path = strstr(request->url, "://") + 3;
    path = strchr(path, '/') + 1;
    const char *bucket = arena_strndup(arena, path, strcspn(path, "/?"));
    const char *rest = path + strlen(bucket), *query = strchr(rest, '?');
    const char *key = rest[0] == '/' ? arena_strndup(arena, rest + 1, strcspn(rest + 1, "?")) : "";
    const char *owner = fake_header(request, "x-amz-expected-bucket-owner");
    if (!*key && strcmp(request->method, "PUT") == 0)
        return create_bucket(s3, bucket);
    s3->without_owner += !owner;
    if (!s3->bucket || strcmp(bucket, s3->bucket) != 0)
        return refuse(s3, 404, "NoSuchBucket");
    if (owner && strcmp(owner, s3->owner) != 0)
        return refuse(s3, 403, "AccessDenied");
    if (!*key)
        return list_objects(s3, query ? query : "");
    if (strcmp(request->method, "PUT") == 0)
        return put_object(s3, request, key);
    if (strcmp(request->method, "DELETE") == 0)
        return delete_object(s3, request, key);
    return get_object(s3, key);
}

static struct fake_reply answer(void *data, const struct fake_request *request)
{
    struct fake_s3 *s3 = data;
    enum fake_s3_fault fault = s3->fault ? s3->fault(s3->data, request) : S3_WELL;
    struct fake_reply lost = {.code = ERR_LOST_REPLY, .delay_ms = s3->delay_ms};
    if (fault == S3_LOST_BEFORE)
        return lost;
    if (fault == S3_CONFLICT)
        return refuse(s3, 409, "ConditionalRequestConflict");
    if (fault == S3_DENIED)
        return refuse(s3, 403, "AccessDenied");
    struct fake_reply given = serve(s3, request);
    return fault == S3_LOST_AFTER ? lost : given;
}

struct fake_s3 *fake_s3_new(struct clock *clock, const char *owner)
{
    struct fake_transport *transport = fake_transport_new();
    struct fake_s3 *s3 = arena_new_of(transport->arena, struct fake_s3);
    *s3 = (struct fake_s3){.transport = transport,
                           .clock = clock,
                           .owner = owner,
                           .credentials = credential_provider_static("AKIDTEST", "topsecret", NULL),
                           .objects = map_in(transport->arena)};
    transport->answer = answer;
    transport->data = s3;
    return s3;
}

void fake_s3_free(struct fake_s3 *s3)
{
    credential_provider_free(s3->credentials);
    fake_transport_free(s3->transport);
}

struct aws_client *fake_s3_client(struct fake_s3 *s3, struct clock *clock)
{
    return aws_client_new(&(struct aws_client_options){.transport = &s3->transport->transport,
                                                       .clock = clock,
                                                       .credentials = s3->credentials,
                                                       .region = "eu-west-1",
                                                       .getenv = environment});
}
