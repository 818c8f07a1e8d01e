#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "pkg/cloud/lambda.h"

enum { MAXIMUM_ZIP_BYTES = 50 << 20 }; /* what the API takes inside a request */

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static int read_file(struct arena *arena, const char *path, unsigned char **bytes, size_t *length,
                     struct error *error)
{
    CLEANUP(close_file) FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return error_set(error, ERR_INPUT, "%s: %s", path, strerror(errno));
    long size = ftell(file);
    if (size < 0 || size > MAXIMUM_ZIP_BYTES)
        return error_set(error, ERR_INPUT,
                         "%s: Lambda takes at most %d MB of zipped code in a request", path,
                         MAXIMUM_ZIP_BYTES >> 20);
    rewind(file);
    *length = (size_t)size;
    *bytes = arena_alloc(arena, *length + 1);
    if (fread(*bytes, 1, *length, file) != *length)
        return error_set(error, ERR_INPUT, "%s: it changed while it was read", path);
    return 0;
}

int lambda_read_zip(struct arena *arena, const char *path, struct value **base64,
                    struct error *error)
{
    unsigned char *bytes = NULL;
    size_t length = 0;
    if (!path)
        return error_set(error, ERR_INPUT, "there is no code: set `code` to the path of a zip");
    int result = read_file(arena, path, &bytes, &length, error);
    if (result < 0)
        return result;
    char *text = arena_alloc(arena, (length + 2) / 3 * 4 + 1);
    int written = EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    *base64 = value_string_n(arena, text, (size_t)written);
    return 0;
}

const char *lambda_zip_sum(struct arena *arena, const char *path)
{
    unsigned char *bytes = NULL, sum[EVP_MAX_MD_SIZE];
    size_t length = 0;
    unsigned int sum_length = 0;
    if (read_file(arena, path, &bytes, &length, NULL) < 0 ||
        !EVP_Digest(bytes, length, sum, &sum_length, EVP_sha256(), NULL))
        return NULL;
    char *text = arena_alloc(arena, (sum_length + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, sum, (int)sum_length);
    return text;
}

int lambda_check_code(const struct action *action, const struct value *reply, struct error *error)
{
    const char *want = value_text(action->want, "code_sha256");
    const char *have = value_text(reply, "CodeSha256");
    if (!want || !have || strcmp(want, have) == 0)
        return 0;
    return error_set(error, ERR_CONFLICT,
                     "%s changed while it was deployed (SHA-256 %s, not %s): run again",
                     value_text(action->want, "code"), have, want);
}

/* -- waiting for a change to be taken -- */

static bool is_under_way(const struct value *configuration)
{
    return value_is_text(value_get(configuration, "State"), "Pending") ||
           value_is_text(value_get(configuration, "LastUpdateStatus"), "InProgress");
}

static int judge(const struct action *action, const struct value *configuration,
                 struct error *error)
{
    bool failed = value_is_text(value_get(configuration, "State"), "Failed");
    bool update_failed = value_is_text(value_get(configuration, "LastUpdateStatus"), "Failed");
    const char *reason =
        value_text(configuration, failed ? "StateReason" : "LastUpdateStatusReason");
    if (!failed && !update_failed)
        return 0;
    return error_set(error, ERR_FAILED, "%s: %s: %s", action->name,
                     failed ? "it could not be made" : "the change was not taken",
                     reason ? reason : "AWS gives no reason");
}

int lambda_settle(struct task *task, struct action *action, const char *qualifier,
                  const struct value *reply, struct error *error)
{
    enum { POLL_MS = 1000, LONGEST_MS = 900000 };
    static const char what[] = "the function takes the change";
    struct value *parameters = lambda_named(action->arena, action->name), *configuration;
    int64_t started_ms = task_now_ms(task);
    if (value_text(reply, "State") && !is_under_way(reply))
        return judge(action, reply, error);
    if (qualifier)
        value_set_text(action->arena, parameters, "Qualifier", qualifier);
    for (;;) {
        int result = cloud_call(task, action, &aws_lambda, "GetFunctionConfiguration", parameters,
                                &configuration, error);
        if (result < 0)
            return result;
        if (!is_under_way(configuration))
            return judge(action, configuration, error);
        if (task_now_ms(task) - started_ms > LONGEST_MS)
            return error_set(error, ERR_TIMEOUT, "waited %d min, and %s is still being changed",
                             LONGEST_MS / 60000, action->name);
        result = action->waiting ? action->waiting(action->waiting_data, what, error) : 0;
        if (result == 0)
            result = task_sleep(task, POLL_MS, error);
        if (result < 0)
            return result;
    }
}
