/* Questions to the API, several at once at a bounded rate. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/eval.h"
#include "cmd/ragstack/terminal_text.h"
#include "pkg/value/json.h"

enum {
    TRIES = 3,
    THROTTLED_TRIES = 20,
    FAILURES_IN_A_ROW = 3, /* then something else is wrong */
    PLAIN_MS = 5000,       /* between two lines of progress, where it is no terminal */
};

struct asking {
    struct session *session;
    const struct api *api;
    const struct eval_options *options;
    struct eval_run *run;
    size_t next, done, all;
    int64_t next_ms; /* when the next question may be sent */
    int failed_in_a_row;
    bool stopped, live;
    int64_t told_ms;
};

/* -- progress -- */

static void tell(struct task *task, struct asking *asking)
{
    int64_t now_ms = task_now_ms(task);
    asking->done++;
    if (!asking->live && now_ms - asking->told_ms < PLAIN_MS)
        return;
    asking->told_ms = now_ms;
    fprintf(stderr, "%s%zu of %zu questions%s", asking->live ? "\r\033[K  " : "", asking->done,
            asking->all, asking->live ? "" : "\n");
    fflush(stderr);
}

/* -- one question -- */

static const char *body_of(struct arena *arena, const struct eval_options *options,
                           const struct question *question)
{
    struct value *body = value_set_text(arena, value_map(arena), "question", question->text);
    if (question->filter)
        value_set(arena, body, "filter", value_copy(arena, question->filter));
    if (options->top_k)
        value_set_int(arena, body, "top_k", options->top_k);
    if (!isnan(options->floor))
        value_set(arena, body, "floor", value_real(arena, options->floor));
    if (options->search_only)
        value_set_bool(arena, body, "generate", false);
    value_set_bool(arena, body, "explain", true);
    return json_text(arena, body);
}

/* Each takes the next place in time, and sleeps until then. */
static int wait_for_turn(struct task *task, struct asking *asking, struct error *error)
{
    int64_t now_ms = task_now_ms(task);
    int64_t turn_ms = asking->next_ms > now_ms ? asking->next_ms : now_ms;
    asking->next_ms = turn_ms + (int64_t)ceil(1000 / asking->options->rate);
    return turn_ms > now_ms ? task_sleep(task, turn_ms - now_ms, error) : 0;
}

static bool may_repeat(int result, const struct error *error, int tries)
{
    if (result == ERR_THROTTLED)
        return tries < THROTTLED_TRIES;
    return result != ERR_CANCELLED && (error->http_status == 0 || error->http_status >= 500) &&
           tries < TRIES;
}

/* Who is busy is left alone by all of them. */
static void hold_back(struct task *task, struct asking *asking, int seconds)
{
    int64_t until_ms = task_now_ms(task) + seconds * 1000L;
    if (asking->next_ms < until_ms)
        asking->next_ms = until_ms;
}

static int ask_patiently(struct task *task, struct asking *asking, struct arena *arena,
                         struct eval_row *row, struct value **reply, struct error *error)
{
    struct api_request request = {.method = "POST", .path = "/ask"};
    request.body = body_of(arena, asking->options, &row->question);
    request.body_length = strlen(request.body);
    for (int tries = 1;; tries++) {
        int wait_s = 1 << tries;
        int result = wait_for_turn(task, asking, error);
        if (result < 0)
            return result;
        error_clear(error);
        int64_t started_ms = task_now_ms(task);
        result = api_call(task, asking->api, arena, &request, reply, &wait_s, error);
        row->took_ms = (double)(task_now_ms(task) - started_ms);
        if (result == 0 || !may_repeat(result, error, tries))
            return result;
        hold_back(task, asking, wait_s);
    }
}

/* Nobody answers, nobody may, or it is no API of ours. */
static bool is_about_all(const struct asking *asking, int result, const struct error *error)
{
    int status = error->http_status;
    return result == ERR_CANCELLED || status == 401 || status == 403 || status == 404 ||
           (status == 0 && result == ERR_INPUT) || asking->failed_in_a_row >= FAILURES_IN_A_ROW;
}

static int ask_one(struct task *task, struct asking *asking, struct eval_row *row,
                   struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *reply = NULL;
    struct error why = {0};
    int result = ask_patiently(task, asking, arena, row, &reply, &why);
    if (result == 0)
        result = eval_take_reply(asking->session->arena, asking->run, row, reply, &why);
    if (result == 0) {
        asking->failed_in_a_row = 0;
        tell(task, asking);
        return 0;
    }
    asking->failed_in_a_row += result != ERR_INPUT;
    if (is_about_all(asking, result, &why)) {
        *error = why;
        return result;
    }
    row->outcome = EVAL_FAILED;
    row->reason = eval_harmless(asking->session->arena, why.message);
    tell(task, asking);
    return 0;
}

static int work(struct task *task, void *argument, struct error *error)
{
    struct asking *asking = *(struct asking **)argument;
    int result = 0;
    while (result == 0 && !asking->stopped && asking->next < asking->run->count) {
        struct eval_row *row = &asking->run->rows[asking->next++];
        if (row->outcome == EVAL_NOT_ASKED)
            result = ask_one(task, asking, row, error);
    }
    if (result < 0)
        asking->stopped = true;
    return result;
}

int eval_ask(struct task *task, struct session *session, const struct api *api,
             const struct eval_options *options, struct eval_run *run, struct error *error)
{
    struct asking asking = {.session = session, .api = api, .options = options, .run = run};
    struct asking **all = arena_array(session->arena, (size_t)options->at_once, sizeof *all);
    for (int i = 0; i < options->at_once; i++)
        all[i] = &asking;
    asking.all = run->count - eval_asked(run);
    asking.live = terminal_is_live(STDERR_FILENO);
    asking.told_ms = task_now_ms(task);
    int result =
        task_each(task, "eval", work, all, sizeof *all, (size_t)options->at_once, 0, error);
    if (asking.live)
        fputs("\r\033[K", stderr);
    return result;
}
