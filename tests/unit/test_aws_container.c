/* The container endpoint: where it is, and where no token is ever sent. */
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

static void expect_error(int code, const char *says)
{
    int result = fake_chain_get(&chain);
    if (result != code || !strstr(chain.error.message, says))
        fail_msg("%d in place of %d, \"%s\" not in: %s", result, code, says, chain.error.message);
}

static const char keys[] = "{\"RoleArn\": \"r\", \"AccessKeyId\": \"ASIATASK\", "
                           "\"SecretAccessKey\": \"topsecrettask\", \"Token\": \"t\", "
                           "\"Expiration\": \"2026-01-31T13:00:00Z\"}";

static void ecs_gives_a_relative_uri(void **state)
{
    (void)state;
    fake_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/uuid");
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(
        fake_chain_expect(&chain, "ASIATASK", "topsecrettask", "t", "container endpoint"), 0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 3600000);
    struct fake_request request = fake_last(chain.transport);
    assert_string_equal(request.url, "http://169.254.170.2/v2/credentials/uuid");
    assert_null(fake_header(&request, "Authorization"));
}

static void a_relative_uri_cannot_name_another_host(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *url;
    } cases[] = {
        {"@evil.example/", "http://169.254.170.2/@evil.example/"},
        {".evil.example/", "http://169.254.170.2/.evil.example/"},
        {":80@evil.example/", "http://169.254.170.2/:80@evil.example/"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", cases[i].uri);
        fake_reply(chain.transport, 200, keys);
        assert_int_equal(fake_chain_get(&chain), 0);
        struct fake_request request = fake_last(chain.transport);
        assert_string_equal(request.url, cases[i].url);
        credential_provider_invalidate(chain.provider);
    }
}

static void eks_gives_a_token_file(void **state)
{
    (void)state;
    fake_home_write("token", "topsecret-first\n");
    fake_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
    fake_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "topsecret-not-this");
    fake_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                arena_printf(chain.transport->arena, "%s/token", fake_home_path()));
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    struct fake_request request = fake_last(chain.transport);
    assert_string_equal(request.url, "http://169.254.170.23/v1/credentials");
    assert_string_equal(fake_header(&request, "Authorization"), "topsecret-first");
    fake_home_write("token", "topsecret-second");
    credential_provider_invalidate(chain.provider);
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    request = fake_last(chain.transport);
    assert_string_equal(fake_header(&request, "Authorization"), "topsecret-second");
}

static void only_near_hosts_and_tls_are_asked(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool allowed;
    } cases[] = {
        {"http://127.0.0.1:5000/x", true},
        {"http://127.1.2.3/x", true},
        {"http://localhost/x", true},
        {"http://LOCALHOST:80/x", true},
        {"http://[::1]:80/x", true},
        {"http://169.254.170.2/x", true},
        {"http://169.254.170.23/x", true},
        {"http://[fd00:ec2::23]/x", true},
        {"https://credentials.example/x", true},
        {"http://credentials.example/x", false},
        {"http://169.254.169.254/x", false},
        {"http://10.0.0.1/x", false},
        {"http://[fd00:ec2::24]/x", false},
        {"http://127.0.0.1.evil.example/x", false},
        {"http://127.0.0.1@evil.example/x", false},
        {"http://localhost:x@evil.example/x", false},
        {"http://evil.example#@127.0.0.1/x", false},
        {"http://evil.example\\@127.0.0.1/x", false},
        {"ftp://127.0.0.1/x", false},
        {"file:///etc/passwd", false},
        {"127.0.0.1/x", false},
        {"", false},
    };
    fake_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "topsecret");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t before = chain.transport->request_count;
        fake_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].url);
        if (cases[i].allowed)
            fake_reply(chain.transport, 200, keys);
        int result = fake_chain_get(&chain);
        if ((result == 0) != cases[i].allowed ||
            chain.transport->request_count != before + cases[i].allowed)
            fail_msg("%s: %d, %s", cases[i].url, result, chain.error.message);
        credential_provider_invalidate(chain.provider);
    }
}

static void a_token_cannot_add_headers(void **state)
{
    (void)state;
    fake_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x");
    fake_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "topsecret\r\nHost: evil");
    expect_error(ERR_FAILED, "control characters");
    fake_setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token");
    expect_error(ERR_NOT_FOUND, "/nowhere/token");
    assert_int_equal(chain.transport->request_count, 0);
}

static void refusals_and_garbage_are_errors(void **state)
{
    (void)state;
    fake_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
    fake_reply(chain.transport, 404, "{\"message\": \"topsecret\"}");
    expect_error(ERR_FAILED, "HTTP 404");
    fake_reply(chain.transport, 200, "topsecret");
    expect_error(ERR_FAILED, "did not answer with a JSON object");
    fake_reply(chain.transport, 200, "{\"AccessKeyId\": \"A\"}");
    expect_error(ERR_FAILED, "gave no secret access key");
    for (int i = 0; i < 3; i++)
        fake_no_reply(chain.transport, ERR_FAILED);
    expect_error(ERR_FAILED, "cannot reach the container's credential endpoint");
    assert_int_equal(chain.transport->request_count, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ecs_gives_a_relative_uri, begin, end),
        cmocka_unit_test_setup_teardown(a_relative_uri_cannot_name_another_host, begin, end),
        cmocka_unit_test_setup_teardown(eks_gives_a_token_file, begin, end),
        cmocka_unit_test_setup_teardown(only_near_hosts_and_tls_are_asked, begin, end),
        cmocka_unit_test_setup_teardown(a_token_cannot_add_headers, begin, end),
        cmocka_unit_test_setup_teardown(refusals_and_garbage_are_errors, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
