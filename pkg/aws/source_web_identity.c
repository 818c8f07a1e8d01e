/* An OIDC token that stands for a role: from a file (EKS and others), or asked from GitHub Actions.
 * https://docs.github.com/actions/reference/openid-connect-reference */
#include <string.h>

#include "pkg/aws/source.h"

enum { TOKEN_MAXIMUM_BYTES = 64 << 10, ATTEMPTS = 4 };

int source_token_file(struct task *task, struct search *search, const char *path,
                      const struct role *role, struct credentials *out, struct error *error)
{
    char *text;
    size_t length;
    const char *whole = credential_path(search->arena, search->options, path);
    int result = credential_read_file(search->arena, whole ? whole : path, TOKEN_MAXIMUM_BYTES,
                                      &text, &length, error);
    if (result < 0)
        return error_wrap(error, "the web identity token of %s", role->arn);
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text)
        return error_set(error, ERR_FAILED, "the web identity token file %s is empty", path);
    struct role with_token = *role;
    with_token.web_token = text;
    return sts_assume(task, search, &with_token, out, error);
}

/* -- GitHub Actions -- */

/* In China the identity provider is told apart by its own audience. */
static const char *audience_of(const char *role_arn)
{
    return strncmp(role_arn, "arn:aws-cn:", 11) == 0 ? "sts.amazonaws.com.cn" : "sts.amazonaws.com";
}

static bool may_carry_a_token(const char *url)
{
    static const char *const prefixes[] = {"https://", "http://127.0.0.1:", "http://localhost:"};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (strncmp(url, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

static int ask_github(struct task *task, struct search *search, const char *url, const char *bearer,
                      const char *audience, const char **token, struct error *error)
{
    struct arena *arena = search->arena;
    struct http_reply reply;
    struct value *tree;
    if (!may_carry_a_token(url) || !header_safe(bearer))
        return error_set(error, ERR_FAILED,
                         "ACTIONS_ID_TOKEN_REQUEST_URL or ACTIONS_ID_TOKEN_REQUEST_TOKEN is not "
                         "what GitHub sets");
    struct http_header headers[] = {
        {"Authorization", arena_printf(arena, "bearer %s", bearer)},
        {"Accept", "application/json; api-version=2.0"},
    };
    struct http_request request = {.method = "GET",
                                   .url = arena_printf(arena, "%s%saudience=%s", url,
                                                       strchr(url, '?') ? "&" : "?",
                                                       http_encode(arena, audience, false)),
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers),
                                   .timeout_ms = 15000,
                                   .maximum_body_bytes = TOKEN_MAXIMUM_BYTES};
    int result = search_fetch(task, search, &request, ATTEMPTS, &reply, error);
    if (result < 0)
        return error_wrap(error, "cannot get an OIDC token from GitHub");
    if (reply.status != 200)
        return error_set(error, ERR_DENIED,
                         "GitHub gives no OIDC token (HTTP %d): the job needs `permissions: "
                         "id-token: write`",
                         reply.status);
    result =
        search_json(search, reply.body, reply.body_length, "GitHub's token service", &tree, error);
    *token = result == 0 ? value_text(tree, "value") : NULL;
    return result == 0 && !*token
               ? error_set(error, ERR_FAILED, "GitHub's token service gave no token")
               : result;
}

static int from_github(struct task *task, struct search *search, struct role *role,
                       struct credentials *out, struct error *error)
{
    const char *url = search_env(search, "ACTIONS_ID_TOKEN_REQUEST_URL");
    const char *bearer = search_env(search, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    if (!url || !bearer) {
        search_note(search, "AWS_ROLE_ARN is set, but there is no AWS_WEB_IDENTITY_TOKEN_FILE%s",
                    search_env(search, "GITHUB_ACTIONS")
                        ? " and no token of GitHub's (the job needs `permissions: id-token: write`)"
                        : "");
        return SOURCE_EMPTY;
    }
    int result =
        ask_github(task, search, url, bearer, audience_of(role->arn), &role->web_token, error);
    credentials_name(out, "GitHub OIDC, assume-role");
    return result == 0 ? sts_assume(task, search, role, out, error) : result;
}

int source_web_identity(struct task *task, struct search *search, struct credentials *out,
                        struct error *error)
{
    const char *path = search_env(search, "AWS_WEB_IDENTITY_TOKEN_FILE");
    struct role role = {.arn = search_env(search, "AWS_ROLE_ARN"),
                        .session_name = search_env(search, "AWS_ROLE_SESSION_NAME")};
    if (path && !role.arn)
        return error_set(error, ERR_FAILED,
                         "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not: set it to "
                         "the role that the token is for");
    if (!role.arn) {
        search_note(search, search_env(search, "ACTIONS_ID_TOKEN_REQUEST_URL")
                                ? "GitHub offers an OIDC token, but AWS_ROLE_ARN is not set"
                                : "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are not set");
        return SOURCE_EMPTY;
    }
    if (!path)
        return from_github(task, search, &role, out, error);
    credentials_name(out, "web identity, assume-role");
    return source_token_file(task, search, path, &role, out, error);
}
