/* From question to answer. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/rag-handler/handler.h"
#include "cmd/rag-handler/page.h"
#include "cmd/rag-handler/reply.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/lambda/gateway.h"
#include "pkg/rag/answer.h"
#include "pkg/rag/embedder.h"
#include "pkg/value/json.h"

enum {
    QUESTION_MAXIMUM = 4000, /* bytes */
    TOP_K_MAXIMUM = 50,
    API_PATIENCE_MS = 27000, /* HTTP APIs wait 30 s at most */
    LAST_WORDS_MS = 1500,    /* left for the reply itself */
};

static const struct setting settings[] = {
    {"RAG_STACK", false},
    {"RAG_DB_HOST", true},
    {"RAG_DB_NAME", true},
    {"RAG_DB_USER", true},
    {"RAG_DB_URL_FILE", true},
    {"RAG_EMBED_MODEL", false},
    {"RAG_EMBED_DIMENSIONS", false},
    {"RAG_GENERATE_MODEL", false},
    {"RAG_FALLBACK_MODELS", true},
    {"RAG_MAX_TOKENS", true},
    {"RAG_TOP_K", true},
    {"RAG_FLOOR", true},
    {"RAG_LOG_QUESTIONS", true},
    {"RAG_PROMPT", true},
    {0},
};

struct asked {
    const struct invocation *invocation;
    const char *question;
    struct answer_options options;
    struct answer answer;
    double connect_ms;
    const char *failed; /* phase of an error that came before the answer's own; NULL: none */
    bool explain;
};

/* -- the question -- */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* What only evaluation says: a floor of its own, no model, and how it came about. */
static struct value *read_trial(struct asked *asked, const struct value *body)
{
    const struct value *floor = value_get(body, "floor"), *generate = value_get(body, "generate"),
                       *explain = value_get(body, "explain");
    double number = value_as_real(floor, asked->options.floor);
    if (floor &&
        (!(value_is(floor, VALUE_REAL) || value_is(floor, VALUE_INT)) || number < 0 || number > 1))
        return reply_problem(asked->invocation, 400, "Bad Request", "floor: a number from 0 to 1");
    if ((generate && !value_is(generate, VALUE_BOOL)) ||
        (explain && !value_is(explain, VALUE_BOOL)))
        return reply_problem(asked->invocation, 400, "Bad Request",
                             "generate and explain: true or false");
    asked->options.floor = number;
    asked->options.search_only = !value_as_bool(generate, true);
    asked->explain = value_as_bool(explain, false);
    return NULL;
}

static struct value *read_question(struct asked *asked, const struct value *body)
{
    const struct invocation *invocation = asked->invocation;
    const struct value *question = value_get(body, "question"), *filter = value_get(body, "filter");
    int64_t top_k = value_int_at(body, "top_k", runtime_number("RAG_TOP_K", 0));
    if (!value_is(question, VALUE_STRING) || is_blank(question->string.text) ||
        question->string.length > QUESTION_MAXIMUM ||
        strlen(question->string.text) < question->string.length)
        return reply_problem(invocation, 400, "Bad Request",
                             "question: a text of 1 to 4,000 bytes");
    if (filter && !value_is(filter, VALUE_MAP))
        return reply_problem(invocation, 400, "Bad Request", "filter: an object of metadata");
    if (top_k < 0 || top_k > TOP_K_MAXIMUM)
        return reply_problem(invocation, 400, "Bad Request", "top_k: 1 to 50");
    asked->question = question->string.text;
    asked->options.filter = filter;
    asked->options.top_k = (int)top_k;
    return read_trial(asked, body);
}

/* In time for the API's own limit, and the function's. */
static int64_t deadline_ms(const struct invocation *invocation)
{
    int64_t left_ms = invocation_left_ms(invocation) - LAST_WORDS_MS;
    return task_now_ms(NULL) + (left_ms < API_PATIENCE_MS ? left_ms : API_PATIENCE_MS);
}

