/* The chain, and the one place that keeps credentials between uses. */
#include "pkg/aws/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/aws/source.h"
#include "pkg/base/log.h"
#include "pkg/base/panic.h"

enum { REFRESH_BEFORE_MS = 5 * 60 * 1000, TRY_AGAIN_MS = 15 * 1000 };

struct credential_provider {
    struct arena *arena; /* holds the copied options */
    struct credential_options options;
    bool fixed; /* given, not searched */
    struct credentials kept;
    bool has;
    int64_t try_again_wall_ms; /* no new search before, while what is kept is valid */
    struct semaphore one_search;
};

void credentials_clear(struct credentials *credentials)
{
    secret_clear(&credentials->secret_access_key);
    secret_clear(&credentials->session_token);
    explicit_bzero(credentials, sizeof *credentials);
}

void credentials_copy(struct credentials *out, const struct credentials *from)
{
    memcpy(out->access_key_id, from->access_key_id, sizeof out->access_key_id);
    secret_set(&out->secret_access_key, secret_reveal(&from->secret_access_key));
    secret_set(&out->session_token, secret_reveal(&from->session_token));
    out->expires_wall_ms = from->expires_wall_ms;
    memcpy(out->source, from->source, sizeof out->source);
}

/* -- making -- */

static struct credential_provider *make(void)
{
    struct arena *arena = arena_new();
    struct credential_provider *provider = arena_new_of(arena, struct credential_provider);
    provider->arena = arena;
    provider->one_search = (struct semaphore){.places = 1};
    provider->options.clock = clock_system();
    return provider;
}

struct credential_provider *credential_provider_new(const struct credential_options *options)
{
    struct credential_provider *provider = make();
    provider->options = *options;
    provider->options.profile = arena_strdup(provider->arena, options->profile);
    provider->options.region = arena_strdup(provider->arena, options->region);
    if (!options->clock)
        provider->options.clock = clock_system();
    return provider;
}

struct credential_provider *credential_provider_static(const char *access_key_id,
                                                       const char *secret_access_key,
                                                       const char *session_token)
{
    struct credential_provider *provider = make();
    struct error error;
    if (credentials_fill(&provider->kept, access_key_id, secret_access_key, session_token,
                         "the caller", &error) < 0)
        panic("%s", error.message);
    credentials_name(&provider->kept, "fixed");
    provider->fixed = provider->has = true;
    return provider;
}

void credential_provider_free(struct credential_provider *provider)
{
    if (!provider)
        return;
    credentials_clear(&provider->kept);
    arena_free(provider->arena);
}

void credential_provider_invalidate(struct credential_provider *provider)
{
    if (provider->fixed)
        return;
    credentials_clear(&provider->kept);
    provider->has = false;
}

/* -- searching -- */

static const struct {
    source *ask;
    bool by_environment; /* left out when a profile is asked for by name */
} sources[] = {
    {source_environment, true}, {source_web_identity, true}, {source_profile, false},
    {source_container, false},  {source_instance, false},
};

static int nothing_found(const struct search *search, struct error *error)
{
    const char *looked = buffer_string(&search->looked);
    size_t length = strlen(looked);
    return error_set(error, ERR_NOT_FOUND,
                     "there are no AWS credentials. Looked at: %.*s. Set AWS_PROFILE, or run `aws "
                     "configure` or `aws sso login`; in CI give the job a role (AWS_ROLE_ARN, and "
                     "on GitHub `permissions: id-token: write`)",
                     (int)(length > 2 ? length - 2 : 0), looked);
}

static int search_all(struct task *task, struct search *search, struct credentials *out,
                      struct error *error)
{
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (sources[i].by_environment && search->options->profile)
            continue;
        int result = sources[i].ask(task, search, out, error);
        if (result != SOURCE_EMPTY)
            return result;
        credentials_clear(out);
    }
    return nothing_found(search, error);
}

static int64_t wall_ms(const struct credential_provider *provider)
{
    struct clock *clock = provider->options.clock;
    if (!clock) /* fixed keys */
        clock = clock_system();
    return clock->wall_ms(clock);
}

static int check_expiry(const struct credential_provider *provider, const struct credentials *got,
                        struct error *error)
{
    char when[32];
    if (got->expires_wall_ms == 0 || got->expires_wall_ms > wall_ms(provider))
        return 0;
    clock_format_iso(got->expires_wall_ms, when, sizeof when);
    return error_set(error, ERR_FAILED, "the credentials from %s expired at %s: get new ones",
                     got->source, when);
}

static int search_once(struct task *task, struct credential_provider *provider,
                       struct credentials *out, struct error *error)
{
    CLEANUP(arena_erasep) struct arena *arena = arena_new();
    struct search search = {.arena = arena, .options = &provider->options, .looked = BUFFER(900)};
    int result = search_all(task, &search, out, error);
    buffer_free(&search.looked);
    if (result == 0)
        result = check_expiry(provider, out, error);
    if (result == 0)
        log_debug("credentials from %s", out->source);
    return result;
}

/* -- keeping -- */

static bool is_valid(const struct credential_provider *provider)
{
    return provider->has && (provider->kept.expires_wall_ms == 0 ||
                             provider->kept.expires_wall_ms > wall_ms(provider));
}

static bool is_fresh(const struct credential_provider *provider)
{
    int64_t now = wall_ms(provider), expires = provider->kept.expires_wall_ms;
    return is_valid(provider) &&
           (provider->fixed || expires == 0 || expires - REFRESH_BEFORE_MS > now ||
            provider->try_again_wall_ms > now);
}

/* What is kept serves on when it cannot be refreshed, as long as it is valid. */
static int refresh(struct task *task, struct credential_provider *provider, struct error *error)
{
    CLEANUP(credentials_clear) struct credentials got = {0};
    int result = search_once(task, provider, &got, error);
    provider->try_again_wall_ms = wall_ms(provider) + TRY_AGAIN_MS;
    if (result == 0) {
        credentials_clear(&provider->kept);
        credentials_copy(&provider->kept, &got);
        provider->has = true;
        return 0;
    }
    if (result == ERR_CANCELLED || !is_valid(provider))
        return result;
    log_debug("credentials: not refreshed: %s", error ? error->message : "");
    return 0;
}

int credential_provider_get(struct task *task, struct credential_provider *provider,
                            struct credentials *out, struct error *error)
{
    if (!is_fresh(provider)) {
        int result = semaphore_acquire(task, &provider->one_search, error);
        if (result < 0)
            return result;
        if (!is_fresh(provider))
            result = refresh(task, provider, error);
        semaphore_release(&provider->one_search);
        if (result < 0)
            return result;
    }
    credentials_copy(out, &provider->kept);
    return 0;
}
