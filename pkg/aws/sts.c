/* Assuming roles. Sources:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/endpoint.h"
#include "pkg/aws/failure.h"
#include "pkg/aws/retry.h"
#include "pkg/aws/sigv4.h"
#include "pkg/aws/source.h"

enum { ATTEMPTS = 4, FORM_MAXIMUM_BYTES = 256 << 10 };

/* -- the request -- */

static const char *process_variable(const char *name)
{
    return getenv(name);
}

/* Regional, as far as a region is known: the global endpoint's tokens do not hold everywhere. */
static int find_endpoint(struct search *search, struct endpoint *out, struct error *error)
{
    const char *region = search->options->region;
    if (!region)
        region = aws_default_region(search->arena, search->options);
    return endpoint_resolve(search->arena, &aws_sts, region ? region : "us-east-1", NULL,
                            search->options->getenv ? search->options->getenv : process_variable,
                            out, error);
}

static void add_parameter(struct arena *arena, struct buffer *form, const char *name,
                          const char *value)
{
    if (!value)
        return;
    if (form->length)
        buffer_char(form, '&');
    buffer_text(form, name);
    buffer_char(form, '=');
    buffer_text(form, http_encode(arena, value, false));
}

static const char *operation_of(const struct role *role)
{
    return role->web_token ? "AssumeRoleWithWebIdentity" : "AssumeRole";
}

static const char *encode_form(struct arena *arena, const struct role *role)
{
    struct buffer form = BUFFER(FORM_MAXIMUM_BYTES);
    add_parameter(arena, &form, "Action", operation_of(role));
    add_parameter(arena, &form, "Version", aws_sts.version);
    add_parameter(arena, &form, "RoleArn", role->arn);
    add_parameter(arena, &form, "RoleSessionName",
                  role->session_name ? role->session_name : "ragstack");
    add_parameter(arena, &form, "ExternalId", role->external_id);
    add_parameter(arena, &form, "DurationSeconds", role->duration_s);
    add_parameter(arena, &form, "WebIdentityToken", role->web_token);
    const char *text = form.overflow ? NULL : arena_strdup(arena, buffer_string(&form));
    if (form.data)
        explicit_bzero(form.data, form.length);
    buffer_free(&form);
    return text;
}

static void sign(struct search *search, const struct endpoint *endpoint, const struct role *role,
                 int64_t skew_ms, struct http_request *request)
{
    struct clock *clock = search->options->clock;
    struct sigv4_result signed_request;
    struct sigv4_request to_sign = {
        .method = "POST",
        .path = arena_printf(search->arena, "%s/", endpoint->path),
        .headers = request->headers,
        .header_count = request->header_count,
        .body = request->body,
        .body_length = request->body_length,
        .service = "sts",
        .region = endpoint->signing_region,
        .credentials = role->by,
        .wall_ms = clock->wall_ms(clock) + skew_ms,
        .encode_path_twice = true,
        .normalize_path = true,
    };
    sigv4_sign_headers(search->arena, &to_sign, &signed_request);
    request->headers = signed_request.headers;
    request->header_count = signed_request.header_count;
}

static int send(struct task *task, struct search *search, const struct role *role, int64_t skew_ms,
                struct http_reply *reply, struct error *error)
{
    struct endpoint endpoint;
    int result = find_endpoint(search, &endpoint, error);
    if (result < 0)
        return result;
    struct http_header headers[] = {
        {"Host", endpoint.host},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
    };
    struct http_request request = {.method = "POST",
                                   .url = arena_printf(search->arena, "%s/", endpoint.base),
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers),
                                   .body = encode_form(search->arena, role),
                                   .timeout_ms = 15000,
                                   .maximum_body_bytes = 1 << 20};
    if (!request.body)
        return error_set(error, ERR_FAILED, "the web identity token is too long");
    request.body_length = strlen(request.body);
    if (!role->web_token)
        sign(search, &endpoint, role, skew_ms, &request);
    return search_fetch(task, search, &request, ATTEMPTS, reply, error);
}

/* -- the reply -- */

/* Sent again by the server's clock, when ours is wrong. *keys is NULL unless AWS gave some. */
static int ask(struct task *task, struct search *search, const struct role *role,
               struct value **keys, struct error *error)
{
    struct clock *clock = search->options->clock;
    struct wire_call call = wire_call_of(&aws_sts, operation_of(role));
    struct http_reply reply = {0};
    struct failure failure;
    int64_t skew_ms = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        int result = send(task, search, role, skew_ms, &reply, error);
        if (result < 0)
            return result;
        if (reply.status == 200) {
            result = wire_decode(search->arena, &call, &reply, keys, NULL);
            return result == 0 ? 0 : error_set(error, ERR_FAILED, "the answer is not AWS's");
        }
        failure_read(search->arena, &call, &reply, &failure);
        if (!failure_is_clock(&failure) ||
            !retry_clock_offset(&failure, clock->wall_ms(clock), skew_ms, &skew_ms))
            break;
    }
    return failure_to_error(&call, &failure, error);
}

int sts_assume(struct task *task, struct search *search, const struct role *role,
               struct credentials *out, struct error *error)
{
    struct value *reply = NULL;
    int result = ask(task, search, role, &reply, error);
    const struct value *keys = value_get(reply, "Credentials");
    if (result == 0 && !keys)
        result = error_set(error, ERR_FAILED, "the answer has no credentials");
    if (result < 0) {
        error_wrap(error, "cannot assume the role %s", role->arn);
        return result;
    }
    return search_keys(keys, "SessionToken", "AWS STS", out, error);
}
