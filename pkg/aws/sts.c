/* Assuming roles. Sources:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "pkg/aws/sigv4.h"
#include "pkg/aws/source.h"
#include "pkg/base/vector.h"

enum { ATTEMPTS = 4, TEXT_MAXIMUM_BYTES = 16 << 10 };

/* -- the reply: the text of a few elements, wherever they stand -- */

enum element { KEY_ID, SECRET_KEY, TOKEN, EXPIRATION, CODE, MESSAGE, REQUEST_ID, ELEMENTS };

static const char *const element_names[] = {
    "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "Code", "Message", "RequestId",
};

struct reader {
    struct arena *arena;
    XML_Parser parser;
    const char *found[ELEMENTS];
    char text[TEXT_MAXIMUM_BYTES + 1]; /* of the element being read */
    size_t length;
};

static void on_start(void *data, const char *name, const char **attributes)
{
    struct reader *reader = data;
    (void)name;
    (void)attributes;
    reader->length = 0;
}

static void on_text(void *data, const char *text, int length)
{
    struct reader *reader = data;
    if ((size_t)length > TEXT_MAXIMUM_BYTES - reader->length) {
        XML_StopParser(reader->parser, XML_FALSE);
        return;
    }
    memcpy(reader->text + reader->length, text, (size_t)length);
    reader->length += (size_t)length;
}

static void on_end(void *data, const char *name)
{
    struct reader *reader = data;
    for (size_t i = 0; i < ELEMENTS; i++) {
        if (strcmp(name, element_names[i]) == 0 && !reader->found[i])
            reader->found[i] = arena_strndup(reader->arena, reader->text, reader->length);
    }
    reader->length = 0;
}

/* Replies have none; entities begin there. */
static void on_doctype(void *data, const char *name, const char *system_id, const char *public_id,
                       int has_subset)
{
    struct reader *reader = data;
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    XML_StopParser(reader->parser, XML_FALSE);
}

/* What could be read, and nothing when it is no XML (a proxy's page). */
static struct reader *read_reply(struct arena *arena, const struct http_reply *reply)
{
    struct reader *reader = arena_new_of(arena, struct reader);
    reader->arena = arena;
    reader->parser = XML_ParserCreate(NULL);
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    bool good = reply->body_length <= (1 << 20) &&
                XML_Parse(reader->parser, reply->body, (int)reply->body_length, 1) == XML_STATUS_OK;
    XML_ParserFree(reader->parser);
    if (!good)
        memset(reader->found, 0, sizeof reader->found);
    return reader;
}

/* -- the request -- */

struct endpoint {
    const char *url, *host;
    const char *region; /* to sign for */
};

static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } rows[] = {
        {"cn-", "amazonaws.com.cn"},    {"us-iso-", "c2s.ic.gov"}, {"us-isob-", "sc2s.sgov.gov"},
        {"us-isof-", "csp.hci.ic.gov"}, {"eusc-", "amazonaws.eu"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strncmp(region, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].domain;
    }
    return "amazonaws.com";
}

/* Regional where a region is known: the global endpoint's tokens do not hold everywhere. */
static struct endpoint find_endpoint(struct search *search)
{
    struct arena *arena = search->arena;
    const char *region = search->options->region,
               *named = search_env(search, "AWS_ENDPOINT_URL_STS");
    struct endpoint endpoint = {.region = "us-east-1"};
    if (!region)
        region = aws_default_region(arena, search->options);
    if (!named)
        named = search_env(search, "AWS_ENDPOINT_URL");
    if (region)
        endpoint.region = region;
    if (!named)
        named = region ? arena_printf(arena, "https://sts.%s.%s", region, domain_of(region))
                       : "https://sts.amazonaws.com";
    const char *scheme_end = strstr(named, "://");
    const char *host = scheme_end ? scheme_end + 3 : named;
    size_t length = strcspn(host, "/?#");
    endpoint.host = arena_strndup(arena, host, length);
    endpoint.url = arena_printf(arena, "%.*s/", (int)(host + length - named), named);
    return endpoint;
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
    struct buffer form = BUFFER(256 << 10);
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
        .path = "/",
        .headers = request->headers,
        .header_count = request->header_count,
        .body = request->body,
        .body_length = request->body_length,
        .service = "sts",
        .region = endpoint->region,
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
    struct endpoint endpoint = find_endpoint(search);
    struct http_header headers[] = {
        {"Host", endpoint.host},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
    };
    struct http_request request = {.method = "POST",
                                   .url = endpoint.url,
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

/* -- both -- */

/* How far the server's clock is ahead, when that is what it complains of; 0 otherwise. */
static int64_t clock_skew_ms(const struct search *search, const struct reader *reader,
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
    for (size_t i = 0; far && reader->found[CODE] && i < COUNT_OF(codes); i++) {
        if (strcmp(reader->found[CODE], codes[i]) == 0)
            return skew_ms;
    }
    return 0;
}

static int refused(const struct role *role, const struct http_reply *reply,
                   const struct reader *reader, struct error *error)
{
    const char *code = reader->found[CODE], *message = reader->found[MESSAGE];
    bool denied = code && strcmp(code, "AccessDenied") == 0;
    error_set(error, denied ? ERR_DENIED : ERR_FAILED, "cannot assume the role %s: %s", role->arn,
              message ? message : "the answer is not AWS's");
    snprintf(error->aws_code, sizeof error->aws_code, "%s", code ? code : "");
    snprintf(error->request_id, sizeof error->request_id, "%s",
             reader->found[REQUEST_ID] ? reader->found[REQUEST_ID] : "");
    error->http_status = reply->status;
    return error->code;
}

int sts_assume(struct task *task, struct search *search, const struct role *role,
               struct credentials *out, struct error *error)
{
    struct http_reply reply;
    int result = send(task, search, role, 0, &reply, error);
    if (result < 0)
        return error_wrap(error, "cannot assume the role %s", role->arn);
    struct reader *reader = read_reply(search->arena, &reply);
    int64_t skew_ms = reply.status != 200 ? clock_skew_ms(search, reader, &reply) : 0;
    if (skew_ms) {
        result = send(task, search, role, skew_ms, &reply, error);
        if (result < 0)
            return error_wrap(error, "cannot assume the role %s", role->arn);
        reader = read_reply(search->arena, &reply);
    }
    if (reply.status != 200 || !reader->found[KEY_ID])
        return refused(role, &reply, reader, error);
    result = credentials_fill(out, reader->found[KEY_ID], reader->found[SECRET_KEY],
                              reader->found[TOKEN], "AWS STS", error);
    const char *expires = reader->found[EXPIRATION];
    out->expires_wall_ms = expires ? clock_parse(expires) : 0;
    if (result == 0 && out->expires_wall_ms < 0)
        return error_set(error, ERR_FAILED, "AWS STS gave an Expiration that is no time");
    return result;
}
