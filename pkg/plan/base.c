#include "pkg/plan/base.h"

#include <stdio.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/plan/lines.h"

enum { DIGITS = 8 };

struct comparing {
    struct arena *arena;
    struct plan *plan;
    const struct base *base;
};

/* The step of the same thing: by its id, and by what was found of it. */
static const struct step *same_step(const struct plan *plan, const struct step *step)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *other = &plan->steps[i];
        if (strcmp(other->id, step->id) == 0 && other->type == step->type &&
            (other->kind == STEP_DELETE) == (step->kind == STEP_DELETE))
            return other;
    }
    return NULL;
}

static const struct difference *same_difference(const struct step *step,
                                                const struct difference *difference)
{
    for (size_t i = 0; step && i < step->difference_count; i++) {
        if (step->differences[i].change.field == difference->change.field)
            return &step->differences[i];
    }
    return NULL;
}

/* Both plans make it; is it the same change? */
static bool same_value(const struct value *a, const struct value *b)
{
    return a == b || value_equal(a, b) || (value_has_unknown(a) && value_has_unknown(b));
}

static enum origin origin_of(const struct difference *difference, const struct difference *other)
{
    if (!other)
        return ORIGIN_SINCE;
    if (!same_value(difference->change.after, other->change.after))
        return ORIGIN_BOTH;
    return difference->why == WHY_DRIFT ? ORIGIN_DRIFT : ORIGIN_BEFORE;
}

/* A step whose differences come from several sides is of both. */
static enum origin origin_of_all(const struct step *step)
{
    enum origin all = step->differences[0].origin;
    for (size_t i = 1; i < step->difference_count; i++) {
        if (step->differences[i].origin != all)
            all = ORIGIN_BOTH;
    }
    return all;
}

static void mark_step(const struct comparing *comparing, struct step *step)
{
    const struct step *other = same_step(comparing->base->plan, step);
    for (size_t i = 0; i < step->difference_count; i++) {
        struct difference *difference = &step->differences[i];
        difference->origin = origin_of(difference, same_difference(other, difference));
    }
    if (step->difference_count)
        step->origin = origin_of_all(step);
    else
        step->origin = !other ? ORIGIN_SINCE : step->drift ? ORIGIN_DRIFT : ORIGIN_BEFORE;
}

/* -- what runs already, though the commit's file says otherwise -- */

static void add_running(const struct comparing *comparing, struct value *list,
                        const struct step *step, const struct difference *difference)
{
    struct arena *arena = comparing->arena;
    struct value *row = value_map(arena);
    value_set_text(arena, row, "kind", step->type->kind);
    value_set_text(arena, row, "id", step->id);
    value_set_text(arena, row, "base_would", step_word(step->kind));
    if (difference) {
        value_set_text(arena, row, "path", difference->change.path);
        value_set_text(arena, row, "runs",
                       value_words(arena, difference->change.before ? difference->change.before
                                                                    : value_null(arena)));
        value_set_text(arena, row, "base",
                       value_words(arena, difference->change.after ? difference->change.after
                                                                   : value_null(arena)));
    }
    value_push(arena, list, row);
}

static struct value *running(const struct comparing *comparing)
{
    struct value *list = value_list(comparing->arena);
    const struct plan *base = comparing->base->plan;
    for (size_t i = 0; i < base->step_count; i++) {
        const struct step *step = &base->steps[i], *own = same_step(comparing->plan, step);
        if (!own && !step->difference_count)
            add_running(comparing, list, step, NULL);
        for (size_t j = 0; j < step->difference_count; j++) {
            if (!same_difference(own, &step->differences[j]) && !(own && own->kind == STEP_CREATE))
                add_running(comparing, list, step, &step->differences[j]);
        }
    }
    return list;
}

/* -- the section -- */

static void count_steps(const struct plan *plan, int counts[ORIGIN_DRIFT + 1])
{
    for (size_t i = 0; i < plan->step_count; i++)
        counts[plan->steps[i].origin]++;
}

static struct value *to_value(const struct comparing *comparing, const int *counts,
                              struct value *runs)
{
    struct arena *arena = comparing->arena;
    struct value *map = value_map(arena);
    value_set_text(arena, map, "revision", comparing->base->revision);
    value_set(arena, map, "commit", value_string(arena, comparing->base->commit));
    value_set_int(arena, map, "since", counts[ORIGIN_SINCE]);
    value_set_int(arena, map, "before", counts[ORIGIN_BEFORE]);
    value_set_int(arena, map, "both", counts[ORIGIN_BOTH]);
    value_set_int(arena, map, "drift", counts[ORIGIN_DRIFT]);
    return value_set(arena, map, "running", runs);
}

static void put_count(struct buffer *out, int count, const char *words)
{
    if (count)
        buffer_printf(out, "  %d %s %s\n", count, count == 1 ? "step" : "steps", words);
}

static void put_running(struct buffer *out, const struct value *row)
{
    const char *path = value_text(row, "path");
    buffer_printf(out, "  runs already: %s %s", value_text(row, "kind"), value_text(row, "id"));
    if (path)
        buffer_printf(out, ": %s is %s (the commit says %s)\n", path, value_text(row, "runs"),
                      value_text(row, "base"));
    else
        buffer_printf(out, " (the commit's file would %s it)\n", value_text(row, "base_would"));
}

static void put_section(struct buffer *out, const int *counts, const struct value *runs)
{
    struct value *row;
    put_count(out, counts[ORIGIN_SINCE], "of what was written since");
    put_count(out, counts[ORIGIN_BEFORE], "of what it says already, and is not deployed");
    put_count(out, counts[ORIGIN_BOTH], "of both");
    put_count(out, counts[ORIGIN_DRIFT], "of drift: the cloud was changed, and no file");
    value_each(row, runs) put_running(out, row);
}

void plan_compare_base(struct arena *arena, struct plan *plan, const struct base *base)
{
    struct comparing comparing = {arena, plan, base};
    int counts[ORIGIN_DRIFT + 1] = {0};
    plan->base = base->revision;
    for (size_t i = 0; i < plan->step_count; i++)
        mark_step(&comparing, &plan->steps[i]);
    count_steps(plan, counts);
    struct value *runs = running(&comparing);
    CLEANUP(buffer_free) struct buffer lines = BUFFER(BUFFER_LARGE);
    put_section(&lines, counts, runs);
    const char *commit = arena_printf(arena, "%.*s", DIGITS, base->commit);
    const char *body = lines.length ? buffer_string(&lines) : "  nothing differs\n";
    plan_add_section(
        plan, (struct plan_section){
                  .key = "base",
                  .value = to_value(&comparing, counts, runs),
                  .text = arena_printf(arena, "Beside %s (%s):\n%s", base->revision, commit, body),
                  .markdown = arena_printf(arena, "Beside `%s` (%s):\n```\n%s```\n\n",
                                           base->revision, commit, body),
              });
}
