#include "pkg/watch/watch_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pkg/base/vector.h"
#include "pkg/value/utf8.h"

/* The heavier, the later it gives way. */
enum weight { BLANK, NOTHING_HAPPENED, HEADS, FINE, DETAIL, LESSER, ROW, MAIN, ALWAYS };

enum style { PLAIN, BOLD, DIM, BAD, UNSURE };

static const char *const codes[] = {[PLAIN] = "",
                                    [BOLD] = "\033[1m",
                                    [DIM] = "\033[2m",
                                    [BAD] = "\033[1;31m",
                                    [UNSURE] = "\033[33m"};

enum {
    LABEL_COLUMNS = 13,
    NUMBER_COLUMNS = 9,
    ROW_LABEL_COLUMNS = 32,
    SPARK_LEAST = 8,
    LINE_MOST = 4096,
};

struct line {
    const char *text; /* with its colours */
    enum weight weight;
};

struct print {
    const struct watch_page *page;
    const struct figures *figures;
    struct arena *arena;
    VECTOR(struct line) lines;
    /* The line that is being made. */
    struct buffer text;
    int column;
    enum weight weight;
};

/* -- numbers -- */

static const char *grouped(struct arena *arena, double value)
{
    char digits[64], out[96];
    size_t at = 0;
    int length = snprintf(digits, sizeof digits, "%.0f", fabs(value));
    if (value <= -0.5)
        out[at++] = '-';
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return arena_strndup(arena, out, at);
}

const char *figure_words(struct arena *arena, double value, enum metric_unit unit)
{
    static const double gib = 1073741824;
    if (isnan(value))
        return "-";
    if (unit == UNIT_USD)
        return arena_printf(arena, "$%.*f", value < 1 ? 4 : 2, value);
    if (unit == UNIT_PERCENT)
        return arena_printf(arena, "%.0f %%", value);
    if (unit == UNIT_BYTES)
        return arena_printf(arena, "%.1f GiB", value / gib);
    bool exact = value == floor(value);
    return value < 10 && !exact ? arena_printf(arena, "%.1f", value) : grouped(arena, value);
}

const char *duration_words(struct arena *arena, int64_t milliseconds)
{
    long long minutes = milliseconds / 60000;
    if (minutes < 120)
        return arena_printf(arena, "%lld min", minutes);
    if (minutes < (long long)48 * 60)
        return arena_printf(arena, "%lld h", minutes / 60);
    return arena_printf(arena, "%lld d", minutes / 60 / 24);
}

/* Values that become one column. */
static double together(const double *values, size_t count, const char *statistic)
{
    double sum = 0, least = NAN, most = NAN;
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        sum += values[i];
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
        known++;
    }
    if (!known)
        return NAN;
    if (strcmp(statistic, "Sum") == 0)
        return sum;
    if (strcmp(statistic, "Average") == 0)
        return sum / (double)known;
    return strcmp(statistic, "Minimum") == 0 ? least : most;
}

const char *sparkline(struct arena *arena, const double *series, size_t count, size_t columns,
                      const char *statistic)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const size_t highest = COUNT_OF(blocks) - 1;
    size_t each = columns ? (count + columns - 1) / columns : 0;
    size_t wide = each ? (count + each - 1) / each : 0;
    double *values = arena_array(arena, wide + 1, sizeof *values), top = 0;
    for (size_t i = 0; i < wide; i++) {
        size_t rest = count - i * each;
        values[i] = together(series + i * each, rest < each ? rest : each, statistic);
        top = fmax(top, values[i]);
    }
    CLEANUP(buffer_free) struct buffer out = BUFFER(LINE_MOST);
    for (size_t i = 0; i < wide; i++) {
        double height = top > 0 ? values[i] / top * (double)highest : 0;
        buffer_text(&out, isnan(values[i]) ? " " : blocks[(size_t)(fmax(0, height) + 0.5)]);
    }
    return arena_strdup(arena, buffer_string(&out));
}

/* -- lines -- */

static void begin(struct print *print, enum weight weight)
{
    print->text = BUFFER(LINE_MOST);
    print->column = 0;
    print->weight = weight;
}

