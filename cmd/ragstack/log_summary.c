#include "cmd/ragstack/log_summary.h"

#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/moment.h"
#include "pkg/base/vector.h"
#include "pkg/value/utf8.h"
#include "pkg/watch/insights.h"
#include "pkg/watch/questions.h"

enum {
    INSIGHTS_ABOVE_MS = 3 * 3600 * 1000, /* reading so many lines takes longer than a query */
    INSIGHTS_ROWS = 10000,
};

/* What CloudWatch looks for: lines of questions; lines of functions, and of the API, that tell of
 * something wrong. */
static const char questions_filter[] = "{ $.event = \"question\" }";
static const char functions_filter[] = "?failure ?throttled ?passages_only ?\"Status: error\" "
                                       "?\"Status: timeout\" ?errorType";
static const char api_filter[] = "{ ($.status = \"5*\") || ($.status = \"429\") }";

static const char cost_query[] =
    "filter event = \"question\" | stats count(*) as questions, sum(InputTokens) as input, "
    "sum(OutputTokens) as output, sum(CostUSD) as usd by model";
static const char slow_query[] =
    "fields @timestamp, @message, @log | filter event = \"question\" | sort TotalMs desc";
static const char errors_query[] =
    "fields @timestamp, @message, @log | filter event = \"failure\" or outcome = \"throttled\" or "
    "outcome = \"passages_only\" or status like /^5/ or status = \"429\" or @message like "
    "/Status: (error|timeout)/ | sort @timestamp desc";

struct summary {
    struct session *session;
    const struct log_source_list *sources;
    int64_t from_ms, to_ms;
    bool cost, errors;
    int slow; /* 0: not asked for */
    bool by_insights;
    struct questions questions;
    int taking; /* the parts of it that lines are read for now */
    int calls;
    double scanned_bytes, usd;
};

bool log_summary_said(const struct session *session)
{
    return option_said(&session->options, "cost") || option_said(&session->options, "slow") ||
           option_said(&session->options, "errors");
}

/* -- by lines -- */

static int take(void *data, const struct log_source *source, const struct log_event *event)
{
    struct summary *summary = data;
    questions_take(&summary->questions, summary->taking, source->name, event->time_ms,
                   event->message);
    return 0;
}

/* Reads what the filter lets through of the API, or of all the others. */
static int read_lines(struct task *task, struct summary *summary, int parts, bool of_api,
                      const char *filter, struct error *error)
{
    VECTOR(struct log_source) chosen = {0};
    const struct log_source_list *sources = summary->sources;
    for (size_t i = 0; i < sources->count; i++) {
        if ((strcmp(sources->items[i].name, "api") == 0) == of_api)
            vector_push(summary->session->arena, &chosen, sources->items[i]);
    }
    struct log_options options = {.sources = chosen.items,
                                  .source_count = chosen.count,
                                  .from_ms = summary->from_ms,
                                  .to_ms = summary->to_ms,
                                  .filter = filter,
                                  .call_ms = summary->session->local ? 1 : 0,
                                  .tell = take,
                                  .data = summary};
    summary->taking = parts;
    return chosen.count ? logs_read(task, &options, error) : 0;
}

static int read_all_lines(struct task *task, struct summary *summary, struct error *error)
{
    int result = 0;
    if (summary->session->local) {
        result = read_lines(task, summary, QUESTIONS_ALL, false, NULL, error);
        return result < 0 ? result : read_lines(task, summary, QUESTIONS_ALL, true, NULL, error);
    }
    struct aws_statistics before = aws_client_statistics(summary->session->client);
    if (summary->cost || summary->slow)
        result = read_lines(task, summary, QUESTIONS_COST | QUESTIONS_SLOW, false, questions_filter,
                            error);
    if (result == 0 && summary->errors)
        result = read_lines(task, summary, QUESTIONS_WRONG, false, functions_filter, error);
    if (result == 0 && summary->errors)
        result = read_lines(task, summary, QUESTIONS_WRONG, true, api_filter, error);
    summary->calls = aws_client_statistics(summary->session->client).requests - before.requests;
    return result;
}

/* -- by Logs Insights -- */

static int64_t number_of(const struct value *row, const char *name)
{
    return (int64_t)value_as_real(value_get(row, name), 0);
}

static void take_total(struct summary *summary, const struct value *row)
{
    const char *told = value_text(row, "model");
    char *model = arena_strdup(summary->session->arena, told ? told : "");
    utf8_blank_controls(model, ' ');
    questions_add_model(&summary->questions,
                        &(struct model_total){.model = model,
                                              .questions = number_of(row, "questions"),
                                              .input_tokens = number_of(row, "input"),
                                              .output_tokens = number_of(row, "output"),
                                              .usd = value_as_real(value_get(row, "usd"), 0)});
}

/* "123456789012:/aws/lambda/x" is the source whose group is named so. */
static const char *source_named(const struct summary *summary, const char *log)
{
    const char *colon = log ? strchr(log, ':') : NULL;
    for (size_t i = 0; colon && summary->sources->groups[i]; i++) {
        if (strcmp(summary->sources->groups[i], colon + 1) == 0)
            return summary->sources->items[i].name;
    }
    return "-";
}

static void take_row(struct summary *summary, const struct value *row)
{
    const char *message = value_text(row, "@message"), *time = value_text(row, "@timestamp");
    size_t day = strlen("2026-01-31");
    if (!message || !time || strlen(time) <= day)
        return;
    const char *iso =
        arena_printf(summary->session->arena, "%.*sT%sZ", (int)day, time, time + day + 1);
    questions_take(&summary->questions, summary->taking,
                   source_named(summary, value_text(row, "@log")), clock_parse(iso), message);
}

