/* The deployments in the ledger. */
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/session.h"

enum { NEWEST = 20, MOST = 1000, COMMIT_DIGITS = 8 };

static const struct option_row options[] = {
    {"last", 'n', "COUNT", false, NULL, "how many, newest first (default: 20)"},
    {0},
};

/* -- one line a deployment -- */

static const char *text_of(const struct value *map, const char *key)
{
    const char *text = value_text(map, key);
    return text ? text : "";
}

/* "2026-01-31 23:59" */
static const char *when_of(struct arena *arena, const struct value *deployment)
{
    const char *started = text_of(deployment, "started");
    return strlen(started) < 16 ? started
                                : arena_printf(arena, "%.10s %.5s", started, started + 11);
}

/* "1a2b3c4d*": the star is for what was not committed. */
static const char *commit_of(struct arena *arena, const struct value *deployment)
{
    const char *commit = value_text_at(deployment, "git.commit");
    if (!commit)
        return "-";
    return arena_printf(arena, "%.*s%s", COMMIT_DIGITS, commit,
                        value_bool_at(deployment, "git.dirty", false) ? "*" : "");
}

/* "3 create, 1 change", and what became of the others. */
static const char *steps_of(struct arena *arena, const struct value *deployment)
{
    static const char *const actions[] = {"create", "change", "replace", "delete"};
    int done[COUNT_OF(actions)] = {0}, others = 0;
    const struct value *steps = value_get(deployment, "steps"), *step;
    bool running = value_is_text(value_get(deployment, "status"), "running");
    value_each(step, steps)
    {
        bool counted = running || value_is_text(value_get(step, "outcome"), "done");
        others += !counted;
        for (size_t i = 0; i < COUNT_OF(actions); i++)
            done[i] += counted && value_is_text(value_get(step, "action"), actions[i]);
    }
    const char *text = "";
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        if (done[i])
            text = arena_printf(arena, "%s%s%d %s", text, *text ? ", " : "", done[i], actions[i]);
    }
    return others ? arena_printf(arena, "%s%s%d not done", text, *text ? ", " : "", others) : text;
}

static const char *command_of(struct arena *arena, const struct value *deployment)
{
    int64_t to = value_int_at(deployment, "rolled_back_to", 0);
    const char *command = text_of(deployment, "command");
    return to ? arena_printf(arena, "%s %lld", command, (long long)to) : command;
}

static const char *status_colour(const struct session *session, const char *status)
{
    if (!session->colour_out)
        return "";
    return strcmp(status, "done") == 0      ? "\033[32m"
           : strcmp(status, "running") == 0 ? "\033[36m"
                                            : "\033[33m";
}

static void print_line(const struct session *session, const struct value *deployment)
{
    struct arena *arena = session->arena;
    const char *status = text_of(deployment, "status");
    printf("%4lld  %s  %-11s %s%-11s%s  %-9s  %-20s  %s\n",
           (long long)value_int_at(deployment, "number", 0), when_of(arena, deployment),
           command_of(arena, deployment), status_colour(session, status), status,
           session->colour_out ? "\033[0m" : "", commit_of(arena, deployment),
           text_of(deployment, "who"), steps_of(arena, deployment));
}

/* -- all of one -- */

static void print_field(const char *name, const char *text)
{
    if (text && *text)
        printf("%-9s  %s\n", name, text);
}

static void print_git(const struct session *session, const struct value *deployment)
{
    const struct value *git = value_get(deployment, "git");
    const char *branch = value_text(git, "branch");
    if (!value_text(git, "commit"))
        return;
    print_field("commit", arena_printf(session->arena, "%s%s%s%s%s", text_of(git, "commit"),
                                       branch ? " (" : "", branch ? branch : "", branch ? ")" : "",
                                       value_bool_at(git, "dirty", false)
                                           ? ", with changes that are not committed"
                                           : ""));
    print_field("author", value_text(git, "author"));
}

