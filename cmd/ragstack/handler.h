/* Where the handlers' zip is: beside the program, or in ../lib/ragstack when installed. */
#ifndef RAGSTACK_CMD_HANDLER_H
#define RAGSTACK_CMD_HANDLER_H

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/stack/stack.h"

struct handler_zip {
    const char *path;
    const char *sha256_base64; /* of its bytes, as Lambda's CodeSha256 */
};

/* handler-<architecture>.zip; RAGSTACK_HANDLER_ZIP names another. ERR_NOT_FOUND says how to make
 * it. */
int handler_find(struct arena *arena, const char *architecture, struct handler_zip *out,
                 struct error *error);

/* The functions of the file's own `resources:`: a zip that one names, relative to the stack file,
 * gets its whole path and its sum, so that new code is a change. ERR_INPUT, with its place, when it
 * cannot be read. */
int handler_sum_own(struct arena *arena, const struct stack *stack, struct error *error);

#endif