/* What does not fit any more is cut: a line never wraps. */
static void put(struct print *print, enum style style, const char *format, ...) PRINTF_LIKE(3, 4);
static void put(struct print *print, enum style style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(print->arena, format, arguments);
    va_end(arguments);
    utf8_blank_controls(text, ' ');
    bool colour = print->page->colour && style != PLAIN;
    if (colour)
        buffer_text(&print->text, codes[style]);
    for (; *text; text++) {
        print->column += ((unsigned char)*text & 0xc0) != 0x80;
        if (print->column > print->page->columns)
            break;
        buffer_char(&print->text, *text);
    }
    if (print->column > print->page->columns)
        print->column = print->page->columns;
    if (colour)
        buffer_text(&print->text, "\033[0m");
}

static void end(struct print *print)
{
    while (print->text.length && print->text.data[print->text.length - 1] == ' ')
        print->text.data[--print->text.length] = '\0';
    struct line line = {arena_strdup(print->arena, buffer_string(&print->text)), print->weight};
    vector_push(print->arena, &print->lines, line);
    buffer_free(&print->text);
}

static void put_to_column(struct print *print, int column)
{
    if (print->column < column)
        put(print, PLAIN, "%*s", column - print->column, "");
}

static void put_right(struct print *print, enum style style, const char *text)
{
    int room = print->page->columns - print->column - (int)strlen(text);
    put_to_column(print, print->column + (room > 1 ? room : 1));
    put(print, style, "%s", text);
}

static void blank(struct print *print)
{
    begin(print, BLANK);
    end(print);
}

/* As wide as there is room; nothing where there is next to none. */
static void put_spark(struct print *print, size_t row)
{
    int room = print->page->columns - print->column - 2;
    const struct figure *figure = &print->figures->rows[row];
    if (room < SPARK_LEAST)
        return;
    put(print, DIM, "  %s",
        sparkline(print->arena, figure->series, print->figures->window.buckets, (size_t)room,
                  metrics[row].statistic));
}

static const struct figure *figure_of(const struct print *print, const char *id)
{
    return &print->figures->rows[metric_number(id)];
}

static const char *words(const struct print *print, double value, enum metric_unit unit)
{
    return figure_words(print->arena, value, unit);
}

/* -- sections -- */

enum moment_form { TO_SECOND, TO_MINUTE, WITH_DAY };

/* Local time. */
static const char *moment_words(struct arena *arena, int64_t wall_ms, enum moment_form form)
{
    char text[64];
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;
    localtime_r(&seconds, &parts);
    if (form == WITH_DAY)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
    else
        strftime(text, sizeof text, "%H:%M:%S", &parts);
    return arena_strndup(arena, text, form == TO_MINUTE ? strlen("00:00") : strlen(text));
}

static void add_title(struct print *print)
{
    const struct figure_window *window = &print->figures->window;
    begin(print, ALWAYS);
    put(print, BOLD, "%s", print->page->title);
    put_right(print, DIM,
              arena_printf(print->arena, "%s, the last %s",
                           moment_words(print->arena, print->figures->now_ms, TO_SECOND),
                           duration_words(print->arena, window->to_ms - window->from_ms)));
    end(print);
}

static double minutes_of(const struct figures *figures)
{
    int64_t until_ms =
        figures->now_ms < figures->window.to_ms ? figures->now_ms : figures->window.to_ms;
    double minutes = (double)(until_ms - figures->window.from_ms) / 60000;
    return minutes > 1 ? minutes : 1;
}

/* Rare ones keep their digits. */
static const char *rate_words(const struct print *print, double a_minute)
{
    if (a_minute > 0 && a_minute < 0.1)
        return arena_printf(print->arena, "%.2g", a_minute);
    return words(print, a_minute, UNIT_COUNT);
}

