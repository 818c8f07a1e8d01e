/* IAM Identity Center: the token that `aws sso login` left in the cache, exchanged for a role's
 * credentials.
 * https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "pkg/aws/source.h"
#include "pkg/base/hex.h"

enum { CACHE_MAXIMUM_BYTES = 256 << 10, ATTEMPTS = 4 };

/* What a profile says of SSO, with its sso-session put in. */
struct sign_in {
    const char *account_id, *role_name, *region, *start_url;
    const char *session; /* NULL: the older form, without one */
};

static bool says_sso(const struct profile *profile)
{
    static const char *const options[] = {"sso_account_id", "sso_role_name"};
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        if (profile_get(profile, options[i]))
            return true;
    }
    return false;
}

static int read_settings(const struct search *search, const struct profile *profile,
                         struct sign_in *out, struct error *error)
{
    const struct profile *from = profile;
    *out = (struct sign_in){.account_id = profile_get(profile, "sso_account_id"),
                            .role_name = profile_get(profile, "sso_role_name"),
                            .session = profile_get(profile, "sso_session")};
    if (out->session)
        from = map_get(&search->profiles->sso_sessions, out->session);
    if (out->session && !from) {
        error_set(error, ERR_FAILED,
                  "profile %s: there is no [sso-session %s] in %s; `aws configure sso` writes one",
                  profile->name, out->session, search->profiles->config_path);
        return ERR_FAILED;
    }
    out->region = profile_get(from, "sso_region");
    out->start_url = profile_get(from, "sso_start_url");
    const char *missing = !out->account_id  ? "sso_account_id"
                          : !out->role_name ? "sso_role_name"
                          : !out->region    ? "sso_region"
                          : !out->start_url ? "sso_start_url"
                                            : NULL;
    if (missing) {
        error_set(error, ERR_FAILED, "profile %s: %s is missing; `aws configure sso` sets it",
                  profile->name, missing);
        return ERR_FAILED;
    }
    return 0;
}

static int sign_in_again(const struct profile *profile, const char *why, struct error *error)
{
    return error_set(error, ERR_DENIED, "profile %s: %s: run `aws sso login --profile %s`",
                     profile->name, why, profile->name);
}

/* ~/.aws/sso/cache/<SHA-1 of the session's name, or of the start URL>.json */
static const char *cache_path(const struct search *search, const struct sign_in *sign_in)
{
    const char *key = sign_in->session ? sign_in->session : sign_in->start_url;
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1((const unsigned char *)key, strlen(key), digest);
    return credential_path(search->arena, search->options,
                           arena_printf(search->arena, "~/.aws/sso/cache/%s.json",
                                        hex_text(search->arena, digest, sizeof digest)));
}

/* "2026-01-31T23:59:59Z"; older versions of the CLI wrote "UTC" for the zone. */
static int64_t parse_expiry(struct arena *arena, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length > 3 && strcmp(text + length - 3, "UTC") == 0)
        text = arena_printf(arena, "%.*sZ", (int)length - 3, text);
    return text ? clock_parse(text) : -1;
}

static int read_token(const struct search *search, const struct profile *profile,
                      const struct sign_in *sign_in, const char **token, struct error *error)
{
    char *text;
    size_t length;
    struct value *tree = NULL;
    struct clock *clock = search->options->clock;
    const char *path = cache_path(search, sign_in);
    int result =
        path ? credential_read_file(search->arena, path, CACHE_MAXIMUM_BYTES, &text, &length, error)
             : ERR_NOT_FOUND;
    if (result == ERR_NOT_FOUND)
        return sign_in_again(profile, "nobody has signed in to SSO yet", error);
    if (result == 0)
        result = search_json(search, text, length, path, &tree, error);
    if (result < 0)
        return error_wrap(error, "profile %s", profile->name);
    *token = value_text(tree, "accessToken");
    int64_t expires_ms = parse_expiry(search->arena, value_text(tree, "expiresAt"));
    if (!*token || !header_safe(*token) || expires_ms < 0)
        return sign_in_again(profile, "the cached SSO token cannot be read", error);
    if (expires_ms <= clock->wall_ms(clock))
        return sign_in_again(profile, "the SSO token has expired", error);
    return 0;
}

static const char *portal_url(const struct search *search, const struct sign_in *sign_in)
{
    struct arena *arena = search->arena;
    const char *base = search_env(search, "AWS_ENDPOINT_URL_SSO");
    if (!base)
        base = arena_printf(arena, "https://portal.sso.%s.amazonaws.com%s", sign_in->region,
                            strncmp(sign_in->region, "cn-", 3) == 0 ? ".cn" : "");
    return arena_printf(arena, "%s/federation/credentials?role_name=%s&account_id=%s", base,
                        http_encode(arena, sign_in->role_name, false),
                        http_encode(arena, sign_in->account_id, false));
}

static int take_reply(const struct search *search, const struct profile *profile,
                      const struct http_reply *reply, const struct sign_in *sign_in,
                      struct credentials *out, struct error *error)
{
    struct value *tree;
    if (reply->status == 401)
        return sign_in_again(profile, "the SSO token is not valid any more", error);
    if (reply->status == 403)
        return error_set(error, ERR_DENIED,
                         "profile %s: SSO does not give you the role %s in account %s",
                         profile->name, sign_in->role_name, sign_in->account_id);
    if (reply->status != 200)
        return error_set(error, ERR_FAILED, "profile %s: SSO answers with HTTP %d", profile->name,
                         reply->status);
    int result = search_json(search, reply->body, reply->body_length, "SSO", &tree, error);
    if (result < 0)
        return result;
    const struct value *keys = value_get(tree, "roleCredentials");
    result =
        credentials_fill(out, value_text(keys, "accessKeyId"), value_text(keys, "secretAccessKey"),
                         value_text(keys, "sessionToken"), "SSO", error);
    out->expires_wall_ms = value_int_at(keys, "expiration", 0);
    return result;
}

int source_sso(struct task *task, struct search *search, const struct profile *profile,
               struct credentials *out, struct error *error)
{
    struct sign_in sign_in = {0};
    struct http_reply reply;
    const char *token = NULL;
    if (!says_sso(profile))
        return SOURCE_EMPTY;
    int result = read_settings(search, profile, &sign_in, error);
    if (result == 0)
        result = read_token(search, profile, &sign_in, &token, error);
    if (result < 0)
        return result;
    struct http_header headers[] = {{"x-amz-sso_bearer_token", token}};
    struct http_request request = {.method = "GET",
                                   .url = portal_url(search, &sign_in),
                                   .headers = headers,
                                   .header_count = COUNT_OF(headers),
                                   .timeout_ms = 15000,
                                   .maximum_body_bytes = 1 << 20};
    result = search_fetch(task, search, &request, ATTEMPTS, &reply, error);
    if (result < 0)
        return error_wrap(error, "profile %s: cannot reach SSO", profile->name);
    credentials_name(out, "profile %.40s, SSO", profile->name);
    return take_reply(search, profile, &reply, &sign_in, out, error);
}
