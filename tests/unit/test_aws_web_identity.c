/* OIDC tokens: from a file, from a profile, and from GitHub Actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_credentials.h"

static struct fake_chain chain;

static int begin(void **state)
{
    (void)state;
    fake_chain_begin(&chain);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_chain_end(&chain);
    return 0;
}

#define ROLE_ARN "arn:aws:iam::123456789012:role/ci"

static const char *write_token(const char *text)
{
    fake_home_write("token", text);
    return arena_printf(chain.transport->arena, "%s/token", fake_home_path());
}

static void expect_error(int code, const char *says)
{
    int result = fake_chain_get(&chain);
    if (result != code || !strstr(chain.error.message, says))
        fail_msg("%d in place of %d, \"%s\" not in: %s", result, code, says, chain.error.message);
}

static void a_token_file_is_exchanged_unsigned(void **state)
{
    (void)state;
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("topsecret.jwt.x\n"));
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
    fake_setenv("AWS_ROLE_SESSION_NAME", "pod-1");
    fake_reply(chain.transport, 200, WEB_REPLY("ASIAWEB", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(
        fake_chain_expect(&chain, "ASIAWEB", "topsecretweb", "t", "web identity, assume-role"), 0);
    struct fake_request request = fake_last(chain.transport);
    assert_string_equal(request.url, "https://sts.eu-west-1.amazonaws.com/");
    assert_string_equal(request.body,
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn="
                        "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fci&RoleSessionName=pod-1&"
                        "WebIdentityToken=topsecret.jwt.x");
    assert_null(fake_header(&request, "Authorization"));
}

static void the_token_is_read_again_when_refreshed(void **state)
{
    (void)state;
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("topsecret-one"));
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
    fake_reply(chain.transport, 200, WEB_REPLY("ASIA1", "topsecretweb", "t"));
    fake_reply(chain.transport, 200, WEB_REPLY("ASIA2", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    write_token("topsecret-two");
    chain.clock.now_ms = 56 * 60000;
    assert_int_equal(fake_chain_get(&chain), 0);
    struct fake_request request = fake_last(chain.transport);
    assert_non_null(strstr(request.body, "WebIdentityToken=topsecret-two"));
}

static void half_of_the_variables_is_an_error(void **state)
{
    (void)state;
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("topsecret"));
    expect_error(ERR_FAILED, "AWS_ROLE_ARN is not");
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", NULL);
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
    expect_error(ERR_NOT_FOUND, "there is no AWS_WEB_IDENTITY_TOKEN_FILE");
}

static void a_bad_token_file_is_an_error(void **state)
{
    (void)state;
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("\n"));
    expect_error(ERR_FAILED, "is empty");
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere");
    expect_error(ERR_NOT_FOUND, "cannot read /nowhere");
    char *large = arena_alloc(chain.transport->arena, 70000);
    memset(large, 'x', 69999);
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token(large));
    expect_error(ERR_INPUT, "is over 65536 bytes");
    assert_int_equal(chain.transport->request_count, 0);
}

static void a_profile_names_a_token_file(void **state)
{
    (void)state;
    fake_home_write(".aws/config", arena_printf(chain.transport->arena,
                                                "[default]\nrole_arn = " ROLE_ARN "\n"
                                                "web_identity_token_file = %s\n",
                                                write_token("topsecretjwt")));
    fake_reply(chain.transport, 200, WEB_REPLY("ASIAWEB", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(
        fake_chain_expect(&chain, "ASIAWEB", "topsecretweb", "t", "profile default, web identity"),
        0);
    struct fake_request request = fake_last(chain.transport);
    assert_non_null(strstr(request.body, "WebIdentityToken=topsecretjwt"));
    fake_home_write(".aws/config", "[default]\nweb_identity_token_file = /x\n");
    credential_provider_invalidate(chain.provider);
    expect_error(ERR_FAILED, "but no role_arn");
}

static void a_refusal_names_the_role(void **state)
{
    (void)state;
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("topsecret"));
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
    fake_reply(chain.transport, 400, STS_ERROR("InvalidIdentityToken", "No provider found"));
    expect_error(ERR_FAILED, "cannot assume the role " ROLE_ARN
                             ": sts AssumeRoleWithWebIdentity: InvalidIdentityToken: "
                             "No provider found");
    assert_string_equal(chain.error.aws_code, "InvalidIdentityToken");
}

/* -- GitHub Actions -- */