static int ask_insights(struct task *task, struct summary *summary, const char *text, int limit,
                        void (*each)(struct summary *, const struct value *), struct error *error)
{
    struct insights_result found;
    struct insights_query query = {.groups = summary->sources->groups,
                                   .from_ms = summary->from_ms,
                                   .to_ms = summary->to_ms,
                                   .text = text,
                                   .limit = limit};
    int result = insights_run(task, summary->session->client, summary->session->arena, &query,
                              &found, error);
    summary->calls += found.calls;
    summary->scanned_bytes += found.scanned_bytes;
    summary->usd += found.usd;
    struct value *row;
    if (result == 0)
        value_each(row, found.rows) each(summary, row);
    return result;
}

static int ask_all(struct task *task, struct summary *summary, struct error *error)
{
    int result = 0;
    if (summary->cost)
        result = ask_insights(task, summary, cost_query, INSIGHTS_ROWS, take_total, error);
    summary->taking = QUESTIONS_SLOW;
    if (result == 0 && summary->slow)
        result = ask_insights(task, summary, slow_query, summary->slow, take_row, error);
    summary->taking = QUESTIONS_WRONG;
    if (result == 0 && summary->errors)
        result = ask_insights(task, summary, errors_query, INSIGHTS_ROWS, take_row, error);
    return result;
}

/* -- telling -- */

static const char *moment(struct arena *arena, int64_t wall_ms)
{
    char text[32];
    clock_format_iso(wall_ms, text, sizeof text);
    return arena_strdup(arena, text);
}

static void print_text(const struct summary *summary)
{
    struct arena *arena = summary->session->arena;
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    if (summary->cost)
        questions_print_cost(&out, &summary->questions);
    if (summary->slow)
        questions_print_slow(&out, &summary->questions);
    if (summary->errors)
        questions_print_wrong(&out, &summary->questions);
    buffer_printf(&out, "From %s to %s", moment(arena, summary->from_ms),
                  moment(arena, summary->to_ms));
    if (summary->by_insights)
        buffer_printf(&out, ", by Logs Insights: %d calls, %.1f MB scanned, $%.4f.\n",
                      summary->calls, summary->scanned_bytes / 1e6, summary->usd);
    else if (summary->session->local)
        buffer_text(&out, ".\n");
    else
        buffer_printf(&out, ", by their lines: %d calls, free of charge.\n", summary->calls);
    fwrite(out.data, 1, out.length, stdout);
}

static void print_document(const struct summary *summary)
{
    struct arena *arena = summary->session->arena;
    struct value *document = value_map(arena), *read = value_map(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "from", moment(arena, summary->from_ms));
    value_set_text(arena, document, "to", moment(arena, summary->to_ms));
    if (summary->cost)
        value_set(arena, document, "cost", questions_cost_value(arena, &summary->questions));
    if (summary->slow)
        value_set(arena, document, "slow", questions_slow_value(arena, &summary->questions));
    if (summary->errors)
        value_set(arena, document, "errors", questions_wrong_value(arena, &summary->questions));
    value_set_text(arena, read, "by", summary->by_insights ? "insights" : "lines");
    value_set_int(arena, read, "calls", summary->calls);
    value_set(arena, read, "scanned_bytes", value_real(arena, summary->scanned_bytes));
    value_set(arena, read, "usd", value_real(arena, summary->usd));
    print_json(value_set(arena, document, "read", read));
}

/* -- the options -- */

static int read_options(struct task *task, struct summary *summary, struct error *error)
{
    static const char *const others[] = {"follow", "filter", "request", "trace"};
    const struct options *options = &summary->session->options;
    const char *slow = option_text(options, "slow"), *when = option_text(options, "insights");
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (option_said(options, others[i]))
            return error_set(error, ERR_USAGE,
                             "--%s shows lines; --cost, --slow and --errors add "
                             "them up: say one of them",
                             others[i]);
    }
    summary->cost = option_said(options, "cost");
    summary->errors = option_said(options, "errors");
    int result =
        slow ? option_parse_number(slow, SLOWEST_MOST, "number of questions", &summary->slow, error)
             : 0;
    if (result == 0)
        result = moment_of_option(summary->session, task, "since", "1d", &summary->from_ms, error);
    if (result == 0)
        result = moment_of_option(summary->session, task, "until", "0s", &summary->to_ms, error);
    if (result == 0 && summary->to_ms < summary->from_ms)
        return error_set(error, ERR_USAGE, "--until is before --since");
    bool is_long = summary->to_ms - summary->from_ms > INSIGHTS_ABOVE_MS;
    summary->by_insights =
        !summary->session->local &&
        (when && strcmp(when, "auto") != 0 ? strcmp(when, "always") == 0 : is_long);
    return result;
}

int log_summary_run(struct task *task, struct session *session,
                    const struct log_source_list *sources, struct error *error)
{
    struct summary *summary = arena_new_of(session->arena, struct summary);
    *summary = (struct summary){.session = session, .sources = sources};
    int result = read_options(task, summary, error);
    if (result < 0)
        return result;
    questions_begin(&summary->questions, session->arena, (size_t)summary->slow);
    result =
        summary->by_insights ? ask_all(task, summary, error) : read_all_lines(task, summary, error);
    if (result < 0)
        return result;
    if (session->json)
        print_document(summary);
    else
        print_text(summary);
    return EXIT_DONE;
}
