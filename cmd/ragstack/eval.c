/* How good the answers are: questions whose answers are known, asked as anybody would. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/eval.h"
#include "cmd/ragstack/template.h"
#include "pkg/base/file.h"
#include "pkg/base/vector.h"
#include "pkg/value/json.h"
#include "pkg/value/number.h"

enum {
    AT_ONCE = 4,
    MOST_AT_ONCE = 32,
    MOST_PASSAGES = 50,
    MOST_RATE = 1000,
    DRAWS = 10000,
    WRONG_SHOWN = 10,
    RUN_MAXIMUM = 64 << 20,
};
static const double MOST_LOST = 0.05;

static const struct option_row options[] = {
    {"retrieval-only", 0, NULL, false, NULL,
     "ask no language model: judge search and the floor alone"},
    {"top-k", 'k', "N", false, NULL, "as if the stack said this top_k (1 to 50)"},
    {"floor", 0, "FLOOR", false, NULL, "as if the stack said this floor (0 to 1)"},
    {"at-once", 0, "N", false, NULL, "questions at a time (default: 4)"},
    {"rate", 0, "N", false, NULL, "questions a second (default: half of what the API takes)"},
    {"out", 'o', "RUN", false, NULL, "keep the run in this file, for --against and --resume"},
    {"resume", 0, NULL, false, NULL, "go on with the run in --out: ask only what is missing"},
    {"against", 0, "RUN", false, NULL, "compare with an earlier run, question by question"},
    OPTIONS_GATE,
    {"calibrate", 0, NULL, false, NULL, "write the proposed floor into the stack file (asks)"},
    {"most-lost", 0, "PERCENT", false, NULL, "answers that a proposed floor may lose (default: 5)"},
    {"html", 0, "FILE", false, NULL, "the report as one page with plots"},
    {"seed", 0, "N", false, NULL, "of the generator behind the intervals (default: 1)"},
    OPTION_API,
    {0},
};

/* -- the options -- */

int eval_options_default(struct session *session, const char *questions, struct eval_options *out,
                         struct error *error)
{
    double rate = value_as_real(value_at(session->stack->tree, "api.throttle.rate"), 0) / 2;
    *out = (struct eval_options){.questions = questions,
                                 .at_once = AT_ONCE,
                                 .rate = rate < 1 ? 1 : rate,
                                 .floor = NAN,
                                 .most_lost = MOST_LOST,
                                 .bootstrap = {1, DRAWS}};
    static const struct {
        const char *name;
        bool less_is_better;
    } rows[] = {{"fail-under", false}, {"fail-over", true}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const *said = option_texts(session->arena, &session->options, rows[i].name);
        for (; *said; said++) {
            const char *equals = strchr(*said, '=');
            const char *name =
                equals ? arena_strndup(session->arena, *said, (size_t)(equals - *said)) : "";
            struct gate gate = {.metric = eval_metric_find(name)};
            if (!gate.metric || !number_read_real(equals + 1, &gate.least))
                return error_set(error, ERR_USAGE,
                                 "--%s: \"%s\" is not METRIC=VALUE; `ragstack eval --help` lists "
                                 "the metrics",
                                 rows[i].name, *said);
            if (gate.metric->less_is_better != rows[i].less_is_better)
                return error_set(error, ERR_USAGE, "--%s: of %s %s is better: say --%s",
                                 rows[i].name, name, gate.metric->less_is_better ? "less" : "more",
                                 rows[!i].name);
            vector_push(session->arena, &out->gates, gate);
        }
    }
    return 0;
}

/* A number of the command line from `low` to `high`; nothing said leaves *out. */
static int read_number(struct session *session, const char *name, double low, double high,
                       double *out, struct error *error)
{
    const char *text = option_text(&session->options, name);
    double number;
    if (!text)
        return 0;
    if (!number_read_real(text, &number) || number < low || number > high)
        return error_set(error, ERR_USAGE, "--%s: \"%s\" is no number from %g to %g", name, text,
                         low, high);
    *out = number;
    return 0;
}

