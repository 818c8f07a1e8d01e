/* Profiles: static keys, merging, roles and their chains. */
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
    assert_string_equal(chain.got.access_key_id, "");
    assert_true(secret_empty(&chain.got.secret_access_key));
}

static void expect(const char *id, const char *key, const char *token, const char *source)
{
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, id, key, token, source), 0);
}

/* -- static keys -- */

static void keys_stand_in_either_file(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[default]\naws_access_key_id = AKIDCONFIG\n"
                                   "aws_secret_access_key = topsecret1\n"
                                   "[profile prod]\naws_access_key_id = AKIDPROD\n"
                                   "aws_secret_access_key = topsecret2\naws_session_token = t2\n");
    expect("AKIDCONFIG", "topsecret1", NULL, "profile default");
    fake_setenv("AWS_PROFILE", "prod");
    credential_provider_invalidate(chain.provider);
    expect("AKIDPROD", "topsecret2", "t2", "profile prod");
}

static void the_credentials_file_wins_key_by_key(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[profile a]\naws_access_key_id = AKIDCONFIG\n"
                                   "aws_secret_access_key = topsecret1\naws_session_token = t\n");
    fake_home_write(".aws/credentials",
                    "[a]\naws_access_key_id = AKIDFILE\naws_secret_access_key = topsecret2\n");
    fake_setenv("AWS_PROFILE", "a");
    expect("AKIDFILE", "topsecret2", "t", "profile a");
}

static void the_files_may_be_elsewhere(void **state)
{
    (void)state;
    fake_home_write("x/config", "[profile a b]\n[profile \"a b\"]\naws_access_key_id = AKIDA\n");
    fake_home_write("x/keys", "[a b]\naws_secret_access_key = topsecret\n");
    fake_setenv("AWS_CONFIG_FILE", "~/x/config");
    fake_setenv("AWS_SHARED_CREDENTIALS_FILE",
                arena_printf(chain.transport->arena, "%s/x/keys", fake_home_path()));
    fake_setenv("AWS_PROFILE", "a b");
    expect("AKIDA", "topsecret", NULL, "profile a b");
}

static void a_profile_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[profile dev]\n[profile test]\n");
    fake_setenv("AWS_PROFILE", "prod");
    expect_error(ERR_FAILED, "there is no profile \"prod\"");
    assert_non_null(strstr(chain.error.message, "there are: dev, test"));
}

static void a_profile_without_credentials_is_passed_over(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[default]\nregion = eu-west-1\naws_access_key_id =\n");
    expect_error(ERR_NOT_FOUND, "profile \"default\" names no credentials");
}

static void half_of_the_keys_is_an_error(void **state)
{
    (void)state;
    fake_home_write(".aws/credentials", "[default]\naws_access_key_id = AKID\n");
    expect_error(ERR_FAILED, "profile default gave no secret access key");
}

static void a_malformed_file_is_an_error_at_its_line(void **state)
{
    (void)state;
    fake_home_write(".aws/credentials",
                    "[default]\naws_secret_access_key = topsecret\ntopsecret\n");
    expect_error(ERR_INPUT, "line 3");
    assert_int_equal(chain.error.line, 3);
    assert_non_null(strstr(chain.error.file, ".aws/credentials"));
}

/* -- roles -- */

#define KEYS "aws_access_key_id = AKIDBASE\naws_secret_access_key = topsecretbase\n"
#define ROLE "role_arn = arn:aws:iam::123456789012:role/deploy\n"

static void a_role_is_assumed_by_another_profile(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[profile prod]\n" ROLE "source_profile = base\n"
                                   "external_id = x y&z\nduration_seconds = 1800\n"
                                   "role_session_name = me@host\n[profile base]\n" KEYS);
    fake_setenv("AWS_PROFILE", "prod");
    fake_reply(chain.transport, 200, STS_REPLY("ASIAPROD", "topsecretprod", "tok+en/="));
    expect("ASIAPROD", "topsecretprod", "tok+en/=", "profile prod, assume-role");
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 3600000);
    struct fake_request request = fake_last(chain.transport);
    assert_string_equal(request.method, "POST");
    assert_string_equal(request.url, "https://sts.eu-west-1.amazonaws.com/");
    assert_string_equal(request.body,
                        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
                        "123456789012%3Arole%2Fdeploy&RoleSessionName=me%40host&"
                        "ExternalId=x%20y%26z&DurationSeconds=1800");
    const char *authorization = fake_header(&request, "Authorization");
    assert_non_null(authorization);
    assert_non_null(
        strstr(authorization, "Credential=AKIDBASE/20260131/eu-west-1/sts/aws4_request"));
    assert_string_equal(fake_header(&request, "Host"), "sts.eu-west-1.amazonaws.com");
    assert_null(strstr(request.body, "topsecret"));
}

