/* Words as the AWS CLI splits them (Python's shlex, POSIX mode): in `credential_process` and in
 * section headers of the config file. Quotes and backslashes only: no shell, no variables. */
#ifndef RAGSTACK_AWS_WORDS_H
#define RAGSTACK_AWS_WORDS_H

#include <stddef.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

/* `words` ends with NULL. ERR_INPUT for an open quote or a backslash at the end. */
int words_split(struct arena *arena, const char *text, char ***words, size_t *count,
                struct error *error);

#endif
