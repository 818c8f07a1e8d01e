#include "pkg/aws/sigv4.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { TIME_TEXT_BYTES = 17, DAY_LENGTH = 8, HEX_TEXT_BYTES = 65 };

/* What all steps of one signature share. */
struct signing {
    struct arena *arena;
    const struct sigv4_request *request;
    char time[TIME_TEXT_BYTES]; /* "20150830T123600Z" */
    const char *scope;          /* "20150830/us-east-1/iam/aws4_request" */
    const char *payload_hash;
    struct http_header *headers; /* those that are signed */
    size_t header_count;
};

/* -- hashes -- */

static void print_hex(const unsigned char *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * length] = '\0';
}

void sigv4_sha256_hex(const void *bytes, size_t length, char out[65])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(bytes ? bytes : "", length, digest);
    print_hex(digest, sizeof digest, out);
}

static void hmac(const void *key, size_t key_length, const char *text,
                 unsigned char out[SHA256_DIGEST_LENGTH])
{
    if (!HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), out,
              NULL))
        panic("HMAC-SHA256 is not available");
}

/* The key for one day, region and service. */
static void derive_key(const struct signing *signing, unsigned char key[SHA256_DIGEST_LENGTH])
{
    const char *secret = secret_reveal(&signing->request->credentials->secret_access_key);
    size_t length = strlen(secret) + 4;
    char *start = malloc(length + 1);
    if (!start)
        panic("out of memory (%zu bytes)", length + 1);
    memcpy(start, "AWS4", 4);
    memcpy(start + 4, secret, length - 3);
    char day[DAY_LENGTH + 1] = {0};
    memcpy(day, signing->time, DAY_LENGTH);
    hmac(start, length, day, key);
    OPENSSL_cleanse(start, length);
    free(start);
    hmac(key, SHA256_DIGEST_LENGTH, signing->request->region, key);
    hmac(key, SHA256_DIGEST_LENGTH, signing->request->service, key);
    hmac(key, SHA256_DIGEST_LENGTH, "aws4_request", key);
}

/* -- the canonical path -- */

/* Removes empty and "." segments, and ".." with the segment before it; keeps a final slash. */
static const char *normalize_path(struct arena *arena, const char *path)
{
    size_t capacity = strlen(path) + 2, length = 0;
    char *out = arena_alloc(arena, capacity);
    bool ends_in_directory = true;
    while (*path) {
        path += *path == '/';
        size_t segment = strcspn(path, "/");
        ends_in_directory = segment == 0 || (segment == 1 && path[0] == '.');
        if (segment == 2 && memcmp(path, "..", 2) == 0) {
            while (length && out[--length] != '/')
                ;
            ends_in_directory = true;
        } else if (!ends_in_directory) {
            out[length++] = '/';
            memcpy(out + length, path, segment);
            length += segment;
        }
        path += segment;
    }
    if (ends_in_directory)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

static const char *canonical_path(const struct signing *signing)
{
    const char *path = signing->request->path;
    if (!path || !*path)
        path = "/";
    if (signing->request->normalize_path)
        path = normalize_path(signing->arena, path);
    return signing->request->encode_path_twice ? http_encode(signing->arena, path, true) : path;
}

/* -- the canonical query -- */

struct parameter {
    const char *name, *value;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One piece of a query, whatever its encoding was, in the one canonical encoding. */
static const char *recode(struct arena *arena, const char *text, size_t length)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        int high = c == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            c = (unsigned char)(high << 4 | low);
            i += 2;
        }
        if ((c < 128 && isalnum(c)) || (c && strchr("-_.~", c)))
            buffer_char(&out, (char)c);
        else
            buffer_printf(&out, "%%%02X", c);
    }
    return arena_strndup(arena, buffer_string(&out), out.length);
}

static int compare_parameters(const void *left, const void *right)
{
    const struct parameter *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : strcmp(a->value, b->value);
}

static const char *canonical_query(struct arena *arena, const char *query)
{
    VECTOR(struct parameter) parameters = {0};
    for (; query && *query; query += strcspn(query, "&"), query += *query == '&') {
        size_t length = strcspn(query, "&"), name = strcspn(query, "&=");
        if (length == 0)
            continue;
        size_t value = name < length ? name + 1 : name;
        struct parameter parameter = {recode(arena, query, name),
                                      recode(arena, query + value, length - value)};
        vector_push(arena, &parameters, parameter);
    }
    if (parameters.count)
        qsort(parameters.items, parameters.count, sizeof *parameters.items, compare_parameters);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < parameters.count; i++)
        buffer_printf(&out, "%s%s=%s", i ? "&" : "", parameters.items[i].name,
                      parameters.items[i].value);
    return arena_strndup(arena, buffer_string(&out), out.length);
}

/* -- the canonical headers -- */

struct signed_header {
    const char *name; /* in lower case */
    const char *value;
    size_t position; /* headers of one name keep their order */
};

static const char *lower_case(struct arena *arena, const char *text)
{
    char *lower = arena_strdup(arena, text);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

/* Without space at both ends, and with one for each run inside. */
static const char *trim(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, strlen(text) + 1);
    size_t length = 0;
    for (; *text; text++) {
        if (!isspace((unsigned char)*text))
            out[length++] = *text;
        else if (length && out[length - 1] != ' ')
            out[length++] = ' ';
    }
    out[length - (length && out[length - 1] == ' ')] = '\0';
    return out;
}

static int compare_headers(const void *left, const void *right)
{
    const struct signed_header *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->position > b->position) - (a->position < b->position);
}

