/* Signatures against the published test suite (when its folder is there) and against cases whose
 * expected values another signer gave (tests/aws/sign_cases.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/aws/sigv4.h"
#include "pkg/value/json.h"

#define SUITE "../shared/vectors/sigv4"
enum { SUITE_CASES = 38, MAXIMUM_HEADERS = 16 };

/* -- files -- */

static char *read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    char *text = arena_alloc(arena, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    text[length] = '\0';
    return text;
}

static struct value *read_json(struct arena *arena, const char *path)
{
    const char *text = read_file(arena, path);
    struct value *value = NULL;
    struct error error = {0};
    if (json_parse(arena, text, strlen(text), path, &value, &error))
        fail_msg("%s: %s", path, error.message);
    return value;
}

static struct credentials make_credentials(const char *id, const char *secret, const char *token)
{
    struct credentials credentials = {0};
    snprintf(credentials.access_key_id, sizeof credentials.access_key_id, "%s", id);
    secret_set(&credentials.secret_access_key, secret);
    secret_set(&credentials.session_token, token);
    return credentials;
}

static void drop_credentials(struct credentials *credentials)
{
    secret_clear(&credentials->secret_access_key);
    secret_clear(&credentials->session_token);
}

static void sign(struct arena *arena, const struct sigv4_request *request, bool query_form,
                 struct sigv4_result *result)
{
    if (query_form)
        sigv4_sign_query(arena, request, result);
    else
        sigv4_sign_headers(arena, request, result);
}

static const char *find(const struct sigv4_result *result, const char *name)
{
    for (size_t i = 0; i < result->header_count; i++)
        if (strcmp(result->headers[i].name, name) == 0)
            return result->headers[i].value;
    return NULL;
}

/* -- the published suite -- */

/* Takes the next line off the text; a line that begins with a space belongs to the one before. */
static char *take_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    while (end && end != line && end[1] == ' ')
        end = strchr(end + 1, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

/* Reads "GET /path?query HTTP/1.1", headers and body into the request. */
static void parse_request(char *text, struct http_header *headers, struct sigv4_request *request)
{
    char *line = take_line(&text), *version = strstr(line, " HTTP/1.1");
    assert_non_null(version);
    *version = '\0';
    request->method = strsep(&line, " ");
    request->path = strsep(&line, "?");
    request->query = line;
    while (*text && *text != '\n') {
        char *value = take_line(&text), *name = strsep(&value, ":");
        assert_true(request->header_count < MAXIMUM_HEADERS);
        headers[request->header_count++] = (struct http_header){name, value};
    }
    text += *text == '\n';
    request->headers = headers;
    request->body = text;
    request->body_length = strlen(text);
}

static void assert_file(struct arena *arena, const char *folder, const char *form, const char *file,
                        const char *actual)
{
    const char *path = arena_printf(arena, "%s/%s-%s", folder, form, file);
    const char *expected = read_file(arena, path);
    if (strcmp(expected, actual) != 0)
        fail_msg("%s:\n%s\n-- but is --\n%s", path, expected, actual);
}

/* "GET /?Param1=value1&X-Amz-... HTTP/1.1": the query of the signed request, as it was printed. */
static void assert_signed_query(struct arena *arena, const char *folder,
                                const struct sigv4_result *result)
{
    const char *text = read_file(arena, arena_printf(arena, "%s/query-signed-request.txt", folder));
    const char *line = arena_printf(arena, "?%s HTTP/1.1\n", result->query);
    if (!strstr(text, line))
        fail_msg("%s:\n%s\n-- but is --\n%s", folder, text, line);
}

static void run_suite_case(const char *folder, bool query_form)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *context = read_json(arena, arena_printf(arena, "%s/context.json", folder));
    bool omit = value_bool_at(context, "omit_session_token", false);
    struct credentials credentials =
        make_credentials(value_text_at(context, "credentials.access_key_id"),
                         value_text_at(context, "credentials.secret_access_key"),
                         omit ? NULL : value_text_at(context, "credentials.token"));
    struct http_header headers[MAXIMUM_HEADERS];
    struct sigv4_request request = {
        .service = value_text(context, "service"),
        .region = value_text(context, "region"),
        .credentials = &credentials,
        .wall_ms = clock_parse(value_text(context, "timestamp")),
        .encode_path_twice = true,
        .normalize_path = value_bool_at(context, "normalize", false),
        .content_sha256 = !query_form && value_bool_at(context, "sign_body", false),
        .expires_s = (int)value_int_at(context, "expiration_in_seconds", 0),
    };
    parse_request(read_file(arena, arena_printf(arena, "%s/request.txt", folder)), headers,
                  &request);
    struct sigv4_result result;
    sign(arena, &request, query_form, &result);
    const char *form = query_form ? "query" : "header";
    assert_file(arena, folder, form, "canonical-request.txt", result.canonical_request);
    assert_file(arena, folder, form, "string-to-sign.txt", result.string_to_sign);
    assert_file(arena, folder, form, "signature.txt", result.signature);
    if (query_form && !omit)
        assert_signed_query(arena, folder, &result);
    drop_credentials(&credentials);
}

