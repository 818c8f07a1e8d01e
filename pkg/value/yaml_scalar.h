/* What a YAML scalar stands for: the core schema of YAML 1.2, chapter 10.3. */
#ifndef RAGSTACK_VALUE_YAML_SCALAR_H
#define RAGSTACK_VALUE_YAML_SCALAR_H

#include "pkg/value/value.h"

struct yaml_scalar {
    const char *text; /* NUL-terminated after `length` bytes */
    size_t length;
    const char *tag; /* as libyaml resolves it ("tag:yaml.org,2002:int"), or NULL */
    bool plain;      /* not quoted, no block scalar */
    struct mark mark;
};

/* Tags other than the core ones, content that a tag does not allow, and numbers that do not fit
 * are ERR_INPUT. */
int yaml_scalar_resolve(struct arena *arena, const struct yaml_scalar *scalar, struct value **out,
                        struct error *error);

#endif
