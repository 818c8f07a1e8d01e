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

/* A function's way from one version to the next. */
struct move {
    const char *id, *name, *before, *now;
    bool held; /* `live` is still at `before`: canary steps lead to `now` */
};

struct release {
    struct session *session;
    struct api api;
    const struct value *smoke; /* questions */
    int64_t watch_ms, latency_ms;
    int asked, busy;    /* questions; those that the API had no room for */
    const char *failed; /* what was tried last, in words; NULL: all went well */
    int64_t started_ms; /* of the day */
    struct move *moves; /* functions with a version of before */
    size_t move_count;
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

void release_prepare(struct session *session)
{
    if (session->cloud)
        session->cloud->hold_live =
            value_count(value_at(session->stack->tree, "release.canary")) > 0;
}

static void find_moves(struct release *release, const struct plan *plan,
                       const struct apply_result *applied)
{
    struct session *session = release->session;
    release->moves = arena_array(session->arena, plan->step_count + 1, sizeof *release->moves);
    for (size_t i = 0; session->cloud && i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        const struct found *found = step->found;
        const char *before = found ? value_text(found->props, "live_version") : NULL;
        const char *held = found ? map_get(&session->cloud->held, found->physical_id) : NULL;
        const char *now = value_text(value_get(applied->attributes, step->id), "live_version");
        now = held ? held : now;
        if (step->type != &lambda_function || step->kind != STEP_UPDATE || !before || !now ||
            strcmp(before, now) == 0)
            continue;
        release->moves[release->move_count++] =
            (struct move){step->id, found->physical_id, before, now, held != NULL};
    }
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
    release->asked++;
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
    if (result == ERR_THROTTLED) {
        release->busy++;
        return 0;
    }
    if (result < 0)
        *error = why;
    return result;
}

static int ask_all(struct task *task, struct release *release, struct error *error)
{
    const struct value *question;
    int64_t until_ms = task_now_ms(task) + release->watch_ms;
    for (;;) {
        value_each(question, release->smoke)
        {
            release->failed = question->string.text;
            int result = ask(task, release, question->string.text, error);
            if (result < 0)
                return result;
        }
        release->failed = NULL;
        if (task_now_ms(task) + PAUSE_MS > until_ms)
            return 0;
        if (task_sleep(task, PAUSE_MS, error) < 0)
            return ERR_CANCELLED;
    }
}

/* -- canary steps -- */

/* Errors of a version that is led to. Source: "Types of metrics for Lambda functions", AWS Lambda
 * Developer Guide (ExecutedVersion). */
static struct value *errors_query(struct arena *arena, const struct move *move, size_t i)
{
    const char *const dimensions[][2] = {
        {"FunctionName", move->name},
        {"Resource", arena_printf(arena, "%s:" LAMBDA_ALIAS, move->name)},
        {"ExecutedVersion", move->now}};
    struct value *list = value_list(arena), *what = value_map(arena), *how = value_map(arena),
                 *query = value_map(arena);
    for (size_t j = 0; j < COUNT_OF(dimensions); j++) {
        struct value *dimension = value_map(arena);
        value_set_text(arena, dimension, "Name", dimensions[j][0]);
        value_set_text(arena, dimension, "Value", dimensions[j][1]);
        value_push(arena, list, dimension);
    }
    value_set_text(arena, what, "Namespace", "AWS/Lambda");
    value_set_text(arena, what, "MetricName", "Errors");
    value_set(arena, what, "Dimensions", list);
    value_set(arena, how, "Metric", what);
    value_set_int(arena, how, "Period", 60);
    value_set_text(arena, how, "Stat", "Sum");
    value_set_text(arena, query, "Id", arena_printf(arena, "e%zu", i));
    return value_set(arena, query, "MetricStat", how);
}

/* As CloudWatch has counted so far: it lags by a minute or two. */
static int check_errors(struct task *task, const struct release *release, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = value_map(arena), *queries = value_list(arena), *results = NULL;
    const struct value *one, *sum;
    double errors = 0;
    for (size_t i = 0; i < release->move_count; i++) {
        if (release->moves[i].held)
            value_push(arena, queries, errors_query(arena, &release->moves[i], i));
    }
    value_set(arena, parameters, "MetricDataQueries", queries);
    value_set_int(arena, parameters, "StartTime", release->started_ms / 60000 * 60);
    value_set_int(arena, parameters, "EndTime", task_wall_ms(task) / 1000 + 60);
    int result = aws_list(task, release->session->client, arena, &aws_cloudwatch, "GetMetricData",
                          parameters, &results, error);
    value_each(one, result == 0 ? results : NULL)
    {
        value_each(sum, value_get(one, "Values")) errors += value_as_real(sum, 0);
    }
    if (result < 0 || errors <= 0)
        return result;
    return error_set(error, ERR_FAILED, "CloudWatch counts %.0f errors of the new versions",
                     errors);
}

static int lead(struct task *task, const struct release *release, int percent, struct error *error)
{
    const struct session *session = release->session;
    int result = 0;
    for (size_t i = 0; result == 0 && i < release->move_count; i++) {
        const struct move *move = &release->moves[i];
        if (move->held && percent < 100)
            result = lambda_lead(task, session->cloud, session->arena, move->name, move->before,
                                 move->now, percent / 100.0, error);
        else if (move->held)
            result = lambda_point_live(task, session->cloud, session->arena, move->name, move->now,
                                       error);
    }
    return result;
}

static int take_step(struct task *task, struct release *release, int percent, struct error *error)
{
    const char *what = arena_printf(release->session->arena, "%d %% of the calls", percent);
    fprintf(stderr, "%s go to the new functions.\n", what);
    release->failed = what;
    int result = lead(task, release, percent, error);
    if (result == 0)
        result = ask_all(task, release, error);
    if (result < 0)
        return result;
    release->failed = what;
    result = check_errors(task, release, error);
    if (result == 0)
        release->failed = NULL;
    return result;
}

static bool is_held(const struct release *release)
{
    for (size_t i = 0; i < release->move_count; i++) {
        if (release->moves[i].held)
            return true;
    }
    return false;
}

/* Step by step where the file says so, then all of them. */
static int try_all(struct task *task, struct release *release, struct error *error)
{
    const struct value *steps = value_at(release->session->stack->tree, "release.canary"), *step;
    int result = 0;
    if (!is_held(release))
        return ask_all(task, release, error);
    value_each(step, steps)
    {
        if (result == 0)
            result = take_step(task, release, (int)value_as_int(step, 1), error);
    }
    return result == 0 ? take_step(task, release, 100, error) : result;
}

/* -- the way back -- */

/* All functions together: they were made for each other. */
static int go_back(struct task *task, const struct release *release, struct value *returned,
                   struct error *error)
{
    const struct session *session = release->session;
    int result = 0;
    task_mask_cancel(task, true);
    for (size_t i = 0; i < release->move_count; i++) {
        const struct move *move = &release->moves[i];
        int moved = lambda_point_live(task, session->cloud, session->arena, move->name,
                                      move->before, result == 0 ? error : NULL);
        if (moved == 0)
            value_set_text(session->arena, returned, move->id, move->before);
        result = result < 0 ? result : moved;
    }
    task_mask_cancel(task, false);
    return result;
}

static int fail(const struct release *release, const struct value *returned, const char *why,
                struct error *error)
{
    struct arena *arena = release->session->arena;
    const char *list = "";
    for (size_t i = 0; i < value_count(returned); i++) {
        const struct value_entry *entry = value_entry(returned, i);
        list = arena_printf(arena, "%s%s%s to version %s", list, i ? ", " : "", entry->key,
                            entry->value->string.text);
    }
    if (!*list)
        return error_set(
            error, ERR_FAILED,
            "the new functions failed at \"%s\": %s; there is no earlier version that "
            "`live` could go back to: `ragstack history` and `ragstack rollback N` can",
            release->failed, why);
    return error_set(error, ERR_FAILED,
                     "the new functions failed at \"%s\": %s; `live` went back: %s. The new code "
                     "is there, and nobody is led to it; `ragstack up` tries it again",
                     release->failed, why, list);
}

/* -- all of it -- */

static struct value *told_of(const struct release *release, struct value *returned)
{
    struct arena *arena = release->session->arena;
    struct value *told = value_set_int(arena, value_map(arena), "asked", release->asked);
    if (release->busy)
        value_set_int(arena, told, "busy", release->busy);
    if (!release->failed)
        return told;
    value_set_text(arena, told, "failed", release->failed);
    return value_set(arena, told, "returned", returned);
}

int release_try(struct task *task, struct session *session, const struct plan *plan,
                const struct apply_result *applied, struct value **told, struct error *error)
{
    const struct value *tree = session->stack->tree;
    const char *url = value_text_at(applied->attributes, "api.url");
    struct release release = {.session = session,
                              .smoke = smoke_of(session),
                              .watch_ms = value_int_at(tree, "release.watch_s", 0) * 1000,
                              .latency_ms = value_int_at(tree, "release.latency_ms", 0),
                              .started_ms = task_wall_ms(task)};
    struct value *returned = value_map(session->arena);
    struct error why = {0};
    *told = NULL;
    find_moves(&release, plan, applied);
    if (!url && is_held(&release)) /* nobody calls them by it */
        return lead(task, &release, 100, error);
    if (!changes_functions(plan) || !url || !(value_count(release.smoke) || is_held(&release)))
        return 0;
    int result = api_at(session, url, &release.api, error);
    if (result < 0)
        return result;
    result = try_all(task, &release, &why);
    if (result < 0 && !release.failed)
        release.failed = "watching"; /* interrupted between two questions */
    int back = result < 0 ? go_back(task, &release, returned, error) : 0;
    *told = told_of(&release, returned);
    if (back < 0)
        return error_wrap(error,
                          "the new functions failed at \"%s\" (%s), and `live` could not go back",
                          release.failed, why.message);
    if (result < 0)
        return fail(&release, returned, terminal_line(session->arena, why.message), error);
    if (release.busy)
        fprintf(stderr, "%d of %d smoke questions answered; the API was too busy for the others.\n",
                release.asked - release.busy, release.asked);
    else if (release.asked)
        fprintf(stderr, "%d smoke question%s answered.\n", release.asked,
                release.asked == 1 ? "" : "s");
    return 0;
}
