/* The chain: which source comes first, what is said when none has any, refreshing. */
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

static void set_keys(const char *id, const char *key, const char *token)
{
    fake_setenv("AWS_ACCESS_KEY_ID", id);
    fake_setenv("AWS_SECRET_ACCESS_KEY", key);
    fake_setenv("AWS_SESSION_TOKEN", token);
}

/* -- the environment -- */

static void keys_of_the_environment_are_used(void **state)
{
    (void)state;
    set_keys("AKIDENV", "envsecret", NULL);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "AKIDENV", "envsecret", NULL, "environment"), 0);
    assert_int_equal(chain.got.expires_wall_ms, 0);
    set_keys("ASIAENV", "envsecret2", "envtoken");
    credential_provider_invalidate(chain.provider);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "ASIAENV", "envsecret2", "envtoken", "environment"),
                     0);
    assert_int_equal(chain.transport->request_count, 0);
}

static void half_of_the_keys_is_an_error(void **state)
{
    (void)state;
    set_keys("AKIDENV", NULL, NULL);
    fake_home_write(".aws/credentials",
                    "[default]\naws_access_key_id = A\naws_secret_access_key = s\n");
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    assert_non_null(strstr(chain.error.message, "AWS_SECRET_ACCESS_KEY is not"));
    set_keys(NULL, "envsecret", NULL);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "A", "s", NULL, "profile default"), 0);
}

static void an_expiry_in_the_environment_is_respected(void **state)
{
    (void)state;
    set_keys("ASIAENV", "envsecret", "envtoken");
    fake_setenv("AWS_CREDENTIAL_EXPIRATION", "2026-01-31T12:30:00Z");
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 1800000);
    chain.clock.now_ms = 1800001;
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    assert_non_null(strstr(chain.error.message, "expired at 2026-01-31T12:30:00Z"));
    fake_setenv("AWS_CREDENTIAL_EXPIRATION", "tomorrow");
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    assert_non_null(strstr(chain.error.message, "is no time"));
}

/* -- the order -- */

static void the_environment_comes_before_a_token_and_that_before_profiles(void **state)
{
    (void)state;
    fake_home_write(".aws/credentials",
                    "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n");
    fake_home_write("token", "jwt");
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE",
                arena_printf(chain.transport->arena, "%s/token", fake_home_path()));
    fake_setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r");
    set_keys("AKIDENV", "envsecret", NULL);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "AKIDENV");

    set_keys(NULL, NULL, NULL);
    credential_provider_invalidate(chain.provider);
    fake_reply(chain.transport, 200, WEB_REPLY("ASIAWEB", "k", "t"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "ASIAWEB");

    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", NULL);
    fake_setenv("AWS_ROLE_ARN", NULL);
    fake_setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x");
    credential_provider_invalidate(chain.provider);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "AKIDFILE");
}

static void a_profile_asked_for_by_name_leaves_the_environment_out(void **state)
{
    (void)state;
    set_keys("AKIDENV", "envsecret", NULL);
    fake_home_write(".aws/credentials",
                    "[prod]\naws_access_key_id = AKIDPROD\naws_secret_access_key = s\n");
    chain.profile = "prod";
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "AKIDPROD");
}

static void a_source_that_fails_ends_the_search(void **state)
{
    (void)state;
    fake_setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r");
    fake_setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token");
    fake_home_write(".aws/credentials",
                    "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n");
    assert_true(fake_chain_get(&chain) < 0);
    assert_non_null(strstr(chain.error.message, "/nowhere/token"));
    assert_string_equal(chain.got.access_key_id, "");
}

static void nothing_anywhere_says_what_was_looked_at(void **state)
{
    (void)state;
    assert_int_equal(fake_chain_get(&chain), ERR_NOT_FOUND);
    static const char *const says[] = {
        "AWS_ACCESS_KEY_ID is not set",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "/.aws/config",
        "neither file exists",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_EC2_METADATA_DISABLED is true",
        "aws configure",
        "AWS_PROFILE",
    };
    for (size_t i = 0; i < COUNT_OF(says); i++) {
        if (!strstr(chain.error.message, says[i]))
            fail_msg("\"%s\" is not in: %s", says[i], chain.error.message);
    }
}

/* -- refreshing -- */

static void answer_with_keys(const char *id)
{
    fake_home_write(".aws/config",
                    "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                    "source_profile = base\n[profile base]\n"
                    "aws_access_key_id = AKIDBASE\naws_secret_access_key = basesecret\n");
    fake_reply(chain.transport, 200,
               strcmp(id, "ASIA1") == 0 ? STS_REPLY("ASIA1", "k1", "t1")
                                        : STS_REPLY("ASIA2", "k2", "t2"));
}

static void credentials_are_kept_until_five_minutes_before_expiry(void **state)
{
    (void)state;
    enum { MINUTE_MS = 60000 };
    answer_with_keys("ASIA1");
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 60 * MINUTE_MS);
    chain.clock.now_ms = 55 * MINUTE_MS - 1;
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "ASIA1");
    assert_int_equal(chain.transport->request_count, 1);
    chain.clock.now_ms = 55 * MINUTE_MS;
    answer_with_keys("ASIA2");
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "ASIA2");
    assert_int_equal(chain.transport->request_count, 2);
}

