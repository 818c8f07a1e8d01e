#include "pkg/watch/questions.h"

#include <string.h>

#include "pkg/base/clock.h"

enum { WORDS_MOST = 300 };

void questions_begin(struct questions *questions, struct arena *arena, size_t slow_wanted)
{
    memset(questions, 0, sizeof *questions);
    questions->arena = arena;
    questions->slow_wanted = slow_wanted < SLOWEST_MOST ? slow_wanted : SLOWEST_MOST;
}

/* -- cost -- */

/* Beyond MODELS_MOST models, the last one takes the rest. */
static struct model_total *model_of(struct questions *questions, const char *model)
{
    for (size_t i = 0; i < questions->model_count; i++) {
        if (strcmp(questions->models[i].model, model) == 0)
            return &questions->models[i];
    }
    if (questions->model_count == MODELS_MOST)
        return &questions->models[MODELS_MOST - 1];
    struct model_total *total = &questions->models[questions->model_count++];
    total->model = arena_strdup(questions->arena, model);
    return total;
}

void questions_add_model(struct questions *questions, const struct model_total *total)
{
    struct model_total *sum = model_of(questions, total->model);
    sum->questions += total->questions;
    sum->input_tokens += total->input_tokens;
    sum->output_tokens += total->output_tokens;
    sum->usd += total->usd;
}

/* -- the slowest -- */

static void keep_if_slow(struct questions *questions, const struct slow_question *question)
{
    size_t at = questions->slow_count;
    while (at && questions->slowest[at - 1].total_ms < question->total_ms)
        at--;
    if (at >= questions->slow_wanted)
        return;
    if (questions->slow_count < questions->slow_wanted)
        questions->slow_count++;
    memmove(&questions->slowest[at + 1], &questions->slowest[at],
            (questions->slow_count - at - 1) * sizeof *questions->slowest);
    struct slow_question *kept = &questions->slowest[at];
    *kept = *question;
    kept->request_id = arena_strdup(questions->arena, question->request_id);
    kept->outcome = arena_strdup(questions->arena, question->outcome);
}

/* -- what went wrong -- */

static void add_wrong(struct questions *questions, const char *source, const char *what,
                      int64_t time_ms, const char *request, const char *words)
{
    size_t i = 0;
    while (i < questions->wrong_count && (strcmp(questions->wrongs[i].source, source) != 0 ||
                                          strcmp(questions->wrongs[i].what, what) != 0))
        i++;
    if (i == WRONG_MOST) {
        questions->wrongs_left_out++;
        return;
    }
    struct wrong *wrong = &questions->wrongs[i];
    if (i == questions->wrong_count) {
        *wrong = (struct wrong){.source = arena_strdup(questions->arena, source),
                                .what = arena_strdup(questions->arena, what)};
        questions->wrong_count++;
    }
    wrong->count++;
    if (time_ms < wrong->last_ms)
        return;
    wrong->last_ms = time_ms;
    wrong->last_request = arena_strdup(questions->arena, request);
    wrong->last_words = arena_strndup(questions->arena, words, strnlen(words, WORDS_MOST));
}

static void take_wrong(struct questions *questions, struct arena *arena, const char *source,
                       int64_t time_ms, const struct request_line *line)
{
    const char *outcome = request_line_text(arena, line, "outcome"), *what = NULL, *words = "";
    double status = request_line_number(line, "status");
    if (line->kind == LINE_FAILURE) {
        const char *cause = request_line_text(arena, line, "cause");
        bool other = strcmp(cause, "other") == 0;
        what = other ? "failed otherwise" : arena_printf(arena, "the %s failed", cause);
        words = request_line_text(arena, line, "error");
    } else if (line->kind == LINE_QUESTION && strcmp(outcome, "throttled") == 0) {
        what = "the models were throttled";
    } else if (line->kind == LINE_QUESTION && strcmp(outcome, "passages_only") == 0) {
        what = "the model was late";
    } else if (line->kind == LINE_REPORT && strcmp(line->status, "success") != 0) {
        what = arena_printf(arena, "the run ended with: %s", line->status);
    } else if (line->kind == LINE_ACCESS && (status >= 500 || status == 429)) {
        what = arena_printf(arena, "answered with %.0f", status);
        words = request_line_text(arena, line, "integrationError");
        words = *words ? words : request_line_text(arena, line, "error");
    }
    if (what)
        add_wrong(questions, source, what, time_ms, line->request_id, words);
}

/* -- lines -- */

static void take_cost(struct questions *questions, struct arena *arena,
                      const struct request_line *line)
{
    questions_add_model(
        questions,
        &(struct model_total){.model = request_line_text(arena, line, "model"),
                              .questions = 1,
                              .input_tokens = (int64_t)request_line_number(line, "InputTokens"),
                              .output_tokens = (int64_t)request_line_number(line, "OutputTokens"),
                              .usd = request_line_number(line, "CostUSD")});
}

static void take_time(struct questions *questions, struct arena *arena, int64_t time_ms,
                      const struct request_line *line)
{
    keep_if_slow(questions,
                 &(struct slow_question){.time_ms = time_ms,
                                         .request_id = line->request_id,
                                         .outcome = request_line_text(arena, line, "outcome"),
                                         .total_ms = request_line_number(line, "TotalMs"),
                                         .connect_ms = request_line_number(line, "connectMs"),
                                         .embed_ms = request_line_number(line, "EmbedMs"),
                                         .search_ms = request_line_number(line, "SearchMs"),
                                         .generate_ms = request_line_number(line, "GenerateMs")});
}

