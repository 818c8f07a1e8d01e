#include "pkg/git/git.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

static void free_repository(git_repository **repository)
{
    git_repository_free(*repository);
}

static void free_object(git_object **object)
{
    git_object_free(*object);
}

static void free_reference(git_reference **reference)
{
    git_reference_free(*reference);
}

static int failed(struct error *error, const char *what)
{
    const git_error *last = git_error_last();
    return error_set(error, ERR_FAILED, "cannot read the git repository: %s: %s", what,
                     last && last->message ? last->message : "unknown reason");
}

/* A changed tracked file ends the look with 1. */
static int count_change(const char *path, unsigned flags, void *dirty)
{
    (void)path;
    (void)flags;
    *(bool *)dirty = true;
    return 1;
}

static int read_head(struct arena *arena, git_repository *repository, struct git_state *out,
                     struct error *error)
{
    CLEANUP(free_reference) git_reference *head = NULL;
    CLEANUP(free_object) git_object *object = NULL;
    int code = git_repository_head(&head, repository);
    if (code == GIT_EUNBORNBRANCH || code == GIT_ENOTFOUND)
        return 0;
    if (code < 0 || git_reference_peel(&object, head, GIT_OBJECT_COMMIT) < 0)
        return failed(error, "HEAD");
    char digits[GIT_OID_HEXSZ + 1];
    git_oid_tostr(digits, sizeof digits, git_object_id(object));
    out->commit = arena_strdup(arena, digits);
    if (git_reference_is_branch(head))
        out->branch = arena_strdup(arena, git_reference_shorthand(head));
    const git_signature *author = git_commit_author((git_commit *)object);
    out->author = arena_printf(arena, "%s <%s>", author->name, author->email);
    git_status_options options;
    git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
    code = git_status_foreach_ext(repository, &options, count_change, &out->dirty);
    return code < 0 ? failed(error, "status") : 0;
}

/* The folder of a path: "a/" of "a/b", "./" of "b". */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(arena, path, (size_t)(slash - path) + 1) : "./";
}

int git_look(struct arena *arena, const char *path, struct git_state *out, struct error *error)
{
    *out = (struct git_state){0};
    git_libgit2_init();
    CLEANUP(free_repository) git_repository *repository = NULL;
    int code = git_repository_open_ext(&repository, folder_of(arena, path), 0, NULL);
    return code == GIT_ENOTFOUND ? 0
           : code < 0            ? failed(error, "open")
                                 : read_head(arena, repository, out, error);
}

/* -- a file of a commit -- */

static void free_path(char **path)
{
    free(*path);
}

/* From the root of the working tree; NULL when it is not in it. */
static const char *path_in_tree(struct arena *arena, const git_repository *repository,
                                const char *path)
{
    const char *root = git_repository_workdir(repository), *slash = strrchr(path, '/');
    CLEANUP(free_path) char *folder = realpath(folder_of(arena, path), NULL);
    CLEANUP(free_path) char *top = root ? realpath(root, NULL) : NULL;
    size_t length = top ? strlen(top) : 0;
    if (!folder || !top || strncmp(folder, top, length) != 0 ||
        (folder[length] != '/' && folder[length] != '\0'))
        return NULL;
    const char *below = folder + length + (folder[length] == '/');
    return arena_printf(arena, "%s%s%s", below, *below ? "/" : "", slash ? slash + 1 : path);
}

static int read_blob(struct arena *arena, git_repository *repository, const git_object *commit,
                     const char *path, size_t maximum, const char **bytes, size_t *length)
{
    CLEANUP(free_object) git_object *blob = NULL;
    const char *below = path_in_tree(arena, repository, path);
    if (!below || git_object_lookup_bypath(&blob, commit, below, GIT_OBJECT_BLOB) < 0)
        return ERR_NOT_FOUND;
    git_object_size_t size = git_blob_rawsize((git_blob *)blob);
    if (size > maximum)
        return ERR_INPUT;
    *length = (size_t)size;
    *bytes = arena_strndup(arena, git_blob_rawcontent((git_blob *)blob), *length);
    return 0;
}

int git_read(struct arena *arena, const char *path, const char *revision, size_t maximum,
             const char **bytes, size_t *length, const char **commit, struct error *error)
{
    CLEANUP(free_repository) git_repository *repository = NULL;
    CLEANUP(free_object) git_object *named = NULL;
    CLEANUP(free_object) git_object *object = NULL;
    git_libgit2_init();
    if (git_repository_open_ext(&repository, folder_of(arena, path), 0, NULL) < 0)
        return error_set(error, ERR_USAGE, "%s is in no git repository", path);
    if (git_revparse_single(&named, repository, revision) < 0 ||
        git_object_peel(&object, named, GIT_OBJECT_COMMIT) < 0)
        return error_set(error, ERR_USAGE,
                         "git knows no commit \"%s\" here (a shallow clone has only the newest)",
                         revision);
    char digits[GIT_OID_HEXSZ + 1];
    git_oid_tostr(digits, sizeof digits, git_object_id(object));
    *commit = arena_strdup(arena, digits);
    int result = read_blob(arena, repository, object, path, maximum, bytes, length);
    if (result == ERR_INPUT)
        return error_set(error, result, "%s at %s is over %zu KiB", path, revision, maximum >> 10);
    return result < 0 ? error_set(error, result, "%s is not in %s", path, revision) : 0;
}
