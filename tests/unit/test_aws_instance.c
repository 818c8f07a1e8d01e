/* Instance metadata, version 2. */
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

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

static const char keys[] =
    "{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"ASIAEC2\", "
    "\"SecretAccessKey\": \"topsecretec2\", \"Token\": \"t\", "
    "\"Expiration\": \"2026-01-31T13:00:00Z\"}";

static void on_an_instance(void)
{
    fake_setenv("AWS_EC2_METADATA_DISABLED", NULL);
}

static void expect_error(int code, const char *says)
{
    int result = fake_chain_get(&chain);
    if (result != code || !strstr(chain.error.message, says))
        fail_msg("%d in place of %d, \"%s\" not in: %s", result, code, says, chain.error.message);
}

static void the_role_of_the_instance_is_used(void **state)
{
    (void)state;
    on_an_instance();
    fake_reply(chain.transport, 200, "topsecrettoken");
    fake_reply(chain.transport, 200, "my+role@x");
    fake_reply(chain.transport, 200, keys);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "ASIAEC2", "topsecretec2", "t",
                                       "instance metadata, role my+role@x"),
                     0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 3600000);
    const struct fake_request *requests = chain.transport->requests;
    assert_string_equal(requests[0].method, "PUT");
    assert_string_equal(requests[0].url, "http://169.254.169.254" TOKEN_PATH);
    assert_string_equal(fake_header(&requests[0], "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    assert_string_equal(requests[1].method, "GET");
    assert_string_equal(requests[1].url, "http://169.254.169.254" ROLES_PATH);
    assert_string_equal(fake_header(&requests[1], "x-aws-ec2-metadata-token"), "topsecrettoken");
    assert_string_equal(requests[2].url, "http://169.254.169.254" ROLES_PATH "my%2Brole%40x");
    assert_string_equal(fake_header(&requests[2], "x-aws-ec2-metadata-token"), "topsecrettoken");
    assert_int_equal(chain.transport->request_count, 3);
}

static void nobody_there_is_no_instance(void **state)
{
    (void)state;
    on_an_instance();
    fake_no_reply(chain.transport, ERR_FAILED);
    expect_error(ERR_NOT_FOUND, "no instance metadata at http://169.254.169.254");
    assert_int_equal(chain.transport->request_count, 1);
    fake_reply(chain.transport, 403, "");
    expect_error(ERR_NOT_FOUND, "switched off");
    fake_reply(chain.transport, 200, "topsecrettoken");
    fake_reply(chain.transport, 404, "");
    expect_error(ERR_NOT_FOUND, "the instance has no role");
}

static void it_can_be_switched_off(void **state)
{
    (void)state;
    fake_setenv("AWS_EC2_METADATA_DISABLED", "True");
    expect_error(ERR_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is true");
    assert_int_equal(chain.transport->request_count, 0);
}

static void the_service_may_be_elsewhere_and_slow(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *value, *url;
    } cases[] = {
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", "http://[fd00:ec2::254]" TOKEN_PATH},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:99/",
         "http://127.0.0.1:99" TOKEN_PATH},
    };
    on_an_instance();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_setenv(cases[i].variable, cases[i].value);
        fake_no_reply(chain.transport, ERR_FAILED);
        assert_int_equal(fake_chain_get(&chain), ERR_NOT_FOUND);
        struct fake_request request = fake_last(chain.transport);
        assert_string_equal(request.url, cases[i].url);
    }
    size_t before = chain.transport->request_count;
    fake_setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3");
    for (int i = 0; i < 3; i++)
        fake_no_reply(chain.transport, ERR_LOST_REPLY);
    assert_int_equal(fake_chain_get(&chain), ERR_NOT_FOUND);
    assert_int_equal(chain.transport->request_count, before + 3);
}

static void what_it_refuses_is_an_error(void **state)
{
    (void)state;
    on_an_instance();
    fake_reply(chain.transport, 400, "");
    expect_error(ERR_FAILED, "HTTP 400 to the request for a token");
    fake_reply(chain.transport, 200, "topsecret\r\nX: y");
    expect_error(ERR_FAILED, "the request for a token");
    fake_reply(chain.transport, 200, "topsecrettoken");
    fake_reply(chain.transport, 200, "role");
    fake_reply(chain.transport, 200, "{\"Code\": \"AssumeRoleUnauthorizedAccess\"}");
    expect_error(ERR_FAILED, "no credentials of role role (AssumeRoleUnauthorizedAccess)");
    fake_reply(chain.transport, 200, "topsecrettoken");
    fake_reply(chain.transport, 200, "role");
    fake_reply(chain.transport, 200, "<html>topsecret");
    expect_error(ERR_FAILED, "instance metadata did not answer with a JSON object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_role_of_the_instance_is_used, begin, end),
        cmocka_unit_test_setup_teardown(nobody_there_is_no_instance, begin, end),
        cmocka_unit_test_setup_teardown(it_can_be_switched_off, begin, end),
        cmocka_unit_test_setup_teardown(the_service_may_be_elsewhere_and_slow, begin, end),
        cmocka_unit_test_setup_teardown(what_it_refuses_is_an_error, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
