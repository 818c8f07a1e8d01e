#include "cmd/ragstack/deploy.h"

#include <stdio.h>

#include "cmd/ragstack/progress.h"

static void print_failure(const struct session *session, const struct apply_failure *failure)
{
    const struct error *why = &failure->error;
    const char *red = session->colour_err ? "\033[1;31m" : "";
    const char *plain = session->colour_err ? "\033[0m" : "";
    fprintf(stderr, "%serror%s: ", red, plain);
    if (why->file[0] && why->line)
        fprintf(stderr, "%s:%d:%d: ", why->file, why->line, why->column);
    fprintf(stderr, "%s %s: %s\n", failure->step->type->kind, failure->step->id, why->message);
    if (why->request_id[0])
        fprintf(stderr, "  AWS: %s (request %s)\n", why->aws_code, why->request_id);
}

static void print_time(const struct session *session, const struct apply_result *result)
{
    enum { WORTH_TELLING_MS = 10000 };
    struct value *row;
    fprintf(stderr, "%d steps in %.1f s\n", result->done, (double)result->elapsed_ms / 1000);
    if (result->elapsed_ms < WORTH_TELLING_MS && !option_said(&session->options, "verbose"))
        return;
    fprintf(stderr,
            "The longest chain (the steps took %.3f s, and could not take less than %.3f s):\n",
            (double)result->elapsed_ms / 1000, (double)result->bound_ms / 1000);
    value_each(row, result->critical_path)
        fprintf(stderr, "  %7.1f s  %s  %s\n", (double)value_int_at(row, "ms", 0) / 1000,
                value_text(row, "id"), value_text(row, "verb"));
}

/* What an interrupted or detached run leaves to the next. */
static void print_left(const struct session *session, const struct plan *plan,
                       const struct apply_result *result)
{
    bool any = false;
    for (size_t i = 0; result->outcomes && i < plan->step_count; i++) {
        if (result->outcomes[i] == STEP_DONE)
            continue;
        if (!any)
            fprintf(stderr, "Left to the next `ragstack %s`:\n", session->command->name);
        any = true;
        fprintf(stderr, "  - %s %s\n", plan->steps[i].type->kind, plan->steps[i].id);
    }
}

int deploy_run(struct task *task, struct session *session, const struct plan *plan,
               const struct apply_options *options, struct apply_result *result,
               struct error *error)
{
    struct apply_options all = *options;
    struct progress_view *view = progress_begin(session, plan);
    all.progress = progress_show;
    all.data = view;
    all.interrupted = &session->interrupted;
    session->on_interrupt = INTERRUPT_FINISHES;
    int code = apply_run(task, session->arena, plan, &all, result, error);
    session->on_interrupt = INTERRUPT_CANCELS;
    progress_end(task, view);
    for (size_t i = 0; i < result->failure_count; i++)
        print_failure(session, &result->failures[i]);
    if (result->done)
        print_time(session, result);
    if (session->interrupted || options->detach)
        print_left(session, plan, result);
    return code;
}

struct value *attributes_of(struct arena *arena, const struct found_list *found)
{
    struct value *map = value_map(arena);
    for (size_t i = 0; i < found->count; i++) {
        if (!found->items[i].foreign)
            value_set(arena, map, found->items[i].id, found_attributes(arena, &found->items[i]));
    }
    return map;
}

struct value *outputs_from(struct arena *arena, const struct value *attributes)
{
    static const struct {
        const char *name, *path;
    } rows[] = {
        {"api_url", "api.url"},
        {"documents_bucket", "documents.name"},
        {"database_endpoint", "database.endpoint"},
        {"proxy_endpoint", "proxy.endpoint"},
        {"dashboard", "dashboard.name"},
    };
    struct value *outputs = value_map(arena);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = value_text_at(attributes, rows[i].path);
        if (text)
            value_set_text(arena, outputs, rows[i].name, text);
    }
    return outputs;
}

void outputs_give(const struct session *session, struct value *outputs)
{
    struct arena *arena = session->arena;
    if (session->json) {
        struct value *document = value_set_int(arena, value_map(arena), "schema", 1);
        print_json(value_set(arena, document, "outputs", outputs));
        return;
    }
    for (size_t i = 0; i < value_count(outputs); i++) {
        const struct value_entry *entry = value_entry(outputs, i);
        printf("%-18s %s\n", entry->key, entry->value->string.text);
    }
}
