/* What the stack costs, and the table of prices that it is counted by. */
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/price_file.h"
#include "pkg/base/file.h"
#include "pkg/base/vector.h"
#include "pkg/value/json.h"
#include "pkg/watch/cost.h"
#include "pkg/watch/price_list.h"

static const struct option_row options[] = {
    {"offline", 0, NULL, false, NULL, "by the file alone; asks nobody"},
    {"refresh", 0, NULL, false, NULL, "ask AWS for today's prices, and write the table of prices"},
    {"region", 0, "REGION", true, NULL, "with --refresh: of this region (default: the stack's)"},
    {"out", 'o', "TABLE", false, NULL,
     "with --refresh: where to (default: ragstack.prices.json, beside the stack file)"},
    {0},
};

/* -- telling -- */

static int tell(struct session *session, const struct cost_report *report, bool single)
{
    struct arena *arena = session->arena;
    if (session->json) {
        struct value *document = value_set_int(arena, value_map(arena), "schema", 1);
        value_set_text(arena, document, "stack", session->stack->name);
        value_set_text(arena, document, "environment", session->stack->environment);
        print_json(value_set(arena, document, "cost", cost_to_value(arena, report)));
        return EXIT_DONE;
    }
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    cost_print_text(&out, report, &(struct cost_style){.all = true, .single = single});
    fputs(buffer_string(&out), stdout);
    return EXIT_DONE;
}

static int tell_offline(struct session *session, const struct value *table, struct error *error)
{
    struct arena *arena = session->arena;
    int result = session_expand(session, error);
    if (result < 0)
        return result;
    struct cost_item_list items = cost_items_of_file(arena, &session->wanted);
    struct cost_report report = {.prices = price_table_region(table, session->stack->region)};
    report.after = cost_of(arena, &report.prices, &items);
    report.before = report.after;
    report.advice = cost_advise(arena, &report.prices, &items);
    return tell(session, &report, true);
}

static int tell_both(struct task *task, struct session *session, const struct value *table,
                     struct error *error)
{
    struct plan *plan;
    struct plan_options all = {0};
    int result = session_plan(task, session, &all, &plan, error);
    if (result < 0)
        return result;
    struct cost_report report = cost_report_of_plan(session->arena, plan, table);
    return tell(session, &report, plan->step_count == 0);
}

/* -- renewing the table -- */

static void add_class(struct arena *arena, struct value *classes, const char *class)
{
    struct value *known;
    value_each(known, classes)
    {
        if (value_is_text(known, class))
            return;
    }
    value_push_text(arena, classes, class);
}

/* Every class that the table has for some region, and those of the stack. */
static const char *const *classes_of(struct session *session, const struct value *table)
{
    static const char prefix[] = "rds.instance.";
    struct arena *arena = session->arena;
    struct value *classes = value_list(arena);
    const struct value *regions = value_get(table, "regions");
    for (size_t i = 0; i < value_count(regions); i++) {
        const struct value *prices = value_get(value_entry(regions, i)->value, "prices");
        for (size_t j = 0; j < value_count(prices); j++) {
            const char *key = value_entry(prices, j)->key;
            if (strncmp(key, prefix, strlen(prefix)) == 0)
                add_class(arena, classes, key + strlen(prefix));
        }
    }
    for (size_t i = 0; i < session->wanted.count; i++) {
        const struct resource *resource = &session->wanted.items[i];
        const char *class = value_text(resource->props, "class");
        if (class && strcmp(resource->type->kind, "rds.instance") == 0)
            add_class(arena, classes, class);
    }
    const char **list = arena_array(arena, value_count(classes) + 1, sizeof *list);
    for (size_t i = 0; i < value_count(classes); i++)
        list[i] = value_item(classes, i)->string.text;
    return list;
}

static void tell_news(const char *region, const struct price_news_list *news)
{
    size_t renewed = 0;
    for (size_t i = 0; i < news->count; i++) {
        const struct price_news *row = &news->items[i];
        renewed += !row->kept;
        if (row->kept && row->before < 0)
            printf("  %s: none: %s\n", row->key, row->kept);
        else if (row->kept)
            printf("  %s: $%.6g stays: %s\n", row->key, row->before, row->kept);
        else if (row->before < 0)
            printf("  %s: $%.6g\n", row->key, row->after);
        else if (row->before != row->after)
            printf("  %s: $%.6g -> $%.6g\n", row->key, row->before, row->after);
    }
    printf("%s: %zu of %zu prices are AWS's of today.\n", region, renewed, news->count);
}

static int refresh_region(struct task *task, struct session *session, const char *region,
                          struct value **table, struct error *error)
{
    char today[32];
    struct price_news_list news = {0};
    clock_format_iso(task_wall_ms(task), today, sizeof today);
    today[10] = '\0';
    struct price_list_options all = {.region = region,
                                     .date = arena_strdup(session->arena, today),
                                     .classes = classes_of(session, *table)};
    int result = price_list_refresh(task, session->client, session->arena, *table, &all, table,
                                    &news, error);
    if (result == 0)
        tell_news(region, &news);
    return result == ERR_DENIED
               ? error_wrap(error, "prices want the permission pricing:GetProducts")
               : result;
}

static int refresh(struct task *task, struct session *session, struct value *table,
                   struct error *error)
{
    const char *own[] = {session->stack->region, NULL};
    const char *const *regions = option_texts(session->arena, &session->options, "region");
    const char *path = option_text(&session->options, "out");
    int result = session_expand(session, error);
    if (!regions[0])
        regions = own;
    for (; result == 0 && *regions; regions++)
        result = refresh_region(task, session, *regions, &table, error);
    if (result < 0)
        return result;
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    json_print_pretty(&text, table);
    if (!path)
        path = price_file_path(session->arena, session->file);
    result = file_write(session->arena, path, buffer_string(&text), text.length, error);
    if (result == 0)
        printf("Wrote %s.\n", path);
    return result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct value *table;
    if (!session->cloud) {
        puts("On this machine AWS charges nothing.");
        return EXIT_DONE;
    }
    int result = price_file_read(session, &table, error);
    if (result < 0)
        return result;
    if (option_said(&session->options, "refresh"))
        return refresh(task, session, table, error);
    return option_said(&session->options, "offline") ? tell_offline(session, table, error)
                                                     : tell_both(task, session, table, error);
}

const struct command command_cost = {
    .name = "cost",
    .arguments = "",
    .summary = "Tell what the stack costs, and what would do for less",
    .details =
        "What stands, and what the file says: a month without questions, 1,000 questions by the\n"
        "assumptions that are told, and what comes by use. Free allowances of the account are not\n"
        "counted. The prices are a table with a date, \"about\" where it was written by hand; "
        "--refresh\nasks AWS's Price List API, and writes a table that is used from then on.",
    .examples =
        "ragstack cost\nragstack cost --offline\nragstack cost --refresh --region eu-west-1",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