static struct signed_header *sort_headers(const struct signing *signing)
{
    struct signed_header *sorted =
        arena_array(signing->arena, signing->header_count + 1, sizeof *sorted);
    for (size_t i = 0; i < signing->header_count; i++)
        sorted[i] = (struct signed_header){lower_case(signing->arena, signing->headers[i].name),
                                           trim(signing->arena, signing->headers[i].value), i};
    qsort(sorted, signing->header_count, sizeof *sorted, compare_headers);
    return sorted;
}

static bool repeats(const struct signed_header *sorted, size_t i)
{
    return i && strcmp(sorted[i].name, sorted[i - 1].name) == 0;
}

static const char *canonical_headers(const struct signing *signing)
{
    const struct signed_header *sorted = sort_headers(signing);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < signing->header_count; i++) {
        if (repeats(sorted, i))
            buffer_printf(&out, ",%s", sorted[i].value);
        else
            buffer_printf(&out, "%s%s:%s", i ? "\n" : "", sorted[i].name, sorted[i].value);
    }
    buffer_char(&out, '\n');
    return arena_strndup(signing->arena, buffer_string(&out), out.length);
}

/* "content-type;host;x-amz-date" */
static const char *signed_names(const struct signing *signing)
{
    const struct signed_header *sorted = sort_headers(signing);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < signing->header_count; i++) {
        if (!repeats(sorted, i))
            buffer_printf(&out, "%s%s", i ? ";" : "", sorted[i].name);
    }
    return arena_strndup(signing->arena, buffer_string(&out), out.length);
}

/* -- the signature -- */

static struct signing begin(struct arena *arena, const struct sigv4_request *request)
{
    struct signing signing = {.arena = arena, .request = request};
    clock_format_basic(request->wall_ms, signing.time, sizeof signing.time);
    signing.scope = arena_printf(arena, "%.*s/%s/%s/aws4_request", DAY_LENGTH, signing.time,
                                 request->region, request->service);
    if (request->unsigned_payload) {
        signing.payload_hash = "UNSIGNED-PAYLOAD";
    } else {
        char *hash = arena_alloc(arena, HEX_TEXT_BYTES);
        sigv4_sha256_hex(request->body, request->body_length, hash);
        signing.payload_hash = hash;
    }
    enum { ADDED_HEADERS = 4 };
    signing.headers =
        arena_array(arena, request->header_count + ADDED_HEADERS, sizeof *signing.headers);
    for (size_t i = 0; i < request->header_count; i++)
        signing.headers[i] = request->headers[i];
    signing.header_count = request->header_count;
    return signing;
}

static void add_header(struct signing *signing, const char *name, const char *value)
{
    signing->headers[signing->header_count++] = (struct http_header){name, value};
}

static void sign(const struct signing *signing, const char *query, const char *names,
                 struct sigv4_result *result)
{
    struct arena *arena = signing->arena;
    result->canonical_request = arena_printf(
        arena, "%s\n%s\n%s\n%s\n%s\n%s", signing->request->method, canonical_path(signing),
        canonical_query(arena, query), canonical_headers(signing), names, signing->payload_hash);
    char hash[HEX_TEXT_BYTES];
    sigv4_sha256_hex(result->canonical_request, strlen(result->canonical_request), hash);
    result->string_to_sign =
        arena_printf(arena, ALGORITHM "\n%s\n%s\n%s", signing->time, signing->scope, hash);
    unsigned char key[SHA256_DIGEST_LENGTH], digest[SHA256_DIGEST_LENGTH];
    derive_key(signing, key);
    hmac(key, sizeof key, result->string_to_sign, digest);
    OPENSSL_cleanse(key, sizeof key);
    char *signature = arena_alloc(arena, HEX_TEXT_BYTES);
    print_hex(digest, sizeof digest, signature);
    result->signature = signature;
}

void sigv4_sign_headers(struct arena *arena, const struct sigv4_request *request,
                        struct sigv4_result *result)
{
    struct signing signing = begin(arena, request);
    const struct credentials *credentials = request->credentials;
    add_header(&signing, "x-amz-date", arena_strdup(arena, signing.time));
    if (!secret_empty(&credentials->session_token))
        add_header(&signing, "x-amz-security-token",
                   arena_strdup(arena, secret_reveal(&credentials->session_token)));
    if (request->content_sha256)
        add_header(&signing, "x-amz-content-sha256", signing.payload_hash);
    const char *names = signed_names(&signing);
    *result = (struct sigv4_result){0};
    sign(&signing, request->query, names, result);
    add_header(&signing, "authorization",
               arena_printf(arena, ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                            credentials->access_key_id, signing.scope, names, result->signature));
    result->headers = signing.headers;
    result->header_count = signing.header_count;
}

void sigv4_sign_query(struct arena *arena, const struct sigv4_request *request,
                      struct sigv4_result *result)
{
    struct signing signing = begin(arena, request);
    const struct credentials *credentials = request->credentials;
    const char *names = signed_names(&signing);
    const char *credential =
        arena_printf(arena, "%s/%s", credentials->access_key_id, signing.scope);
    CLEANUP(buffer_free) struct buffer query = BUFFER(BUFFER_LARGE);
    if (request->query && *request->query)
        buffer_printf(&query, "%s&", request->query);
    buffer_printf(&query,
                  "X-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=%s&X-Amz-Date=%s"
                  "&X-Amz-SignedHeaders=%s&X-Amz-Expires=%d",
                  http_encode(arena, credential, false), signing.time,
                  http_encode(arena, names, false), request->expires_s);
    if (!secret_empty(&credentials->session_token))
        buffer_printf(&query, "&X-Amz-Security-Token=%s",
                      http_encode(arena, secret_reveal(&credentials->session_token), false));
    *result = (struct sigv4_result){0};
    sign(&signing, buffer_string(&query), names, result);
    buffer_printf(&query, "&X-Amz-Signature=%s", result->signature);
    result->query = arena_strndup(arena, buffer_string(&query), query.length);
}
