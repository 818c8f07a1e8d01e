/* From plans and files to what costs something, and both sides of a change. */
#include "pkg/base/vector.h"
#include "pkg/watch/cost.h"

static const struct step *step_for(const struct plan *plan, const struct found *found)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].found == found)
            return &plan->steps[i];
    }
    return NULL;
}

/* What was found, with what the step changes: what the file leaves alone stays as it is. */
static const struct value *changed(struct arena *arena, const struct step *step)
{
    struct value *props = value_copy(arena, step->found->props);
    for (size_t i = 0; i < step->difference_count; i++) {
        const struct change *change = &step->differences[i].change;
        if (!change->field)
            continue;
        value_remove(props, change->field->name);
        if (change->after)
            value_set(arena, props, change->field->name, value_copy(arena, change->after));
    }
    return props;
}

static void add_found(struct arena *arena, const struct plan *plan, const struct found *found,
                      bool after, struct cost_item_list *out)
{
    const struct step *step = after ? step_for(plan, found) : NULL;
    struct cost_item item = {found->type->kind, found->id, found->name, found->props};
    if (found->foreign || (step && step->kind == STEP_DELETE))
        return;
    if (step)
        item.props = step->kind == STEP_REPLACE ? step->want : changed(arena, step);
    vector_push(arena, out, item);
}

struct cost_item_list cost_items_of_plan(struct arena *arena, const struct plan *plan, bool after)
{
    struct cost_item_list list = {0};
    for (size_t i = 0; i < plan->step_count && after; i++) {
        const struct step *step = &plan->steps[i];
        if (!step->found)
            vector_push(arena, &list,
                        ((struct cost_item){step->type->kind, step->id, NULL, step->want}));
    }
    for (size_t i = 0; i < plan->found.count; i++)
        add_found(arena, plan, &plan->found.items[i], after, &list);
    return list;
}

struct cost_item_list cost_items_of_file(struct arena *arena, const struct resource_list *wanted)
{
    struct cost_item_list list = {0};
    for (size_t i = 0; i < wanted->count; i++) {
        const struct resource *resource = &wanted->items[i];
        struct value *props = type_fill(arena, resource->type, resource->props);
        vector_push(arena, &list,
                    ((struct cost_item){resource->type->kind, resource->id, NULL, props}));
    }
    return list;
}

struct cost_report cost_report_of_plan(struct arena *arena, const struct plan *plan,
                                       const struct value *table)
{
    struct cost_report report = {.prices =
                                     price_table_region(table, plan->target->identity->region)};
    struct cost_item_list before = cost_items_of_plan(arena, plan, false);
    struct cost_item_list after = cost_items_of_plan(arena, plan, true);
    report.before = cost_of(arena, &report.prices, &before);
    report.after = cost_of(arena, &report.prices, &after);
    report.advice = cost_advise(arena, &report.prices, &after);
    return report;
}
