/* The report as the body of a page. */
#include <math.h>
#include <string.h>

#include "pkg/eval/html.h"
#include "pkg/eval/plot.h"

struct page {
    struct buffer *out;
    struct arena *arena;
    const struct report *report;
};

static void put_head_row(struct buffer *out, const char *const *names, size_t count)
{
    html_open(out, "thead", NULL);
    html_open(out, "tr", NULL);
    for (size_t i = 0; i < count; i++)
        html_element(out, "th", NULL, "%s", names[i]);
    html_close(out, "tr");
    html_close(out, "thead");
}

static void begin_table(const struct page *page, const char *title, const char *const *names,
                        size_t count)
{
    html_element(page->out, "h2", NULL, "%s", title);
    html_open(page->out, "div", "class", "wide", "tabindex", "0", "role", "region", "aria-label",
              title, NULL);
    html_open(page->out, "table", NULL);
    put_head_row(page->out, names, count);
    html_open(page->out, "tbody", NULL);
}

static void end_table(const struct page *page)
{
    html_close(page->out, "tbody");
    html_close(page->out, "table");
    html_close(page->out, "div");
}

static void put_head(const struct page *page)
{
    const struct eval_run *run = page->report->run;
    size_t answerable = 0;
    for (size_t i = 0; i < run->count; i++)
        answerable += run->rows[i].question.answerable;
    html_element(page->out, "h1", NULL, "Answers of %s", run->stack);
    html_element(page->out, "p", "soft",
                 "%s, %s. %zu of %zu questions of %s were asked; the "
                 "documents answer %zu of all.",
                 run->target, run->at, eval_asked(run), run->count, run->questions, answerable);
    html_element(page->out, "p", "soft", "%s", report_settings(page->arena, &run->settings));
}

static void put_gates(const struct page *page)
{
    const struct gate_list *gates = &page->report->gates;
    for (size_t i = 0; i < gates->count; i++) {
        const struct gate *gate = &gates->items[i];
        html_element(page->out, "p", gate->missed ? "gate missed" : "gate met", "%s: %s",
                     gate->missed ? "Missed" : "Met", report_gate(page->arena, gate));
    }
}

static void put_measures(const struct page *page)
{
    static const char *const names[] = {"Figure", "", "95 % interval", "n", "What it is"};
    begin_table(page, "Figures", names, COUNT_OF(names));
    for (const struct measure *one = page->report->measures; one->metric; one++) {
        if (isnan(one->value))
            continue;
        html_open(page->out, "tr", NULL);
        html_element(page->out, "th", NULL, "%s", one->metric->name);
        html_element(page->out, "td", "number", "%s",
                     report_figure(page->arena, one->metric, one->value));
        html_element(page->out, "td", "range", "%s",
                     report_interval(page->arena, one->metric, one->interval));
        html_element(page->out, "td", "number", "%zu", one->count);
        html_element(page->out, "td", "soft", "%s", one->metric->summary);
        html_close(page->out, "tr");
    }
    end_table(page);
}

static void put_kinds(const struct page *page)
{
    const char *names[1 + KIND_METRICS] = {"Kind"};
    const struct report *report = page->report;
    if (!report->kinds[0])
        return;
    memcpy(names + 1, report_kind_metrics, sizeof report_kind_metrics);
    begin_table(page, "By kind of question", names, COUNT_OF(names));
    for (size_t kind = 0; report->kinds[kind]; kind++) {
        html_open(page->out, "tr", NULL);
        html_element(page->out, "th", NULL, "%s", report->kinds[kind]);
        for (size_t i = 1; i < COUNT_OF(names); i++) {
            const struct measure *one = measure_find(report->kind_measures[kind], names[i]);
            html_element(page->out, "td", "number", "%s",
                         report_figure(page->arena, one->metric, one->value));
        }
        html_close(page->out, "tr");
    }
    end_table(page);
}

static void put_comparison(const struct page *page)
{
    static const char *const names[] = {"Figure",           "before",  "after", "difference, 95 %",
                                        "yes / no changed", "McNemar", ""};
    const struct compared *compared = page->report->compared;
    if (!compared)
        return;
    begin_table(page,
                arena_printf(page->arena, "Against the run of %s: %s", compared->before->at,
                             *compared->settings ? compared->settings : "the same settings"),
                names, COUNT_OF(names));
    for (size_t i = 0; i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        int verdict = comparison_verdict(one);
        bool paired = !isnan(one->p);
        html_open(page->out, "tr", NULL);
        html_element(page->out, "th", NULL, "%s", one->metric->name);
        html_element(page->out, "td", "number", "%s",
                     report_figure(page->arena, one->metric, one->before));
        html_element(page->out, "td", "number", "%s",
                     report_figure(page->arena, one->metric, one->after));
        html_element(page->out, "td", "range", "%s",
                     report_interval(page->arena, one->metric, one->difference));
        html_element(page->out, "td", NULL, "%s",
                     paired ? arena_printf(page->arena, "+%zu, -%zu", one->gained, one->lost) : "");
        html_element(page->out, "td", "number", "%s",
                     paired ? report_chance(page->arena, one->p) : "");
        html_element(page->out, "td",
                     verdict > 0   ? "met"
                     : verdict < 0 ? "missed"
                                   : "soft",
                     "%s", report_verdict(one));
        html_close(page->out, "tr");
    }
    end_table(page);
}

