#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/moment.h"
#include "cmd/ragstack/price_file.h"
#include "cmd/ragstack/screen.h"
#include "cmd/ragstack/terminal_text.h"
#include "cmd/ragstack/watch_sources.h"
#include "pkg/base/panic.h"
#include "pkg/watch/cost.h"
#include "pkg/watch/watch_page.h"
#include "pkg/watch/watch_value.h"

static const struct option_row options[] = {
    {"since", 's', "TIME", false, NULL,
     "from then on: 15m, 3h, 1d ago (the longest), or 2026-01-31T08:00:00Z (default 1h)"},
    {"once", 0, NULL, false, NULL, "print the page once, and end"},
    {0},
};

enum {
    PAGE_MOST = 1 << 20,
    LOOK_MS = 100, /* at keys, the window's size, and new figures */
    PLAIN_COLUMNS = 100,
};

/* The figures that are shown, and the task that reads new ones. */
struct watch {
    struct session *session;
    struct figure_source source;
    int seconds;
    struct arena *arena; /* of the figures; NULL: there are none yet */
    struct figures figures;
    bool is_new; /* since the page was drawn */
    bool ended;  /* the reading has */
    const char *title;
    double stack_month_usd; /* of all but the models; NAN: not known */
    char trouble[256];      /* why the figures are old; "": they are not */
};

/* -- reading -- */

static int read_once(struct task *task, struct watch *watch, struct error *error)
{
    struct arena *arena = arena_new();
    struct figures figures;
    require(watch->source.read); /* watch_source_open gave it */
    int result =
        watch->source.read(task, watch->source.data, arena, watch->seconds, &figures, error);
    if (result < 0) {
        arena_free(arena);
        return result;
    }
    arena_free(watch->arena);
    watch->arena = arena;
    watch->figures = figures;
    watch->trouble[0] = '\0';
    watch->is_new = true;
    return 0;
}

/* What fails later is told, and tried again. */
static int keep_reading(struct task *task, void *argument, struct error *error)
{
    struct watch *watch = argument;
    int result = 0;
    while (result == 0) {
        result = read_once(task, watch, error);
        if (result < 0 && watch->arena && result != ERR_CANCELLED && result != ERR_DENIED) {
            snprintf(watch->trouble, sizeof watch->trouble, "%.250s", error->message);
            watch->is_new = true;
            error_clear(error);
            result = 0;
        }
        if (result == 0)
            result = task_sleep(task, watch->source.interval_ms, error);
    }
    watch->ended = true;
    return result;
}

/* -- showing -- */

static void print_page(const struct watch *watch, struct buffer *out, int columns, int lines,
                       bool live)
{
    struct watch_page page = {.title = watch->title,
                              .columns = columns,
                              .lines = lines,
                              .colour = watch->session->colour_out,
                              .live = live,
                              .trouble = watch->trouble[0] ? watch->trouble : NULL,
                              .stack_month_usd = watch->stack_month_usd};
    watch_page_print(out, &page, &watch->figures);
}

static void draw(struct watch *watch, int columns, int lines)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(PAGE_MOST);
    if (watch->arena)
        print_page(watch, &out, columns, lines, true);
    else
        buffer_printf(&out, "%.*s\nReading ...\n", columns, watch->title);
    screen_draw(&out);
    watch->is_new = false;
}

static int show_until_key(struct task *task, struct watch *watch, struct error *error)
{
    int drawn_columns = 0, drawn_lines = 0, key = 0, result = 0;
    while (result == 0 && !watch->ended && key != 'q' && key != KEY_INTERRUPT &&
           key != KEY_ESCAPE) {
        int columns, lines;
        screen_size(&columns, &lines);
        if (watch->is_new || columns != drawn_columns || lines != drawn_lines)
            draw(watch, columns, lines);
        drawn_columns = columns;
        drawn_lines = lines;
        result = screen_key(task, LOOK_MS, &key, error);
    }
    return result;
}

/* When the showing did not end (by a key, or Ctrl-C), the reading has, and tells why. */
static int end_reading(struct task *task, struct watch *watch, struct task *reader, bool is_shown,
                       struct error *error)
{
    struct error ignored = {0};
    bool failed = watch->ended && is_shown;
    task_cancel(reader);
    task_mask_cancel(task, true);
    int result = task_join(task, reader, failed ? error : &ignored);
    task_mask_cancel(task, false);
    return failed ? result : EXIT_DONE;
}

static int watch_live(struct task *task, struct watch *watch, struct error *error)
{
    struct error ignored = {0};
    struct task *reader = task_start(watch->session->loop, "figures", keep_reading, watch);
    int result = show_until_key(task, watch, &ignored);
    screen_close();
    return end_reading(task, watch, reader, result == 0, error);
}

