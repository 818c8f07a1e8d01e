/* The parts of a Lambda function that are not its own configuration: code, versions, the alias
 * `live`, and who may call it. Shared by the files of this kind. */
#ifndef RAGSTACK_CLOUD_LAMBDA_H
#define RAGSTACK_CLOUD_LAMBDA_H

#include "pkg/cloud/cloud.h"

#define LAMBDA_ALIAS "live"

/* {"FunctionName": name} */
struct value *lambda_named(struct arena *arena, const char *name);

/* -- code (lambda_code.c) -- */
/* The zip at `path` in base64, as the API takes it inside a request. */
int lambda_read_zip(struct arena *arena, const char *path, struct value **base64,
                    struct error *error);
/* The zip's SHA-256 in base64, as CodeSha256 has it; NULL when it cannot be read: who needs it says
 * so then. */
const char *lambda_zip_sum(struct arena *arena, const char *path);
/* AWS's sum of what it got, against the wanted one: the file may have changed meanwhile. */
int lambda_check_code(const struct action *action, const struct value *reply, struct error *error);
/* Waits until the function (or the version that `qualifier` names) has taken its last change.
 * `reply` is what the change answered: it may tell that already. */
int lambda_settle(struct task *task, struct action *action, const char *qualifier,
                  const struct value *reply, struct error *error);

/* -- versions (lambda_version.c) -- */
/* Makes a version of what the function is now, and goes live with it. */
int lambda_publish(struct task *task, struct action *action, bool has_alias, struct error *error);
/* Points the alias at the version that `reply` tells of, when it is active, and takes old versions
 * away. */
int lambda_go_live(struct task *task, struct action *action, const struct value *reply,
                   bool has_alias, struct error *error);
int lambda_create_alias(struct task *task, struct action *action, const char *version,
                        struct error *error);
/* Points the alias of the function of this name at a version, whole: the way back. */
int lambda_point_live(struct task *task, struct cloud *cloud, struct arena *arena, const char *name,
                      const char *version, struct error *error);
/* Leads this share of the calls (above 0, below 1) to version `next`, and the rest to `version`. */
int lambda_lead(struct task *task, struct cloud *cloud, struct arena *arena, const char *name,
                const char *version, const char *next, double share, struct error *error);
/* Does an API call it? Such ones are held back by cloud->hold_live. */
bool lambda_is_on_api(const struct value *props);
/* Those that may go: all but $LATEST, what an alias uses, and the newest few. A list of strings. */
struct value *lambda_old_versions(struct arena *arena, const struct value *versions,
                                  const struct value *aliases);

/* -- permissions (lambda_permission.c) -- */
extern const struct field lambda_permission_fields[];
/* The statements of a resource policy (the text that GetPolicy returns) as permissions. */
struct value *lambda_permissions(struct arena *arena, const char *policy);
int lambda_change_permissions(struct task *task, struct action *action, struct error *error);

#endif