static void valid_credentials_serve_on_when_they_cannot_be_refreshed(void **state)
{
    (void)state;
    enum { MINUTE_MS = 60000 };
    answer_with_keys("ASIA1");
    assert_int_equal(fake_chain_get(&chain), 0);
    chain.clock.now_ms = 56 * MINUTE_MS;
    fake_reply(chain.transport, 403, STS_ERROR("AccessDenied", "no"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "ASIA1");
    assert_int_equal(chain.transport->request_count, 2);
    assert_int_equal(fake_chain_get(&chain), 0); /* not again at once */
    assert_int_equal(chain.transport->request_count, 2);
    chain.clock.now_ms = 60 * MINUTE_MS; /* now they are expired */
    fake_reply(chain.transport, 403, STS_ERROR("AccessDenied", "no"));
    assert_int_equal(fake_chain_get(&chain), ERR_DENIED);
    assert_string_equal(chain.got.access_key_id, "");
}

static void invalidating_forgets(void **state)
{
    (void)state;
    answer_with_keys("ASIA1");
    assert_int_equal(fake_chain_get(&chain), 0);
    credential_provider_invalidate(chain.provider);
    answer_with_keys("ASIA2");
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "ASIA2");
}

/* -- many at once -- */

static int get_in_task(struct task *task, void *argument, struct error *error)
{
    CLEANUP(credentials_clear) struct credentials got = {0};
    int *good = argument;
    int result = credential_provider_get(task, chain.provider, &got, error);
    *good = result == 0 && strcmp(got.access_key_id, "ASIA1") == 0;
    return result;
}

static int get_many(struct task *task, void *argument, struct error *error)
{
    return task_each(task, "get", get_in_task, argument, sizeof(int), 20, 0, error);
}

static void many_tasks_share_one_request(void **state)
{
    (void)state;
    int good[20] = {0};
    answer_with_keys("ASIA1");
    chain.transport->replies[0].delay_ms = 3000;
    struct credential_options options = {.transport = &chain.transport->transport,
                                         .clock = &chain.clock.clock,
                                         .region = "eu-west-1",
                                         .getenv = fake_getenv};
    chain.provider = credential_provider_new(&options);
    struct loop *loop = loop_new(&chain.clock.clock);
    assert_int_equal(loop_run_task(loop, "test", get_many, good, &chain.error), 0);
    loop_free(loop);
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(good[i]);
    assert_int_equal(chain.transport->request_count, 1);
    assert_int_equal(chain.transport->unexpected, 0);
}

/* -- others -- */

static void fixed_keys_never_expire(void **state)
{
    (void)state;
    chain.provider = credential_provider_static("AKIDFIXED", "fixedsecret", NULL);
    assert_int_equal(fake_chain_get(&chain), 0);
    credential_provider_invalidate(chain.provider);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "AKIDFIXED", "fixedsecret", NULL, "fixed"), 0);
}

static void the_region_is_the_environments_or_the_profiles(void **state)
{
    (void)state;
    struct credential_options options = {.getenv = fake_getenv};
    struct arena *arena = chain.transport->arena;
    assert_null(aws_default_region(arena, &options));
    fake_home_write(".aws/config",
                    "[default]\nregion = eu-west-3\n[profile prod]\nregion = us-west-2\n");
    assert_string_equal(aws_default_region(arena, &options), "eu-west-3");
    fake_setenv("AWS_PROFILE", "prod");
    assert_string_equal(aws_default_region(arena, &options), "us-west-2");
    options.profile = "default";
    assert_string_equal(aws_default_region(arena, &options), "eu-west-3");
    fake_setenv("AWS_DEFAULT_REGION", "eu-north-1");
    assert_string_equal(aws_default_region(arena, &options), "eu-north-1");
    fake_setenv("AWS_REGION", "sa-east-1");
    assert_string_equal(aws_default_region(arena, &options), "sa-east-1");
    fake_setenv("AWS_REGION", "");
    assert_string_equal(aws_default_region(arena, &options), "eu-north-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_of_the_environment_are_used, begin, end),
        cmocka_unit_test_setup_teardown(half_of_the_keys_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(an_expiry_in_the_environment_is_respected, begin, end),
        cmocka_unit_test_setup_teardown(
            the_environment_comes_before_a_token_and_that_before_profiles, begin, end),
        cmocka_unit_test_setup_teardown(a_profile_asked_for_by_name_leaves_the_environment_out,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_source_that_fails_ends_the_search, begin, end),
        cmocka_unit_test_setup_teardown(nothing_anywhere_says_what_was_looked_at, begin, end),
        cmocka_unit_test_setup_teardown(credentials_are_kept_until_five_minutes_before_expiry,
                                        begin, end),
        cmocka_unit_test_setup_teardown(valid_credentials_serve_on_when_they_cannot_be_refreshed,
                                        begin, end),
        cmocka_unit_test_setup_teardown(invalidating_forgets, begin, end),
        cmocka_unit_test_setup_teardown(many_tasks_share_one_request, begin, end),
        cmocka_unit_test_setup_teardown(fixed_keys_never_expire, begin, end),
        cmocka_unit_test_setup_teardown(the_region_is_the_environments_or_the_profiles, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