static void roles_form_chains(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[default]\n" ROLE "source_profile = middle\n"
                                   "[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\n"
                                   "source_profile = base\n[profile base]\n" KEYS);
    fake_reply(chain.transport, 200, STS_REPLY("ASIAMIDDLE", "topsecretmiddle", "middletoken"));
    fake_reply(chain.transport, 200, STS_REPLY("ASIALAST", "topsecretlast", "lasttoken"));
    expect("ASIALAST", "topsecretlast", "lasttoken", "profile default, assume-role");
    assert_int_equal(chain.transport->request_count, 2);
    const struct fake_request *first = &chain.transport->requests[0];
    const struct fake_request *second = &chain.transport->requests[1];
    assert_non_null(strstr(first->body, "role%2Fmiddle"));
    assert_non_null(strstr(fake_header(first, "Authorization"), "AKIDBASE"));
    assert_non_null(strstr(second->body, "role%2Fdeploy"));
    assert_non_null(strstr(fake_header(second, "Authorization"), "ASIAMIDDLE"));
    assert_string_equal(fake_header(second, "X-Amz-Security-Token"), "middletoken");
}

static void circles_are_seen(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[default]\n" ROLE "source_profile = a\n[profile a]\n" ROLE
                                   "source_profile = b\n[profile b]\n" ROLE "source_profile = a\n");
    expect_error(ERR_FAILED, "default -> a -> b -> a");
    fake_home_write(".aws/config", "[default]\n" ROLE "source_profile = default\n");
    expect_error(ERR_FAILED, "default -> default");
    assert_int_equal(chain.transport->request_count, 0);
}

static void a_profile_may_assume_a_role_by_its_own_keys(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[default]\n" ROLE "source_profile = default\n" KEYS);
    fake_reply(chain.transport, 200, STS_REPLY("ASIAOWN", "topsecretown", "t"));
    expect("ASIAOWN", "topsecretown", "t", "profile default, assume-role");
    assert_int_equal(chain.transport->request_count, 1);
    assert_non_null(
        strstr(fake_header(&chain.transport->requests[0], "Authorization"), "AKIDBASE"));
}

static void a_source_profiles_own_keys_come_before_its_role(void **state)
{
    (void)state;
    fake_home_write(".aws/config",
                    "[default]\n" ROLE "source_profile = a\n[profile a]\n"
                    "role_arn = arn:aws:iam::1:role/a\nsource_profile = none\n" KEYS);
    fake_reply(chain.transport, 200, STS_REPLY("ASIAOWN", "topsecretown", "t"));
    expect("ASIAOWN", "topsecretown", "t", "profile default, assume-role");
    assert_int_equal(chain.transport->request_count, 1);
}

static void a_named_source_assumes_a_role(void **state)
{
    (void)state;
    fake_home_write(".aws/config", "[profile p]\n" ROLE "credential_source = Environment\n");
    fake_setenv("AWS_ACCESS_KEY_ID", "AKIDENV");
    fake_setenv("AWS_SECRET_ACCESS_KEY", "topsecretenv");
    chain.profile = "p";
    fake_reply(chain.transport, 200, STS_REPLY("ASIAROLE", "topsecretrole", "t"));
    expect("ASIAROLE", "topsecretrole", "t", "profile p, assume-role");
    struct fake_request request = fake_last(chain.transport);
    assert_non_null(strstr(fake_header(&request, "Authorization"), "AKIDENV"));
}

static void what_is_missing_or_too_much_of_a_role_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *config, *says;
    } cases[] = {
        {"[default]\n" ROLE, "neither source_profile nor credential_source"},
        {"[default]\n" ROLE "source_profile = a\ncredential_source = Environment\n", "has both"},
        {"[default]\n" ROLE "source_profile = a\n", "its source_profile a is neither in"},
        {"[default]\n" ROLE "source_profile = a\n[profile a]\nregion = x\n",
         "its source_profile a has no credentials"},
        {"[default]\n" ROLE "credential_source = Vault\n", "must be Environment"},
        {"[default]\n" ROLE "credential_source = Environment\n", "AWS_ACCESS_KEY_ID is not set"},
        {"[default]\n" ROLE "credential_source = EcsContainer\n", "_FULL_URI are not set"},
        {"[default]\n" ROLE "credential_source = Ec2InstanceMetadata\n", "METADATA_DISABLED"},
        {"[default]\n" ROLE "source_profile = a\nmfa_serial = arn:aws:iam::1:mfa/me\n"
         "[profile a]\n" KEYS,
         "export-credentials --profile default"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_home_write(".aws/config", cases[i].config);
        expect_error(ERR_FAILED, cases[i].says);
    }
    assert_int_equal(chain.transport->request_count, 0);
}

/* -- what STS says -- */

static void assume_role_by_default(void)
{
    fake_home_write(".aws/config",
                    "[default]\n" ROLE "source_profile = base\n[profile base]\n" KEYS);
}

static void a_refusal_keeps_what_aws_says(void **state)
{
    (void)state;
    assume_role_by_default();
    fake_reply(chain.transport, 403, STS_ERROR("AccessDenied", "not authorized to perform"));
    expect_error(ERR_DENIED, "profile default: cannot assume the role "
                             "arn:aws:iam::123456789012:role/deploy: sts AssumeRole: AccessDenied: "
                             "not authorized to perform");
    assert_string_equal(chain.error.aws_code, "AccessDenied");
    assert_string_equal(chain.error.request_id, "abc-123");
    assert_int_equal(chain.error.http_status, 403);
}

