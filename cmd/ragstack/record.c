#include "cmd/ragstack/record.h"

#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkg/base/hex.h"
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
    return hex_text(arena, bytes, sizeof bytes);
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

/* -- what is kept of each resource -- */

/* One pass over all resources: what was known of them, and what the steps did (all, before the
 * walk: result NULL). */
struct pass {
    const struct session *session;
    const struct plan *plan;
    const struct apply_result *result;
    bool partial;
    struct map makes, deletes; /* id -> the step that makes or changes it, or that deletes it */
    struct map found;          /* id -> the newest found */
};

static struct pass pass_of(const struct session *session, const struct plan *plan,
                           const struct apply_result *result, bool partial)
{
    struct map map = map_in(session->arena);
    struct pass pass = {session, plan, result, partial, map, map, map};
    for (size_t i = 0; i < plan->step_count; i++) {
        struct step *step = &plan->steps[i];
        map_put(step->kind == STEP_DELETE ? &pass.deletes : &pass.makes, step->id, step);
    }
    for (size_t i = 0; i < plan->found.count; i++) {
        struct found *found = &plan->found.items[i];
        const struct found *other = map_get(&pass.found, found->id);
        if (!found->foreign && (!other || found->generation > other->generation))
            map_put(&pass.found, found->id, found);
    }
    return pass;
}

static bool is_done(const struct pass *pass, const struct step *step)
{
    return !pass->result || (pass->result->outcomes &&
                             pass->result->outcomes[step - pass->plan->steps] == STEP_DONE);
}

/* Is the resource now as it is wanted; or else as it was before? */
static bool is_as_wanted(const struct pass *pass, const char *id, bool known)
{
    const struct step *step = map_get(&pass->makes, id);
    if (step)
        return is_done(pass, step);
    return !pass->partial || (!known && map_get(&pass->found, id));
}

typedef struct value *make_entry(const struct pass *pass, const struct resource *resource);

/* `before` with what the steps did to it. */
static struct value *pass_over(const struct pass *pass, const struct value *before,
                               make_entry *make)
{
    struct arena *arena = pass->session->arena;
    const struct plan *plan = pass->plan;
    struct value *after = value_map(arena);
    for (size_t i = 0; i < plan->wanted->count && !plan->down; i++) {
        const struct resource *resource = &plan->wanted->items[i];
        struct value *known = value_get(before, resource->id);
        value_set(arena, after, resource->id,
                  is_as_wanted(pass, resource->id, known) ? make(pass, resource) : known);
    }
    for (size_t i = 0; i < value_count(before); i++) { /* what was to go, and is not gone */
        const struct value_entry *entry = value_entry(before, i);
        const struct step *step = map_get(&pass->deletes, entry->key);
        bool stays = step ? !is_done(pass, step) : pass->partial;
        if (stays && !value_get(after, entry->key))
            value_set(arena, after, entry->key, entry->value);
    }
    return after;
}

/* As the file had it. */
static struct value *entry_said(const struct pass *pass, const struct resource *resource)
{
    struct arena *arena = pass->session->arena;
    struct value *entry = value_map(arena);
    value_set_text(arena, entry, "kind", resource->type->kind);
    value_set(arena, entry, "props", resource->props);
    return value_set(arena, entry, "tags", resource->tags);
}

/* The fields that a later diff compares, and the stack's own tags. */
static struct value *entry_resolved(const struct pass *pass, const struct resource *resource)
{
    struct arena *arena = pass->session->arena;
    const struct value *attributes = value_get(pass->result->attributes, resource->id);
    struct value *entry = value_map(arena);
    if (!attributes)
        return NULL;
    for (const struct field *field = resource->type->fields; field->name; field++) {
        if (!(field->flags & (COMPUTED | WRITE_ONLY)))
            value_set(arena, entry, field->name, value_get(attributes, field->name));
    }
    return value_set(arena, entry, "tags", resource->tags);
}

struct ledger_applied record_applied(const struct session *session, const struct plan *plan,
                                     const struct apply_result *result, bool partial)
{
    struct pass pass = pass_of(session, plan, result, partial);
    return (struct ledger_applied){
        .resolved = pass_over(&pass, session->applied.resolved, entry_resolved),
        .resources = pass_over(&pass, session->applied.resources, entry_said),
    };
}

/* -- the beginning -- */

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

struct value *record_begin(const struct session *session, const struct plan *plan, bool partial)
{
    struct arena *arena = session->arena;
    struct pass pass = pass_of(session, plan, NULL, partial);
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
    value_set(arena, document, "resources",
              pass_over(&pass, session->applied.resources, entry_said));
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