static void add_traffic(struct print *print)
{
    const struct figure *questions = figure_of(print, "questions");
    const struct figure *refused = figure_of(print, "refusals");
    begin(print, ALWAYS);
    put(print, BOLD, "%-*s", LABEL_COLUMNS, metric_panel_titles[PANEL_TRAFFIC]);
    put(print, PLAIN, "%s a minute, %s in all",
        rate_words(print, questions->value / minutes_of(print->figures)),
        words(print, questions->value, UNIT_COUNT));
    put_to_column(print, LABEL_COLUMNS + 3 * NUMBER_COLUMNS);
    put_spark(print, metric_number("questions"));
    end(print);
    begin(print, DETAIL);
    put_to_column(print, LABEL_COLUMNS);
    put(print, PLAIN, "refused %s", words(print, refused->value, UNIT_COUNT));
    if (questions->value > 0)
        put(print, PLAIN, " (%.0f %%)", 100 * refused->value / questions->value);
    put(print, PLAIN, "   cold starts %s",
        words(print, figure_of(print, "cold-starts")->value, UNIT_COUNT));
    put(print, PLAIN, "   requests of the API %s",
        words(print, figure_of(print, "requests")->value, UNIT_COUNT));
    end(print);
}

static void add_latency(struct print *print)
{
    static const char *const heads[] = {"p50", "p95", "p99"};
    begin(print, MAIN);
    put(print, BOLD, "%-*s", LABEL_COLUMNS, metric_panel_titles[PANEL_LATENCY]);
    for (size_t i = 0; i < COUNT_OF(heads); i++)
        put(print, DIM, "%*s", NUMBER_COLUMNS, heads[i]);
    put(print, DIM, "  ms; graph: p95");
    end(print);
    for (size_t row = 0; metrics[row].id; row++) {
        const struct figure *figure = &print->figures->rows[row];
        if (metrics[row].panel != PANEL_LATENCY || !figure->applies)
            continue;
        bool is_whole = strcmp(metrics[row].id, "whole") == 0;
        begin(print, is_whole ? MAIN : metrics[row].less ? LESSER : ROW);
        put(print, PLAIN, "  %-*s", LABEL_COLUMNS - 2, metrics[row].title);
        put(print, PLAIN, "%*s%*s%*s", NUMBER_COLUMNS, words(print, figure->p50, UNIT_MS),
            NUMBER_COLUMNS, words(print, figure->p95, UNIT_MS), NUMBER_COLUMNS,
            words(print, figure->p99, UNIT_MS));
        put_spark(print, row);
        end(print);
    }
}

static bool is_failing(const struct print *print, size_t row)
{
    return print->figures->rows[row].value > 0;
}

static void add_failures(struct print *print)
{
    size_t kinds = 0;
    for (size_t row = 0; metrics[row].id; row++)
        kinds += metrics[row].panel == PANEL_FAILURES && is_failing(print, row);
    begin(print, MAIN);
    put(print, BOLD, "%-*s", LABEL_COLUMNS, metric_panel_titles[PANEL_FAILURES]);
    if (kinds)
        put(print, BAD, "! of %zu kind%s", kinds, kinds == 1 ? "" : "s");
    else
        put(print, PLAIN, "none");
    end(print);
    for (size_t row = 0; metrics[row].id; row++) {
        const struct figure *figure = &print->figures->rows[row];
        bool failing = is_failing(print, row);
        if (metrics[row].panel != PANEL_FAILURES || !figure->applies)
            continue;
        begin(print, failing ? MAIN : NOTHING_HAPPENED);
        put(print, failing ? BAD : PLAIN, "%s %-*s%*s", failing ? "!" : " ", ROW_LABEL_COLUMNS - 2,
            metrics[row].title, NUMBER_COLUMNS, words(print, figure->value, UNIT_COUNT));
        put_spark(print, row);
        end(print);
    }
}