void questions_take(struct questions *questions, int parts, const char *source, int64_t time_ms,
                    const char *message)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct request_line line = request_line_read(arena, message);
    if (parts & QUESTIONS_WRONG)
        take_wrong(questions, arena, source, time_ms, &line);
    if (line.kind == LINE_QUESTION && parts & QUESTIONS_COST)
        take_cost(questions, arena, &line);
    if (line.kind == LINE_QUESTION && parts & QUESTIONS_SLOW)
        take_time(questions, arena, time_ms, &line);
}

/* -- for people -- */

static struct model_total sum_of(const struct questions *questions)
{
    struct model_total sum = {.model = "all"};
    for (size_t i = 0; i < questions->model_count; i++) {
        sum.questions += questions->models[i].questions;
        sum.input_tokens += questions->models[i].input_tokens;
        sum.output_tokens += questions->models[i].output_tokens;
        sum.usd += questions->models[i].usd;
    }
    return sum;
}

static void put_total(struct buffer *out, const struct model_total *total)
{
    double each = total->questions ? total->usd / (double)total->questions * 1000 : 0;
    buffer_printf(out, "  %-44.44s %9lld %12lld %12lld %12.4f %14.4f\n",
                  total->model[0] ? total->model : "(no model was asked)",
                  (long long)total->questions, (long long)total->input_tokens,
                  (long long)total->output_tokens, total->usd, each);
}

void questions_print_cost(struct buffer *out, const struct questions *questions)
{
    struct model_total sum = sum_of(questions);
    buffer_printf(out, "  %-44s %9s %12s %12s %12s %14s\n", "Cost by model", "questions",
                  "tokens in", "tokens out", "dollars", "$ for 1,000");
    for (size_t i = 0; i < questions->model_count; i++)
        put_total(out, &questions->models[i]);
    if (questions->model_count != 1)
        put_total(out, &sum);
}

void questions_print_slow(struct buffer *out, const struct questions *questions)
{
    buffer_printf(out, "  %-20s %9s %9s %9s %9s %9s  %-13s %s\n", "Slowest, ms", "whole", "connect",
                  "embed", "search", "generate", "outcome", "request");
    for (size_t i = 0; i < questions->slow_count; i++) {
        const struct slow_question *one = &questions->slowest[i];
        char time[32];
        clock_format_iso(one->time_ms, time, sizeof time);
        buffer_printf(out, "  %-20s %9.1f %9.1f %9.1f %9.1f %9.1f  %-13s %s\n", time, one->total_ms,
                      one->connect_ms, one->embed_ms, one->search_ms, one->generate_ms,
                      one->outcome, one->request_id);
    }
    if (!questions->slow_count)
        buffer_text(out, "  none\n");
}

void questions_print_wrong(struct buffer *out, const struct questions *questions)
{
    buffer_text(out, "  What went wrong                        times  last\n");
    for (size_t i = 0; i < questions->wrong_count; i++) {
        const struct wrong *wrong = &questions->wrongs[i];
        char time[32];
        clock_format_iso(wrong->last_ms, time, sizeof time);
        buffer_printf(out, "! %-6s %-31s %6lld  %s  %s\n", wrong->source, wrong->what,
                      (long long)wrong->count, time, wrong->last_request);
        if (wrong->last_words[0])
            buffer_printf(out, "         %s\n", wrong->last_words);
    }
    if (!questions->wrong_count)
        buffer_text(out, "  nothing\n");
    if (questions->wrongs_left_out)
        buffer_printf(out, "  and %lld more, of other kinds\n",
                      (long long)questions->wrongs_left_out);
}

/* -- for programs -- */

static struct value *total_value(struct arena *arena, const struct model_total *total)
{
    struct value *row = value_map(arena);
    value_set_text(arena, row, "model", total->model);
    value_set_int(arena, row, "questions", total->questions);
    value_set_int(arena, row, "input_tokens", total->input_tokens);
    value_set_int(arena, row, "output_tokens", total->output_tokens);
    return value_set(arena, row, "usd", value_real(arena, total->usd));
}

struct value *questions_cost_value(struct arena *arena, const struct questions *questions)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < questions->model_count; i++)
        value_push(arena, list, total_value(arena, &questions->models[i]));
    return list;
}

static void set_time(struct arena *arena, struct value *row, const char *key, int64_t wall_ms)
{
    char text[32];
    clock_format_iso(wall_ms, text, sizeof text);
    value_set_text(arena, row, key, text);
}

struct value *questions_slow_value(struct arena *arena, const struct questions *questions)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < questions->slow_count; i++) {
        const struct slow_question *one = &questions->slowest[i];
        struct value *row = value_map(arena);
        set_time(arena, row, "time", one->time_ms);
        value_set_text(arena, row, "request", one->request_id);
        value_set_text(arena, row, "outcome", one->outcome);
        value_set(arena, row, "total_ms", value_real(arena, one->total_ms));
        value_set(arena, row, "connect_ms", value_real(arena, one->connect_ms));
        value_set(arena, row, "embed_ms", value_real(arena, one->embed_ms));
        value_set(arena, row, "search_ms", value_real(arena, one->search_ms));
        value_set(arena, row, "generate_ms", value_real(arena, one->generate_ms));
        value_push(arena, list, row);
    }
    return list;
}

struct value *questions_wrong_value(struct arena *arena, const struct questions *questions)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < questions->wrong_count; i++) {
        const struct wrong *wrong = &questions->wrongs[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "source", wrong->source);
        value_set_text(arena, row, "what", wrong->what);
        value_set_int(arena, row, "count", wrong->count);
        set_time(arena, row, "last", wrong->last_ms);
        value_set_text(arena, row, "last_request", wrong->last_request);
        value_push(arena, list, value_set_text(arena, row, "last_words", wrong->last_words));
    }
    return list;
}
