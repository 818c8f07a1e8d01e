#include "pkg/local/local.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/local/types.h"

#define LOCAL_TYPE_ROW(type) &type,
const struct resource_type *const local_types[] = {LOCAL_TYPES(LOCAL_TYPE_ROW) NULL};

static int prepare(struct task *task, struct target *target, const struct resource_list *wanted,
                   struct error *error)
{
    struct local *local = target->data;
    (void)wanted;
    local->state = NULL;
    int result =
        supervisor_call(task, local, local->arena, "GET", "/state", NULL, &local->state, error);
    if (result == ERR_NOT_FOUND)
        error_clear(error);
    return result == ERR_NOT_FOUND ? 0 : result;
}

/* The folder of the stack file, absolute. */
static const char *folder_of(struct arena *arena, const char *file)
{
    char path[PATH_MAX];
    const char *slash = strrchr(file, '/');
    const char *folder = slash ? arena_strndup(arena, file, (size_t)(slash - file) + 1) : ".";
    return realpath(folder, path) ? arena_strdup(arena, path) : NULL;
}

static const char *cache_of(struct arena *arena)
{
    const char *named = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (named && *named)
        return arena_printf(arena, "%s/ragstack", named);
    if (geteuid() == 0) /* PostgreSQL runs as another user, who cannot enter root's home */
        return "/var/cache/ragstack";
    return home && *home ? arena_printf(arena, "%s/.cache/ragstack", home) : NULL;
}

int local_new(struct arena *arena, const struct local_options *options, struct local **out,
              struct error *error)
{
    struct local *local = arena_new_of(arena, struct local);
    const char *folder = folder_of(arena, options->stack_file);
    const char *environment = options->environment ? options->environment : "";
    if (!folder)
        return error_set(error, ERR_FAILED, "the folder of %s: %s", options->stack_file,
                         strerror(errno));
    *local = (struct local){
        .transport = options->transport,
        .arena = arena,
        .folder = arena_printf(arena, "%s/.ragstack/local/%s%s%s", folder, options->stack,
                               *environment ? "-" : "", environment),
        .cache = cache_of(arena),
        .identity = {.target = "local",
                     .partition = "aws",
                     .account = "000000000000",
                     .region = "local",
                     .stack = arena_strdup(arena, options->stack),
                     .environment = arena_strdup(arena, environment)},
    };
    if (!local->cache)
        return error_set(error, ERR_FAILED,
                         "HOME is not set: there is no place for what is fetched");
    local->target = (struct target){.name = "local",
                                    .types = local_types,
                                    .data = local,
                                    .identity = &local->identity,
                                    .prepare = prepare};
    *out = local;
    return 0;
}
