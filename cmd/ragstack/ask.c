#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/api.h"
#include "cmd/ragstack/terminal_text.h"
#include "pkg/value/json.h"

enum { WIDEST = 100, MOST_PASSAGES = 50 };

static const struct option_row options[] = {
    {"top-k", 'k', "N", false, NULL, "how many passages the model may read (1 to 50)"},
    {"filter", 0, "KEY=VALUE", true, NULL, "only documents whose metadata has this"},
    OPTION_API,
    {0},
};

/* What is printed, and how. */
struct view {
    struct session *session;
    struct arena *arena;
    const struct value *reply;
    int64_t took_ms; /* seen from here */
    int width;       /* 0: lines as they are */
};

static const char *paint(const struct view *view, const char *code)
{
    return view->session->colour_out ? code : "";
}

static const char *text_or(const struct value *map, const char *key, const char *otherwise)
{
    const char *text = value_text(map, key);
    return text && *text ? text : otherwise;
}

static void put_paragraphs(const struct view *view, const char *text, int indent)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    terminal_paragraphs(&out, text, indent, view->width);
    fputs(buffer_string(&out), stdout);
}

/* "Title (where it is)". */
static void put_document(const struct view *view, const struct value *row)
{
    const char *document = text_or(row, "document", "?");
    const char *title = text_or(row, "title", document);
    const char *source = text_or(row, "source", document);
    printf("%s%s%s %s(%s)%s\n", paint(view, "\033[1m"), terminal_line(view->arena, title),
           paint(view, "\033[0m"), paint(view, "\033[2m"), terminal_line(view->arena, source),
           paint(view, "\033[0m"));
}

/* -- the outcomes -- */

static void print_answered(const struct view *view)
{
    struct value *citation;
    put_paragraphs(view, text_or(view->reply, "answer", ""), 0);
    putchar('\n');
    value_each(citation, value_get(view->reply, "citations"))
    {
        const char *quote = terminal_line(view->arena, text_or(citation, "quote", ""));
        printf("[%lld] ", (long long)value_int_at(citation, "number", 0));
        put_document(view, citation);
        if (*quote)
            put_paragraphs(view, arena_printf(view->arena, "\"%s\"", quote), 4);
    }
}

static void print_no_answer(const struct view *view)
{
    const struct value *nearest = value_get(view->reply, "nearest");
    struct value *row;
    puts("The documents do not answer this.");
    if (value_count(nearest))
        puts("\nThe nearest of them:");
    value_each(row, nearest)
    {
        fputs("  ", stdout);
        put_document(view, row);
    }
}

static void print_passages(const struct view *view)
{
    struct value *row;
    puts("The model did not answer in time. These passages are nearest to the question:");
    value_each(row, value_get(view->reply, "passages"))
    {
        putchar('\n');
        put_document(view, row);
        put_paragraphs(view, text_or(row, "text", ""), 4);
    }
}

/* -- time and money -- */

static double time_of(const struct view *view, const char *part)
{
    return value_as_real(value_get(value_get(view->reply, "timings_ms"), part), 0);
}

/* On stderr: it is no part of the answer. */
static void print_cost(const struct view *view)
{
    const struct value *usage = value_get(view->reply, "usage"), *usd = value_get(usage, "usd");
    CLEANUP(buffer_free) struct buffer line = BUFFER(4096);
    buffer_printf(&line, "%.0f ms (embedding %.0f, search %.0f, model %.0f)", (double)view->took_ms,
                  time_of(view, "embed"), time_of(view, "search"), time_of(view, "generate"));
    if (value_int_at(usage, "input_tokens", 0))
        buffer_printf(&line, ", %lld tokens in, %lld out",
                      (long long)value_int_at(usage, "input_tokens", 0),
                      (long long)value_int_at(usage, "output_tokens", 0));
    if (value_as_real(usd, 0) > 0)
        buffer_printf(&line, ", $%.6f", value_as_real(usd, 0));
    if (value_text(usage, "model"))
        buffer_printf(&line, ", %s", terminal_line(view->arena, value_text(usage, "model")));
    fprintf(stderr, "\n%s%s%s\n", view->session->colour_err ? "\033[2m" : "", buffer_string(&line),
            view->session->colour_err ? "\033[0m" : "");
}

