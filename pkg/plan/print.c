/* A plan as text for people: what, why, from which line, old -> new. */
#include <string.h>

#include "pkg/plan/lines.h"
#include "pkg/plan/plan.h"

static const struct look {
    const char *sign, *colour, *word;
} looks[] = {
    [STEP_CREATE] = {"+", "\033[32m", "create"},
    [STEP_UPDATE] = {"~", "\033[33m", "change"},
    [STEP_REPLACE] = {"±", "\033[35m", "replace"},
    [STEP_DELETE] = {"-", "\033[31m", "delete"},
};

const char *step_word(enum step_kind kind)
{
    return looks[kind].word;
}

const char *why_words(enum why why)
{
    static const char *const words[] = {
        [WHY_DIFFERS] = "differs",
        [WHY_FILE] = "you changed it",
        [WHY_DRIFT] = "drifted",
        [WHY_REFERENCE] = "follows a reference",
    };
    return words[why];
}

const char *step_would_lose(const struct step *step)
{
    return step->loses_data && step->found ? step->found->contents : NULL;
}

static void paint(struct buffer *out, const struct plan_style *style, const char *colour)
{
    if (style->colour)
        buffer_text(out, colour);
}

static void print_place(struct buffer *out, const struct plan_style *style, struct mark mark)
{
    if (!mark.line || !mark.file)
        return;
    paint(out, style, "\033[2m");
    buffer_printf(out, "  %s:%d", mark.file, mark.line);
    paint(out, style, "\033[0m");
}

static void print_line(void *data, const struct difference_line *line)
{
    struct buffer *out = data;
    if (line->before && line->after)
        buffer_printf(out, "      %s: %s -> %s", line->path, line->before, line->after);
    else
        buffer_printf(out, "      %s %s: %s", line->after ? "+" : "-", line->path,
                      line->after ? line->after : line->before);
    buffer_char(out, '\n');
}

static void print_difference(struct buffer *out, const struct plan *plan,
                             const struct difference *difference, const struct plan_style *style)
{
    size_t start = out->length;
    difference_lines(plan->arena, difference, print_line, out);
    if (out->length == start)
        return;
    out->data[--out->length] = '\0'; /* the reason goes on the last line */
    buffer_printf(out, "   (%s", why_words(difference->why));
    buffer_text(out, origin_words(plan->arena, difference->origin, plan->base));
    if (difference->replaces)
        buffer_text(out, ", cannot change in place");
    buffer_char(out, ')');
    print_place(out, style, difference->mark);
    buffer_char(out, '\n');
}

static void print_properties(struct buffer *out, const struct plan *plan, const struct step *step)
{
    for (size_t i = 0; i < value_count(step->want); i++) {
        const struct value_entry *entry = value_entry(step->want, i);
        const char *text = value_words(plan->arena, entry->value);
        if (text && entry->value->kind != VALUE_NULL)
            buffer_printf(out, "      %s: %s\n", entry->key, text);
    }
}

/* Widths of what stands in columns. */
struct columns {
    int kind, id;
};

static struct columns columns_of(const struct plan *plan)
{
    struct columns columns = {0, 0};
    for (size_t i = 0; i < plan->step_count; i++) {
        int kind = (int)strlen(plan->steps[i].type->kind), id = (int)strlen(plan->steps[i].id);
        columns.kind = kind > columns.kind ? kind : columns.kind;
        columns.id = id > columns.id ? id : columns.id;
    }
    return columns;
}

