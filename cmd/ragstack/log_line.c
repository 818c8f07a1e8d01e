#include "cmd/ragstack/log_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/ragstack/terminal_text.h"
#include "pkg/value/json.h"

static const char *const colours[] = {"\033[36m", "\033[33m", "\033[35m",
                                      "\033[32m", "\033[34m", "\033[31m"};

/* -- the message -- */

/* A terminal gets no control characters from them, tabs apart. */
static void put_plain(struct buffer *out, const char *text, size_t length)
{
    terminal_text(out, text, length, "\t");
}

static bool is_bare(const struct value *value)
{
    return value_is(value, VALUE_STRING) && value->string.length &&
           strlen(value->string.text) == value->string.length &&
           !strpbrk(value->string.text, " \"=\t\n");
}

static void put_field(struct arena *arena, struct buffer *out, const struct value_entry *entry)
{
    const char *text =
        is_bare(entry->value) ? entry->value->string.text : json_text(arena, entry->value);
    if (out->length && out->data[out->length - 1] != ' ')
        buffer_char(out, ' ');
    put_plain(out, entry->key, strlen(entry->key));
    buffer_char(out, '=');
    put_plain(out, text, strlen(text));
}

void log_line_words(struct arena *arena, struct buffer *out, const char *message)
{
    size_t length = strlen(message);
    struct value *value = NULL;
    struct error ignored;
    while (length && (message[length - 1] == '\n' || message[length - 1] == '\r'))
        length--;
    if (length && message[0] == '{')
        json_parse(arena, message, length, "log", &value, &ignored);
    if (!value_is(value, VALUE_MAP)) {
        put_plain(out, message, length);
        return;
    }
    for (size_t i = 0; i < value_count(value); i++) {
        if (strcmp(value_entry(value, i)->key, "_aws") != 0) /* defines metrics, says nothing */
            put_field(arena, out, value_entry(value, i));
    }
}

/* -- the line -- */

static void put_time(struct log_printer *printer, struct buffer *out, int64_t time_ms)
{
    char text[40], day[16];
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (!printer->clock) {
        clock_format_iso(time_ms, text, sizeof text);
        buffer_printf(out, "%.19s.%03dZ", text, (int)(time_ms % 1000));
        return;
    }
    localtime_r(&seconds, &parts);
    strftime(day, sizeof day, "%Y-%m-%d", &parts);
    if (strcmp(day, printer->day) != 0) {
        memcpy(printer->day, day, sizeof day);
        buffer_printf(out, "%s-- %s --%s\n", printer->session->colour_out ? "\033[2m" : "", day,
                      printer->session->colour_out ? "\033[0m" : "");
    }
    strftime(text, sizeof text, "%H:%M:%S", &parts);
    buffer_printf(out, "%s.%03d", text, (int)(time_ms % 1000));
}

static void print_text(struct log_printer *printer, struct arena *arena, int number,
                       const char *source, const struct log_event *event)
{
    bool colour = printer->session->colour_out;
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    put_time(printer, &out, event->time_ms);
    buffer_printf(&out, " %s%-*s%s ", colour ? colours[number % (int)COUNT_OF(colours)] : "",
                  printer->name_width, source, colour ? "\033[0m" : "");
    log_line_words(arena, &out, event->message);
    buffer_char(&out, '\n');
    fwrite(out.data, 1, out.length, stdout);
}

static void print_json_line(struct arena *arena, const char *source, const struct log_event *event)
{
    char second[32];
    struct value *line = value_map(arena);
    clock_format_iso(event->time_ms, second, sizeof second);
    value_set_int(arena, line, "schema", 1);
    value_set_text(arena, line, "time",
                   arena_printf(arena, "%.19s.%03dZ", second, (int)(event->time_ms % 1000)));
    value_set_text(arena, line, "source", source);
    value_set_text(arena, line, "stream", event->stream);
    value_set_text(arena, line, "id", event->id);
    puts(json_text(arena, value_set_text(arena, line, "message", event->message)));
}

void log_line_print(struct log_printer *printer, int number, const char *source,
                    const struct log_event *event)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    if (printer->session->json)
        print_json_line(arena, source, event);
    else
        print_text(printer, arena, number, source, event);
}