/* -- the floor -- */

static void put_unseen(const struct page *page)
{
    const struct calibration *calibration = page->report->calibration;
    html_element(page->out, "p", NULL,
                 "Proposed for %s: %.2f, the floor that refuses most of those that lose at most "
                 "%.0f %%. To expect of questions that it was not chosen by (leave-one-out): it "
                 "refuses %.2f (%.2f to %.2f) of what the documents do not say, and loses %.2f "
                 "(%.2f to %.2f) of what they do.",
                 page->report->run->settings.embedder, calibration->chosen->floor,
                 100 * calibration->most_lost,
                 (double)calibration->refused_unseen / (double)calibration->unanswerable,
                 calibration->refused_interval.low, calibration->refused_interval.high,
                 (double)calibration->lost_unseen / (double)calibration->answerable,
                 calibration->lost_interval.low, calibration->lost_interval.high);
}

static void put_floors(const struct page *page)
{
    static const char *const names[] = {"Floor", "Refusals: precision", "recall", "Answers lost",
                                        ""};
    const struct calibration *calibration = page->report->calibration;
    if (!calibration->answerable || !calibration->unanswerable)
        return;
    begin_table(page, "The refusal floor", names, COUNT_OF(names));
    for (const int *step = report_floors(page->arena, calibration); *step >= 0; step++) {
        const struct floor_row *row = &calibration->table[*step];
        html_open(page->out, "tr", NULL);
        html_element(page->out, "th", NULL, "%.2f", row->floor);
        html_element(page->out, "td", "number", "%s",
                     report_share(page->arena, row->refused, row->refused + row->lost));
        html_element(page->out, "td", "number", "%s",
                     report_share(page->arena, row->refused, calibration->unanswerable));
        html_element(page->out, "td", "number", "%s",
                     report_share(page->arena, row->lost, calibration->answerable));
        html_element(page->out, "td", "soft", "%s%s", row == calibration->chosen ? "proposed " : "",
                     row == calibration->current ? "in force" : "");
        html_close(page->out, "tr");
    }
    end_table(page);
    if (calibration->chosen)
        put_unseen(page);
    if (calibration->why_not || calibration->too_few)
        html_element(page->out, "p", "gate missed", "%s",
                     calibration->why_not ? calibration->why_not : calibration->too_few);
}

static void put_wrong(const struct page *page)
{
    static const char *const names[] = {"Question", "What is wrong", "Found"};
    const struct eval_run *run = page->report->run;
    size_t wrong = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct eval_row *row = &run->rows[i];
        const char *why = report_wrong(page->arena, row);
        if (!why)
            continue;
        if (!wrong++)
            begin_table(page, "Wrong", names, COUNT_OF(names));
        const struct value *first = value_item(row->found, 0);
        html_open(page->out, "tr", NULL);
        html_element(page->out, "td", NULL, "%s", row->question.text);
        html_element(page->out, "td", NULL, "%s", why);
        html_element(page->out, "td", "soft", "%s", first ? first->string.text : "");
        html_close(page->out, "tr");
    }
    if (wrong)
        end_table(page);
}

void report_print_html(struct buffer *out, const struct report *report)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct page page = {out, arena, report};
    put_head(&page);
    put_gates(&page);
    html_open(out, "div", "class", "plots", NULL);
    plot_measures(out, arena, report);
    plot_differences(out, arena, report);
    plot_floors(out, arena, report);
    plot_bests(out, arena, report);
    plot_latency(out, arena, report);
    html_close(out, "div");
    put_measures(&page);
    put_kinds(&page);
    put_comparison(&page);
    put_floors(&page);
    put_wrong(&page);
    html_element(out, "p", "soft",
                 "Intervals: Wilson's for shares of yes and no, else percentile bootstrap (%d "
                 "draws, seed %llu), paired for differences.",
                 report->bootstrap.draws, (unsigned long long)report->bootstrap.seed);
}
