#include "cmd/ragstack/refusal.h"

#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/plan/lines.h"

static const char *touches_data(const struct step *step)
{
    if (step->loses_data)
        return "it would lose data";
    if ((step->type->flags & HOLDS_DATA) && step->kind != STEP_CREATE)
        return "it holds data";
    return NULL;
}

/* Does this text stand in the value, alone or inside a longer text (an ARN in a policy)? */
static bool mentions(const struct value *value, const char *text)
{
    const struct value *item;
    if (value_is(value, VALUE_STRING))
        return strstr(value->string.text, text) != NULL;
    if (value_is(value, VALUE_LIST)) {
        value_each(item, value)
        {
            if (mentions(item, text))
                return true;
        }
    }
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value_count(value); i++) {
        if (mentions(value_entry(value, i)->value, text))
            return true;
    }
    return false;
}

static bool refers_to(const struct found *found, const struct found *other)
{
    enum { SHORTEST = 6 }; /* what is shorter is no name of a thing of ours */
    const char *texts[] = {other->physical_id, other->name, value_text(other->props, "arn")};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i] && strlen(texts[i]) >= SHORTEST && mentions(found->props, texts[i]))
            return true;
    }
    return false;
}

static bool removes(const struct step *step)
{
    return step->found && (step->kind == STEP_DELETE || step->kind == STEP_REPLACE);
}

/* Things that stay because of what stays, until there are no more of them. */
static bool refuse_more(struct arena *arena, const struct plan *plan, const char **whys)
{
    bool more = false;
    for (size_t i = 0; i < plan->step_count; i++) {
        for (size_t j = 0; whys[i] && plan->steps[i].found && j < plan->step_count; j++) {
            const struct step *step = &plan->steps[j];
            if (whys[j] || !removes(step) || !refers_to(plan->steps[i].found, step->found))
                continue;
            whys[j] = arena_printf(arena, "%s needs it", plan->steps[i].id);
            more = true;
        }
    }
    return more;
}

void plan_refuse_data(struct arena *arena, struct plan *plan, struct refusal_list *out)
{
    const char **whys = arena_array(arena, plan->step_count + 1, sizeof *whys);
    for (size_t i = 0; i < plan->step_count; i++)
        whys[i] = touches_data(&plan->steps[i]);
    while (refuse_more(arena, plan, whys))
        ;
    size_t kept = 0;
    for (size_t i = 0; i < plan->step_count; i++) {
        if (whys[i])
            vector_push(arena, out, ((struct refusal){plan->steps[i], whys[i]}));
        else
            plan->steps[kept++] = plan->steps[i];
    }
    plan->step_count = kept;
}

void refusals_print(FILE *out, const struct refusal_list *refusals)
{
    if (refusals->count)
        fputs("\nStays as it is:\n", out);
    for (size_t i = 0; i < refusals->count; i++) {
        const struct step *step = &refusals->items[i].step;
        fprintf(out, "  %s %s  (%s: %s)  %s\n", step->type->kind, step->id, step_word(step->kind),
                step->reason, refusals->items[i].why);
    }
}
