#include "pkg/eval/compare.h"

#include <math.h>
#include <string.h>

#include "pkg/base/map.h"
#include "pkg/base/vector.h"

/* -- pairs -- */

/* The rows that both have, in the same order. */
static size_t pair_up(struct arena *arena, const struct eval_run *before,
                      const struct eval_run *after, struct eval_run pairs[2])
{
    struct map known = map_in(arena);
    pairs[0] = *before;
    pairs[1] = *after;
    for (int i = 0; i < 2; i++) {
        pairs[i].rows = arena_array(arena, after->count + 1, sizeof *pairs[i].rows);
        pairs[i].count = 0;
    }
    for (size_t i = 0; i < before->count; i++) {
        if (eval_has_reply(&before->rows[i]))
            map_put(&known, before->rows[i].question.text, &before->rows[i]);
    }
    for (size_t i = 0; i < after->count; i++) {
        const struct eval_row *other = map_get(&known, after->rows[i].question.text);
        if (!other || !eval_has_reply(&after->rows[i]))
            continue;
        pairs[0].rows[pairs[0].count++] = *other;
        pairs[1].rows[pairs[1].count++] = after->rows[i];
    }
    return pairs[0].count;
}

/* -- one figure -- */

static void count_changes(const double *before, const double *after, size_t count,
                          struct comparison *out)
{
    bool paired = numbers_are_yes_or_no(before, count) && numbers_are_yes_or_no(after, count);
    out->p = NAN;
    for (size_t i = 0; i < count; i++) {
        paired = paired && isnan(before[i]) == isnan(after[i]);
        out->gained += before[i] == 0 && after[i] == 1;
        out->lost += before[i] == 1 && after[i] == 0;
    }
    if (paired)
        out->p = mcnemar_exact(out->gained, out->lost);
    else
        out->gained = out->lost = 0;
}

static bool compare_one(struct arena *arena, const struct eval_run pairs[2],
                        const struct eval_metric *metric, const struct bootstrap *bootstrap,
                        struct comparison *out)
{
    size_t count = pairs[0].count;
    const double *before = metric_numbers(arena, &pairs[0], metric, NULL);
    const double *after = metric_numbers(arena, &pairs[1], metric, NULL);
    *out = (struct comparison){.metric = metric,
                               .before = statistic_of(&metric->statistic, before, count),
                               .after = statistic_of(&metric->statistic, after, count)};
    if (isnan(out->before) || isnan(out->after))
        return false;
    out->difference = interval_bootstrap(bootstrap, &metric->statistic, after, before, count);
    if (!*metric->unit)
        count_changes(before, after, count, out);
    else
        out->p = NAN;
    return true;
}

int comparison_verdict(const struct comparison *comparison)
{
    int sign = comparison->metric->less_is_better ? -1 : 1;
    return comparison->difference.low > 0 ? sign : comparison->difference.high < 0 ? -sign : 0;
}

/* -- the settings -- */

static const char *number_text(struct arena *arena, double number)
{
    return isnan(number) ? "none" : arena_printf(arena, "%g", number);
}

static const char *settings_changed(struct arena *arena, const struct eval_settings *before,
                                    const struct eval_settings *after)
{
    const struct {
        const char *name, *before, *after;
    } rows[] = {
        {"top_k", arena_printf(arena, "%d", before->top_k),
         arena_printf(arena, "%d", after->top_k)},
        {"floor", number_text(arena, before->floor), number_text(arena, after->floor)},
        {"embedding", before->embedder, after->embedder},
        {"model", before->model, after->model},
        {"prompt", before->prompt, after->prompt},
        {"asked", before->search_only ? "search only" : "answers",
         after->search_only ? "search only" : "answers"},
    };
    const char *text = "";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].before, rows[i].after) != 0)
            text = arena_printf(arena, "%s%s%s %s -> %s", text, *text ? ", " : "", rows[i].name,
                                *rows[i].before ? rows[i].before : "none",
                                *rows[i].after ? rows[i].after : "none");
    }
    return text;
}

int eval_compare(struct arena *arena, const struct eval_run *before, const struct eval_run *after,
                 const struct bootstrap *bootstrap, struct compared *out, struct error *error)
{
    struct eval_run pairs[2];
    *out = (struct compared){.before = before, .after = after};
    out->pairs = pair_up(arena, before, after, pairs);
    out->unpaired = before->count + after->count - 2 * out->pairs;
    out->settings = settings_changed(arena, &before->settings, &after->settings);
    if (!out->pairs)
        return error_set(error, ERR_INPUT,
                         "the two runs have no question in common: nothing can be compared");
    size_t most = 0;
    while (eval_metrics[most].name)
        most++;
    out->items = arena_array(arena, most, sizeof *out->items);
    for (size_t i = 0; i < most; i++)
        out->count +=
            compare_one(arena, pairs, &eval_metrics[i], bootstrap, &out->items[out->count]);
    return 0;
}
