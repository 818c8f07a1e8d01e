#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/session.h"
#include "pkg/base/vector.h"
#include "pkg/cloud/types.h"

static const struct option_row options[] = {
    {"check", 0, NULL, false, NULL, "exit code 1 unless all is there and healthy"},
    {0},
};

enum health { HEALTHY, PENDING, FAILED, MISSING, FOREIGN, HEALTH_KINDS };

static const struct health_look {
    const char *token; /* in JSON */
    const char *word, *sign, *colour;
} looks[] = {
    [HEALTHY] = {"healthy", "healthy", "✓", "\033[32m"},
    [PENDING] = {"pending", "on its way", "…", "\033[33m"},
    [FAILED] = {"failed", "failed", "✗", "\033[31m"},
    [MISSING] = {"missing", "missing", "-", "\033[33m"},
    [FOREIGN] = {"foreign", "not ours", "!", "\033[33m"},
};

/* One resource that exists, or should. */
struct row {
    const struct resource_type *type;
    const char *id, *physical_id;
    enum health health;
    const char *state; /* in the cloud's words, with its reason; NULL: the kind has none */
    const char *since; /* of that state; NULL: not known */
};

struct report {
    struct session *session;
    VECTOR(struct row) rows;
    VECTOR(struct row) alarms; /* in state ALARM */
    int counts[HEALTH_KINDS];
    int kind_width, id_width;
};

/* By the rows that the type waits by: complete, where it has one, else ready. */
static enum health judge(struct arena *arena, const struct found *found, const char **state)
{
    const struct resource_type *type = found->type;
    const struct wait *wait = type->complete.field ? &type->complete : &type->ready;
    if (found->foreign)
        return FOREIGN;
    if (!wait->field)
        return HEALTHY;
    static const enum health meaning[] = {
        [WAIT_REACHED] = HEALTHY, [WAIT_PENDING] = PENDING, [WAIT_FAILED] = FAILED};
    return meaning[wait_judge(arena, wait, found->props, state)];
}

static void add(struct report *report, struct row row)
{
    int kind = (int)strlen(row.type->kind), id = (int)strlen(row.id);
    report->kind_width = kind > report->kind_width ? kind : report->kind_width;
    report->id_width = id > report->id_width ? id : report->id_width;
    report->counts[row.health]++;
    vector_push(report->session->arena, &report->rows, row);
}

static void add_found(struct report *report, const struct found *found)
{
    struct row row = {.type = found->type,
                      .id = found->id,
                      .physical_id = found->physical_id,
                      .since = value_text(found->props, "state_since")};
    row.health = judge(report->session->arena, found, &row.state);
    add(report, row);
    if (found->type != &cloudwatch_alarm ||
        !value_is_text(value_get(found->props, "state"), "ALARM"))
        return;
    row.state = value_text(found->props, "state_reason");
    vector_push(report->session->arena, &report->alarms, row);
}

static const struct found *find(const struct found_list *found, const struct resource *resource)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct found *one = &found->items[i];
        if (one->type == resource->type && !one->foreign &&
            (strcmp(one->id, resource->id) == 0 ||
             (resource->was && strcmp(one->id, resource->was) == 0)))
            return one;
    }
    return NULL;
}

/* In the order of the file; then what exists beside it. */
static void collect(struct report *report, const struct found_list *found)
{
    const struct resource_list *wanted = &report->session->wanted;
    bool *told = arena_array(report->session->arena, found->count + 1, sizeof *told);
    for (size_t i = 0; i < wanted->count; i++) {
        const struct resource *resource = &wanted->items[i];
        const struct found *one = find(found, resource);
        if (!one) {
            add(report, (struct row){resource->type, resource->id, NULL, MISSING, NULL, NULL});
            continue;
        }
        told[one - found->items] = true;
        add_found(report, one);
    }
    for (size_t i = 0; i < found->count; i++) {
        if (!told[i])
            add_found(report, &found->items[i]);
    }
}

/* -- for people -- */

static const char *paint(const struct report *report, const char *colour)
{
    return report->session->colour_out ? colour : "";
}

