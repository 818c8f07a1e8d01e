/* What the sources share. */
#include "pkg/aws/source.h"

#include <stdio.h>
#include <string.h>

#include "pkg/value/json.h"

const char *search_env(const struct search *search, const char *name)
{
    return credential_getenv(search->options, name);
}

void search_note(struct search *search, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(&search->looked, format, arguments);
    va_end(arguments);
    buffer_text(&search->looked, "; ");
}

int search_profiles(struct search *search, struct error *error)
{
    if (search->profiles)
        return 0;
    struct profiles *profiles = arena_new_of(search->arena, struct profiles);
    int result = profiles_read(search->arena, search->options, profiles, error);
    if (result == 0)
        search->profiles = profiles;
    return result;
}

/* -- requests -- */

int search_fetch(struct task *task, const struct search *search, const struct http_request *request,
                 int attempts, struct http_reply *reply, struct error *error)
{
    enum { FIRST_DELAY_MS = 250 };
    int result = 0;
    for (int attempt = 0; attempt < attempts; attempt++) {
        if (attempt) {
            int slept = task_sleep(task, FIRST_DELAY_MS << attempt, error);
            if (slept < 0)
                return slept;
        }
        result =
            http_perform(search->options->transport, task, search->arena, request, reply, error);
        bool again = result == ERR_LOST_REPLY || result == ERR_FAILED || result == ERR_TIMEOUT ||
                     (result == 0 && (reply->status >= 500 || reply->status == 429));
        if (!again)
            break;
    }
    if (result == 0 && error)
        error_clear(error); /* of an attempt before */
    return result;
}

bool header_safe(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 127)
            return false;
    }
    return true;
}

/* -- replies -- */

int search_json(const struct search *search, const char *text, size_t length, const char *what,
                struct value **out, struct error *error)
{
    int result = json_parse(search->arena, text, length, what, out, NULL);
    if (result < 0 || !value_is(*out, VALUE_MAP))
        return error_set(error, ERR_FAILED, "%s did not answer with a JSON object", what);
    return 0;
}

int credentials_fill(struct credentials *out, const char *access_key_id,
                     const char *secret_access_key, const char *session_token, const char *what,
                     struct error *error)
{
    if (!access_key_id || !*access_key_id || !secret_access_key || !*secret_access_key)
        return error_set(error, ERR_FAILED, "%s gave no %s", what,
                         access_key_id && *access_key_id ? "secret access key" : "access key id");
    if (strlen(access_key_id) >= sizeof out->access_key_id || !header_safe(access_key_id) ||
        (session_token && !header_safe(session_token)))
        return error_set(error, ERR_FAILED, "%s gave something that is no access key", what);
    snprintf(out->access_key_id, sizeof out->access_key_id, "%s", access_key_id);
    secret_set(&out->secret_access_key, secret_access_key);
    secret_set(&out->session_token, session_token);
    out->expires_wall_ms = 0;
    return 0;
}

int search_keys(const struct value *tree, const char *token_key, const char *what,
                struct credentials *out, struct error *error)
{
    int result =
        credentials_fill(out, value_text(tree, "AccessKeyId"), value_text(tree, "SecretAccessKey"),
                         value_text(tree, token_key), what, error);
    const char *expires = value_text(tree, "Expiration");
    if (result < 0 || !expires)
        return result;
    out->expires_wall_ms = clock_parse(expires);
    if (out->expires_wall_ms < 0)
        return error_set(error, ERR_FAILED, "%s gave an Expiration that is no time", what);
    return 0;
}

void credentials_name(struct credentials *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->source, sizeof out->source, format, arguments);
    va_end(arguments);
}
