#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/session.h"
#include "pkg/base/vector.h"

/* A file under check: each environment is a stack of its own. */
struct check {
    struct session *session;
    struct fault_list faults; /* each once, whatever the number of environments it shows in */
    size_t resources;         /* of the last environment */
};

static bool same_fault(const struct fault *a, const struct fault *b)
{
    return a->mark.line == b->mark.line && a->mark.column == b->mark.column &&
           strcmp(a->message, b->message) == 0;
}

static void add(void *data, struct mark mark, const char *message)
{
    struct check *check = data;
    struct fault fault = {mark, message};
    for (size_t i = 0; i < check->faults.count; i++) {
        if (same_fault(&check->faults.items[i], &fault))
            return;
    }
    vector_push(check->session->arena, &check->faults, fault);
}

static void add_error(struct check *check, const struct error *error)
{
    struct mark mark = {check->session->file, error->line ? error->line : 1,
                        error->column ? error->column : 1};
    add(check, mark, arena_strdup(check->session->arena, error->message));
}

/* What the file stands for, planned against an empty cloud: references, ids and cycles. */
static void check_resources(struct check *check)
{
    struct session *session = check->session;
    struct error error = {0};
    struct found_list nothing = {0};
    struct plan *plan;
    bool local = option_said(&session->options, "local");
    struct identity identity = {.target = local ? "local" : "aws",
                                .region = session->stack->region,
                                .stack = session->stack->name,
                                .environment = session->stack->environment};
    struct target target = {
        .name = identity.target, .types = local ? local_types : cloud_types, .identity = &identity};
    if (session_expand(session, &error) < 0) {
        add_error(check, &error);
        return;
    }
    check->resources = session->wanted.count;
    if (!plan_check_references(session->arena, &session->wanted, add, check) &&
        plan_make(session->arena, &target, &session->wanted, &nothing, NULL, &plan, &error) < 0)
        add_error(check, &error);
}

static int check_environment(struct check *check, const char *environment, struct error *error)
{
    struct fault_list faults = {0};
    int result = session_load(check->session, environment, &faults, error);
    if (result < 0 && !faults.count)
        return result;
    for (size_t i = 0; i < faults.count; i++)
        add(check, faults.items[i].mark, faults.items[i].message);
    if (result == 0)
        check_resources(check);
    error_clear(error);
    return 0;
}

static int check_file(struct check *check, struct error *error)
{
    struct session *session = check->session;
    const char *said = option_text(&session->options, "env");
    int result = check_environment(check, said, error);
    if (result != ERR_USAGE || said)
        return result;
    error_clear(error); /* the file has environments, and none was said: all are checked */
    const char *const *names = session->stack->environments;
    for (result = 0; *names && result == 0; names++)
        result = check_environment(check, *names, error);
    return result;
}

static int by_place(const void *a, const void *b)
{
    const struct fault *first = a, *second = b;
    return first->mark.line != second->mark.line ? first->mark.line - second->mark.line
                                                 : first->mark.column - second->mark.column;
}

static void give_json(const struct check *check)
{
    struct arena *arena = check->session->arena;
    struct value *document = value_map(arena), *list = value_list(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "file", check->session->file);
    value_set_bool(arena, document, "valid", check->faults.count == 0);
    for (size_t i = 0; i < check->faults.count; i++) {
        const struct fault *fault = &check->faults.items[i];
        struct value *row = value_map(arena);
        value_set_int(arena, row, "line", fault->mark.line);
        value_set_int(arena, row, "column", fault->mark.column);
        value_push(arena, list, value_set_text(arena, row, "message", fault->message));
    }
    print_json(value_set(arena, document, "errors", list));
}

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task;
    struct check check = {.session = session};
    int result = check_file(&check, error);
    if (result < 0)
        return result;
    size_t count = check.faults.count;
    if (count)
        qsort(check.faults.items, count, sizeof *check.faults.items, by_place);
    session_print_faults(session, &check.faults);
    if (session->json)
        give_json(&check);
    else if (!count)
        printf("%s is valid: %zu resources\n", session->file, check.resources);
    if (count)
        return error_set(error, ERR_INPUT, "%s has %zu error%s", session->file, count,
                         count == 1 ? "" : "s");
    return EXIT_DONE;
}

const struct command command_validate = {
    .name = "validate",
    .arguments = "",
    .summary = "Check the stack file, and say all errors at once",
    .details = "Each error with its line and column, what was expected, and the nearest name for a "
               "misspelt\nkey. Needs no credentials. A file with environments is checked for each "
               "of them.",
    .examples = "ragstack validate\nragstack validate --json",
    .run = run,
};
