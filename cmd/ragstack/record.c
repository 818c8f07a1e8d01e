#include "cmd/ragstack/record.h"

#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/expanded.h"
#include "pkg/base/panic.h"
#include "pkg/plan/lines.h"

const char *record_owner(struct arena *arena)
{
    char host[256] = "";
    const struct passwd *user = getpwuid(getuid());
    const char *name = user ? user->pw_name : getenv("USER");
    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    return arena_printf(arena, "%s@%s", name && *name ? name : "somebody",
                        host[0] ? host : "some-machine");
}

/* The address of the pipeline's job, where it runs in one. */
static const char *job_url(struct arena *arena)
{
    const char *url = getenv("CI_JOB_URL"), *server = getenv("GITHUB_SERVER_URL");
    const char *repository = getenv("GITHUB_REPOSITORY"), *run = getenv("GITHUB_RUN_ID");
    if (url && *url)
        return url;
    return server && repository && run
               ? arena_printf(arena, "%s/%s/actions/runs/%s", server, repository, run)
               : NULL;
}

/* Tells this run's documents from those of others. */
static const char *run_id(struct arena *arena)
{
    unsigned char bytes[8];
    require(RAND_bytes(bytes, sizeof bytes) == 1);
    char *hex = arena_alloc(arena, 2 * sizeof bytes + 1);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return hex;
}

static void set_now(const struct session *session, struct value *document, const char *key)
{
    char text[32];
    clock_format_iso(ledger_wall_ms(session->ledger), text, sizeof text);
    value_set_text(session->arena, document, key, text);
}

static struct value *git_to_value(struct arena *arena, const struct git_state *git)
{
    if (!git->commit)
        return NULL;
    struct value *map = value_map(arena);
    value_set_text(arena, map, "commit", git->commit);
    value_set_bool(arena, map, "dirty", git->dirty);
    value_set_text(arena, map, "author", git->author);
    return value_set(arena, map, "branch", value_string(arena, git->branch));
}

/* -- the beginning -- */

static struct value *resources_to_value(struct arena *arena, const struct resource_list *wanted)
{
    struct value *map = expanded_to_value(arena, wanted);
    for (size_t i = 0; i < wanted->count; i++)
        value_set(arena, value_get(map, wanted->items[i].id), "tags", wanted->items[i].tags);
    return map;
}

static struct value *steps_to_value(struct arena *arena, const struct plan *plan)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "action", step_word(step->kind));
        value_set_text(arena, row, "kind", step->type->kind);
        value_set_text(arena, row, "id", step->id);
        value_set_text(arena, row, "reason", step->reason);
        value_push(arena, list, row);
    }
    return list;
}

struct value *record_begin(const struct session *session, const struct plan *plan)
{
    struct arena *arena = session->arena;
    struct value *document = value_map(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "run", run_id(arena));
    value_set_text(arena, document, "command", session->command->name);
    value_set_text(arena, document, "status", "running");
    value_set_text(arena, document, "who", record_owner(arena));
    value_set(arena, document, "job", value_string(arena, job_url(arena)));
    value_set_text(arena, document, "ragstack", RAGSTACK_VERSION);
    set_now(session, document, "started");
    value_set(arena, document, "git", git_to_value(arena, &session->stack->git));
    value_set(arena, document, "steps", steps_to_value(arena, plan));
    value_set(arena, document, "resources", resources_to_value(arena, &session->wanted));
    return document;
}

/* -- the end -- */

static const char *status_word(const struct session *session, int code)
{
    if (code == 0)
        return "done";
    if (session->interrupted)
        return "interrupted";
    return code == ERR_PARTIAL ? "partial" : "failed";
}

static const char *outcome_word(const struct apply_result *result, size_t step)
{
    static const char *const words[] = {
        [STEP_NOT_TRIED] = "not tried", [STEP_FAILED] = "failed", [STEP_DONE] = "done"};
    return words[result->outcomes ? result->outcomes[step] : STEP_NOT_TRIED];
}

static const char *failure_of(const struct apply_result *result, const struct step *step)
{
    for (size_t i = 0; i < result->failure_count; i++) {
        if (result->failures[i].step == step)
            return result->failures[i].error.message;
    }
    return NULL;
}

