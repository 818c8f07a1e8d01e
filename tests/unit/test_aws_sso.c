/* SSO: the cached token, and when to sign in again. */
#include <openssl/sha.h>
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

#define PROFILE                                                                \
    "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\n"       \
    "sso_role_name = Dev Ops\n[sso-session corp]\nsso_region = eu-central-1\n" \
    "sso_start_url = https://corp.example/start\n"

static void expect_error(int code, const char *says)
{
    int result = fake_chain_get(&chain);
    if (result != code || !strstr(chain.error.message, says))
        fail_msg("%d in place of %d, \"%s\" not in: %s", result, code, says, chain.error.message);
}

/* The name of the cache file, as the CLI makes it. */
static const char *cache_of(const char *key)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    char hex[2 * SHA_DIGEST_LENGTH + 1];
    SHA1((const unsigned char *)key, strlen(key), digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return arena_printf(chain.transport->arena, ".aws/sso/cache/%s.json", hex);
}

static void sign_in(const char *key, const char *expires)
{
    fake_home_write(cache_of(key),
                    arena_printf(chain.transport->arena,
                                 "{\"startUrl\": \"https://corp.example/start\", \"region\": "
                                 "\"eu-central-1\", \"accessToken\": \"topsecrettoken\", "
                                 "\"expiresAt\": \"%s\"}",
                                 expires));
}

static const char keys[] = "{\"roleCredentials\": {\"accessKeyId\": \"ASIASSO\", "
                           "\"secretAccessKey\": \"topsecretsso\", \"sessionToken\": \"t\", "
                           "\"expiration\": 1769864400000}}";

static void a_session_of_the_cli_is_used(void **state)
{
    (void)state;
    fake_home_write(".aws/config", PROFILE);
    fake_setenv("AWS_PROFILE", "dev");
    sign_in("corp", "2026-01-31T12:30:00Z");
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "ASIASSO", "topsecretsso", "t", "profile dev, SSO"),
                     0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 3600000);
    struct fake_request request = fake_last(chain.transport);
    assert_string_equal(request.method, "GET");
    assert_string_equal(request.url,
                        "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?"
                        "role_name=Dev%20Ops&account_id=123456789012");
    assert_string_equal(fake_header(&request, "x-amz-sso_bearer_token"), "topsecrettoken");
    assert_null(fake_header(&request, "Authorization"));
}

static void the_older_form_has_no_session(void **state)
{
    (void)state;
    fake_home_write(".aws/config",
                    "[default]\nsso_account_id = 1\nsso_role_name = r\nsso_region = cn-north-1\n"
                    "sso_start_url = https://corp.example/start\n");
    sign_in("https://corp.example/start", "2026-01-31T12:30:00UTC");
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    struct fake_request request = fake_last(chain.transport);
    assert_non_null(strstr(request.url, "https://portal.sso.cn-north-1.amazonaws.com.cn/"));
}

static void who_must_sign_in_is_told_how(void **state)
{
    (void)state;
    fake_home_write(".aws/config", PROFILE);
    fake_setenv("AWS_PROFILE", "dev");
    expect_error(ERR_DENIED, "nobody has signed in to SSO yet: run `aws sso login --profile dev`");
    sign_in("corp", "2026-01-31T12:00:00Z");
    expect_error(ERR_DENIED, "the SSO token has expired: run `aws sso login --profile dev`");
    sign_in("corp", "whenever");
    expect_error(ERR_DENIED, "cannot be read: run `aws sso login --profile dev`");
    fake_home_write(cache_of("corp"), "{\"accessToken\": \"topsecret\"");
    expect_error(ERR_FAILED, "did not answer with a JSON object");
    assert_int_equal(chain.transport->request_count, 0);
    sign_in("corp", "2026-01-31T12:30:00Z");
    fake_reply(chain.transport, 401, "{\"message\": \"topsecret\"}");
    expect_error(ERR_DENIED, "not valid any more: run `aws sso login --profile dev`");
}

static void a_role_that_sso_does_not_give_is_named(void **state)
{
    (void)state;
    fake_home_write(".aws/config", PROFILE);
    fake_setenv("AWS_PROFILE", "dev");
    sign_in("corp", "2026-01-31T12:30:00Z");
    fake_reply(chain.transport, 403, "{}");
    expect_error(ERR_DENIED, "the role Dev Ops in account 123456789012");
    fake_reply(chain.transport, 404, "{}");
    expect_error(ERR_FAILED, "HTTP 404");
    fake_reply(chain.transport, 200, "topsecret");
    expect_error(ERR_FAILED, "SSO did not answer with a JSON object");
    fake_reply(chain.transport, 200, "{\"roleCredentials\": {\"secretAccessKey\": \"topsecret\"}}");
    expect_error(ERR_FAILED, "SSO gave no access key id");
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *config, *says;
    } cases[] = {
        {"[default]\nsso_account_id = 1\nsso_region = x\nsso_start_url = u\n", "sso_role_name is"},
        {"[default]\nsso_role_name = r\nsso_region = x\nsso_start_url = u\n", "sso_account_id is"},
        {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_start_url = u\n", "sso_region is"},
        {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_region = x\n", "sso_start_url is"},
        {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_session = corp\n",
         "there is no [sso-session corp]"},
        {"[default]\nsso_account_id = 1\nsso_role_name = r\nsso_session = corp\nsso_region = x\n"
         "[sso-session corp]\nsso_start_url = u\n",
         "sso_region is"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_home_write(".aws/config", cases[i].config);
        expect_error(ERR_FAILED, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_of_the_cli_is_used, begin, end),
        cmocka_unit_test_setup_teardown(the_older_form_has_no_session, begin, end),
        cmocka_unit_test_setup_teardown(who_must_sign_in_is_told_how, begin, end),
        cmocka_unit_test_setup_teardown(a_role_that_sso_does_not_give_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
