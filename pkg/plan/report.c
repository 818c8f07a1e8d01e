/* A plan as Markdown for a pull request, and as versioned JSON. */
#include <string.h>

#include "pkg/plan/lines.h"
#include "pkg/plan/plan.h"

static void markdown_line(void *data, const struct difference_line *line)
{
    struct buffer *out = data;
    if (line->before && line->after)
        buffer_printf(out, "    %s: %s -> %s\n", line->path, line->before, line->after);
    else
        buffer_printf(out, "  %s %s: %s\n", line->after ? "+" : "-", line->path,
                      line->after ? line->after : line->before);
}

static void markdown_step(struct buffer *out, const struct plan *plan, const struct step *step)
{
    /* diff blocks colour lines by their first character */
    const char *first = step->kind == STEP_CREATE ? "+" : step->kind == STEP_DELETE ? "-" : "!";
    buffer_printf(out, "%s %s %s.%s: %s%s%s\n", first, step_word(step->kind), step->type->kind,
                  step->id, step->reason, origin_words(plan->arena, step->origin, plan->base),
                  step->loses_data ? "  **DATA LOSS**" : "");
    if (step->blocked)
        buffer_printf(out, "!   %s\n", step->blocked);
    if (step_would_lose(step))
        buffer_printf(out, "!   %s\n", step_would_lose(step));
    for (size_t i = 0; i < step->difference_count; i++)
        difference_lines(plan->arena, &step->differences[i], markdown_line, out);
}

static void markdown_notes(struct buffer *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->wanted->count && !plan->down; i++) {
        if (plan->wanted->items[i].note)
            buffer_printf(out, "> **%s**: %s\n\n", plan->wanted->items[i].id,
                          plan->wanted->items[i].note);
    }
}

/* As far as they leave room for some steps. */
static void markdown_sections(struct buffer *out, const struct plan *plan, size_t maximum_bytes)
{
    enum { ROOM_FOR_STEPS = 1000 };
    for (size_t i = 0; i < plan->section_count; i++) {
        const char *text = plan->sections[i].markdown;
        if (text && out->length + strlen(text) + ROOM_FOR_STEPS <= maximum_bytes)
            buffer_text(out, text);
    }
}

static void markdown_head(struct buffer *out, const struct plan *plan, size_t maximum_bytes)
{
    const struct identity *identity = plan->target->identity;
    struct plan_summary summary = plan_summarize(plan);
    buffer_printf(out, "### ragstack: %s%s%s\n\n", identity->stack,
                  identity->environment[0] ? " / " : "", identity->environment);
    if (!plan->step_count) {
        buffer_printf(out, "Nothing to do: all %d resources are as the file says.\n\n",
                      summary.unchanged);
        markdown_notes(out, plan);
        markdown_sections(out, plan, maximum_bytes);
        return;
    }
    buffer_printf(out,
                  "| create | change | replace | delete | unchanged |\n|---|---|---|---|---|\n"
                  "| %d | %d | %d | %d | %d |\n\n",
                  summary.creates, summary.updates, summary.replaces, summary.deletes,
                  summary.unchanged);
    if (summary.loses_data)
        buffer_text(out,
                    "> **DATA LOSS**: some steps lose data and need `--allow-data-loss=ID`.\n\n");
    if (summary.drift_only)
        buffer_text(out, "All of it is drift: the cloud was changed, not the file.\n\n");
    markdown_notes(out, plan);
    if (plan->ledger)
        buffer_printf(out, "Ledger: `%s`%s\n\n", plan->ledger,
                      plan->makes_ledger ? ", made first" : "");
    markdown_sections(out, plan, maximum_bytes);
}

void plan_print_markdown(struct buffer *out, const struct plan *plan, size_t maximum_bytes)
{
    enum { ROOM_FOR_END = 200 };
    markdown_head(out, plan, maximum_bytes);
    if (!plan->step_count)
        return;
    buffer_text(out, "```diff\n");
    struct buffer step = BUFFER(BUFFER_LARGE);
    size_t i = 0;
    for (; i < plan->step_count; i++) {
        buffer_reset(&step);
        markdown_step(&step, plan, &plan->steps[i]);
        if (out->length + step.length + ROOM_FOR_END > maximum_bytes)
            break;
        buffer_append(out, buffer_string(&step), step.length);
    }
    buffer_free(&step);
    buffer_text(out, "```\n");
    if (i < plan->step_count)
        buffer_printf(out, "\n%zu more steps: run `ragstack diff` to see them.\n",
                      plan->step_count - i);
}

/* -- JSON -- */

