/* What the stack file's repository says about itself (libgit2). */
#ifndef RAGSTACK_GIT_GIT_H
#define RAGSTACK_GIT_GIT_H

#include <stdbool.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

struct git_state {
    const char *commit; /* 40 hexadecimal digits; NULL outside a repository or before a commit */
    const char *branch; /* NULL when detached */
    const char *author; /* "Name <mail>" of the commit */
    bool dirty;         /* tracked files differ from the commit */
};

/* Looks upward from `path` (a file or a folder). Outside a repository all is NULL, and that is no
 * error. Blocks on the disk for a moment. */
int git_look(struct arena *arena, const char *path, struct git_state *out, struct error *error);

/* The bytes of a file as a commit has it; `revision` is a branch, a tag, a hash, HEAD~2. NUL stands
 * after them. `commit` gets its 40 digits, also when the file is not in it: ERR_NOT_FOUND.
 * ERR_USAGE without a repository, or for a revision that it does not know. At most `maximum` bytes.
 */
int git_read(struct arena *arena, const char *path, const char *revision, size_t maximum,
             const char **bytes, size_t *length, const char **commit, struct error *error);

#endif
