/* What all the printers share, and the JSON. */
#include "pkg/eval/report.h"

#include <math.h>
#include <string.h>

#include "pkg/base/vector.h"

/* -- making -- */

const char *const report_kind_metrics[KIND_METRICS] = {"recall@1", "recall@5", "mrr", "answered",
                                                       "answer_correct"};

static void judge_gates(const struct report *report)
{
    for (size_t i = 0; i < report->gates.count; i++) {
        struct gate *gate = &report->gates.items[i];
        gate->value = measure_find(report->measures, gate->metric->name)->value;
        gate->missed =
            isnan(gate->value) ||
            (gate->metric->less_is_better ? gate->value > gate->least : gate->value < gate->least);
    }
}

int report_make(struct arena *arena, const struct eval_run *run, const struct eval_run *before,
                double most_lost, const struct bootstrap *bootstrap, struct gate_list gates,
                struct report *out, struct error *error)
{
    struct calibration *calibration = arena_new_of(arena, struct calibration);
    struct compared *compared = before ? arena_new_of(arena, struct compared) : NULL;
    size_t kinds = 0;
    *out = (struct report){.run = run,
                           .measures = eval_measure(arena, run, NULL, bootstrap),
                           .kinds = eval_kinds(arena, run),
                           .calibration = calibration,
                           .compared = compared,
                           .gates = gates,
                           .bootstrap = *bootstrap};
    while (out->kinds[kinds])
        kinds++;
    const struct measure **by_kind = arena_array(arena, kinds + 1, sizeof *by_kind);
    for (size_t i = 0; i < kinds; i++)
        by_kind[i] = eval_measure(arena, run, out->kinds[i], bootstrap);
    out->kind_measures = by_kind;
    eval_calibrate(arena, run, most_lost, calibration);
    judge_gates(out);
    return before ? eval_compare(arena, before, run, bootstrap, compared, error) : 0;
}

/* -- words -- */

static const char *joined(struct arena *arena, const struct value *list)
{
    const struct value *item;
    const char *text = "";
    value_each(item, list) text =
        arena_printf(arena, "%s%s%s", text, *text ? ", " : "", item->string.text);
    return text;
}

static const char *wrong_answer(struct arena *arena, const struct eval_row *row)
{
    const char *expected = joined(arena, row->question.documents);
    int rank = eval_rank(row);
    const char *place = rank ? arena_printf(arena, "found at place %d", rank) : "not found";
    if (row->outcome == EVAL_REFUSED)
        return arena_printf(arena, "refused (%s); %s was %s", row->reason, expected, place);
    if (row->outcome == EVAL_LATE)
        return "the model did not answer in time";
    if (row->outcome == EVAL_FOUND)
        return rank ? NULL : arena_printf(arena, "%s was not found", expected);
    if (!row->right_citations)
        return arena_printf(arena, "cites something else; %s was %s", expected, place);
    if (value_count(row->question.words) && !row->words_said)
        return arena_printf(arena, "does not say %s", joined(arena, row->question.words));
    return NULL;
}

const char *report_wrong(struct arena *arena, const struct eval_row *row)
{
    if (row->outcome == EVAL_NOT_ASKED)
        return NULL;
    if (row->outcome == EVAL_FAILED)
        return row->reason;
    if (row->question.answerable)
        return wrong_answer(arena, row);
    if (row->outcome == EVAL_ANSWERED)
        return "answered, though the documents do not say it";
    return row->outcome == EVAL_FOUND ? "passes the floor, though the documents do not say it"
                                      : NULL;
}

const char *report_figure(struct arena *arena, const struct eval_metric *metric, double value)
{
    if (isnan(value))
        return "-";
    if (strcmp(metric->unit, "ms") == 0)
        return arena_printf(arena, "%.0f ms", value);
    if (strcmp(metric->unit, "$") == 0)
        return arena_printf(arena, "$%.2f", value);
    return arena_printf(arena, "%.3f", value);
}