static void print_row(const struct report *report, const struct row *row)
{
    const struct health_look *look = &looks[row->health];
    printf("  %s%s%s %-*s  %-*s  %s", paint(report, look->colour), look->sign,
           paint(report, "\033[0m"), report->kind_width, row->type->kind, report->id_width, row->id,
           row->physical_id ? row->physical_id : "");
    if (row->state || row->health != HEALTHY)
        printf("  %s%s%s", paint(report, look->colour), row->state ? row->state : look->word,
               paint(report, "\033[0m"));
    if (row->since)
        printf("%s since %s%s", paint(report, "\033[2m"), row->since, paint(report, "\033[0m"));
    putchar('\n');
}

static void print_alarms(const struct report *report)
{
    if (report->alarms.count)
        printf("\n%sIn alarm:%s\n", paint(report, "\033[1;31m"), paint(report, "\033[0m"));
    for (size_t i = 0; i < report->alarms.count; i++) {
        const struct row *row = &report->alarms.items[i];
        printf("  ! %s", row->id);
        if (row->since)
            printf(" since %s", row->since);
        printf("%s%s\n", row->state ? ": " : "", row->state ? row->state : "");
    }
}

static void print_summary(const struct report *report)
{
    const char *separator = "";
    putchar('\n');
    for (size_t i = 0; i < HEALTH_KINDS; i++) {
        if (!report->counts[i])
            continue;
        printf("%s%d %s", separator, report->counts[i], looks[i].word);
        separator = ", ";
    }
    puts(".");
    if (report->counts[MISSING])
        fputs("`ragstack up` makes what is missing.\n", stderr);
}

static void print_report(const struct report *report)
{
    const struct identity *identity = report->session->target->identity;
    printf("%s%s%s%s%s  ", paint(report, "\033[1m"), identity->stack,
           identity->environment[0] ? " " : "", identity->environment, paint(report, "\033[0m"));
    if (report->session->local)
        puts("on this machine");
    else
        printf("%s, account %s, %s\n", identity->target, identity->account, identity->region);
    for (size_t i = 0; i < report->rows.count; i++)
        print_row(report, &report->rows.items[i]);
    print_alarms(report);
    print_summary(report);
}

/* -- for programs -- */

static struct value *row_to_value(struct arena *arena, const struct row *row)
{
    struct value *map = value_map(arena);
    value_set_text(arena, map, "kind", row->type->kind);
    value_set_text(arena, map, "id", row->id);
    if (row->physical_id)
        value_set_text(arena, map, "physical_id", row->physical_id);
    value_set_text(arena, map, "health", looks[row->health].token);
    if (row->state)
        value_set_text(arena, map, "state", row->state);
    return row->since ? value_set_text(arena, map, "since", row->since) : map;
}

static void give_json(const struct report *report, bool healthy)
{
    struct arena *arena = report->session->arena;
    const struct identity *identity = report->session->target->identity;
    struct value *document = value_map(arena), *summary = value_map(arena);
    struct value *rows = value_list(arena), *alarms = value_list(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "stack", identity->stack);
    value_set_text(arena, document, "environment", identity->environment);
    value_set_text(arena, document, "target", identity->target);
    value_set_text(arena, document, "account", identity->account);
    value_set_text(arena, document, "region", identity->region);
    value_set_bool(arena, document, "healthy", healthy);
    for (size_t i = 0; i < report->rows.count; i++)
        value_push(arena, rows, row_to_value(arena, &report->rows.items[i]));
    for (size_t i = 0; i < report->alarms.count; i++)
        value_push(arena, alarms, row_to_value(arena, &report->alarms.items[i]));
    for (size_t i = 0; i < HEALTH_KINDS; i++)
        value_set_int(arena, summary, looks[i].token, report->counts[i]);
    value_set(arena, document, "resources", rows);
    value_set(arena, document, "alarms", alarms);
    print_json(value_set(arena, document, "summary", summary));
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct found_list found = {0};
    struct report report = {.session = session};
    int result = session_observe(task, session, &found, error);
    if (result < 0)
        return result;
    collect(&report, &found);
    bool healthy = report.counts[HEALTHY] == (int)report.rows.count && !report.alarms.count;
    if (session->json)
        give_json(&report, healthy);
    else if (report.counts[MISSING] == (int)report.rows.count)
        printf("Nothing of %s exists; `ragstack up` makes it.\n", session->stack->name);
    else
        print_report(&report);
    return healthy || !option_said(&session->options, "check") ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "Show what exists and how it is",
    .details =
        "Every resource of the stack with its state in the cloud's own words, and the alarms "
        "that ring.\nIt only reads. For what differs from the file: ragstack diff.",
    .examples = "ragstack status\nragstack status --check\nragstack status --json",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
