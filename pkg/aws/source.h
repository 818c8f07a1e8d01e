/* The sources of credentials: one file each. Internal to the credential chain.
 *
 * A source gives credentials (0), has nothing configured (SOURCE_EMPTY, and search->looked says
 * what it looked at), or is configured and fails (an error code): that ends the chain. */
#ifndef RAGSTACK_AWS_SOURCE_H
#define RAGSTACK_AWS_SOURCE_H

#include "pkg/aws/credentials.h"
#include "pkg/aws/profile.h"
#include "pkg/base/buffer.h"
#include "pkg/http/http.h"
#include "pkg/value/value.h"

enum { SOURCE_EMPTY = 1 };

/* One search through the chain. */
struct search {
    struct arena *arena; /* erased at the end: secrets may pass through it */
    const struct credential_options *options;
    struct profiles *profiles; /* NULL until they are first needed */
    struct buffer looked;      /* "AWS_ACCESS_KEY_ID is not set; no ~/.aws/config; " */
};

typedef int source(struct task *task, struct search *search, struct credentials *out,
                   struct error *error);
source source_environment, source_web_identity, source_profile, source_container, source_instance;

/* -- parts of a profile -- */
/* SOURCE_EMPTY (and nothing noted) where the profile does not say this at all. */
typedef int profile_source(struct task *task, struct search *search, const struct profile *profile,
                           struct credentials *out, struct error *error);
profile_source source_process, source_sso;

/* -- roles (AWS STS) -- */
struct role {
    const char *arn;
    const char *session_name;     /* NULL: "ragstack" */
    const char *external_id;      /* NULL: none */
    const char *duration_s;       /* NULL: as the role has it */
    const char *web_token;        /* an OIDC token: AssumeRoleWithWebIdentity, not signed */
    const struct credentials *by; /* else: who assumes it */
};
/* "assume-role" is added to out->source by the caller. */
int sts_assume(struct task *task, struct search *search, const struct role *role,
               struct credentials *out, struct error *error);
/* The role of a token in a file: from the environment, or from a profile. */
int source_token_file(struct task *task, struct search *search, const char *path,
                      const struct role *role, struct credentials *out, struct error *error);

/* -- for the sources -- */
const char *search_env(const struct search *search, const char *name);
/* What was looked at, and found empty: goes into the error when no source has anything. */
void search_note(struct search *search, const char *format, ...) PRINTF_LIKE(2, 3);
int search_profiles(struct search *search, struct error *error);
/* Sends it, and again after a lost reply or a server's fault, up to `attempts` times in all. The
 * request must be safe to repeat. */
int search_fetch(struct task *task, const struct search *search, const struct http_request *request,
                 int attempts, struct http_reply *reply, struct error *error);
/* A body that must be a JSON map; the error never holds any of it. `what` names its sender. */
int search_json(const struct search *search, const char *text, size_t length, const char *what,
                struct value **out, struct error *error);
/* {"AccessKeyId", "SecretAccessKey", <token_key>, "Expiration"}; the last two may be absent. */
int search_keys(const struct value *tree, const char *token_key, const char *what,
                struct credentials *out, struct error *error);
int credentials_fill(struct credentials *out, const char *access_key_id,
                     const char *secret_access_key, const char *session_token, const char *what,
                     struct error *error);
void credentials_name(struct credentials *out, const char *format, ...) PRINTF_LIKE(2, 3);
void credentials_copy(struct credentials *out, const struct credentials *from);
/* Text that may stand in a header's value: no control characters. */
bool header_safe(const char *text);

#endif
