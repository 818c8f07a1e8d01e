/* A cost before and after, as text, as Markdown and as JSON. */
#include <stdio.h>
#include <string.h>

#include "pkg/rag/model.h"
#include "pkg/watch/cost.h"

/* One line of both sides; NULL: not on that side. */
struct pair {
    const struct cost_line *before, *after;
};

static const struct cost_line *same_line(const struct cost *cost, const struct cost_line *line)
{
    for (size_t i = 0; i < cost->count; i++) {
        if (cost->items[i].part == line->part && strcmp(cost->items[i].what, line->what) == 0)
            return &cost->items[i];
    }
    return NULL;
}

typedef void pair_sink(void *data, const struct pair *pair);

/* What stands on either side, in the order of the later one. */
static void each_pair(const struct cost_report *report, enum cost_part part, pair_sink *sink,
                      void *data)
{
    for (size_t i = 0; i < report->after.count; i++) {
        const struct cost_line *line = &report->after.items[i];
        if (line->part == part)
            sink(data, &(struct pair){same_line(&report->before, line), line});
    }
    for (size_t i = 0; i < report->before.count; i++) {
        const struct cost_line *line = &report->before.items[i];
        if (line->part == part && !same_line(&report->after, line))
            sink(data, &(struct pair){line, NULL});
    }
}

static bool differs(const struct pair *pair)
{
    return !pair->before || !pair->after || pair->before->usd != pair->after->usd ||
           strcmp(pair->before->detail, pair->after->detail) != 0;
}

static bool changes(const struct cost_report *report)
{
    const struct cost *before = &report->before, *after = &report->after;
    return before->month_usd != after->month_usd || before->questions_usd != after->questions_usd ||
           before->unpriced != after->unpriced;
}

/* -- amounts -- */

enum { AMOUNT_BYTES = 32 };

static const char *amount(const struct cost_line *line, char out[AMOUNT_BYTES])
{
    if (!line)
        return "-";
    if (line->usd < 0)
        return "?";
    snprintf(out, AMOUNT_BYTES, line->part == COST_MONTH ? "%.2f" : "%.4f", line->usd);
    return out;
}

