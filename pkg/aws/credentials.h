/* Where credentials come from: the AWS CLI's chain, one file a source.
 *
 * Order: environment, web identity, shared config and credentials (profiles: static keys, role_arn,
 * credential_process, SSO), container endpoint, instance metadata. Each is asked until one has
 * something; a source that is configured but fails ends the chain with its error. Refreshed five
 * minutes before expiry; one refresh at a time. */
#ifndef RAGSTACK_AWS_CREDENTIALS_H
#define RAGSTACK_AWS_CREDENTIALS_H

#include <stdint.h>

#include "pkg/base/clock.h"
#include "pkg/base/error.h"
#include "pkg/base/secret.h"
#include "pkg/http/http.h"
#include "pkg/task/task.h"

struct credentials {
    char access_key_id[128]; /* not a secret, but not printed either */
    struct secret secret_access_key, session_token;
    int64_t expires_wall_ms; /* 0: never */
    char source[64];         /* "environment", "profile prod, assume-role": for -v and errors */
};
void credentials_clear(struct credentials *credentials);

struct credential_provider;

struct credential_options {
    struct transport *transport;
    struct clock *clock;
    const char *profile;                     /* NULL: AWS_PROFILE or "default" */
    const char *region;                      /* for STS; may be NULL */
    const char *(*getenv)(const char *name); /* NULL: the process's */
    int process_timeout_ms;                  /* of a credential_process; 0: a minute */
};
struct credential_provider *credential_provider_new(const struct credential_options *options);
void credential_provider_free(struct credential_provider *provider);
/* Fixed keys: for tests and the local target. */
struct credential_provider *credential_provider_static(const char *access_key_id,
                                                       const char *secret_access_key,
                                                       const char *session_token);

/* Copies valid credentials into `out` (which the caller clears). ERR_NOT_FOUND with a message that
 * lists what was looked at, and what to do, when no source has any. */
int credential_provider_get(struct task *task, struct credential_provider *provider,
                            struct credentials *out, struct error *error);
/* Forgets what is cached: after ExpiredToken. */
void credential_provider_invalidate(struct credential_provider *provider);

/* The region that the environment or the profile names (AWS_REGION, AWS_DEFAULT_REGION, `region` of
 * the profile); NULL if none. In the arena. */
const char *aws_default_region(struct arena *arena, const struct credential_options *options);

#endif
