#include "pkg/eval/calibrate.h"

#include <math.h>
#include <string.h>

#include "pkg/base/buffer.h"

static const double STEP = 0.01;
/* Bests are rounded to four places: a question at a step's very edge passes it. */
static const double EDGE = 1e-9;

static bool counts(const struct eval_row *row)
{
    return eval_has_reply(row) && !isnan(row->best);
}

static bool refuses(double floor, double best)
{
    return best < floor - EDGE;
}

/* -- choosing -- */

/* The counts without one question; `best` NAN: with all. */
struct view {
    const struct calibration *all;
    double best;
    bool answerable;
};

static size_t lost_at(const struct view *view, size_t i)
{
    const struct floor_row *row = &view->all->table[i];
    return row->lost - (view->answerable && refuses(row->floor, view->best));
}

static size_t refused_at(const struct view *view, size_t i)
{
    const struct floor_row *row = &view->all->table[i];
    return row->refused - (!view->answerable && refuses(row->floor, view->best));
}

/* Both counts only grow with the floor: the last step that may be taken refuses most. Of those that
 * refuse as much the ones that lose least, and of these the one in the middle. -1: none helps. */
static int choose(const struct view *view)
{
    const struct calibration *all = view->all;
    size_t answerable = all->answerable - (!isnan(view->best) && view->answerable);
    double budget = all->most_lost * (double)answerable + EDGE;
    size_t last = 0, first = 0, end;
    while (last + 1 < CALIBRATION_STEPS && (double)lost_at(view, last + 1) <= budget)
        last++;
    if (!refused_at(view, last))
        return -1;
    while (refused_at(view, first) < refused_at(view, last))
        first++;
    for (end = first; end < last && lost_at(view, end + 1) == lost_at(view, first);)
        end++;
    return (int)((first + end) / 2);
}

static void judge_unseen(const struct eval_run *run, struct calibration *out)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct eval_row *row = &run->rows[i];
        if (!counts(row))
            continue;
        struct view others = {out, row->best, row->question.answerable};
        int chosen = choose(&others);
        bool refused = chosen >= 0 && refuses(out->table[chosen].floor, row->best);
        *(row->question.answerable ? &out->lost_unseen : &out->refused_unseen) += refused;
    }
    out->lost_interval = interval_wilson(out->lost_unseen, out->answerable);
    out->refused_interval = interval_wilson(out->refused_unseen, out->unanswerable);
    out->precision_interval =
        interval_wilson(out->refused_unseen, out->refused_unseen + out->lost_unseen);
}

/* -- the table -- */

static void count_all(const struct eval_run *run, struct calibration *out)
{
    for (size_t step = 0; step < CALIBRATION_STEPS; step++)
        out->table[step].floor = (double)step / (CALIBRATION_STEPS - 1);
    for (size_t i = 0; i < run->count; i++) {
        const struct eval_row *row = &run->rows[i];
        if (!counts(row))
            continue;
        bool answerable = row->question.answerable;
        *(answerable ? &out->answerable : &out->unanswerable) += 1;
        for (size_t step = 0; step < CALIBRATION_STEPS; step++)
            *(answerable ? &out->table[step].lost : &out->table[step].refused) +=
                refuses(out->table[step].floor, row->best);
    }
}

static const char *too_few(struct arena *arena, const struct calibration *calibration)
{
    size_t least = (size_t)ceil(1 / calibration->most_lost - EDGE);
    if (calibration->answerable >= least &&
        calibration->unanswerable >= CALIBRATION_LEAST_UNANSWERED)
        return NULL;
    return arena_printf(arena,
                        "%zu questions that the documents answer and %zu that they do not are too "
                        "few: %zu and %d are the least with which %.0f %% can be seen",
                        calibration->answerable, calibration->unanswerable, least,
                        CALIBRATION_LEAST_UNANSWERED, 100 * calibration->most_lost);
}

void eval_calibrate(struct arena *arena, const struct eval_run *run, double most_lost,
                    struct calibration *out)
{
    double floor = run->settings.floor;
    *out = (struct calibration){.most_lost = most_lost};
    count_all(run, out);
    if (!isnan(floor))
        out->current = &out->table[(size_t)(fmin(fmax(floor, 0), 1) / STEP + EDGE)];
    out->too_few = too_few(arena, out);
    int chosen = choose(&(struct view){out, NAN, false});
    if (isnan(floor) && eval_replied(run))
        out->why_not = "there is no embedding model: search is by words alone";
    else if (!out->answerable || !out->unanswerable)
        out->why_not = "that takes questions that the documents answer, and others";
    else if (chosen < 0)
        out->why_not = arena_printf(arena,
                                    "no floor refuses anything that the documents do not say "
                                    "without losing more than %.0f %% of what they do",
                                    100 * most_lost);
    else
        out->chosen = &out->table[chosen];
    judge_unseen(run, out);
}

/* -- what the file says -- */

const char *floor_said_with(struct arena *arena, const char *said, const char *model, double floor)
{
    struct buffer out = BUFFER(4096);
    buffer_printf(&out, "%.2f@%s", floor, model);
    for (const char *at = said; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        const char *mark = memchr(at, '@', length);
        bool other = mark && !(at + length - mark - 1 == (ptrdiff_t)strlen(model) &&
                               strncmp(mark + 1, model, strlen(model)) == 0);
        if (other)
            buffer_printf(&out, " %.*s", (int)length, at);
        at += length;
    }
    const char *text = arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return text;
}
