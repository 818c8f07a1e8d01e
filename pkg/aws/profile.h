/* The shared config and credentials files, merged into profiles as the AWS CLI does.
 *
 * AWS_CONFIG_FILE (~/.aws/config) has [default], [profile NAME] and [sso-session NAME];
 * AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) has [NAME], and wins key by key. Secrets stand
 * in what is read here: give an arena that is erased. */
#ifndef RAGSTACK_AWS_PROFILE_H
#define RAGSTACK_AWS_PROFILE_H

#include <stdbool.h>

#include "pkg/aws/credentials.h"
#include "pkg/base/arena.h"
#include "pkg/base/map.h"

struct profile {
    const char *name;
    struct map values;        /* option -> text; options that are empty are left out */
    bool keys_in_credentials; /* its static keys stand in the credentials file */
};

struct profiles {
    const char *config_path, *credentials_path; /* where was looked; NULL: no home is known */
    bool config_there, credentials_there;
    struct map by_name;      /* name -> struct profile * */
    struct map sso_sessions; /* name -> struct profile * */
    const char *selected;    /* the profile to use */
    bool named;              /* by an option or AWS_PROFILE, so that it must exist */
};

/* ERR_INPUT at its place when a file is malformed; files that are not there are no error. */
int profiles_read(struct arena *arena, const struct credential_options *options,
                  struct profiles *out, struct error *error);
const struct profile *profiles_find(const struct profiles *profiles, const char *name);
/* NULL if the profile is NULL or has no such option. */
const char *profile_get(const struct profile *profile, const char *option);

/* The environment that the options give: NULL when the variable is unset or empty. */
const char *credential_getenv(const struct credential_options *options, const char *name);
/* A whole file of at most `maximum` bytes. ERR_NOT_FOUND if it is not there. The error names the
 * path, and never its content. */
int credential_read_file(struct arena *arena, const char *path, size_t maximum, char **text,
                         size_t *length, struct error *error);
/* "~/x" with the home folder put in; NULL when that is not known. */
const char *credential_path(struct arena *arena, const struct credential_options *options,
                            const char *path);

#endif
