/* The report on a terminal, and as Markdown for a pull request. */
#include <math.h>
#include <string.h>

#include "pkg/eval/report.h"

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* -- on a terminal -- */

struct printing {
    struct buffer *out;
    struct arena *arena;
    const struct report *report;
    const struct report_style *style;
};

static void put_colour(const struct printing *printing, const char *code, const char *text)
{
    if (printing->style->colour)
        buffer_printf(printing->out, "\033[%sm%s\033[0m", code, text);
    else
        buffer_text(printing->out, text);
}

static void put_head(const struct printing *printing)
{
    const struct eval_run *run = printing->report->run;
    size_t asked = eval_asked(run), answerable = 0;
    for (size_t i = 0; i < run->count; i++)
        answerable += run->rows[i].question.answerable;
    put_colour(printing, "1", run->stack);
    buffer_printf(printing->out, "  %s, %zu question%s: the documents answer %zu of them\n",
                  run->target, run->count, plural(run->count), answerable);
    if (asked < run->count)
        buffer_printf(printing->out, "%zu of them were asked; all figures are of these\n", asked);
    buffer_printf(printing->out, "%s\n", report_settings(printing->arena, &run->settings));
}

static void put_measures(const struct printing *printing)
{
    buffer_printf(printing->out, "\n  %-20s %10s  %-22s %4s\n", "", "", "95 % interval", "n");
    for (const struct measure *one = printing->report->measures; one->metric; one++) {
        if (isnan(one->value))
            continue;
        buffer_printf(printing->out, "  %-20s %10s  %-22s %4zu  ", one->metric->name,
                      report_figure(printing->arena, one->metric, one->value),
                      report_interval(printing->arena, one->metric, one->interval), one->count);
        put_colour(printing, "2", one->metric->summary);
        buffer_char(printing->out, '\n');
    }
}

static void put_kinds(const struct printing *printing)
{
    const struct report *report = printing->report;
    if (!report->kinds[0])
        return;
    buffer_printf(printing->out, "\n  %-16s", "by kind");
    for (size_t i = 0; i < KIND_METRICS; i++)
        buffer_printf(printing->out, " %14s", report_kind_metrics[i]);
    buffer_char(printing->out, '\n');
    for (size_t kind = 0; report->kinds[kind]; kind++) {
        buffer_printf(printing->out, "  %-16s", report->kinds[kind]);
        for (size_t i = 0; i < KIND_METRICS; i++) {
            const struct measure *one =
                measure_find(report->kind_measures[kind], report_kind_metrics[i]);
            buffer_printf(printing->out, " %14s",
                          report_figure(printing->arena, one->metric, one->value));
        }
        buffer_char(printing->out, '\n');
    }
}

static void put_comparison(const struct printing *printing)
{
    const struct compared *compared = printing->report->compared;
    if (!compared)
        return;
    buffer_printf(printing->out, "\nAgainst the run of %s, %zu question%s in both; %s\n",
                  compared->before->at, compared->pairs, plural(compared->pairs),
                  *compared->settings ? compared->settings : "with the same settings");
    buffer_printf(printing->out, "  %-20s %10s %10s  %-22s %8s\n", "", "before", "after",
                  "difference, 95 %", "McNemar");
    for (size_t i = 0; i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        int verdict = comparison_verdict(one);
        buffer_printf(printing->out, "  %-20s %10s %10s  %-22s %8s  ", one->metric->name,
                      report_figure(printing->arena, one->metric, one->before),
                      report_figure(printing->arena, one->metric, one->after),
                      report_interval(printing->arena, one->metric, one->difference),
                      report_chance(printing->arena, one->p));
        put_colour(printing, verdict > 0 ? "32" : verdict < 0 ? "31" : "2", report_verdict(one));
        buffer_char(printing->out, '\n');
    }
}

static void put_floor_table(const struct printing *printing)
{
    const struct calibration *calibration = printing->report->calibration;
    buffer_text(printing->out, "  floor   refusals: precision  recall   answers lost\n");
    for (const int *step = report_floors(printing->arena, calibration); *step >= 0; step++) {
        const struct floor_row *row = &calibration->table[*step];
        buffer_printf(printing->out, "   %.2f   %19s  %6s   %12s%s%s\n", row->floor,
                      report_share(printing->arena, row->refused, row->refused + row->lost),
                      report_share(printing->arena, row->refused, calibration->unanswerable),
                      report_share(printing->arena, row->lost, calibration->answerable),
                      row == calibration->chosen ? "  proposed" : "",
                      row == calibration->current ? "  in force" : "");
    }
}

static void put_unseen(const struct printing *printing)
{
    const struct calibration *calibration = printing->report->calibration;
    size_t refused = calibration->refused_unseen, lost = calibration->lost_unseen;
    buffer_printf(
        printing->out,
        "  To expect of questions that it was not chosen by (leave-one-out): it refuses %.2f "
        "(%.2f to %.2f) of\n  what the documents do not say, and loses %.2f (%.2f to %.2f) of what "
        "they do; %s of its refusals\n  are right (%.2f to %.2f).\n",
        (double)refused / (double)calibration->unanswerable, calibration->refused_interval.low,
        calibration->refused_interval.high, (double)lost / (double)calibration->answerable,
        calibration->lost_interval.low, calibration->lost_interval.high,
        report_share(printing->arena, refused, refused + lost), calibration->precision_interval.low,
        calibration->precision_interval.high);
}

