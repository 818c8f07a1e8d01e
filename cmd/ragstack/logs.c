#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/log_line.h"
#include "cmd/ragstack/log_sources.h"
#include "cmd/ragstack/log_summary.h"
#include "cmd/ragstack/moment.h"
#include "cmd/ragstack/terminal_text.h"
#include "pkg/watch/waterfall.h"

static const struct option_row options[] = {
    {"follow", 'f', NULL, false, NULL, "go on as new lines come; Ctrl-C ends it"},
    {"since", 's', "TIME", false, NULL,
     "from then on: 90s, 15m, 2h, 3d ago, or 2026-01-31T08:00:00Z "
     "(default: 15m)"},
    {"until", 'u', "TIME", false, NULL, "up to then (default: now)"},
    {"filter", 0, "PATTERN", false, NULL,
     "only what CloudWatch's filter pattern matches (--local: what holds this text)"},
    {"function", 0, "NAME", true, NULL, "only this function, or api"},
    {"request", 'r', "ID", false, NULL,
     "only lines that hold this request id, and how its time was spent"},
    {"trace", 0, NULL, false, NULL, "with --request: only how its time was spent"},
    LOG_SUMMARY_OPTIONS,
    {0},
};

struct logs {
    struct session *session;
    struct log_printer printer;
    const char *request; /* looked for here, when the source already filters by something else */
    const char *before;  /* an id whose lines were told before; NULL: none */
    struct log_source_list sources;
    size_t told;
    bool silent;                /* lines are not printed */
    struct waterfall waterfall; /* of the request */
};

/* -- telling -- */

static int tell(void *data, const struct log_source *source, const struct log_event *event)
{
    struct logs *logs = data;
    if (logs->request && !strstr(event->message, logs->request))
        return 0;
    if (logs->before && strstr(event->message, logs->before))
        return 0;
    logs->told++;
    if (logs->request)
        waterfall_take(&logs->waterfall, source->name, event->message);
    if (logs->silent)
        return 0;
    log_line_print(&logs->printer, (int)(source - logs->sources.items), source->name, event);
    return ferror(stdout);
}

static int flush(void *data)
{
    (void)data;
    return fflush(stdout) != 0 || ferror(stdout);
}

static void trouble(void *data, const struct error *error)
{
    (void)data;
    fprintf(stderr, "cannot read just now, and tries again: %s\n", error->message);
}

enum { LOCAL_ROUND_MS = 300 }; /* files cost next to nothing */

static int read_options(struct task *task, struct logs *logs, struct log_options *out,
                        struct error *error)
{
    struct session *session = logs->session;
    const char *request = option_text(&session->options, "request");
    const char *filter = option_text(&session->options, "filter");
    bool ask_for_it = request && !filter && !session->local;
    logs->silent = option_said(&session->options, "trace");
    if (logs->silent && !request)
        return error_set(error, ERR_USAGE, "--trace is of one request: say --request ID, too");
    *out = (struct log_options){
        .follow = option_said(&session->options, "follow"),
        .filter = ask_for_it ? arena_printf(session->arena, "\"%s\"", request) : filter,
        .call_ms = session->local ? 1 : 0,
        .round_ms = session->local ? LOCAL_ROUND_MS : 0,
        .tell = tell,
        .pause = flush,
        .trouble = trouble,
        .data = logs};
    logs->request = request;
    if (request && strchr(request, '"'))
        return error_set(error, ERR_USAGE, "--request: an id holds no quotation marks");
    if (out->follow && option_said(&session->options, "until"))
        return error_set(error, ERR_USAGE,
                         "--until ends at a time, --follow never: say one of them");
    int result = moment_of_option(session, task, "since", "15m", &out->from_ms, error);
    if (result == 0)
        result = moment_of_option(session, task, "until", NULL, &out->to_ms, error);
    if (result == 0 && out->to_ms && out->to_ms < out->from_ms)
        return error_set(error, ERR_USAGE, "--until is before --since");
    return result;
}

/* Ctrl-C is how following ends: that is no failure. */
static int ended(const struct session *session, int result, struct error *error)
{
    if (result != ERR_CANCELLED)
        return result;
    error_clear(error);
    return session->interrupted && !option_said(&session->options, "follow") ? EXIT_INTERRUPTED
                                                                             : EXIT_DONE;
}