static void add_models(struct print *print)
{
    enum { WIDE = 14 };
    begin(print, ROW);
    put(print, BOLD, "%-*s", LABEL_COLUMNS, metric_panel_titles[PANEL_MODELS]);
    put(print, DIM, "%*s%*s%*s", WIDE, "today (UTC)", WIDE, "this month", WIDE, "whole month");
    end(print);
    for (size_t row = 0; metrics[row].id; row++) {
        if (metrics[row].panel != PANEL_MODELS)
            continue;
        enum metric_unit unit = metrics[row].unit;
        const char *title = unit == UNIT_USD ? "dollars" : metrics[row].title;
        begin(print, unit == UNIT_USD ? MAIN : LESSER);
        put(print, PLAIN, "  %-*s%*s%*s%*s", LABEL_COLUMNS - 2, title, WIDE,
            words(print, figure_today(print->figures, row), unit), WIDE,
            words(print, figure_month(print->figures, row), unit), WIDE,
            words(print, figure_projected(print->figures, row), unit));
        put_spark(print, row);
        end(print);
    }
    if (isnan(print->page->stack_month_usd))
        return;
    begin(print, LESSER);
    put(print, PLAIN, "  %-*s%*s%*s%*s", LABEL_COLUMNS - 2, "the rest", WIDE, "", WIDE, "", WIDE,
        words(print, print->page->stack_month_usd, UNIT_USD));
    put(print, DIM, "  by the price table");
    end(print);
}

static void add_database(struct print *print)
{
    begin(print, HEADS);
    put(print, BOLD, "%s", metric_panel_titles[PANEL_DATABASE]);
    end(print);
    for (size_t row = 0; metrics[row].id; row++) {
        const struct figure *figure = &print->figures->rows[row];
        if (metrics[row].panel != PANEL_DATABASE || !figure->applies)
            continue;
        bool is_storage = metrics[row].unit == UNIT_BYTES;
        size_t length = strcspn(metrics[row].title, "("); /* its unit is with the number */
        begin(print, is_storage ? LESSER : ROW);
        put(print, PLAIN, "  %-*.*s%*s", ROW_LABEL_COLUMNS - 2, (int)length, metrics[row].title,
            NUMBER_COLUMNS, words(print, figure->latest, metrics[row].unit));
        put_spark(print, row);
        end(print);
    }
}

/* "" when it is not known. */
static const char *since_words(const struct print *print, int64_t since_ms)
{
    int64_t ago_ms = print->figures->now_ms - since_ms;
    enum { DAY_MS = 86400000 };
    if (!since_ms)
        return "";
    return arena_printf(
        print->arena, " since %s (%s)",
        moment_words(print->arena, since_ms, ago_ms < DAY_MS ? TO_MINUTE : WITH_DAY),
        duration_words(print->arena, ago_ms));
}

static void add_alarm(struct print *print, const struct alarm_figure *alarm)
{
    static const struct {
        const char *sign, *words;
        enum style style;
        enum weight weight;
    } looks[] = {
        [ALARM_OK] = {" ", "ok", PLAIN, FINE},
        [ALARM_FIRING] = {"!", "in alarm", BAD, ALWAYS},
        [ALARM_NO_DATA] = {"?", "no data", UNSURE, DETAIL},
    };
    begin(print, looks[alarm->state].weight);
    put(print, looks[alarm->state].style, "%s %-*.*s  %s", looks[alarm->state].sign,
        ROW_LABEL_COLUMNS - 2, (int)strcspn(alarm->title, "("), alarm->title,
        looks[alarm->state].words);
    put(print, PLAIN, "%s", since_words(print, alarm->since_ms));
    if (alarm->state != ALARM_OK && alarm->reason[0])
        put(print, DIM, ": %s", alarm->reason);
    end(print);
}

static void add_alarms(struct print *print)
{
    static const enum alarm_state order[] = {ALARM_FIRING, ALARM_NO_DATA, ALARM_OK};
    const struct figures *figures = print->figures;
    size_t counts[COUNT_OF(order)] = {0};
    for (size_t i = 0; i < figures->alarm_count; i++)
        counts[figures->alarms[i].state]++;
    begin(print, MAIN);
    put(print, BOLD, "%-*s", LABEL_COLUMNS, "Alarms");
    if (!figures->alarm_count)
        put(print, PLAIN, "there are none");
    else if (counts[ALARM_FIRING])
        put(print, BAD, "! %zu of %zu in alarm", counts[ALARM_FIRING], figures->alarm_count);
    else
        put(print, PLAIN, "none of %zu in alarm", figures->alarm_count);
    if (counts[ALARM_NO_DATA])
        put(print, UNSURE, ", %zu without data", counts[ALARM_NO_DATA]);
    end(print);
    for (size_t state = 0; state < COUNT_OF(order); state++) {
        for (size_t i = 0; i < figures->alarm_count; i++) {
            if (figures->alarms[i].state == order[state])
                add_alarm(print, &figures->alarms[i]);
        }
    }
}

