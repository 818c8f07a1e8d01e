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

#endif