/* A line at a time, for whoever reads a log. */
static int watch_lines(struct task *task, struct watch *watch, struct error *error)
{
    struct error ignored = {0};
    struct task *reader = task_start(watch->session->loop, "figures", keep_reading, watch);
    int result = 0;
    while (result == 0 && !watch->ended && !ferror(stdout)) {
        if (watch->is_new && watch->trouble[0]) {
            fprintf(stderr, "cannot read just now, and tries again: %s\n", watch->trouble);
        } else if (watch->is_new) {
            CLEANUP(buffer_free) struct buffer out = BUFFER(PAGE_MOST);
            watch_line_print(&out, &watch->figures);
            fwrite(out.data, 1, out.length, stdout);
            fflush(stdout);
        }
        watch->is_new = false;
        result = task_sleep(task, LOOK_MS, &ignored);
    }
    return end_reading(task, watch, reader, result == 0, error);
}

static int watch_once(struct task *task, struct watch *watch, struct error *error)
{
    int columns = terminal_width(STDOUT_FILENO), result = read_once(task, watch, error);
    if (result < 0)
        return result;
    if (watch->session->json) {
        struct arena *arena = watch->session->arena;
        struct value *document = figures_to_value(arena, &watch->figures);
        value_set_text(arena, document, "stack", watch->session->stack->name);
        value_set_text(arena, document, "environment", watch->session->stack->environment);
        value_set_text(arena, document, "target", watch->session->target->identity->target);
        value_set(arena, document, "stack_usd_month",
                  isnan(watch->stack_month_usd) ? value_null(arena)
                                                : value_real(arena, watch->stack_month_usd));
        print_json(document);
        return EXIT_DONE;
    }
    CLEANUP(buffer_free) struct buffer out = BUFFER(PAGE_MOST);
    print_page(watch, &out, columns ? columns : PLAIN_COLUMNS, 0, false);
    fwrite(out.data, 1, out.length, stdout);
    return EXIT_DONE;
}

/* -- the command -- */

static int read_since(struct task *task, struct session *session, int *seconds, struct error *error)
{
    int64_t from_ms, now_ms = task_wall_ms(task);
    int result = moment_of_option(session, task, "since", "1h", &from_ms, error);
    if (result < 0)
        return result;
    if (from_ms >= now_ms || now_ms - from_ms > (int64_t)FIGURE_LONGEST_S * 1000 + 999)
        return error_set(error, ERR_USAGE,
                         "--since: up to a day ago can be watched; `ragstack logs --cost --since "
                         "7d` adds up what is longer ago");
    *seconds = (int)((now_ms - from_ms) / 1000);
    *seconds = *seconds > 0 ? *seconds : 1;
    return 0;
}

static const char *title_of(const struct session *session)
{
    const struct identity *identity = session->target->identity;
    return arena_printf(session->arena, "%s%s%s  %s", identity->stack,
                        identity->environment[0] ? " " : "", identity->environment,
                        session->local ? "on this machine"
                                       : arena_printf(session->arena, "aws, account %s, %s",
                                                      identity->account ? identity->account : "-",
                                                      identity->region));
}

/* What is billed while the stack stands, by the file and the price table. */
static int price_stack(struct watch *watch, struct error *error)
{
    struct session *session = watch->session;
    struct value *table;
    watch->stack_month_usd = NAN;
    if (session->local)
        return 0;
    int result = price_file_read(session, &table, error);
    if (result < 0)
        return result;
    struct prices prices = price_table_region(table, session->stack->region);
    struct cost_item_list items = cost_items_of_file(session->arena, &session->wanted);
    if (prices.prices)
        watch->stack_month_usd = cost_of(session->arena, &prices, &items).month_usd;
    return 0;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct watch watch = {.session = session};
    int result = read_since(task, session, &watch.seconds, error);
    if (result == 0)
        result = watch_source_open(task, session, &watch.source, error);
    if (result == 0)
        result = price_stack(&watch, error);
    if (result < 0)
        return result;
    watch.title = title_of(session);
    if (session->json || option_said(&session->options, "once"))
        result = watch_once(task, &watch, error);
    else if (screen_open())
        result = watch_live(task, &watch, error);
    else
        result = watch_lines(task, &watch, error);
    watch_source_close(&watch.source);
    arena_free(watch.arena);
    return result;
}

const struct command command_watch = {
    .name = "watch",
    .arguments = "",
    .summary = "Show what the stack does now: questions, latency, failures, cost, alarms",
    .details =
        "On a terminal a page that renews itself (q ends it); elsewhere a line each time; --once "
        "prints\nthe page and ends, --json the figures. On AWS the figures come from CloudWatch "
        "once a minute, and\nthe page says what that costs; with --local from the functions' own "
        "log lines. The dashboard of\nthe stack draws the same list of metrics.",
    .examples = "ragstack watch\nragstack watch --since 3h\nragstack watch --once --json\nragstack "
                "watch --local",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
