/* Where the handlers' zip is: beside the program, or in ../lib/ragstack when installed. */
#ifndef RAGSTACK_CMD_HANDLER_H
#define RAGSTACK_CMD_HANDLER_H

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

struct handler_zip {
    const char *path;
    const char *sha256_base64; /* of its bytes, as Lambda's CodeSha256 */
};

/* handler-<architecture>.zip; RAGSTACK_HANDLER_ZIP names another. ERR_NOT_FOUND says how to make
 * it. */
int handler_find(struct arena *arena, const char *architecture, struct handler_zip *out,
                 struct error *error);

#endif