static struct value *place_to_value(struct arena *arena, struct mark mark)
{
    if (!mark.line)
        return NULL;
    struct value *place = value_map(arena);
    value_set_text(arena, place, "file", mark.file);
    value_set_int(arena, place, "line", mark.line);
    return value_set_int(arena, place, "column", mark.column);
}

/* What is not known yet has no place in JSON. */
static struct value *plain(struct arena *arena, const struct value *value)
{
    if (!value)
        return NULL;
    return value_has_unknown(value) ? value_string(arena, "(known after create)")
                                    : value_copy(arena, value);
}

static struct value *origin_to_value(struct arena *arena, enum origin origin)
{
    return origin_key(origin) ? value_string(arena, origin_key(origin)) : NULL;
}

static struct value *difference_to_value(struct arena *arena, const struct difference *difference)
{
    struct value *row = value_map(arena);
    value_set_text(arena, row, "path", difference->change.path);
    value_set(arena, row, "before", plain(arena, difference->change.before));
    value_set(arena, row, "after", plain(arena, difference->change.after));
    value_set_text(arena, row, "why", why_words(difference->why));
    value_set(arena, row, "origin", origin_to_value(arena, difference->origin));
    value_set_bool(arena, row, "replaces", difference->replaces);
    value_set(arena, row, "place", place_to_value(arena, difference->mark));
    return row;
}

static struct value *step_to_value(struct arena *arena, const struct step *step)
{
    struct value *row = value_map(arena), *differences = value_list(arena);
    value_set_text(arena, row, "action", step_word(step->kind));
    value_set_text(arena, row, "kind", step->type->kind);
    value_set_text(arena, row, "id", step->id);
    if (step->found)
        value_set_text(arena, row, "physical_id", step->found->physical_id);
    if (step->was)
        value_set_text(arena, row, "was", step->was);
    value_set_text(arena, row, "reason", step->reason);
    value_set(arena, row, "origin", origin_to_value(arena, step->origin));
    value_set_bool(arena, row, "loses_data", step->loses_data);
    value_set_text(arena, row, "would_lose", step_would_lose(step));
    value_set_bool(arena, row, "drift", step->drift);
    if (step->blocked)
        value_set_text(arena, row, "blocked", step->blocked);
    for (size_t i = 0; i < step->difference_count; i++)
        value_push(arena, differences, difference_to_value(arena, &step->differences[i]));
    value_set(arena, row, "differences", differences);
    value_set(arena, row, "place", place_to_value(arena, step->mark));
    return row;
}

static struct value *summary_to_value(struct arena *arena, const struct plan_summary *summary)
{
    struct value *map = value_map(arena);
    value_set_int(arena, map, "create", summary->creates);
    value_set_int(arena, map, "change", summary->updates);
    value_set_int(arena, map, "replace", summary->replaces);
    value_set_int(arena, map, "delete", summary->deletes);
    value_set_int(arena, map, "unchanged", summary->unchanged);
    value_set_bool(arena, map, "drift_only", summary->drift_only);
    return value_set_bool(arena, map, "loses_data", summary->loses_data);
}

static struct value *notes_to_value(struct arena *arena, const struct plan *plan)
{
    struct value *notes = value_list(arena);
    for (size_t i = 0; i < plan->wanted->count && !plan->down; i++) {
        const struct resource *resource = &plan->wanted->items[i];
        if (!resource->note)
            continue;
        struct value *row = value_map(arena);
        value_set_text(arena, row, "id", resource->id);
        value_set_text(arena, row, "note", resource->note);
        value_set(arena, row, "place", place_to_value(arena, resource->note_mark));
        value_push(arena, notes, row);
    }
    return notes;
}

struct value *plan_to_value(struct arena *arena, const struct plan *plan)
{
    const struct identity *identity = plan->target->identity;
    struct plan_summary summary = plan_summarize(plan);
    struct value *document = value_map(arena), *steps = value_list(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "stack", identity->stack);
    value_set_text(arena, document, "environment", identity->environment);
    value_set_text(arena, document, "target", plan->target->name);
    value_set_text(arena, document, "account", identity->account);
    value_set_text(arena, document, "region", identity->region);
    value_set_text(arena, document, "fingerprint", plan->fingerprint);
    if (plan->ledger)
        value_set_text(arena, document, "ledger", plan->ledger);
    for (size_t i = 0; i < plan->step_count; i++)
        value_push(arena, steps, step_to_value(arena, &plan->steps[i]));
    value_set(arena, document, "steps", steps);
    value_set(arena, document, "notes", notes_to_value(arena, plan));
    for (size_t i = 0; i < plan->section_count; i++) {
        if (plan->sections[i].value)
            value_set(arena, document, plan->sections[i].key,
                      value_copy(arena, plan->sections[i].value));
    }
    return value_set(arena, document, "summary", summary_to_value(arena, &summary));
}