const char *report_interval(struct arena *arena, const struct eval_metric *metric,
                            struct interval interval)
{
    if (isnan(interval.low))
        return "";
    return arena_printf(arena, "%s to %s", report_figure(arena, metric, interval.low),
                        report_figure(arena, metric, interval.high));
}

const char *report_gate(struct arena *arena, const struct gate *gate)
{
    return arena_printf(arena, "%s is %s, and has to be %s %s", gate->metric->name,
                        report_figure(arena, gate->metric, gate->value),
                        gate->metric->less_is_better ? "at most" : "at least",
                        report_figure(arena, gate->metric, gate->least));
}

const char *report_share(struct arena *arena, size_t part, size_t all)
{
    return all ? arena_printf(arena, "%.2f", (double)part / (double)all) : "-";
}

const char *report_chance(struct arena *arena, double p)
{
    if (isnan(p))
        return "";
    return p < 0.001 ? "p <0.001" : arena_printf(arena, "p %.3f", p);
}

const char *report_settings(struct arena *arena, const struct eval_settings *settings)
{
    const char *floor = isnan(settings->floor) ? "no floor (words alone)"
                                               : arena_printf(arena, "floor %g", settings->floor);
    const char *text = arena_printf(arena, "top_k %d, %s", settings->top_k, floor);
    if (*settings->embedder)
        text = arena_printf(arena, "%s, %s", text, settings->embedder);
    if (settings->search_only)
        return arena_printf(arena, "%s, search only", text);
    if (*settings->model)
        text = arena_printf(arena, "%s, %s", text, settings->model);
    return *settings->prompt ? arena_printf(arena, "%s, prompt %s", text, settings->prompt) : text;
}

const char *report_verdict(const struct comparison *comparison)
{
    int verdict = comparison_verdict(comparison);
    return verdict > 0 ? "better" : verdict < 0 ? "worse" : "no difference seen";
}

/* From where something is refused to where all is; each second step, and those that matter. */
const int *report_floors(struct arena *arena, const struct calibration *calibration)
{
    int *steps = arena_array(arena, CALIBRATION_STEPS + 1, sizeof *steps);
    size_t count = 0, all = calibration->answerable + calibration->unanswerable;
    for (int i = 1; i < CALIBRATION_STEPS; i++) {
        const struct floor_row *row = &calibration->table[i];
        bool matters = row == calibration->chosen || row == calibration->current;
        bool between = row->lost + row->refused > 0 && row[-1].lost + row[-1].refused < all;
        if (matters || (between && i % 4 == 0))
            steps[count++] = i;
    }
    steps[count] = -1;
    return steps;
}

/* -- JSON -- */

static void set_real(struct arena *arena, struct value *map, const char *key, double number)
{
    value_set(arena, map, key, real_or_null(arena, number));
}

static struct value *measures_value(struct arena *arena, const struct measure *measures)
{
    struct value *map = value_map(arena);
    for (const struct measure *one = measures; one->metric; one++) {
        struct value *row = value_map(arena);
        if (isnan(one->value))
            continue;
        set_real(arena, row, "value", one->value);
        set_real(arena, row, "low", one->interval.low);
        set_real(arena, row, "high", one->interval.high);
        value_set_text(arena, row, "interval", one->is_share ? "wilson" : "bootstrap");
        value_set_int(arena, row, "n", (int64_t)one->count);
        value_set(arena, map, one->metric->name, row);
    }
    return map;
}

static struct value *floor_value(struct arena *arena, const struct floor_row *row)
{
    struct value *map = value_map(arena);
    set_real(arena, map, "floor", row->floor);
    value_set_int(arena, map, "lost", (int64_t)row->lost);
    return value_set_int(arena, map, "refused", (int64_t)row->refused);
}

