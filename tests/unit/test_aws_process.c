/* credential_process: real programs, and what they may do wrong. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void use(const char *format, ...) PRINTF_LIKE(1, 2);
static void use(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *command = arena_vprintf(chain.transport->arena, format, arguments);
    va_end(arguments);
    fake_home_write(".aws/config", arena_printf(chain.transport->arena,
                                                "[default]\ncredential_process = %s\n", command));
}

/* An executable script in the home folder. */
static const char *script(const char *name, const char *text)
{
    const char *path = arena_printf(chain.transport->arena, "%s/%s", fake_home_path(), name);
    fake_home_write(name, arena_printf(chain.transport->arena, "#!/bin/sh\n%s\n", text));
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static void expect_error(int code, const char *says)
{
    int result = fake_chain_get(&chain);
    if (result != code || !strstr(chain.error.message, says))
        fail_msg("%d in place of %d, \"%s\" not in: %s", result, code, says, chain.error.message);
    assert_non_null(strstr(chain.error.message, "profile default, credential_process"));
}

static void what_it_prints_is_used(void **state)
{
    (void)state;
    use("%s", script("keys", "echo '{\"Version\": 1, \"AccessKeyId\": \"ASIAPROC\", "
                             "\"SecretAccessKey\": \"topsecret\", \"SessionToken\": \"t\", "
                             "\"Expiration\": \"2026-01-31T13:00:00Z\", \"Other\": []}'"));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(fake_chain_expect(&chain, "ASIAPROC", "topsecret", "t",
                                       "profile default, credential_process"),
                     0);
    assert_int_equal(chain.got.expires_wall_ms, FAKE_WALL_START_MS + 3600000);
}

static void keys_without_an_end_are_kept(void **state)
{
    (void)state;
    use("%s", script("keys", "echo x >> \"$(dirname \"$0\")/calls\"\n"
                             "echo '{\"Version\": 1, \"AccessKeyId\": \"AKIDPROC\", "
                             "\"SecretAccessKey\": \"topsecret\"}'"));
    assert_int_equal(fake_chain_get(&chain), 0);
    chain.clock.now_ms = INT64_C(1000) * 86400 * 365;
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_int_equal(chain.got.expires_wall_ms, 0);
    struct stat status;
    assert_int_equal(
        stat(arena_printf(chain.transport->arena, "%s/calls", fake_home_path()), &status), 0);
    assert_int_equal(status.st_size, 2);
}

static void its_words_are_split_without_a_shell(void **state)
{
    (void)state;
    const char *path =
        script("with space", "printf '{\"Version\": 1, \"AccessKeyId\": \"AKID\", "
                             "\"SecretAccessKey\": \"topsecret %s|%s|%s\"}' \"$1\" \"$2\" \"$3\"");
    use("\"%s\" 'a b' $HOME;x \\\\\"`id`\"", path);
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED); /* the backslash is no JSON */
    use("\"%s\" 'a b' $HOME;x \"`id`\"", path);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(secret_reveal(&chain.got.secret_access_key), "topsecret a b|$HOME;x|`id`");
    use("sh -c 'exit 3'"); /* found along PATH */
    credential_provider_invalidate(chain.provider);
    expect_error(ERR_FAILED, "sh failed with status 3");
    use("'open");
    expect_error(ERR_INPUT, "quote is not closed");
    use("\\");
    expect_error(ERR_INPUT, "backslash");
}