static void add_foot(struct print *print)
{
    const struct watching *watching = &print->figures->watching;
    if (print->page->trouble) {
        begin(print, ALWAYS);
        put(print, UNSURE, "? old figures: %s", print->page->trouble);
        end(print);
    }
    if (print->figures->note) {
        begin(print, MAIN);
        put(print, UNSURE, "? %s", print->figures->note);
        end(print);
    }
    begin(print, ALWAYS);
    if (watching->calls)
        put(print, DIM, "Watching: %d call%s so far, $%.4f; $%.2f a day if it goes on.",
            watching->calls, watching->calls == 1 ? "" : "s", watching->usd, watching->usd_per_day);
    else
        put(print, DIM, "Watching costs nothing here.");
    if (print->page->live)
        put_right(print, DIM, "q ends");
    end(print);
}

/* -- the page -- */

/* Takes lines away, the lightest first, of equals the last, until they fit. */
static void make_fit(struct print *print)
{
    while (print->page->lines && print->lines.count > (size_t)print->page->lines) {
        size_t worst = print->lines.count - 1;
        for (size_t i = print->lines.count; i-- > 0;) {
            if (print->lines.items[i].weight < print->lines.items[worst].weight)
                worst = i;
        }
        print->lines.count--;
        memmove(&print->lines.items[worst], &print->lines.items[worst + 1],
                (print->lines.count - worst) * sizeof *print->lines.items);
    }
}

void watch_page_print(struct buffer *out, const struct watch_page *page,
                      const struct figures *figures)
{
    static void (*const sections[])(struct print *) = {add_traffic, add_latency,  add_failures,
                                                       add_models,  add_database, add_alarms};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct print print = {.page = page, .figures = figures, .arena = arena};
    add_title(&print);
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        blank(&print);
        sections[i](&print);
    }
    blank(&print);
    add_foot(&print);
    make_fit(&print);
    for (size_t i = 0; i < print.lines.count; i++)
        buffer_printf(out, "%s\n", print.lines.items[i].text);
}

static double value_of_row(const struct figures *figures, const char *id)
{
    return figures->rows[metric_number(id)].value;
}

void watch_line_print(struct buffer *out, const struct figures *figures)
{
    char time[32];
    size_t firing = 0, cost = metric_number("cost");
    const struct figure *whole = &figures->rows[metric_number("whole")];
    for (size_t i = 0; i < figures->alarm_count; i++)
        firing += figures->alarms[i].state == ALARM_FIRING;
    const struct {
        const char *name;
        double value;
        int decimals;
    } fields[] = {
        {"questions", value_of_row(figures, "questions"), 0},
        {"refused", value_of_row(figures, "refusals"), 0},
        {"p50_ms", whole->p50, 0},
        {"p95_ms", whole->p95, 0},
        {"p99_ms", whole->p99, 0},
        {"answers_5xx", value_of_row(figures, "answers-5xx"), 0},
        {"throttled",
         value_of_row(figures, "throttles-ask") + value_of_row(figures, "throttled-models"), 0},
        {"usd_today", figure_today(figures, cost), 4},
        {"usd_month", figure_month(figures, cost), 4},
        {"alarms", (double)firing, 0},
    };
    clock_format_iso(figures->now_ms, time, sizeof time);
    buffer_text(out, time);
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (isnan(fields[i].value))
            buffer_printf(out, " %s=-", fields[i].name);
        else
            buffer_printf(out, " %s=%.*f", fields[i].name, fields[i].decimals, fields[i].value);
    }
    buffer_char(out, '\n');
}