static void run_suite(bool query_form)
{
    DIR *suite = opendir(SUITE);
    if (!suite) {
        print_message("# skipped: the published suite is not at " SUITE "\n");
        skip();
    }
    int cases = 0;
    for (struct dirent *entry; (entry = readdir(suite)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char folder[512];
        snprintf(folder, sizeof folder, "%s/%s", SUITE, entry->d_name);
        run_suite_case(folder, query_form);
        cases++;
    }
    closedir(suite);
    assert_int_equal(cases, SUITE_CASES);
}

static void the_published_suite_in_header_form(void **state)
{
    (void)state;
    run_suite(false);
}

static void the_published_suite_in_query_form(void **state)
{
    (void)state;
    run_suite(true);
}

/* -- cases of another signer -- */

static size_t read_headers(const struct value *list, struct http_header *headers)
{
    size_t count = 0;
    struct value *pair;
    value_each(pair, list)
    {
        assert_true(count < MAXIMUM_HEADERS);
        headers[count++] = (struct http_header){value_item(pair, 0)->string.text,
                                                value_item(pair, 1)->string.text};
    }
    return count;
}

static void assert_member(const struct value *test, const char *member, const char *actual)
{
    if (strcmp(value_text(test, member), actual) != 0)
        fail_msg("%s, %s:\n%s\n-- but is --\n%s", value_text(test, "name"), member,
                 value_text(test, member), actual);
}

static void run_signer_case(struct arena *arena, const struct value *document,
                            const struct value *test)
{
    struct credentials credentials =
        make_credentials(value_text(document, "access_key_id"),
                         value_text(document, "secret_access_key"), value_text(test, "token"));
    bool query_form = strcmp(value_text(test, "form"), "query") == 0;
    bool s3 = value_bool_at(test, "s3", false);
    struct http_header headers[MAXIMUM_HEADERS];
    struct sigv4_request request = {
        .method = value_text(test, "method"),
        .path = value_text(test, "path"),
        .query = value_text(test, "query"),
        .headers = headers,
        .header_count = read_headers(value_get(test, "headers"), headers),
        .body = value_text(test, "body"),
        .body_length = value_get(test, "body")->string.length,
        .service = value_text(test, "service"),
        .region = value_text(test, "region"),
        .credentials = &credentials,
        .wall_ms = clock_parse(value_text(test, "time")),
        .encode_path_twice = !s3,
        .normalize_path = !s3,
        .content_sha256 = s3 && !query_form,
        .unsigned_payload = value_bool_at(test, "unsigned", false),
        .expires_s = (int)value_int_at(test, "expires_s", 0),
    };
    struct sigv4_result result;
    sign(arena, &request, query_form, &result);
    assert_member(test, "canonical_request", result.canonical_request);
    assert_member(test, "string_to_sign", result.string_to_sign);
    assert_member(test, "signature", result.signature);
    drop_credentials(&credentials);
}

static void the_cases_of_another_signer(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *document = read_json(arena, "tests/unit/sign_cases.json");
    struct value *cases = value_get(document, "cases"), *test;
    assert_true(value_count(cases) >= 19);
    value_each(test, cases) run_signer_case(arena, document, test);
}

/* -- what is sent -- */

static void headers_to_send_are_given_whole(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct credentials credentials = make_credentials("AKID", "secret", "token");
    const struct http_header host = {"Host", "s3.eu-west-1.amazonaws.com"};
    struct sigv4_request request = {.method = "GET",
                                    .path = "/b",
                                    .headers = &host,
                                    .header_count = 1,
                                    .service = "s3",
                                    .region = "eu-west-1",
                                    .credentials = &credentials,
                                    .content_sha256 = true};
    struct sigv4_result result;
    sigv4_sign_headers(arena, &request, &result);
    assert_string_equal(find(&result, "Host"), host.value);
    assert_string_equal(find(&result, "x-amz-date"), "19700101T000000Z");
    assert_string_equal(find(&result, "x-amz-security-token"), "token");
    assert_string_equal(find(&result, "x-amz-content-sha256"),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const char *expected = arena_printf(
        arena,
        "AWS4-HMAC-SHA256 Credential=AKID/19700101/eu-west-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=%s",
        result.signature);
    assert_string_equal(find(&result, "authorization"), expected);
    assert_int_equal(result.header_count, 5);
    drop_credentials(&credentials);
}

static void every_part_of_a_request_is_in_its_signature(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct credentials credentials = make_credentials("AKID", "secret", NULL);
    const struct http_header host = {"Host", "h"}, other = {"Host", "i"};
    const struct sigv4_request base = {.method = "POST",
                                       .path = "/p",
                                       .query = "q=1",
                                       .headers = &host,
                                       .header_count = 1,
                                       .body = "b",
                                       .body_length = 1,
                                       .service = "s",
                                       .region = "r",
                                       .credentials = &credentials};
    struct sigv4_request changed[8];
    for (size_t i = 0; i < COUNT_OF(changed); i++)
        changed[i] = base;
    changed[0].method = "PUT";
    changed[1].path = "/P";
    changed[2].query = "q=2";
    changed[3].headers = &other;
    changed[4].body = "c";
    changed[5].service = "t";
    changed[6].region = "q";
    changed[7].wall_ms = 1000;
    struct sigv4_result first, result;
    sigv4_sign_headers(arena, &base, &first);
    for (size_t i = 0; i < COUNT_OF(changed); i++) {
        sigv4_sign_headers(arena, &changed[i], &result);
        assert_string_not_equal(result.signature, first.signature);
    }
    drop_credentials(&credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_suite_in_header_form),
        cmocka_unit_test(the_published_suite_in_query_form),
        cmocka_unit_test(the_cases_of_another_signer),
        cmocka_unit_test(headers_to_send_are_given_whole),
        cmocka_unit_test(every_part_of_a_request_is_in_its_signature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
