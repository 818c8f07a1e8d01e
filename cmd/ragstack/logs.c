#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/log_line.h"
#include "cmd/ragstack/log_sources.h"
#include "cmd/ragstack/moment.h"

static const struct option_row options[] = {
    {"follow", 'f', NULL, false, NULL, "go on as new lines come; Ctrl-C ends it"},
    {"since", 's', "TIME", false, NULL,
     "from then on: 90s, 15m, 2h, 3d ago, or 2026-01-31T08:00:00Z "
     "(default: 15m)"},
    {"until", 'u', "TIME", false, NULL, "up to then (default: now)"},
    {"filter", 0, "PATTERN", false, NULL,
     "only what CloudWatch's filter pattern matches (--local: what holds this text)"},
    {"function", 0, "NAME", true, NULL, "only this function, or api"},
    {"request", 'r', "ID", false, NULL, "only lines that hold this request id"},
    {0},
};

struct logs {
    struct session *session;
    struct log_printer printer;
    const char *request; /* looked for here, when the source already filters by something else */
    struct log_source_list sources;
    size_t told;
};

/* -- telling -- */

static int tell(void *data, const struct log_source *source, const struct log_event *event)
{
    struct logs *logs = data;
    if (logs->request && !strstr(event->message, logs->request))
        return 0;
    logs->told++;
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

static int run(struct task *task, struct session *session, struct error *error)
{
    struct logs logs = {.session = session,
                        .printer = {.session = session, .clock = isatty(STDOUT_FILENO)}};
    struct log_options options_of_reading;
    int result = read_options(task, &logs, &options_of_reading, error);
    if (result == 0)
        result = log_sources_find(task, session,
                                  option_texts(session->arena, &session->options, "function"),
                                  &logs.sources, error);
    if (result < 0)
        return result;
    if (!logs.sources.count)
        return error_set(
            error, ERR_NOT_FOUND,
            "the stack has no logs yet; `ragstack up` makes it, `ragstack status` says "
            "what there is");
    options_of_reading.sources = logs.sources.items;
    options_of_reading.source_count = logs.sources.count;
    set_name_width(&logs);
    result = ended(session, logs_read(task, &options_of_reading, error), error);
    if (result == EXIT_DONE && !logs.told && !options_of_reading.follow)
        fputs("No lines in this time; --since says from when on.\n", stderr);
    return result;
}

const struct command command_logs = {
    .name = "logs",
    .arguments = "",
    .summary = "Show the logs of all functions and of the API, merged by time",
    .details = "Lines that show late are told when they show, each once. On a terminal times are "
               "local, else UTC.\nLines that are JSON are printed as key=value; --json gives one "
               "JSON object a line, untouched.",
    .examples =
        "ragstack logs -f\nragstack logs --since 2h --function ask --filter ERROR\nragstack "
        "logs --request 7f1c2a7e-31f5-4a0e-9a43-0f6a9d1b5c10",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