static double floor_setting(void)
{
    const char *model = runtime_text("RAG_EMBED_MODEL");
    return embedder_floor(runtime_text("RAG_FLOOR"), model ? model : "");
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int ask(struct task *task, void *argument, struct error *error)
{
    struct asked *asked = argument;
    struct arena *arena = asked->invocation->arena;
    struct models *models;
    struct pg *pg;
    double started_ms = now_ms();
    int result = runtime_models(arena, &models, error);
    if (result < 0)
        return result;
    result = runtime_database(task, &pg, error);
    asked->connect_ms = now_ms() - started_ms;
    if (result < 0) {
        asked->failed = "connect";
        return result;
    }
    result = answer_question(task, arena, pg, models, asked->question, &asked->options,
                             &asked->answer, error);
    asked->failed = asked->answer.failed;
    return result;
}

/* -- the log line -- */

/* The one line of this question; `error` is why it has no answer, or NULL. */
static void log_question(const struct asked *asked, const struct error *error)
{
    static bool is_warm;
    struct arena *arena = asked->invocation->arena;
    const char *stack = runtime_text("RAG_STACK");
    const struct answer_log log = {
        .stack = stack ? stack : "-",
        .request_id = asked->invocation->request_id,
        .question = runtime_number("RAG_LOG_QUESTIONS", 0) == 1 ? asked->question : NULL,
        .cold_start = !is_warm,
        .connect_ms = asked->connect_ms,
        .times = error ? &asked->answer.times : NULL};
    is_warm = true;
    const struct value *line = error ? answer_failure_value(arena, asked->failed, &log, error)
                                     : answer_log_value(arena, &asked->answer, &log);
    printf("%s\n", json_text(arena, line));
    fflush(stdout); /* the process may be frozen right after */
}

/* -- the reply -- */

static struct value *reply_of(const struct asked *asked)
{
    struct arena *arena = asked->invocation->arena;
    struct value *body = answer_to_value(arena, &asked->answer);
    value_set_text(arena, body, "request_id", asked->invocation->request_id);
    if (asked->explain)
        value_set(arena, body, "explain", answer_explain_value(arena, &asked->answer));
    struct value *reply = reply_ok(asked->invocation, body);
    if (asked->answer.outcome == THROTTLED) {
        value_set_int(arena, reply, "statusCode", 429);
        value_set_int(arena, value_get(reply, "headers"), "retry-after",
                      asked->answer.retry_after_s);
    }
    return reply;
}

static struct value *answer_body(const struct invocation *invocation, const struct value *body)
{
    struct asked asked = {.invocation = invocation,
                          .options = {.max_tokens = (int)runtime_number("RAG_MAX_TOKENS", 0),
                                      .floor = floor_setting(),
                                      .template_text = runtime_text("RAG_PROMPT"),
                                      .deadline_ms = deadline_ms(invocation)}};
    struct error error = {0};
    struct value *refusal = read_question(&asked, body);
    if (refusal)
        return refusal;
    int result = runtime_run("ask", ask, &asked, &error);
    log_question(&asked, result < 0 ? &error : NULL);
    return result < 0 ? reply_error(invocation, &error) : reply_of(&asked);
}

static int answer(const struct invocation *invocation, struct value **out, struct error *error)
{
    struct value *body, *refusal = NULL;
    (void)error;
    if (request_is(invocation, "GET", "/"))
        *out = reply_text(invocation, "text/html; charset=utf-8", page_html);
    else if (request_is(invocation, "GET", "/openapi.json"))
        *out = reply_text(invocation, "application/json", page_openapi);
    else if (!gateway_event(invocation->event)) /* a direct call: the body is the event itself */
        *out = answer_body(invocation, invocation->event);
    else if (!request_is(invocation, "POST", "/ask"))
        *out = reply_problem(invocation, 404, "Not Found", "this API has no such path");
    else if (request_body(invocation, &body, &refusal) < 0)
        *out = refusal;
    else
        *out = answer_body(invocation, body);
    return 0;
}

const struct handler handler_ask = {.name = "ask", .settings = settings, .answer = answer};
