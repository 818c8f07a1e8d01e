#include "pkg/git/git.h"

#include <git2.h>
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

int git_look(struct arena *arena, const char *path, struct git_state *out, struct error *error)
{
    *out = (struct git_state){0};
    git_libgit2_init();
    CLEANUP(free_repository) git_repository *repository = NULL;
    char *folder = arena_strdup(arena, path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
    int code = git_repository_open_ext(&repository, slash ? folder : ".", 0, NULL);
    int result = code == GIT_ENOTFOUND ? 0
                 : code < 0            ? failed(error, "open")
                                       : read_head(arena, repository, out, error);
    return result;
}