static void put_calibration(const struct printing *printing)
{
    const struct calibration *calibration = printing->report->calibration;
    if (!calibration->chosen) {
        buffer_printf(printing->out, "\nNo floor is proposed: %s.\n", calibration->why_not);
        if (calibration->current)
            put_floor_table(printing);
        return;
    }
    buffer_printf(printing->out,
                  "\nFloor %.2f is proposed for %s: it refuses most of those that lose at most "
                  "%.0f %%\n",
                  calibration->chosen->floor, printing->report->run->settings.embedder,
                  100 * calibration->most_lost);
    put_floor_table(printing);
    put_unseen(printing);
    if (calibration->too_few)
        buffer_printf(printing->out, "  Do not rely on it: %s.\n", calibration->too_few);
}

static void put_wrong(const struct printing *printing)
{
    const struct eval_run *run = printing->report->run;
    size_t wrong = 0;
    for (size_t i = 0; i < run->count; i++) {
        const char *why = report_wrong(printing->arena, &run->rows[i]);
        if (why && ++wrong == 1)
            buffer_text(printing->out, "\nWrong:\n");
        if (why && wrong <= printing->style->most_wrong)
            buffer_printf(printing->out, "  %s\n      %s\n", run->rows[i].question.text, why);
    }
    if (wrong > printing->style->most_wrong)
        buffer_printf(printing->out, "  ... and %zu more: --json and --html list them all\n",
                      wrong - printing->style->most_wrong);
}

static void put_gates(const struct printing *printing)
{
    const struct gate_list *gates = &printing->report->gates;
    if (gates->count)
        buffer_char(printing->out, '\n');
    for (size_t i = 0; i < gates->count; i++) {
        const struct gate *gate = &gates->items[i];
        put_colour(printing, gate->missed ? "31" : "32", gate->missed ? "missed" : "met");
        buffer_printf(printing->out, "  %s\n", report_gate(printing->arena, gate));
    }
}

void report_print_text(struct buffer *out, const struct report *report,
                       const struct report_style *style)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct printing printing = {out, arena, report, style};
    put_head(&printing);
    put_measures(&printing);
    put_kinds(&printing);
    put_comparison(&printing);
    put_calibration(&printing);
    put_wrong(&printing);
    buffer_printf(out,
                  "\nIntervals: Wilson's for shares of yes and no, else percentile bootstrap (%d "
                  "draws, seed %llu)%s.\n",
                  report->bootstrap.draws, (unsigned long long)report->bootstrap.seed,
                  report->compared ? ", paired for differences; one in twenty differs by chance"
                                   : "");
    put_gates(&printing);
}

/* -- Markdown -- */

static void put_cell(struct buffer *out, const char *text)
{
    buffer_text(out, "| ");
    for (; *text; text++) {
        if (*text == '|' || *text == '\\' || *text == '<' || *text == '`')
            buffer_char(out, '\\');
        buffer_char(out, *text == '\n' ? ' ' : *text);
    }
    buffer_char(out, ' ');
}

static void put_row(struct buffer *out, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_cell(out, cells[i]);
    buffer_text(out, "|\n");
}

static void put_markdown_gates(struct buffer *out, struct arena *arena,
                               const struct gate_list *gates)
{
    for (size_t i = 0; i < gates->count; i++) {
        const struct gate *gate = &gates->items[i];
        buffer_printf(out, "- %s %s\n", gate->missed ? "❌" : "✅", report_gate(arena, gate));
    }
    if (gates->count)
        buffer_char(out, '\n');
}

static void put_markdown_comparison(struct buffer *out, struct arena *arena,
                                    const struct compared *compared)
{
    buffer_printf(out,
                  "Against the run of %s (%zu questions in both; %s):\n\n| | before | after | "
                  "difference, 95 %% | |\n| --- | --- | --- | --- | --- |\n",
                  compared->before->at, compared->pairs,
                  *compared->settings ? compared->settings : "the same settings");
    for (size_t i = 0; i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        const char *const cells[] = {
            one->metric->name, report_figure(arena, one->metric, one->before),
            report_figure(arena, one->metric, one->after),
            report_interval(arena, one->metric, one->difference), report_verdict(one)};
        put_row(out, cells, COUNT_OF(cells));
    }
    buffer_char(out, '\n');
}

void report_print_markdown(struct buffer *out, const struct report *report)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct eval_run *run = report->run;
    buffer_printf(out, "### Answers of %s\n\n%zu of %zu questions asked; %s\n\n", run->stack,
                  eval_asked(run), run->count, report_settings(arena, &run->settings));
    put_markdown_gates(out, arena, &report->gates);
    if (report->compared)
        put_markdown_comparison(out, arena, report->compared);
    buffer_text(out, "| | | 95 % interval | n |\n| --- | --- | --- | --- |\n");
    for (const struct measure *one = report->measures; one->metric; one++) {
        const char *const cells[] = {one->metric->name,
                                     report_figure(arena, one->metric, one->value),
                                     report_interval(arena, one->metric, one->interval),
                                     arena_printf(arena, "%zu", one->count)};
        if (!isnan(one->value))
            put_row(out, cells, COUNT_OF(cells));
    }
    buffer_char(out, '\n');
}