static void print_step(struct buffer *out, const struct plan *plan, const struct step *step,
                       struct columns columns, const struct plan_style *style)
{
    paint(out, style, looks[step->kind].colour);
    buffer_printf(out, "  %s %-*s %-*s", looks[step->kind].sign, columns.kind, step->type->kind,
                  columns.id, step->id);
    paint(out, style, "\033[0m");
    buffer_printf(out, "  %s: %s%s", looks[step->kind].word, step->reason,
                  step->difference_count ? ""
                                         : origin_words(plan->arena, step->origin, plan->base));
    if (step->loses_data) {
        paint(out, style, "\033[1;31m");
        buffer_text(out, "  DATA LOSS");
        paint(out, style, "\033[0m");
    }
    if (step->kind == STEP_CREATE || step->kind == STEP_DELETE)
        print_place(out, style, step->mark);
    if (step->found && step->kind == STEP_DELETE)
        buffer_printf(out, "  (%s)", step->found->physical_id);
    buffer_char(out, '\n');
    if (step->blocked)
        buffer_printf(out, "      ! %s\n", step->blocked);
    if (step_would_lose(step))
        buffer_printf(out, "      ! %s\n", step_would_lose(step));
    if (step->kind == STEP_CREATE && style->verbose)
        print_properties(out, plan, step);
    for (size_t i = 0; i < step->difference_count; i++)
        print_difference(out, plan, &step->differences[i], style);
}

/* What must not be missed, whether it changes or not. */
static void print_notes(struct buffer *out, const struct plan *plan, const struct plan_style *style)
{
    for (size_t i = 0; i < plan->wanted->count && !plan->down; i++) {
        const struct resource *resource = &plan->wanted->items[i];
        if (!resource->note)
            continue;
        paint(out, style, "\033[1m");
        buffer_printf(out, "  ! %s: %s", resource->id, resource->note);
        paint(out, style, "\033[0m");
        print_place(out, style, resource->note_mark);
        buffer_char(out, '\n');
    }
}

static void print_ledger(struct buffer *out, const struct plan *plan)
{
    if (!plan->ledger || !plan->step_count)
        return;
    buffer_printf(out, "\nLedger: %s%s\n", plan->ledger,
                  plan->makes_ledger && !plan->down
                      ? "  (lock and history; is made first, and stays after `down`)"
                      : "");
}

static void print_sections(struct buffer *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->section_count; i++) {
        if (plan->sections[i].text)
            buffer_printf(out, "\n%s", plan->sections[i].text);
    }
}

static void print_summary(struct buffer *out, const struct plan_summary *summary)
{
    int pending = summary->creates + summary->updates + summary->replaces + summary->deletes;
    if (!pending) {
        buffer_printf(out, "Nothing to do: all %d resources are as the file says.\n",
                      summary->unchanged);
        return;
    }
    buffer_printf(out, "\n%d to create, %d to change, %d to replace, %d to delete; %d unchanged.\n",
                  summary->creates, summary->updates, summary->replaces, summary->deletes,
                  summary->unchanged);
    if (summary->drift_only)
        buffer_text(out, "All of it is drift: the cloud was changed, not the file.\n");
    if (summary->loses_data)
        buffer_text(out, "DATA LOSS: steps marked so need --allow-data-loss=ID each.\n");
}

void plan_print_text(struct buffer *out, const struct plan *plan, const struct plan_style *style)
{
    const struct identity *identity = plan->target->identity;
    struct plan_summary summary = plan_summarize(plan);
    struct columns columns = columns_of(plan);
    if (plan->step_count) {
        paint(out, style, "\033[1m");
        buffer_printf(out, "%s%s%s", identity->stack, identity->environment[0] ? " " : "",
                      identity->environment);
        paint(out, style, "\033[0m");
        if (strcmp(plan->target->name, "local") == 0)
            buffer_text(out, "  on this machine");
        else if (identity->account)
            buffer_printf(out, "  %s, account %s, %s", plan->target->name, identity->account,
                          identity->region);
        buffer_text(out, "\n");
    }
    for (size_t i = 0; i < plan->step_count; i++)
        print_step(out, plan, &plan->steps[i], columns, style);
    print_notes(out, plan, style);
    print_ledger(out, plan);
    print_sections(out, plan);
    print_summary(out, &summary);
}