/* How the new functions were tried. */
static void print_release(const struct session *session, const struct value *deployment)
{
    struct arena *arena = session->arena;
    const struct value *release = value_get(deployment, "release"),
                       *returned = value_get(release, "returned");
    const char *failed = value_text(release, "failed"), *list = "";
    if (!release)
        return;
    for (size_t i = 0; i < value_count(returned); i++) {
        const struct value_entry *entry = value_entry(returned, i);
        list = arena_printf(arena, "%s%s%s to version %s", list,
                            i ? ", " : "; live went back: ", entry->key,
                            value_as_text(arena, entry->value));
    }
    int64_t busy = value_int_at(release, "busy", 0);
    const char *how = "all answered";
    if (failed)
        how = arena_printf(arena, "failed: \"%s\"", failed);
    else if (busy)
        how = arena_printf(arena, "%lld of them not answered, the API was busy", (long long)busy);
    print_field("smoke", arena_printf(arena, "%lld questions asked; %s%s",
                                      (long long)value_int_at(release, "asked", 0), how, list));
}

static void print_all(const struct session *session, const struct value *deployment)
{
    struct value *step, *steps = value_get(deployment, "steps");
    printf("Deployment %lld: %s, %s\n", (long long)value_int_at(deployment, "number", 0),
           command_of(session->arena, deployment), text_of(deployment, "status"));
    print_field("started", value_text(deployment, "started"));
    print_field("ended", value_text(deployment, "ended"));
    print_field("who", value_text(deployment, "who"));
    print_field("job", value_text(deployment, "job"));
    print_git(session, deployment);
    print_field("ragstack", value_text(deployment, "ragstack"));
    print_field("error", value_text(deployment, "error"));
    print_release(session, deployment);
    value_each(step, steps)
    {
        printf("  %-9s %-8s %s %s: %s\n", text_of(step, "outcome"), text_of(step, "action"),
               text_of(step, "kind"), text_of(step, "id"), text_of(step, "reason"));
        if (value_text(step, "error"))
            printf("            %s\n", value_text(step, "error"));
    }
}

/* -- both -- */

static int give_one(struct task *task, struct session *session, const char *word,
                    struct error *error)
{
    int number;
    struct value *deployment = NULL;
    int result =
        option_parse_number(word, LEDGER_NUMBER_MAXIMUM, "number of a deployment", &number, error);
    if (result == 0)
        result =
            ledger_deployment(task, session->ledger, session->arena, number, &deployment, error);
    if (result < 0)
        return result;
    if (session->json)
        print_json(deployment);
    else
        print_all(session, deployment);
    return EXIT_DONE;
}

/* Without the resources: a list is for looking. */
static void give_json(const struct session *session, const struct value *list)
{
    struct arena *arena = session->arena;
    struct value *document = value_map(arena), *rows = value_list(arena), *deployment;
    value_each(deployment, list)
    {
        struct value *row = value_copy(arena, deployment);
        value_remove(row, "resources");
        value_push(arena, rows, row);
    }
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "ledger", session->ledger->place);
    print_json(value_set(arena, document, "deployments", rows));
}

static int give_list(struct task *task, struct session *session, struct error *error)
{
    int most = NEWEST, result = 0;
    const char *last = option_text(&session->options, "last");
    struct value *list = NULL, *deployment;
    if (last)
        result = option_parse_number(last, MOST, "count", &most, error);
    if (result == 0)
        result = ledger_history(task, session->ledger, session->arena, (size_t)most, &list, error);
    if (result < 0)
        return result;
    if (session->json)
        give_json(session, list);
    else if (value_count(list) == 0)
        puts("There are no deployments yet.");
    else
        value_each(deployment, list) print_line(session, deployment);
    return EXIT_DONE;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    int result = session_open_ledger(task, session, error);
    if (result < 0)
        return result;
    return session->options.argument_count
               ? give_one(task, session, session->options.arguments[0], error)
               : give_list(task, session, error);
}

const struct command command_history = {
    .name = "history",
    .arguments = "[N]",
    .summary = "List the deployments, or show one",
    .details =
        "Newest first: number, when, command, how it ended, git commit (* with changes that "
        "were not\ncommitted), who, and what was done. With N all of one, step by step. It is "
        "kept in the ledger, a\nbucket of the account and region.",
    .examples = "ragstack history\nragstack history -n 3 --json\nragstack history 12",
    .options = options,
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER,
    .run = run,
};