static int read_options(struct session *session, struct eval_options *out, struct error *error)
{
    double percent = 100 * MOST_LOST;
    int seed = 1;
    int result = eval_options_default(session, session->options.arguments[0], out, error);
    if (result == 0)
        result = option_number(&session->options, "top-k", MOST_PASSAGES, &out->top_k, error);
    if (result == 0)
        result = option_number(&session->options, "at-once", MOST_AT_ONCE, &out->at_once, error);
    if (result == 0)
        result = option_number(&session->options, "seed", 1 << 30, &seed, error);
    if (result == 0)
        result = read_number(session, "floor", 0, 1, &out->floor, error);
    if (result == 0)
        result = read_number(session, "rate", 0.01, MOST_RATE, &out->rate, error);
    if (result == 0)
        result = read_number(session, "most-lost", 0.1, 50, &percent, error);
    out->most_lost = percent / 100;
    out->bootstrap.seed = (uint64_t)seed;
    out->search_only = option_said(&session->options, "retrieval-only");
    out->against = option_text(&session->options, "against");
    if (option_said(&session->options, "resume"))
        out->resume = option_text(&session->options, "out");
    if (result == 0 && option_said(&session->options, "resume") && !out->resume)
        return error_set(error, ERR_USAGE, "--resume goes on with the run in --out: say which");
    return result;
}

/* -- saved runs -- */

static int read_run(struct session *session, const char *path, struct eval_run *out,
                    struct error *error)
{
    char *text;
    size_t length;
    struct value *tree;
    int result = file_read(session->arena, path, RUN_MAXIMUM, &text, &length, error);
    if (result == 0)
        result = json_parse(session->arena, text, length, path, &tree, error);
    return result < 0 ? result : eval_run_from_value(session->arena, tree, path, out, error);
}

static bool same_expectation(const struct question *a, const struct question *b)
{
    return strcmp(a->text, b->text) == 0 && a->answerable == b->answerable &&
           value_equal(a->documents, b->documents) &&
           value_count(a->words) == value_count(b->words) &&
           (!value_count(a->words) || value_equal(a->words, b->words));
}

/* What was asked already, and got a reply, is taken over. */
static int take_over(struct session *session, const struct eval_options *eval, struct eval_run *run,
                     struct error *error)
{
    struct eval_run saved;
    int result = read_run(session, eval->resume, &saved, error);
    if (result < 0)
        return result;
    if (saved.settings.search_only != eval->search_only ||
        (eval->top_k && saved.settings.top_k != eval->top_k) ||
        (!isnan(eval->floor) && saved.settings.floor != eval->floor))
        return error_set(error, ERR_USAGE,
                         "the run in %s was made with other options: it cannot be gone on with",
                         eval->resume);
    for (size_t i = 0; i < run->count; i++) {
        for (size_t j = 0; j < saved.count; j++) {
            const struct eval_row *row = &saved.rows[j];
            if (!eval_has_reply(row) || !same_expectation(&row->question, &run->rows[i].question))
                continue;
            struct question question = run->rows[i].question;
            run->rows[i] = *row;
            run->rows[i].question = question;
        }
    }
    run->settings = saved.settings;
    fprintf(stderr, "%zu of %zu questions were asked before.\n", eval_asked(run), run->count);
    return 0;
}

/* -- asking all of them -- */

static const char *now_text(struct task *task, struct arena *arena)
{
    char text[32];
    clock_format_iso(task_wall_ms(task), text, sizeof text);
    return arena_strdup(arena, text);
}

static int prepare(struct task *task, struct session *session, const struct eval_options *eval,
                   struct eval_run *run, struct error *error)
{
    struct question_list questions;
    struct arena *arena = session->arena;
    const char *environment = session->stack->environment, *slash = strrchr(eval->questions, '/');
    int result = questions_read(arena, eval->questions, &questions, error);
    if (result < 0)
        return result;
    *run = (struct eval_run){
        .stack = *environment ? arena_printf(arena, "%s (%s)", session->stack->name, environment)
                              : session->stack->name,
        .target = session->target->name,
        .questions = slash ? slash + 1 : eval->questions,
        .at = now_text(task, arena),
        .rows = eval_rows(arena, &questions),
        .count = questions.count};
    run->settings = (struct eval_settings){
        .floor = NAN, .search_only = eval->search_only, .embedder = "", .model = "", .prompt = ""};
    return eval->resume ? take_over(session, eval, run, error) : 0;
}

int eval_run_all(struct task *task, struct session *session, const struct eval_options *eval,
                 struct report *out, struct error *error)
{
    struct eval_run *run = arena_new_of(session->arena, struct eval_run);
    struct eval_run *before = eval->against ? arena_new_of(session->arena, struct eval_run) : NULL;
    struct api api;
    struct error ignored = {0};
    *out = (struct report){0};
    int result = prepare(task, session, eval, run, error);
    if (result == 0 && before) /* before anything is paid for */
        result = read_run(session, eval->against, before, error);
    if (result == 0)
        result = api_open(task, session, &api, error);
    if (result < 0)
        return result;
    int asked = eval_ask(task, session, &api, eval, run, error);
    if (asked < 0 && !eval_replied(run))
        return asked;
    result = report_make(session->arena, run, before, eval->most_lost, &eval->bootstrap,
                         eval->gates, out, asked < 0 ? &ignored : error);
    return asked < 0 ? asked : result;
}

