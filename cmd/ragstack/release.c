#include "cmd/ragstack/release.h"

#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/api.h"
#include "cmd/ragstack/terminal_text.h"
#include "pkg/cloud/lambda.h"
#include "pkg/cloud/types.h"
#include "pkg/local/types.h"
#include "pkg/value/json.h"

enum {
    TRIES = 2,        /* one may be lost on the way */
    PAUSE_MS = 2000,  /* between two rounds of questions */
    AGAIN_MS = 1000,  /* before a second try */
    BUSY_MOST_S = 10, /* that an API which has too many questions is waited for */
};

struct release {
    struct session *session;
    struct api api;
    const struct value *smoke; /* questions */
    int64_t watch_ms, latency_ms;
    int asked;
};

/* -- what changed -- */

static bool is_function(const struct step *step)
{
    return step->type == &lambda_function || step->type == &local_function;
}

static bool changes_functions(const struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (is_function(&plan->steps[i]) && plan->steps[i].kind != STEP_DELETE)
            return true;
    }
    return false;
}

static const struct value *smoke_of(const struct session *session)
{
    return value_at(session->stack->tree, "release.smoke");
}

void release_tell(const struct session *session, const struct plan *plan)
{
    size_t count = value_count(smoke_of(session));
    int64_t watch_s = value_int_at(session->stack->tree, "release.watch_s", 0);
    if (!count || !changes_functions(plan))
        return;
    fprintf(stderr, "Functions change: then %zu smoke question%s asked", count,
            count == 1 ? " is" : "s are");
    if (watch_s)
        fprintf(stderr, ", for %lld s", (long long)watch_s);
    fputs("; if one fails, `live` goes back to the version that it is at.\n", stderr);
}

/* -- asking -- */

static int ask_once(struct task *task, struct release *release, const char *question, int *wait_s,
                    struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *reply = NULL;
    struct api_request request = {.method = "POST", .path = "/ask"};
    request.body = json_text(arena, value_set_text(arena, value_map(arena), "question", question));
    request.body_length = strlen(request.body);
    int64_t started_ms = task_now_ms(task);
    release->asked++;
    int result = api_call(task, &release->api, arena, &request, &reply, wait_s, error);
    int64_t took_ms = task_now_ms(task) - started_ms;
    if (result < 0)
        return result;
    const char *outcome = value_text(reply, "outcome");
    if (!outcome || strcmp(outcome, "passages_only") == 0)
        return error_set(error, ERR_FAILED, "%s",
                         outcome ? "the model did not answer in time" : "the reply has no outcome");
    if (took_ms > release->latency_ms)
        return error_set(error, ERR_TIMEOUT, "the answer took %lld ms, more than %lld",
                         (long long)took_ms, (long long)release->latency_ms);
    return 0;
}

/* A busy API is no broken one. */
static int ask(struct task *task, struct release *release, const char *question,
               struct error *error)
{
    struct error why = {0};
    int result = 0;
    for (int tries = 1; tries <= TRIES; tries++) {
        int wait_s = 0;
        error_clear(&why);
        result = ask_once(task, release, question, &wait_s, &why);
        if (result == 0 || result == ERR_CANCELLED || result == ERR_TIMEOUT || tries == TRIES)
            break;
        int64_t pause_ms = wait_s > 0 && result == ERR_THROTTLED
                               ? 1000L * (wait_s < BUSY_MOST_S ? wait_s : BUSY_MOST_S)
                               : AGAIN_MS;
        if (task_sleep(task, pause_ms, error) < 0)
            return ERR_CANCELLED;
    }
    if (result == ERR_THROTTLED)
        return 0;
    if (result < 0)
        *error = why;
    return result;
}

static int ask_all(struct task *task, struct release *release, const char **failed,
                   struct error *error)
{
    const struct value *question;
    int64_t until_ms = task_now_ms(task) + release->watch_ms;
    for (;;) {
        value_each(question, release->smoke)
        {
            *failed = question->string.text;
            int result = ask(task, release, question->string.text, error);
            if (result < 0)
                return result;
        }
        *failed = NULL;
        if (task_now_ms(task) + PAUSE_MS > until_ms)
            return 0;
        if (task_sleep(task, PAUSE_MS, error) < 0)
            return ERR_CANCELLED;
    }
}

