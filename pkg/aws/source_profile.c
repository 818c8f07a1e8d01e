/* A profile of the shared files: static keys, a role, a process, or SSO.
 *
 * In a profile the role comes first, then web identity, SSO, keys of the credentials file,
 * credential_process, keys of the config file. As the source of another profile its own keys come
 * before its role. */
#include <string.h>

#include "pkg/aws/source.h"
#include "pkg/base/vector.h"

/* The profiles that led here, to see a circle. */
struct chain {
    const struct chain *before;
    const char *name;
};

static int resolve(struct task *task, struct search *search, const struct chain *chain,
                   struct credentials *out, struct error *error);

/* -- roles -- */

static int from_named_source(struct task *task, struct search *search, const char *profile,
                             const char *name, struct credentials *out, struct error *error)
{
    static const struct {
        const char *name;
        source *source;
    } rows[] = {
        {"Environment", source_environment},
        {"EcsContainer", source_container},
        {"Ec2InstanceMetadata", source_instance},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        int result = rows[i].source(task, search, out, error);
        return result == SOURCE_EMPTY
                   ? error_set(error, ERR_FAILED,
                               "profile %s: credential_source is %s, and there are no credentials: "
                               "%s",
                               profile, name, buffer_string(&search->looked))
                   : result;
    }
    return error_set(error, ERR_FAILED,
                     "profile %s: credential_source is \"%s\": it must be Environment, "
                     "EcsContainer or Ec2InstanceMetadata",
                     profile, name);
}

static int refuse_circle(const struct search *search, const struct chain *chain, const char *name,
                         struct error *error)
{
    const char *way = name;
    for (; chain; chain = chain->before)
        way = arena_printf(search->arena, "%s -> %s", chain->name, way);
    return error_set(error, ERR_FAILED,
                     "source_profile leads in a circle: %s; the first of them needs credentials of "
                     "its own",
                     way);
}

static bool has_keys(const struct profile *profile)
{
    return profile_get(profile, "aws_access_key_id") != NULL;
}

/* A profile may name itself, when it has keys of its own beside the role. */
static int from_source_profile(struct task *task, struct search *search, const struct chain *chain,
                               const char *name, struct credentials *out, struct error *error)
{
    const struct profile *profile = profiles_find(search->profiles, name);
    if (!profile)
        return error_set(
            error, ERR_FAILED, "profile %s: its source_profile %s is neither in %s nor in %s",
            chain->name, name, search->profiles->config_path, search->profiles->credentials_path);
    for (const struct chain *link = chain; link; link = link->before) {
        bool itself = link == chain && has_keys(profile);
        if (strcmp(link->name, name) == 0 && !itself)
            return refuse_circle(search, chain, name, error);
    }
    struct chain next = {chain, name};
    int result = resolve(task, search, &next, out, error);
    return result == SOURCE_EMPTY
               ? error_set(error, ERR_FAILED,
                           "profile %s: its source_profile %s has no credentials", chain->name,
                           name)
               : result;
}

static int source_of_role(struct task *task, struct search *search, const struct profile *profile,
                          const struct chain *chain, struct credentials *out, struct error *error)
{
    const char *by_profile = profile_get(profile, "source_profile");
    const char *by_source = profile_get(profile, "credential_source");
    if (by_profile && by_source)
        return error_set(error, ERR_FAILED,
                         "profile %s has both source_profile and credential_source: one of them "
                         "says who assumes the role",
                         profile->name);
    if (by_profile)
        return from_source_profile(task, search, chain, by_profile, out, error);
    if (by_source)
        return from_named_source(task, search, profile->name, by_source, out, error);
    return error_set(error, ERR_FAILED,
                     "profile %s has a role_arn, but neither source_profile nor credential_source "
                     "says who assumes it",
                     profile->name);
}

static struct role role_of(const struct profile *profile)
{
    return (struct role){.arn = profile_get(profile, "role_arn"),
                         .session_name = profile_get(profile, "role_session_name"),
                         .external_id = profile_get(profile, "external_id"),
                         .duration_s = profile_get(profile, "duration_seconds")};
}