static void failures_are_told_without_its_output(void **state)
{
    (void)state;
    use("/nowhere/program --token topsecret");
    expect_error(ERR_FAILED, "cannot run /nowhere/program: No such file");
    use("%s", script("fails", "echo topsecret; echo topsecret >&2; exit 7"));
    expect_error(ERR_FAILED, "failed with status 7");
    use("%s", script("killed", "kill -9 $$"));
    expect_error(ERR_FAILED, "ended by signal 9");
    use("%s", script("garbage", "echo topsecret"));
    expect_error(ERR_FAILED, "did not answer with a JSON object");
    use("%s", script("version", "echo '{\"Version\": 2, \"SecretAccessKey\": \"topsecret\"}'"));
    expect_error(ERR_FAILED, "no credentials of \"Version\": 1");
    use("%s", script("partial", "echo '{\"Version\": 1, \"SecretAccessKey\": \"topsecret\"}'"));
    expect_error(ERR_FAILED, "gave no access key id");
    use("%s", script("time", "echo '{\"Version\": 1, \"SecretAccessKey\": \"topsecret\", "
                             "\"AccessKeyId\": \"A\", \"Expiration\": \"soon\"}'"));
    expect_error(ERR_FAILED, "Expiration that is no time");
    use("%s", script("old", "echo '{\"Version\": 1, \"SecretAccessKey\": \"topsecret\", "
                            "\"AccessKeyId\": \"A\", \"Expiration\": \"2026-01-31T11:00:00Z\"}'"));
    assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    assert_non_null(strstr(chain.error.message, "expired at 2026-01-31T11:00:00Z"));
}

static void a_flood_is_cut_off(void **state)
{
    (void)state;
    use("%s", script("flood", "exec yes topsecret"));
    expect_error(ERR_FAILED, "printed over 64 KiB");
}

/* It is killed, with what it started: nobody holds the pipe of the test any more. */
static void a_program_that_hangs_is_ended(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    chain.process_timeout_ms = 300;
    use("%s",
        script("hangs", arena_printf(chain.transport->arena,
                                     "echo topsecret; sleep 50 %d>&%d & wait", ends[1], ends[1])));
    expect_error(ERR_TIMEOUT, "did not end within 0.3 s");
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    use("%s", script("closes", "exec >&-; exec sleep 50")); /* its output has ended, it has not */
    expect_error(ERR_TIMEOUT, "did not end within 0.3 s");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* What it says on stderr must not come out on ours. */
static void its_stderr_is_not_shown(void **state)
{
    (void)state;
    const char *log = arena_printf(chain.transport->arena, "%s/log", fake_home_path());
    use("%s", script("loud", "echo topsecret >&2; exit 1"));
    fflush(stderr);
    int saved = dup(STDERR_FILENO), file = open(log, O_RDWR | O_CREAT, 0600);
    assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    int result = fake_chain_get(&chain);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    struct stat status;
    assert_int_equal(fstat(file, &status), 0);
    close(saved);
    close(file);
    assert_int_equal(result, ERR_FAILED);
    assert_int_equal(status.st_size, 0);
}

/* No descriptor of ours, and no child, is left behind. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    int before = open("/dev/null", O_RDONLY);
    close(before);
    use("%s", script("fails", "exit 7"));
    for (int i = 0; i < 5; i++)
        assert_int_equal(fake_chain_get(&chain), ERR_FAILED);
    int after = open("/dev/null", O_RDONLY);
    close(after);
    assert_int_equal(before, after);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void keys_of_the_credentials_file_come_first_those_of_config_last(void **state)
{
    (void)state;
    const char *path = script("keys", "echo '{\"Version\": 1, \"AccessKeyId\": \"AKIDPROC\", "
                                      "\"SecretAccessKey\": \"topsecret\"}'");
    fake_home_write(".aws/config",
                    arena_printf(chain.transport->arena,
                                 "[default]\ncredential_process = %s\n"
                                 "aws_access_key_id = AKIDCONFIG\naws_secret_access_key = "
                                 "topsecret\n",
                                 path));
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "AKIDPROC");
    fake_home_write(".aws/credentials",
                    "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = topsecret\n");
    credential_provider_invalidate(chain.provider);
    assert_int_equal(fake_chain_get(&chain), 0);
    assert_string_equal(chain.got.access_key_id, "AKIDFILE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_prints_is_used, begin, end),
        cmocka_unit_test_setup_teardown(keys_without_an_end_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(its_words_are_split_without_a_shell, begin, end),
        cmocka_unit_test_setup_teardown(failures_are_told_without_its_output, begin, end),
        cmocka_unit_test_setup_teardown(a_flood_is_cut_off, begin, end),
        cmocka_unit_test_setup_teardown(a_program_that_hangs_is_ended, begin, end),
        cmocka_unit_test_setup_teardown(its_stderr_is_not_shown, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_left_behind, begin, end),
        cmocka_unit_test_setup_teardown(
            keys_of_the_credentials_file_come_first_those_of_config_last, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