static const char *about(const struct cost_report *report)
{
    return report->prices.about ? ", about" : "";
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* -- text -- */

enum { WHAT_WIDTH = 27, AMOUNT_WIDTH = 9 };

struct text_writer {
    struct buffer *out;
    const struct cost_style *style;
};

static void text_line(void *data, const struct pair *pair)
{
    const struct text_writer *writer = data;
    const struct cost_line *line = pair->after ? pair->after : pair->before;
    char before[AMOUNT_BYTES], after[AMOUNT_BYTES];
    if (!writer->style->all && !differs(pair))
        return;
    buffer_printf(writer->out, "  %-*s", WHAT_WIDTH, line->what);
    if (!writer->style->single)
        buffer_printf(writer->out, " %*s", AMOUNT_WIDTH, amount(pair->before, before));
    buffer_printf(writer->out, " %*s  %s\n", AMOUNT_WIDTH, amount(pair->after, after),
                  line->detail);
}

static void text_by_use(void *data, const struct pair *pair)
{
    const struct text_writer *writer = data;
    const struct cost_line *line = pair->after ? pair->after : pair->before;
    char price[AMOUNT_BYTES];
    snprintf(price, sizeof price, "%.4g", line->usd);
    buffer_printf(writer->out, "  %-*s %*s  %s\n", WHAT_WIDTH, line->what, AMOUNT_WIDTH,
                  line->usd < 0 ? "?" : price, line->detail);
}

static void text_total(const struct text_writer *writer, const char *what, double before,
                       double after)
{
    buffer_printf(writer->out, "  %-*s", WHAT_WIDTH, what);
    if (writer->style->single)
        buffer_printf(writer->out, " %*.2f\n", AMOUNT_WIDTH, after);
    else
        buffer_printf(writer->out, " %*.2f %*.2f  %+.2f\n", AMOUNT_WIDTH, before, AMOUNT_WIDTH,
                      after, after - before);
}

static const struct cost_question *question_of(const struct cost_report *report)
{
    return report->after.question.model ? &report->after.question : &report->before.question;
}

static void text_question(struct buffer *out, const struct cost_report *report)
{
    const struct cost_question *question = question_of(report);
    if (question->model)
        buffer_printf(out,
                      "  A question is taken as %d tokens, with %d of prompt and %d of passages, "
                      "answered by at most %d in %g s.\n",
                      question->question_tokens, question->prompt_tokens, question->passage_tokens,
                      question->output_tokens, question->seconds);
}

static void text_advice(struct buffer *out, const struct cost_report *report)
{
    for (size_t i = 0; i < report->advice.count; i++)
        buffer_printf(out, "  ! cheaper by $%.2f a month: %s\n", report->advice.items[i].saves_usd,
                      report->advice.items[i].text);
}

static void text_unpriced(struct buffer *out, const struct cost_report *report)
{
    int count = report->after.unpriced ? report->after.unpriced : report->before.unpriced;
    if (count)
        buffer_printf(out,
                      "  ! %d line%s without a price (?), not in the sums; `ragstack cost "
                      "--refresh` asks AWS\n",
                      count, plural(count));
}

static void text_same(struct buffer *out, const struct cost_report *report)
{
    buffer_printf(out,
                  "Cost: as before: $%.2f a month, and $%.2f for %d questions at most (%s, prices "
                  "of %s%s)\n",
                  report->after.month_usd, report->after.questions_usd, COST_QUESTIONS,
                  report->prices.region, report->prices.date, about(report));
}

static void text_head(const struct text_writer *writer, const struct cost_report *report)
{
    buffer_printf(writer->out, "Cost in $ (%s, prices of %s%s)\n", report->prices.region,
                  report->prices.date, about(report));
    if (!writer->style->single)
        buffer_printf(writer->out, "  %-*s %*s %*s\n", WHAT_WIDTH, "", AMOUNT_WIDTH, "before",
                      AMOUNT_WIDTH, "after");
}

void cost_print_text(struct buffer *out, const struct cost_report *report,
                     const struct cost_style *style)
{
    struct text_writer writer = {out, style};
    if (!report->prices.prices) {
        buffer_printf(
            out,
            "Cost: there are no prices of %s here; `ragstack cost --refresh` asks AWS for "
            "them\n",
            report->prices.region);
        return;
    }
    if (!style->all && !changes(report)) {
        text_same(out, report);
        return;
    }
    text_head(&writer, report);
    each_pair(report, COST_MONTH, text_line, &writer);
    text_total(&writer, "a month, without questions", report->before.month_usd,
               report->after.month_usd);
    if (question_of(report)->model) {
        each_pair(report, COST_BY_QUESTION, text_line, &writer);
        text_total(&writer, "1,000 questions, at most", report->before.questions_usd,
                   report->after.questions_usd);
        text_question(out, report);
    }
    if (style->all) {
        buffer_text(out, "By use, each:\n");
        each_pair(report, COST_BY_USE, text_by_use, &writer);
    }
    text_unpriced(out, report);
    text_advice(out, report);
}

/* -- Markdown -- */

static void markdown_line(void *data, const struct pair *pair)
{
    const struct cost_line *line = pair->after ? pair->after : pair->before;
    char before[AMOUNT_BYTES], after[AMOUNT_BYTES];
    if (differs(pair))
        buffer_printf((struct buffer *)data, "| %s | %s | %s | %s |\n", line->what,
                      amount(pair->before, before), amount(pair->after, after), line->detail);
}

void cost_print_markdown(struct buffer *out, const struct cost_report *report)
{
    if (!report->prices.prices) {
        buffer_printf(out, "**Cost**: there are no prices of %s here.\n\n", report->prices.region);
        return;
    }
    if (!changes(report)) {
        buffer_printf(out,
                      "**Cost**: as before: $%.2f a month, and $%.2f for %d questions at most%s.\n"
                      "\n",
                      report->after.month_usd, report->after.questions_usd, COST_QUESTIONS,
                      about(report));
        return;
    }
    buffer_printf(out, "| cost in $%s | before | after | |\n|---|--:|--:|---|\n", about(report));
    each_pair(report, COST_MONTH, markdown_line, out);
    buffer_printf(out, "| **a month, without questions** | %.2f | %.2f | **%+.2f** |\n",
                  report->before.month_usd, report->after.month_usd,
                  report->after.month_usd - report->before.month_usd);
    each_pair(report, COST_BY_QUESTION, markdown_line, out);
    buffer_printf(out, "| **1,000 questions, at most** | %.2f | %.2f | **%+.2f** |\n\n",
                  report->before.questions_usd, report->after.questions_usd,
                  report->after.questions_usd - report->before.questions_usd);
    for (size_t i = 0; i < report->advice.count; i++)
        buffer_printf(out, "> cheaper by $%.2f a month: %s\n\n", report->advice.items[i].saves_usd,
                      report->advice.items[i].text);
}

/* -- JSON -- */

static const char *part_word(enum cost_part part)
{
    static const char *const words[] = {
        [COST_MONTH] = "month", [COST_BY_QUESTION] = "questions", [COST_BY_USE] = "use"};
    return words[part];
}

static struct value *question_to_value(struct arena *arena, const struct cost_question *question)
{
    struct value *map = value_map(arena);
    if (!question->model)
        return NULL;
    value_set_text(arena, map, "model", question->model);
    value_set_int(arena, map, "question_tokens", question->question_tokens);
    value_set_int(arena, map, "prompt_tokens", question->prompt_tokens);
    value_set_int(arena, map, "passage_tokens", question->passage_tokens);
    value_set_int(arena, map, "output_tokens", question->output_tokens);
    return value_set(arena, map, "seconds", value_real(arena, question->seconds));
}

static struct value *side_to_value(struct arena *arena, const struct cost *cost)
{
    struct value *map = value_map(arena), *lines = value_list(arena);
    value_set(arena, map, "month_usd", value_real(arena, cost->month_usd));
    value_set(arena, map, "questions_usd", value_real(arena, cost->questions_usd));
    value_set_int(arena, map, "unpriced", cost->unpriced);
    value_set(arena, map, "question", question_to_value(arena, &cost->question));
    for (size_t i = 0; i < cost->count; i++) {
        const struct cost_line *line = &cost->items[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "part", part_word(line->part));
        value_set_text(arena, row, "what", line->what);
        value_set_text(arena, row, "detail", line->detail);
        value_set_text(arena, row, "price", line->price);
        value_set(arena, row, "usd",
                  line->usd < 0 ? value_null(arena) : value_real(arena, line->usd));
        value_push(arena, lines, row);
    }
    return value_set(arena, map, "lines", lines);
}

struct value *cost_to_value(struct arena *arena, const struct cost_report *report)
{
    struct value *map = value_map(arena), *advice = value_list(arena);
    value_set_text(arena, map, "region", report->prices.region);
    if (!report->prices.prices)
        return map;
    value_set_text(arena, map, "date", report->prices.date);
    value_set_bool(arena, map, "about", report->prices.about);
    if (report->prices.source)
        value_set_text(arena, map, "source", report->prices.source);
    value_set_text(arena, map, "models_date", price_table_version);
    value_set_int(arena, map, "questions", COST_QUESTIONS);
    value_set(arena, map, "before", side_to_value(arena, &report->before));
    value_set(arena, map, "after", side_to_value(arena, &report->after));
    for (size_t i = 0; i < report->advice.count; i++) {
        struct value *row = value_map(arena);
        value_set(arena, row, "saves_usd", value_real(arena, report->advice.items[i].saves_usd));
        value_set_text(arena, row, "text", report->advice.items[i].text);
        value_push(arena, advice, row);
    }
    return value_set(arena, map, "advice", advice);
}
