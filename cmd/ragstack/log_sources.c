#include "cmd/ragstack/log_sources.h"

#include <string.h>
#include <unistd.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/types.h"
#include "pkg/local/types.h"
#include "pkg/watch/cloudwatch_logs.h"
#include "pkg/watch/file_logs.h"

/* The source that a wanted resource writes to: "ask-logs" is "ask"; NULL if it is none. */
static const char *source_of(struct arena *arena, const struct resource_type *type, const char *id)
{
    size_t length = strlen(id);
    if (type == &local_function || type == &local_gateway)
        return id;
    if (type != &logs_group)
        return NULL;
    return length > 5 && strcmp(id + length - 5, "-logs") == 0
               ? arena_strndup(arena, id, length - 5)
               : id;
}

static bool is_said(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

static int check_names(struct session *session, const char *const *said, struct error *error)
{
    const char **known = arena_array(session->arena, session->wanted.count + 1, sizeof *known);
    const char *all = "";
    size_t count = 0;
    for (size_t i = 0; i < session->wanted.count; i++) {
        const struct resource *resource = &session->wanted.items[i];
        const char *name = source_of(session->arena, resource->type, resource->id);
        if (!name)
            continue;
        known[count] = name;
        all = arena_printf(session->arena, "%s%s%s", all, count++ ? ", " : "", name);
    }
    for (; *said; said++) {
        if (!is_said(known, *said))
            return error_set(error, ERR_USAGE,
                             "--function %s: there is no such source; there are: %s", *said, all);
    }
    return 0;
}

/* Only log groups are looked for. */
static int find_groups(struct task *task, struct session *session, const char *const *said,
                       struct log_source_list *out, struct error *error)
{
    const struct resource_type *const only[] = {&logs_group, NULL};
    struct target narrow = *session->target;
    struct found_list found = {0};
    narrow.types = only;
    int result = observe_all(task, session->arena, &narrow, &session->wanted, &found, error);
    const char **groups = arena_array(session->arena, found.count + 1, sizeof *groups);
    out->groups = groups;
    for (size_t i = 0; result == 0 && i < found.count; i++) {
        const char *name = source_of(session->arena, &logs_group, found.items[i].id);
        if (found.items[i].foreign || (said[0] && !is_said(said, name)))
            continue;
        groups[out->count] = found.items[i].name;
        vector_push(
            session->arena, out,
            cloudwatch_log_source(session->arena, session->client, name, found.items[i].name));
    }
    return result;
}

static void find_files(struct session *session, const char *const *said,
                       struct log_source_list *out)
{
    for (size_t i = 0; i < session->wanted.count; i++) {
        const struct resource *resource = &session->wanted.items[i];
        const char *name = source_of(session->arena, resource->type, resource->id);
        if (!name || (said[0] && !is_said(said, name)))
            continue;
        const char *path =
            arena_printf(session->arena, "%s/logs/%s.log", session->local->folder, name);
        if (access(path, R_OK) == 0)
            vector_push(session->arena, out, file_log_source(session->arena, name, path));
    }
}

int log_sources_find(struct task *task, struct session *session, const char *const *said,
                     struct log_source_list *out, struct error *error)
{
    int result = session_expand(session, error);
    if (result == 0)
        result = check_names(session, said, error);
    if (result == 0 && !session->local)
        return find_groups(task, session, said, out, error);
    if (result == 0)
        find_files(session, said, out);
    return result;
}