static void answers_that_are_not_stss_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "<html><body>proxy</body></html>",
        "<html>",
        "<!DOCTYPE a [<!ENTITY b \"topsecret\">]><AccessKeyId>&b;</AccessKeyId>",
        "<AccessKeyId>A</AccessKeyId>",
    };
    assume_role_by_default();
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        fake_reply(chain.transport, 200, bodies[i]);
        assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    }
    fake_reply(chain.transport, 200,
               STS_REPLY("ASIA", "topsecret", "t") "<!-- trailing text --><AccessKeyId>");
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
}

static void a_wrong_clock_is_corrected_once(void **state)
{
    (void)state;
    static const struct http_header date[] = {{"date", "Sat, 31 Jan 2026 14:00:00 GMT"}, {0}};
    assume_role_by_default();
    fake_reply_with(chain.transport, (struct fake_reply){.status = 403,
                                                         .body = STS_ERROR("SignatureDoesNotMatch",
                                                                           "Signature expired"),
                                                         .headers = date});
    fake_reply(chain.transport, 200, STS_REPLY("ASIA", "topsecret", "t"));
    expect("ASIA", "topsecret", "t", "profile default, assume-role");
    assert_string_equal(fake_header(&chain.transport->requests[0], "X-Amz-Date"),
                        "20260131T120000Z");
    assert_string_equal(fake_header(&chain.transport->requests[1], "X-Amz-Date"),
                        "20260131T140000Z");
}

static void faults_and_lost_replies_are_asked_again(void **state)
{
    (void)state;
    assume_role_by_default();
    fake_no_reply(chain.transport, ERR_LOST_REPLY);
    fake_reply(chain.transport, 500, "");
    fake_no_reply(chain.transport, ERR_FAILED);
    fake_reply(chain.transport, 200, STS_REPLY("ASIA", "topsecret", "t"));
    expect("ASIA", "topsecret", "t", "profile default, assume-role");
    assert_int_equal(chain.transport->request_count, 4);
}

static void the_endpoint_is_by_region_or_named(void **state)
{
    (void)state;
    static const struct {
        const char *region, *variable, *named, *url, *scope;
    } cases[] = {
        {"cn-north-1", NULL, NULL, "https://sts.cn-north-1.amazonaws.com.cn/", "/cn-north-1/sts/"},
        {"us-gov-west-1", NULL, NULL, "https://sts.us-gov-west-1.amazonaws.com/",
         "/us-gov-west-1/"},
        {NULL, NULL, NULL, "https://sts.us-east-1.amazonaws.com/", "/us-east-1/sts/"},
        {NULL, "AWS_REGION", "eu-north-1", "https://sts.eu-north-1.amazonaws.com/", "/eu-north-1/"},
        {"eu-west-1", "AWS_ENDPOINT_URL", "http://127.0.0.1:5000", "http://127.0.0.1:5000/",
         "/eu-west-1/"},
        {"eu-west-1", "AWS_ENDPOINT_URL_STS", "http://sts.local/x/", "http://sts.local/x/",
         "/eu-west-1/"},
    };
    assume_role_by_default();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        chain.region = cases[i].region;
        credential_provider_free(chain.provider);
        chain.provider = NULL;
        if (cases[i].variable)
            fake_setenv(cases[i].variable, cases[i].named);
        fake_reply(chain.transport, 200, STS_REPLY("ASIA", "topsecret", "t"));
        assert_int_equal(fake_chain_get(&chain), 0);
        struct fake_request request = fake_last(chain.transport);
        assert_string_equal(request.url, cases[i].url);
        assert_non_null(strstr(fake_header(&request, "Authorization"), cases[i].scope));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_stand_in_either_file, begin, end),
        cmocka_unit_test_setup_teardown(the_credentials_file_wins_key_by_key, begin, end),
        cmocka_unit_test_setup_teardown(the_files_may_be_elsewhere, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_that_is_not_there_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_without_credentials_is_passed_over, begin, end),
        cmocka_unit_test_setup_teardown(half_of_the_keys_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(a_malformed_file_is_an_error_at_its_line, begin, end),
        cmocka_unit_test_setup_teardown(a_role_is_assumed_by_another_profile, begin, end),
        cmocka_unit_test_setup_teardown(roles_form_chains, begin, end),
        cmocka_unit_test_setup_teardown(circles_are_seen, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_may_assume_a_role_by_its_own_keys, begin, end),
        cmocka_unit_test_setup_teardown(a_source_profiles_own_keys_come_before_its_role, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_named_source_assumes_a_role, begin, end),
        cmocka_unit_test_setup_teardown(what_is_missing_or_too_much_of_a_role_is_said, begin, end),
        cmocka_unit_test_setup_teardown(a_refusal_keeps_what_aws_says, begin, end),
        cmocka_unit_test_setup_teardown(answers_that_are_not_stss_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_wrong_clock_is_corrected_once, begin, end),
        cmocka_unit_test_setup_teardown(faults_and_lost_replies_are_asked_again, begin, end),
        cmocka_unit_test_setup_teardown(the_endpoint_is_by_region_or_named, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
