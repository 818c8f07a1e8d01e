#include "cmd/ragstack/price_file.h"

#include <string.h>
#include <unistd.h>

#include "pkg/base/file.h"
#include "pkg/watch/cost.h"

enum { TABLE_MAXIMUM_BYTES = 4 << 20 };

const char *price_file_path(struct arena *arena, const char *stack_file)
{
    const char *slash = strrchr(stack_file, '/');
    int folder = slash ? (int)(slash - stack_file) + 1 : 0;
    return arena_printf(arena, "%.*sragstack.prices.json", folder, stack_file);
}

int price_file_read(struct session *session, struct value **table, struct error *error)
{
    const char *path = price_file_path(session->arena, session->file);
    char *text;
    size_t length;
    if (access(path, F_OK) < 0) {
        *table = price_table_built_in(session->arena);
        return 0;
    }
    int result = file_read(session->arena, path, TABLE_MAXIMUM_BYTES, &text, &length, error);
    return result < 0 ? result
                      : price_table_parse(session->arena, text, length, path, table, error);
}

int price_file_add_cost(struct session *session, struct plan *plan, struct error *error)
{
    struct arena *arena = session->arena;
    struct value *table;
    if (!session->cloud)
        return 0;
    int result = price_file_read(session, &table, error);
    if (result < 0)
        return result;
    struct cost_report report = cost_report_of_plan(arena, plan, table);
    struct plan_section section = {.key = "cost", .value = cost_to_value(arena, &report)};
    if (plan->step_count) {
        CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
        CLEANUP(buffer_free) struct buffer markdown = BUFFER(BUFFER_LARGE);
        cost_print_text(&text, &report, &(struct cost_style){0});
        cost_print_markdown(&markdown, &report);
        section.text = arena_strdup(arena, buffer_string(&text));
        section.markdown = arena_strdup(arena, buffer_string(&markdown));
    }
    plan_add_section(plan, section);
    return 0;
}
