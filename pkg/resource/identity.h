/* Who a resource is: target, account, region, stack, environment, id. There is no state file: these
 * stand in the cloud itself, as tags in the create call (or as the IAM path).
 *
 * The tag is the identity; the name is only an address. Ownership is never concluded from a name.
 */
#ifndef RAGSTACK_RESOURCE_IDENTITY_H
#define RAGSTACK_RESOURCE_IDENTITY_H

#include <stdbool.h>

#include "pkg/base/arena.h"
#include "pkg/value/value.h"

#define TAG_STACK "ragstack:stack"
#define TAG_ENVIRONMENT "ragstack:env"
#define TAG_ID "ragstack:id"
#define TAG_GENERATION "ragstack:generation"

struct identity {
    const char *target;    /* "aws", "local" */
    const char *partition; /* "aws" */
    const char *account;   /* "123456789012" */
    const char *region;
    const char *stack;
    const char *environment; /* "" when the stack has none */
};

/* "<stack>-<env>-<id>-<hash>", and "-<n>" after it from generation 2 on; at most `maximum`
 * characters: the middle is cut, never the hash. The hash (8 hexadecimal digits) is of the whole
 * identity, so that acme/docs-ask and acme-docs/ask differ. Lower case, [a-z0-9-], never two
 * hyphens in a row. */
const char *identity_name(struct arena *arena, const struct identity *identity, const char *id,
                          int generation, int maximum);
/* "/ragstack/<region>/<stack>/<env>/": the path of IAM roles ("-" for no environment). */
const char *identity_path(struct arena *arena, const struct identity *identity);
/* The tags that a resource with this id must carry: identity, and `more` (a map) beside it. */
struct value *identity_tags(struct arena *arena, const struct identity *identity, const char *id,
                            int generation, const struct value *more);
/* True when these tags name this stack and environment. Out: id and generation (may be NULL). */
bool identity_owns(const struct identity *identity, const struct value *tags, const char **id,
                   int *generation);

/* What "${stack.ATTRIBUTE}" stands for: name, environment, full_name ("acme-prod"), account, region
 * or partition; NULL for anything else, or while it is not known. No resource may have the id
 * "stack". */
#define STACK_REFERENCE "stack"
struct value *identity_attribute(struct arena *arena, const struct identity *identity,
                                 const char *attribute);

#endif