int eval_check_gates(struct arena *arena, const struct gate_list *gates, struct error *error)
{
    const char *missed = "";
    for (size_t i = 0; i < gates->count; i++) {
        const struct gate *gate = &gates->items[i];
        if (gate->missed)
            missed =
                arena_printf(arena, "%s%s%s is %s, not %s %s", missed, *missed ? ", " : "",
                             gate->metric->name, report_figure(arena, gate->metric, gate->value),
                             gate->metric->less_is_better ? "at most" : "at least",
                             report_figure(arena, gate->metric, gate->least));
    }
    return *missed ? error_set(error, ERR_FAILED, "missed: %s", missed) : 0;
}

/* -- giving it -- */

static void print_report(const struct session *session, const struct report *report)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    const struct report_style style = {session->colour_out, WRONG_SHOWN};
    report_print_text(&out, report, &style);
    fwrite(buffer_string(&out), 1, out.length, stdout);
    fflush(stdout);
}

static int write_page(struct session *session, const struct report *report, const char *path,
                      struct error *error)
{
    CLEANUP(buffer_free) struct buffer body = BUFFER(BUFFER_LARGE);
    report_print_html(&body, report);
    const char *page =
        template_fill(session->arena, "eval.html", "TITLE",
                      arena_printf(session->arena, "Answers of %s", report->run->stack), "BODY",
                      buffer_string(&body), NULL);
    return file_write(session->arena, path, page, strlen(page), error);
}

static int write_run(struct session *session, const struct value *document, const char *path,
                     struct error *error)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    json_print_pretty(&text, document);
    return file_write(session->arena, path, buffer_string(&text), text.length, error);
}

static int give_report(struct session *session, const struct report *report, struct error *error)
{
    const char *out = option_text(&session->options, "out");
    const char *html = option_text(&session->options, "html");
    const struct value *document = report_to_value(session->arena, report);
    int result = out ? write_run(session, document, out, error) : 0;
    if (session->json)
        print_json(document);
    else
        print_report(session, report);
    if (result == 0 && html)
        result = write_page(session, report, html, error);
    return result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct eval_options eval;
    struct report report;
    struct error not_given = {0};
    int result = read_options(session, &eval, error);
    if (result < 0)
        return result;
    result = eval_run_all(task, session, &eval, &report, error);
    if (!report.run)
        return result;
    int given = give_report(session, &report, result < 0 ? &not_given : error);
    if (result < 0) {
        const char *out = option_text(&session->options, "out");
        fprintf(stderr, "%zu of %zu questions were asked%s%s%s.\n", eval_asked(report.run),
                report.run->count, out ? "; --resume --out " : "", out ? out : "",
                out ? " goes on" : "");
        return result;
    }
    if (given == 0 && option_said(&session->options, "calibrate"))
        given = eval_write_floor(task, session, &report, error);
    if (given == 0)
        given = eval_check_gates(session->arena, &eval.gates, error);
    return given < 0 ? given : EXIT_DONE;
}

const struct command command_eval = {
    .name = "eval",
    .arguments = "QUESTIONS",
    .summary = "Judge the answers by questions whose answers are known",
    .details =
        "QUESTIONS is a YAML file with two lists: `answered`, whose rows have `question`, "
        "`document` "
        "(where\nthe answer stands; `documents` for several) and, if you like, `words` (that must "
        "be said), `kind` and\n`filter`; and `unanswered`, questions that the documents do not "
        "answer. They are asked as `ragstack\nask` would, and judged: recall@k and mrr of the "
        "search, citation_correct, answer_correct,\nrefusal_precision and refusal_recall, "
        "latency_p50_ms and latency_p95_ms, usd_per_1000.\n\nIt proposes a refusal floor for the "
        "embedding model: the one that refuses most of what the documents\ndo not say, of those "
        "that lose no more than --most-lost of what they do. To compare two prompts,\nmodels or "
        "settings, keep a run of each by --out, and give the second the first by --against.\n"
        "Ctrl-C ends it with what is known so far.",
    .examples = "ragstack eval questions.yaml\nragstack eval questions.yaml --retrieval-only "
                "--calibrate\nragstack eval questions.yaml --out before.json\nragstack eval "
                "questions.yaml --top-k 10 --against before.json --html report.html\nragstack eval "
                "questions.yaml --fail-under recall@5=0.8 --fail-under refusal_precision=0.9",
    .options = options,
    .least_arguments = 1,
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
