/* Assuming roles. Sources:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/endpoint.h"
#include "pkg/aws/sigv4.h"
#include "pkg/aws/source.h"
#include "pkg/aws/xml.h"

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

static const char *encode_form(struct arena *arena, const struct role *role)
{
    struct buffer form = BUFFER(FORM_MAXIMUM_BYTES);
    add_parameter(arena, &form, "Action",
                  role->web_token ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(arena, &form, "Version", "2011-06-15");
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

/* What could be read of it; NULL everywhere when it is not AWS's (a proxy's page). */
struct answer {
    const struct value *keys;
    const char *code, *message, *request_id;
};

static struct answer read_answer(struct arena *arena, const struct http_reply *reply)
{
    struct answer answer = {0};
    const char *root;
    struct value *content;
    if (xml_parse(arena, reply->body, reply->body_length, "the reply", &root, &content, NULL) < 0)
        return answer;
    answer.code = value_text_at(content, "Error.Code");
    answer.message = value_text_at(content, "Error.Message");
    answer.request_id = value_text(content, "RequestId");
    answer.keys = value_at(content, "AssumeRoleResult.Credentials");
    if (!answer.keys)
        answer.keys = value_at(content, "AssumeRoleWithWebIdentityResult.Credentials");
    return answer;
}

/* How far the server's clock is ahead, when that is what it complains of; 0 otherwise. */
static int64_t clock_skew_ms(const struct search *search, const struct answer *answer,
                             const struct http_reply *reply)
{
    static const char *const codes[] = {"RequestExpired", "RequestTimeTooSkewed",
                                        "InvalidSignatureException", "SignatureDoesNotMatch",
                                        "RequestInTheFuture"};
    enum { WORTH_CORRECTING_MS = 60000 };
    struct clock *clock = search->options->clock;
    const char *date = http_header(reply, "date");
    int64_t server_ms = date ? clock_parse(date) : -1;
    int64_t skew_ms = server_ms - clock->wall_ms(clock);
    bool far = server_ms > 0 && (skew_ms > WORTH_CORRECTING_MS || skew_ms < -WORTH_CORRECTING_MS);
    for (size_t i = 0; far && answer->code && i < COUNT_OF(codes); i++) {
        if (strcmp(answer->code, codes[i]) == 0)
            return skew_ms;
    }
    return 0;
}

static int refused(const struct role *role, const struct http_reply *reply,
                   const struct answer *answer, struct error *error)
{
    bool denied = answer->code && strcmp(answer->code, "AccessDenied") == 0;
    error_set(error, denied ? ERR_DENIED : ERR_FAILED, "cannot assume the role %s: %s", role->arn,
              answer->message ? answer->message : "the answer is not AWS's");
    if (!error)
        return ERR_FAILED;
    snprintf(error->aws_code, sizeof error->aws_code, "%s", answer->code ? answer->code : "");
    snprintf(error->request_id, sizeof error->request_id, "%s",
             answer->request_id ? answer->request_id : "");
    error->http_status = reply->status;
    return error->code;
}

/* Again by the server's clock, when ours is wrong. */
static int ask(struct task *task, struct search *search, const struct role *role,
               struct http_reply *reply, struct answer *answer, struct error *error)
{
    int64_t skew_ms = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        int result = send(task, search, role, skew_ms, reply, error);
        if (result < 0)
            return error_wrap(error, "cannot assume the role %s", role->arn);
        *answer = read_answer(search->arena, reply);
        skew_ms = reply->status == 200 ? 0 : clock_skew_ms(search, answer, reply);
        if (!skew_ms)
            break;
    }
    return 0;
}

int sts_assume(struct task *task, struct search *search, const struct role *role,
               struct credentials *out, struct error *error)
{
    struct http_reply reply = {0};
    struct answer answer = {0};
    int result = ask(task, search, role, &reply, &answer, error);
    if (result < 0)
        return result;
    if (reply.status != 200 || !answer.keys)
        return refused(role, &reply, &answer, error);
    return search_keys(answer.keys, "SessionToken", "AWS STS", out, error);
}