static int assume(struct task *task, struct search *search, const struct profile *profile,
                  const struct chain *chain, struct credentials *out, struct error *error)
{
    CLEANUP(credentials_clear) struct credentials by = {0};
    if (profile_get(profile, "mfa_serial"))
        return error_set(error, ERR_FAILED,
                         "profile %s wants a code of an MFA device (mfa_serial), which is never "
                         "asked for here. Get a session first: eval \"$(aws configure "
                         "export-credentials --profile %s --format env)\"",
                         profile->name, profile->name);
    int result = source_of_role(task, search, profile, chain, &by, error);
    if (result < 0)
        return result;
    struct role role = role_of(profile);
    role.by = &by;
    credentials_name(out, "profile %.40s, assume-role", profile->name);
    result = sts_assume(task, search, &role, out, error);
    return result < 0 ? error_wrap(error, "profile %s", profile->name) : 0;
}

static int assume_by_token(struct task *task, struct search *search, const struct profile *profile,
                           struct credentials *out, struct error *error)
{
    struct role role = role_of(profile);
    const char *path = profile_get(profile, "web_identity_token_file");
    if (!role.arn)
        return error_set(error, ERR_FAILED,
                         "profile %s has a web_identity_token_file, but no role_arn",
                         profile->name);
    credentials_name(out, "profile %.36s, web identity", profile->name);
    int result = source_token_file(task, search, path, &role, out, error);
    return result < 0 ? error_wrap(error, "profile %s", profile->name) : 0;
}

/* -- the profile's own -- */

static int static_keys(const struct search *search, const struct profile *profile,
                       struct credentials *out, struct error *error)
{
    const char *what = arena_printf(search->arena, "profile %s", profile->name);
    credentials_name(out, "profile %.50s", profile->name);
    return credentials_fill(out, profile_get(profile, "aws_access_key_id"),
                            profile_get(profile, "aws_secret_access_key"),
                            profile_get(profile, "aws_session_token"), what, error);
}

static int from_profile(struct task *task, struct search *search, const struct profile *profile,
                        struct credentials *out, struct error *error)
{
    if (profile_get(profile, "web_identity_token_file"))
        return assume_by_token(task, search, profile, out, error);
    int result = source_sso(task, search, profile, out, error);
    if (result == SOURCE_EMPTY && has_keys(profile) && profile->keys_in_credentials)
        return static_keys(search, profile, out, error);
    if (result == SOURCE_EMPTY)
        result = source_process(task, search, profile, out, error);
    if (result == SOURCE_EMPTY && has_keys(profile))
        return static_keys(search, profile, out, error);
    return result;
}

static int resolve(struct task *task, struct search *search, const struct chain *chain,
                   struct credentials *out, struct error *error)
{
    const struct profile *profile = profiles_find(search->profiles, chain->name);
    bool is_source = chain->before != NULL;
    if (profile_get(profile, "role_arn") && !profile_get(profile, "web_identity_token_file") &&
        !(is_source && has_keys(profile)))
        return assume(task, search, profile, chain, out, error);
    return from_profile(task, search, profile, out, error);
}

/* -- the source -- */

static int no_such_profile(const struct search *search, struct error *error)
{
    const struct profiles *profiles = search->profiles;
    struct buffer names = BUFFER(400);
    for (size_t i = 0; i < profiles->by_name.count; i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", profiles->by_name.entries[i].key);
    error_set(error, ERR_FAILED, "there is no profile \"%s\" in %s or %s; %s%s%s",
              profiles->selected, profiles->config_path, profiles->credentials_path,
              names.length ? "there are: " : "there are no profiles at all", buffer_string(&names),
              names.overflow ? " ..." : "");
    buffer_free(&names);
    return ERR_FAILED;
}

int source_profile(struct task *task, struct search *search, struct credentials *out,
                   struct error *error)
{
    int result = search_profiles(search, error);
    if (result < 0)
        return result;
    const struct profiles *profiles = search->profiles;
    if (!profiles_find(profiles, profiles->selected)) {
        if (profiles->named)
            return no_such_profile(search, error);
        search_note(
            search, "there is no profile \"default\" in %s or %s%s",
            profiles->config_path ? profiles->config_path : "~/.aws/config",
            profiles->credentials_path ? profiles->credentials_path : "~/.aws/credentials",
            profiles->config_there || profiles->credentials_there ? "" : " (neither file exists)");
        return SOURCE_EMPTY;
    }
    struct chain chain = {NULL, profiles->selected};
    result = resolve(task, search, &chain, out, error);
    if (result == SOURCE_EMPTY)
        search_note(search, "profile \"%s\" names no credentials", profiles->selected);
    return result;
}