static void set_name_width(struct logs *logs)
{
    for (size_t i = 0; i < logs->sources.count; i++) {
        int width = (int)strlen(logs->sources.items[i].name);
        if (width > logs->printer.name_width)
            logs->printer.name_width = width;
    }
}

/* -- one request -- */

/* The API's own id was asked for: its line names the function's, under which the rest stands. */
static int read_function(struct task *task, struct logs *logs, struct log_options *reading,
                         struct error *error)
{
    const struct waterfall *waterfall = &logs->waterfall;
    if (!waterfall->access.kind || waterfall->function[0] || !waterfall->request_id[0] ||
        strcmp(waterfall->request_id, logs->request) == 0)
        return 0;
    logs->before = logs->request;
    logs->request = waterfall->request_id;
    if (!logs->session->local && !option_text(&logs->session->options, "filter"))
        reading->filter = arena_printf(logs->session->arena, "\"%s\"", logs->request);
    return logs_read(task, reading, error);
}

static void print_waterfall(const struct logs *logs)
{
    enum { PLAIN_COLUMNS = 100 };
    const struct session *session = logs->session;
    int columns = terminal_width(STDOUT_FILENO);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    if (!waterfall_has_spans(&logs->waterfall))
        return;
    if (session->json && logs->silent) {
        print_json(waterfall_to_value(session->arena, &logs->waterfall));
        return;
    }
    if (session->json) /* a line stays a line */
        return;
    if (!logs->silent)
        buffer_char(&out, '\n');
    waterfall_print(&out, &logs->waterfall, columns ? columns : PLAIN_COLUMNS, session->colour_out);
    fwrite(out.data, 1, out.length, stdout);
}

/* -- the command -- */

static int find_sources(struct task *task, struct logs *logs, struct error *error)
{
    struct session *session = logs->session;
    int result =
        log_sources_find(task, session, option_texts(session->arena, &session->options, "function"),
                         &logs->sources, error);
    if (result == 0 && !logs->sources.count)
        return error_set(
            error, ERR_NOT_FOUND,
            "the stack has no logs yet; `ragstack up` makes it, `ragstack status` says "
            "what there is");
    set_name_width(logs);
    return result;
}

static int show_lines(struct task *task, struct logs *logs, struct error *error)
{
    struct log_options reading;
    int result = read_options(task, logs, &reading, error);
    if (result == 0)
        result = find_sources(task, logs, error);
    if (result < 0)
        return result;
    reading.sources = logs->sources.items;
    reading.source_count = logs->sources.count;
    waterfall_begin(&logs->waterfall, logs->session->arena);
    result = logs_read(task, &reading, error);
    if (result == 0 && logs->request)
        result = read_function(task, logs, &reading, error);
    result = ended(logs->session, result, error);
    if (result == EXIT_DONE && logs->request)
        print_waterfall(logs);
    if (result == EXIT_DONE && !logs->told && !reading.follow)
        fputs("No lines in this time; --since says from when on.\n", stderr);
    return result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct logs logs = {.session = session,
                        .printer = {.session = session, .clock = isatty(STDOUT_FILENO)}};
    if (!log_summary_said(session))
        return show_lines(task, &logs, error);
    int result = find_sources(task, &logs, error);
    return result < 0 ? result : log_summary_run(task, session, &logs.sources, error);
}

const struct command command_logs = {
    .name = "logs",
    .arguments = "",
    .summary = "Show the logs of all functions and of the API, merged by time",
    .details = "Lines that show late are told when they show, each once. On a terminal times are "
               "local, else UTC.\nLines that are JSON are printed as key=value; --json gives one "
               "JSON object a line, untouched.\nA request is followed from the gateway through the "
               "function, the models and the database by the request\nid of its answer. --cost, "
               "--slow and --errors add up (a day, unless --since says more) instead.",
    .examples =
        "ragstack logs -f\nragstack logs --since 2h --function ask --filter ERROR\nragstack "
        "logs --request 7f1c2a7e-31f5-4a0e-9a43-0f6a9d1b5c10\nragstack logs --cost --slow 5 "
        "--errors --since 7d",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