void record_end(const struct session *session, struct value *document, const struct plan *plan,
                const struct apply_result *result, int code, const struct error *error)
{
    struct arena *arena = session->arena;
    const struct value *steps = value_get(document, "steps");
    value_set_text(arena, document, "status", status_word(session, code));
    set_now(session, document, "ended");
    value_set_int(arena, document, "elapsed_ms", result->elapsed_ms);
    if (code < 0)
        value_set_text(arena, document, "error", error->message);
    for (size_t i = 0; i < plan->step_count; i++) {
        struct value *row = value_item(steps, i);
        const char *failure = failure_of(result, &plan->steps[i]);
        value_set_text(arena, row, "outcome", outcome_word(result, i));
        if (failure)
            value_set_text(arena, row, "error", failure);
    }
}

/* -- what was applied -- */

/* The step that makes or changes this resource, or deletes it; SIZE_MAX if there is none. */
static size_t step_of(const struct plan *plan, const char *id, bool deletes)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (strcmp(plan->steps[i].id, id) == 0 && (plan->steps[i].kind == STEP_DELETE) == deletes)
            return i;
    }
    return SIZE_MAX;
}

static bool is_done(const struct apply_result *result, size_t step)
{
    return result->outcomes && result->outcomes[step] == STEP_DONE;
}

static int generation_of(const struct plan *plan, const char *id, size_t step)
{
    int generation = 1;
    if (step != SIZE_MAX)
        return plan->steps[step].generation;
    for (size_t i = 0; i < plan->found.count; i++) {
        const struct found *found = &plan->found.items[i];
        if (!found->foreign && strcmp(found->id, id) == 0 && found->generation > generation)
            generation = found->generation;
    }
    return generation;
}

/* The fields that a later diff compares, and the tags. */
static struct value *entry_of(struct arena *arena, const struct plan *plan,
                              const struct resource *resource, const struct value *attributes,
                              size_t step)
{
    struct value *entry = value_map(arena);
    for (const struct field *field = resource->type->fields; field->name; field++) {
        if (!(field->flags & (COMPUTED | WRITE_ONLY)))
            value_set(arena, entry, field->name, value_get(attributes, field->name));
    }
    if (!(resource->type->flags & NO_TAGS))
        value_set(arena, entry, "tags",
                  identity_tags(arena, plan->target->identity, resource->id,
                                generation_of(plan, resource->id, step), resource->tags));
    return entry;
}

static void apply_wanted(struct arena *arena, const struct plan *plan,
                         const struct apply_result *result, const struct value *before,
                         bool partial, struct value *applied)
{
    for (size_t i = 0; i < plan->wanted->count && !plan->down; i++) {
        const struct resource *resource = &plan->wanted->items[i];
        struct value *known = value_get(before, resource->id);
        const struct value *attributes = value_get(result->attributes, resource->id);
        size_t step = step_of(plan, resource->id, false);
        bool kept = step == SIZE_MAX ? partial && known : !is_done(result, step);
        value_set(arena, applied, resource->id,
                  kept || !attributes ? known : entry_of(arena, plan, resource, attributes, step));
    }
}

/* What was to go, and is not gone. */
static void apply_deletes(struct arena *arena, const struct plan *plan,
                          const struct apply_result *result, const struct value *before,
                          bool partial, struct value *applied)
{
    for (size_t i = 0; i < value_count(before); i++) {
        const struct value_entry *entry = value_entry(before, i);
        size_t step = step_of(plan, entry->key, true);
        bool kept = step == SIZE_MAX ? partial : !is_done(result, step);
        if (kept && !value_get(applied, entry->key))
            value_set(arena, applied, entry->key, entry->value);
    }
}

struct value *record_applied(const struct session *session, const struct plan *plan,
                             const struct apply_result *result, const struct value *before,
                             bool partial)
{
    struct value *applied = value_map(session->arena);
    apply_wanted(session->arena, plan, result, before, partial, applied);
    apply_deletes(session->arena, plan, result, before, partial, applied);
    return applied;
}