static void print_reply(const struct view *view)
{
    const char *outcome = text_or(view->reply, "outcome", "answered");
    if (strcmp(outcome, "no_answer") == 0)
        print_no_answer(view);
    else if (strcmp(outcome, "passages_only") == 0)
        print_passages(view);
    else
        print_answered(view);
    fflush(stdout);
    print_cost(view);
}

static void give_json(const struct view *view)
{
    struct value *document = value_set_int(view->arena, value_map(view->arena), "schema", 1);
    document = value_merge(view->arena, document, view->reply);
    print_json(value_set_int(view->arena, document, "took_ms", view->took_ms));
}

/* -- the question -- */

static int add_filter(struct session *session, struct value *body, struct error *error)
{
    struct value *filter;
    int result = option_pairs(session->arena, &session->options, "filter", &filter, error);
    if (value_count(filter))
        value_set(session->arena, body, "filter", filter);
    return result;
}

static int add_top_k(struct session *session, struct value *body, struct error *error)
{
    int number = 0;
    int result = option_number(&session->options, "top-k", MOST_PASSAGES, &number, error);
    if (number)
        value_set_int(session->arena, body, "top_k", number);
    return result;
}

/* The words of the command line are one question, quoted or not. */
static const char *question_of(const struct session *session)
{
    const char *question = "";
    for (size_t i = 0; i < session->options.argument_count; i++)
        question = arena_printf(session->arena, "%s%s%s", question, i ? " " : "",
                                session->options.arguments[i]);
    return question;
}

static int body_of(struct session *session, const char **out, struct error *error)
{
    struct value *body = value_map(session->arena);
    const char *question = question_of(session);
    if (!question[strspn(question, " \t\n")])
        return error_set(error, ERR_USAGE, "an empty question; usage: ragstack ask QUESTION");
    value_set_text(session->arena, body, "question", question);
    int result = add_filter(session, body, error);
    if (result == 0)
        result = add_top_k(session, body, error);
    *out = json_text(session->arena, body);
    return result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct api api;
    struct value *reply = NULL;
    struct api_request request = {.method = "POST", .path = "/ask"};
    int result = body_of(session, &request.body, error);
    if (result == 0)
        result = api_open(task, session, &api, error);
    if (result < 0)
        return result;
    request.body_length = request.body ? strlen(request.body) : 0;
    int64_t started_ms = task_now_ms(task);
    result = api_call(task, &api, session->arena, &request, &reply, NULL, error);
    if (result == 0 && !value_text(reply, "outcome"))
        return error_set(error, ERR_FAILED, "%s is no API of ragstack: its reply has no outcome",
                         api.url);
    if (result < 0)
        return result;
    int width = terminal_width(STDOUT_FILENO);
    struct view view = {session, session->arena, reply, task_now_ms(task) - started_ms,
                        width > WIDEST ? WIDEST : width};
    if (session->json)
        give_json(&view);
    else
        print_reply(&view);
    return EXIT_DONE;
}

const struct command command_ask = {
    .name = "ask",
    .arguments = "QUESTION",
    .summary = "Ask a question, and get an answer with its sources",
    .details = "Each [n] in the answer is a passage that was read; it stands below, with the "
               "document and the\nwords that it goes by. That the documents do not answer a "
               "question is an answer too: exit code 0.\nTimes and cost go to stderr. Where "
               "api.auth is iam the request is signed with your credentials;\nwhere it is jwt, "
               "RAGSTACK_TOKEN is the token.",
    .examples = "ragstack ask \"How many days of vacation do we have?\"\nragstack ask --local "
                "--json \"Who is on call at night?\"\nragstack ask --filter team=legal \"How long "
                "do we keep contracts?\"",
    .options = options,
    .least_arguments = 1,
    .most_arguments = -1,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
