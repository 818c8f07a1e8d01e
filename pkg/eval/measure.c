#include "pkg/eval/measure.h"

#include <math.h>
#include <string.h>

enum { PRICED = 1000 }; /* questions that a price is told of */

/* -- what a row adds -- */

static bool searched(const struct eval_row *row)
{
    return eval_has_reply(row) && row->question.answerable;
}

static double recall(const struct eval_row *row, int most)
{
    return searched(row) ? eval_recall(row, most) : NAN;
}

static double reciprocal_rank(const struct eval_row *row, int parameter)
{
    (void)parameter;
    int rank = eval_rank(row);
    return !searched(row) ? NAN : rank ? 1.0 / rank : 0;
}

static double answered(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return searched(row) ? row->outcome == EVAL_ANSWERED || row->outcome == EVAL_FOUND : NAN;
}

static bool is_answer(const struct eval_row *row)
{
    return searched(row) && row->outcome == EVAL_ANSWERED;
}

static double cites_right(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return is_answer(row) ? row->right_citations > 0 : NAN;
}

static double citation_share(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return is_answer(row) && row->citations ? (double)row->right_citations / row->citations : NAN;
}

static double says_words(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return searched(row) && value_count(row->question.words) ? row->words_said : NAN;
}

static double refused_rightly(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return row->outcome == EVAL_REFUSED ? !row->question.answerable : NAN;
}

static double refused(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return eval_has_reply(row) && !row->question.answerable ? row->outcome == EVAL_REFUSED : NAN;
}

static double latency(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return eval_has_reply(row) ? row->took_ms : NAN;
}

static double dollars(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return eval_has_reply(row) ? row->usd * PRICED : NAN;
}

static double failed(const struct eval_row *row, int parameter)
{
    (void)parameter;
    return row->outcome == EVAL_NOT_ASKED ? NAN : !eval_has_reply(row) || row->outcome == EVAL_LATE;
}

/* -- the table -- */

#define RECALL(k, name)                                             \
    {                                                               \
        name, "", false, false, k, {MEAN, 0}, recall,               \
            "right documents among the first " #k " that are found" \
    }

const struct eval_metric eval_metrics[] = {
    RECALL(1, "recall@1"),
    RECALL(3, "recall@3"),
    RECALL(5, "recall@5"),
    RECALL(10, "recall@10"),
    RECALL(20, "recall@20"),
    {"recall", "", false, false, 0, {MEAN, 0}, recall, "right documents among all that are found"},
    {"mrr", "", false, false, 0, {MEAN, 0}, reciprocal_rank, "1 / place of the right document"},
    {"answered",
     "",
     false,
     false,
     0,
     {MEAN, 0},
     answered,
     "of what the documents answer: not refused, not late"},
    {"citation_correct",
     "",
     false,
     true,
     0,
     {MEAN, 0},
     cites_right,
     "of these answers: cites a right document"},
    {"citation_precision",
     "",
     false,
     true,
     0,
     {MEAN, 0},
     citation_share,
     "of an answer's citations: of a right document"},
    {"answer_correct",
     "",
     false,
     true,
     0,
     {MEAN, 0},
     says_words,
     "of what the documents answer: the expected words are said"},
    {"refusal_precision",
     "",
     false,
     false,
     0,
     {MEAN, 0},
     refused_rightly,
     "of the refusals: the documents really do not say it"},
    {"refusal_recall",
     "",
     false,
     false,
     0,
     {MEAN, 0},
     refused,
     "of what the documents do not say: refused"},
    {"failed", "", true, false, 0, {MEAN, 0}, failed, "no reply, or only passages because of time"},
    {"latency_p50_ms", "ms", true, false, 0, {QUANTILE, 0.5}, latency, "seen from here, half"},
    {"latency_p95_ms",
     "ms",
     true,
     false,
     0,
     {QUANTILE, 0.95},
     latency,
     "seen from here, 95 of a hundred"},
    {"usd_per_1000", "$", true, false, 0, {MEAN, 0}, dollars, "models' price of 1,000 questions"},
    {0},
};

const struct eval_metric *eval_metric_find(const char *name)
{
    const struct eval_metric *metric = eval_metrics;
    while (metric->name && strcmp(metric->name, name) != 0)
        metric++;
    return metric->name ? metric : NULL;
}

/* -- measuring -- */

double *metric_numbers(struct arena *arena, const struct eval_run *run,
                       const struct eval_metric *metric, const char *kind)
{
    double *numbers = arena_array(arena, run->count + 1, sizeof *numbers);
    bool deep = metric->of == recall && metric->parameter > run->settings.top_k;
    for (size_t i = 0; i < run->count; i++) {
        const struct eval_row *row = &run->rows[i];
        bool counts = !deep && !(metric->needs_model && run->settings.search_only) &&
                      (!kind || strcmp(kind, row->question.kind) == 0);
        numbers[i] = counts ? metric->of(row, metric->parameter) : NAN;
    }
    return numbers;
}

bool numbers_are_yes_or_no(const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isnan(numbers[i]) && numbers[i] != 0 && numbers[i] != 1)
            return false;
    }
    return true;
}

static struct measure measure_one(struct arena *arena, const struct eval_run *run,
                                  const struct eval_metric *metric, const char *kind,
                                  const struct bootstrap *bootstrap)
{
    const double *numbers = metric_numbers(arena, run, metric, kind);
    struct measure measure = {.metric = metric,
                              .value = statistic_of(&metric->statistic, numbers, run->count),
                              .interval = {NAN, NAN}};
    size_t hits = 0;
    for (size_t i = 0; i < run->count; i++) {
        measure.count += !isnan(numbers[i]);
        hits += numbers[i] == 1;
    }
    measure.is_share = !*metric->unit && metric->of != reciprocal_rank &&
                       numbers_are_yes_or_no(numbers, run->count);
    if (measure.is_share)
        measure.interval = interval_wilson(hits, measure.count);
    else if (measure.count)
        measure.interval =
            interval_bootstrap(bootstrap, &metric->statistic, numbers, NULL, run->count);
    return measure;
}

struct measure *eval_measure(struct arena *arena, const struct eval_run *run, const char *kind,
                             const struct bootstrap *bootstrap)
{
    struct measure *measures = arena_array(arena, COUNT_OF(eval_metrics), sizeof *measures);
    for (size_t i = 0; eval_metrics[i].name; i++)
        measures[i] = measure_one(arena, run, &eval_metrics[i], kind, bootstrap);
    return measures;
}

const struct measure *measure_find(const struct measure *measures, const char *name)
{
    const struct eval_metric *metric = eval_metric_find(name);
    return metric ? &measures[metric - eval_metrics] : NULL;
}

const char *const *eval_kinds(struct arena *arena, const struct eval_run *run)
{
    const char **kinds = arena_array(arena, run->count + 1, sizeof *kinds);
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const char *kind = run->rows[i].question.kind;
        bool known = !*kind;
        for (size_t j = 0; j < count && !known; j++)
            known = strcmp(kinds[j], kind) == 0;
        if (!known)
            kinds[count++] = kind;
    }
    return kinds;
}