static struct value *calibration_value(struct arena *arena, const struct calibration *calibration)
{
    struct value *map = value_map(arena), *table = value_list(arena), *unseen = value_map(arena);
    set_real(arena, map, "most_lost", calibration->most_lost);
    value_set_int(arena, map, "answerable", (int64_t)calibration->answerable);
    value_set_int(arena, map, "unanswerable", (int64_t)calibration->unanswerable);
    value_set(arena, map, "proposed",
              calibration->chosen ? floor_value(arena, calibration->chosen) : value_null(arena));
    value_set_int(arena, unseen, "lost", (int64_t)calibration->lost_unseen);
    set_real(arena, unseen, "lost_low", calibration->lost_interval.low);
    set_real(arena, unseen, "lost_high", calibration->lost_interval.high);
    value_set_int(arena, unseen, "refused", (int64_t)calibration->refused_unseen);
    set_real(arena, unseen, "refused_low", calibration->refused_interval.low);
    set_real(arena, unseen, "refused_high", calibration->refused_interval.high);
    value_set(arena, map, "leave_one_out", unseen);
    value_set(arena, map, "too_few", value_string(arena, calibration->too_few));
    value_set(arena, map, "why_not", value_string(arena, calibration->why_not));
    for (size_t i = 0; i < CALIBRATION_STEPS; i++)
        value_push(arena, table, floor_value(arena, &calibration->table[i]));
    return value_set(arena, map, "table", table);
}

static struct value *compared_value(struct arena *arena, const struct compared *compared)
{
    struct value *map = value_map(arena), *metrics = value_map(arena);
    value_set_text(arena, map, "baseline_at", compared->before->at);
    value_set_text(arena, map, "settings", compared->settings);
    value_set_int(arena, map, "pairs", (int64_t)compared->pairs);
    value_set_int(arena, map, "unpaired", (int64_t)compared->unpaired);
    for (size_t i = 0; i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        struct value *row = value_map(arena);
        set_real(arena, row, "before", one->before);
        set_real(arena, row, "after", one->after);
        set_real(arena, row, "low", one->difference.low);
        set_real(arena, row, "high", one->difference.high);
        if (!isnan(one->p)) {
            value_set_int(arena, row, "gained", (int64_t)one->gained);
            value_set_int(arena, row, "lost", (int64_t)one->lost);
            set_real(arena, row, "p", one->p);
        }
        value_set_text(arena, row, "verdict", report_verdict(one));
        value_set(arena, metrics, one->metric->name, row);
    }
    return value_set(arena, map, "metrics", metrics);
}

static struct value *gates_value(struct arena *arena, const struct gate_list *gates)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < gates->count; i++) {
        const struct gate *gate = &gates->items[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "metric", gate->metric->name);
        set_real(arena, row, gate->metric->less_is_better ? "most" : "least", gate->least);
        set_real(arena, row, "value", gate->value);
        value_set_bool(arena, row, "missed", gate->missed);
        value_push(arena, list, row);
    }
    return list;
}

struct value *report_to_value(struct arena *arena, const struct report *report)
{
    struct value *map = eval_run_to_value(arena, report->run), *kinds = value_map(arena),
                 *chance = value_map(arena);
    value_set_int(arena, map, "asked", (int64_t)eval_asked(report->run));
    value_set(arena, map, "metrics", measures_value(arena, report->measures));
    for (size_t i = 0; report->kinds[i]; i++)
        value_set(arena, kinds, report->kinds[i], measures_value(arena, report->kind_measures[i]));
    value_set(arena, map, "kinds", kinds);
    value_set_int(arena, chance, "draws", report->bootstrap.draws);
    value_set_int(arena, chance, "seed", (int64_t)report->bootstrap.seed);
    value_set(arena, map, "bootstrap", chance);
    value_set(arena, map, "calibration", calibration_value(arena, report->calibration));
    if (report->compared)
        value_set(arena, map, "comparison", compared_value(arena, report->compared));
    return value_set(arena, map, "gates", gates_value(arena, &report->gates));
}