/* -- the way back -- */

/* All functions together: they were made for each other. */
static int go_back(struct task *task, struct session *session, const struct plan *plan,
                   const struct apply_result *applied, struct value *returned, struct error *error)
{
    int result = 0;
    task_mask_cancel(task, true);
    for (size_t i = 0; session->cloud && i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        const char *before = step->found ? value_text(step->found->props, "live_version") : NULL;
        const char *now = value_text(value_get(applied->attributes, step->id), "live_version");
        if (step->type != &lambda_function || step->kind != STEP_UPDATE || !before || !now ||
            strcmp(before, now) == 0)
            continue;
        int moved = lambda_point_live(task, session->cloud, session->arena,
                                      step->found->physical_id, before, result == 0 ? error : NULL);
        if (moved == 0)
            value_set_text(session->arena, returned, step->id, before);
        result = result < 0 ? result : moved;
    }
    task_mask_cancel(task, false);
    return result;
}

static int fail(struct session *session, const struct value *returned, const char *question,
                const char *why, struct error *error)
{
    const char *list = "";
    for (size_t i = 0; i < value_count(returned); i++) {
        const struct value_entry *entry = value_entry(returned, i);
        list = arena_printf(session->arena, "%s%s%s to version %s", list, i ? ", " : "", entry->key,
                            entry->value->string.text);
    }
    if (!*list)
        return error_set(
            error, ERR_FAILED,
            "the smoke question \"%s\" failed: %s; there is no earlier version that "
            "`live` could go back to: `ragstack history` and `ragstack rollback N` can",
            question, why);
    return error_set(error, ERR_FAILED,
                     "the smoke question \"%s\" failed: %s; `live` went back: %s. The new code is "
                     "there, and nobody is led to it; `ragstack up` tries it again",
                     question, why, list);
}

/* -- all of it -- */

static struct value *told_of(struct session *session, const struct release *release,
                             const char *failed, struct value *returned)
{
    struct value *told = value_map(session->arena);
    value_set_int(session->arena, told, "asked", release->asked);
    if (!failed)
        return told;
    value_set_text(session->arena, told, "failed", failed);
    return value_set(session->arena, told, "returned", returned);
}

int release_try(struct task *task, struct session *session, const struct plan *plan,
                const struct apply_result *applied, struct value **told, struct error *error)
{
    const struct value *tree = session->stack->tree;
    const char *url = value_text_at(applied->attributes, "api.url"), *failed = NULL;
    struct release release = {.session = session,
                              .smoke = smoke_of(session),
                              .watch_ms = value_int_at(tree, "release.watch_s", 0) * 1000,
                              .latency_ms = value_int_at(tree, "release.latency_ms", 0)};
    struct value *returned = value_map(session->arena);
    struct error why = {0};
    *told = NULL;
    if (!value_count(release.smoke) || !changes_functions(plan) || !url)
        return 0;
    int result = api_at(session, url, &release.api, error);
    if (result == 0)
        result = ask_all(task, &release, &failed, &why);
    if (result == ERR_CANCELLED)
        return error_set(error, ERR_CANCELLED,
                         "interrupted while the new functions were tried: `live` points at them");
    int back = failed ? go_back(task, session, plan, applied, returned, error) : 0;
    *told = told_of(session, &release, failed, returned);
    if (back < 0)
        return error_wrap(error,
                          "the smoke question \"%s\" failed (%s), and `live` could not go back",
                          failed, why.message);
    if (failed)
        return fail(session, returned, failed, terminal_line(session->arena, why.message), error);
    if (result == 0)
        fprintf(stderr, "%d smoke question%s answered.\n", release.asked,
                release.asked == 1 ? "" : "s");
    return result;
}