static void in_github_actions(const char *url)
{
    fake_setenv("GITHUB_ACTIONS", "true");
    fake_setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url);
    fake_setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "topsecretbearer");
    fake_setenv("AWS_ROLE_ARN", ROLE_ARN);
}

static void githubs_token_is_asked_for_and_exchanged(void **state)
{
    (void)state;
    in_github_actions("https://pipelines.example/token?api-version=2.0");
    fake_reply(chain.transport, 200, "{\"count\": 1, \"value\": \"topsecretoidc\"}");
    fake_reply(chain.transport, 200, WEB_REPLY("ASIAGITHUB", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(
        fake_chain_expect(&chain, "ASIAGITHUB", "topsecretweb", "t", "GitHub OIDC, assume-role"),
        0);
    const struct fake_request *request = &chain.transport->requests[0];
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->url, "https://pipelines.example/token?api-version=2.0&audience="
                                      "sts.amazonaws.com");
    assert_string_equal(fake_header(request, "Authorization"), "bearer topsecretbearer");
    assert_non_null(strstr(chain.transport->requests[1].body, "WebIdentityToken=topsecretoidc"));
    assert_null(fake_header(&chain.transport->requests[1], "Authorization"));
}

static void china_has_its_own_audience(void **state)
{
    (void)state;
    in_github_actions("https://pipelines.example/token");
    fake_setenv("AWS_ROLE_ARN", "arn:aws-cn:iam::123456789012:role/ci");
    fake_reply(chain.transport, 200, "{\"value\": \"topsecretoidc\"}");
    fake_reply(chain.transport, 200, WEB_REPLY("ASIA", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.transport->requests[0].url,
                        "https://pipelines.example/token?audience=sts.amazonaws.com.cn");
}

static void a_token_file_comes_before_github(void **state)
{
    (void)state;
    in_github_actions("https://pipelines.example/token");
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", write_token("topsecretfile"));
    fake_reply(chain.transport, 200, WEB_REPLY("ASIA", "topsecretweb", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(chain.transport->request_count, 1);
}

static void a_job_without_the_permission_is_told_so(void **state)
{
    (void)state;
    in_github_actions(NULL);
    expect_error(ERR_NOT_FOUND, "id-token: write");
    in_github_actions("https://pipelines.example/token");
    fake_reply(chain.transport, 403, "topsecret");
    expect_error(ERR_DENIED, "id-token: write");
    fake_setenv("AWS_ROLE_ARN", NULL);
    expect_error(ERR_NOT_FOUND, "GitHub offers an OIDC token, but AWS_ROLE_ARN is not set");
}

static void the_bearer_is_sent_to_nobody_in_the_clear(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://pipelines.example/token", "ftp://x/",
                                       "http://127.0.0.1.example:80/", "http://localhost.example/"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        in_github_actions(urls[i]);
        expect_error(ERR_FAILED, "not what GitHub sets");
    }
    in_github_actions("https://pipelines.example/token");
    fake_setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "topsecret\r\nX: y");
    expect_error(ERR_FAILED, "not what GitHub sets");
    assert_int_equal(chain.transport->request_count, 0);
}

static void an_answer_without_a_token_is_an_error(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{}", "topsecret", "[\"topsecret\"]", "{\"value\": 1}"};
    in_github_actions("https://pipelines.example/token");
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        fake_reply(chain.transport, 200, bodies[i]);
        expect_error(ERR_FAILED, "GitHub's token service");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_file_is_exchanged_unsigned, begin, end),
        cmocka_unit_test_setup_teardown(the_token_is_read_again_when_refreshed, begin, end),
        cmocka_unit_test_setup_teardown(half_of_the_variables_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(a_bad_token_file_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_names_a_token_file, begin, end),
        cmocka_unit_test_setup_teardown(a_refusal_names_the_role, begin, end),
        cmocka_unit_test_setup_teardown(githubs_token_is_asked_for_and_exchanged, begin, end),
        cmocka_unit_test_setup_teardown(china_has_its_own_audience, begin, end),
        cmocka_unit_test_setup_teardown(a_token_file_comes_before_github, begin, end),
        cmocka_unit_test_setup_teardown(a_job_without_the_permission_is_told_so, begin, end),
        cmocka_unit_test_setup_teardown(the_bearer_is_sent_to_nobody_in_the_clear, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_without_a_token_is_an_error, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
