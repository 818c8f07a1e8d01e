/* AWS_ACCESS_KEY_ID and its like. */
#include "pkg/aws/source.h"

int source_environment(struct task *task, struct search *search, struct credentials *out,
                       struct error *error)
{
    const char *id = search_env(search, "AWS_ACCESS_KEY_ID");
    const char *key = search_env(search, "AWS_SECRET_ACCESS_KEY");
    const char *token = search_env(search, "AWS_SESSION_TOKEN");
    const char *expires = search_env(search, "AWS_CREDENTIAL_EXPIRATION");
    (void)task;
    if (!id) {
        search_note(search, "AWS_ACCESS_KEY_ID is not set%s",
                    key ? ", although AWS_SECRET_ACCESS_KEY is" : "");
        return SOURCE_EMPTY;
    }
    if (!key)
        return error_set(error, ERR_FAILED,
                         "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not: set both, or "
                         "neither");
    if (!token)
        token = search_env(search, "AWS_SECURITY_TOKEN");
    credentials_name(out, "environment");
    int result = credentials_fill(out, id, key, token, "the environment", error);
    if (result < 0 || !expires)
        return result;
    out->expires_wall_ms = clock_parse(expires);
    if (out->expires_wall_ms < 0)
        return error_set(error, ERR_FAILED, "AWS_CREDENTIAL_EXPIRATION is no time");
    return 0;
}
