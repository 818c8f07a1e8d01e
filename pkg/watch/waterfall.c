#include "pkg/watch/waterfall.h"

#include <math.h>
#include <string.h>

void waterfall_begin(struct waterfall *waterfall, struct arena *arena)
{
    *waterfall = (struct waterfall){.arena = arena, .request_id = "", .function = ""};
}

void waterfall_take(struct waterfall *waterfall, const char *source, const char *message)
{
    struct request_line line = request_line_read(waterfall->arena, message);
    if (line.kind == LINE_OTHER)
        return;
    if (line.request_id[0])
        waterfall->request_id = line.request_id;
    if (line.kind == LINE_ACCESS) {
        waterfall->access = line;
        return;
    }
    waterfall->function = arena_strdup(waterfall->arena, source);
    if (line.kind == LINE_REPORT)
        waterfall->report = line;
    else
        waterfall->question = line;
}

bool waterfall_has_spans(const struct waterfall *waterfall)
{
    return waterfall->access.kind || waterfall->report.kind || waterfall->question.kind;
}

/* -- spans -- */

struct spans {
    const struct waterfall *waterfall;
    struct span *items;
    size_t count;
};

static void add(struct spans *spans, struct span span)
{
    spans->items[spans->count++] = span;
}

static const double TOLD_FROM_MS = 0.05;

/* The phases of a question, one after the other; one that took no time was not there, unless it is
 * the one that failed. */
static double add_phases(struct spans *spans, double start_ms)
{
    const struct request_line *question = &spans->waterfall->question;
    const char *model = request_line_text(spans->waterfall->arena, question, "model");
    const char *failed = question->kind == LINE_FAILURE
                             ? request_line_text(spans->waterfall->arena, question, "phase")
                             : "";
    const struct {
        const char *name, *field, *where;
    } phases[] = {
        {"connect", "connectMs", "database"},
        {"embed", "EmbedMs", "model"},
        {"search", "SearchMs", "database"},
        {"generate", "GenerateMs", *model ? model : "model"},
    };
    for (size_t i = 0; question->kind && i < COUNT_OF(phases); i++) {
        double took_ms = request_line_number(question, phases[i].field);
        bool has_failed = strcmp(phases[i].name, failed) == 0;
        if (took_ms >= TOLD_FROM_MS || has_failed)
            add(spans,
                (struct span){phases[i].name, phases[i].where, start_ms, took_ms, 2, has_failed});
        start_ms += took_ms;
    }
    return start_ms;
}

static double handled_ms(const struct waterfall *waterfall)
{
    if (waterfall->report.kind)
        return waterfall->report.duration_ms;
    return request_line_number(&waterfall->question, "connectMs") +
           request_line_number(&waterfall->question, "TotalMs");
}

size_t waterfall_spans(const struct waterfall *waterfall, struct span out[SPANS_MOST])
{
    const struct request_line *access = &waterfall->access, *report = &waterfall->report;
    struct spans spans = {waterfall, out, 0};
    double whole_ms = request_line_number(access, "responseLatency");
    double integration_ms = request_line_number(access, "integrationLatency");
    double handled = handled_ms(waterfall);
    double init_ms = report->kind ? report->init_ms : 0;
    double begin_ms = 0;
    if (access->kind) {
        add(&spans, (struct span){"gateway", "", 0, whole_ms, 0,
                                  request_line_number(access, "status") >= 500});
        begin_ms = fmax(0, whole_ms - integration_ms) + fmax(0, integration_ms - init_ms - handled);
    }
    if (init_ms > 0)
        add(&spans, (struct span){"start", "a new process", begin_ms, init_ms, 1, false});
    begin_ms += init_ms;
    if (report->kind || waterfall->question.kind)
        add(&spans, (struct span){"function", waterfall->function, begin_ms, handled, 1,
                                  report->kind && strcmp(report->status, "success") != 0});
    add_phases(&spans, begin_ms);
    return spans.count;
}

/* -- for people -- */

enum { NAME_COLUMNS = 14, WHERE_COLUMNS = 24, TIME_COLUMNS = 11, BAR_LEAST = 10 };

static double end_of(const struct span *spans, size_t count)
{
    double end_ms = 0;
    for (size_t i = 0; i < count; i++)
        end_ms = fmax(end_ms, spans[i].start_ms + spans[i].length_ms);
    return end_ms;
}

/* From its beginning, at least one column. */
static void put_bar(struct buffer *out, const struct span *span, double whole_ms, int columns)
{
    int from = whole_ms > 0 ? (int)(span->start_ms / whole_ms * columns + 0.5) : 0;
    int to =
        whole_ms > 0 ? (int)((span->start_ms + span->length_ms) / whole_ms * columns + 0.5) : 0;
    from = from < columns ? from : columns - 1;
    buffer_printf(out, "%*s", from, "");
    if (to <= from)
        buffer_text(out, "▏");
    for (int i = from; i < to && i < columns; i++)
        buffer_text(out, "█");
}

static void put_span(struct buffer *out, const struct span *span, double whole_ms, int columns,
                     bool colour)
{
    int bar = columns - 2 - NAME_COLUMNS - WHERE_COLUMNS - TIME_COLUMNS - 2;
    int indent = 2 * span->depth;
    buffer_printf(out, "%s %*s%-*.*s%-*.*s%*.1f ms  ", span->failed ? "!" : " ", indent, "",
                  NAME_COLUMNS - indent, NAME_COLUMNS - indent - 1, span->name, WHERE_COLUMNS,
                  WHERE_COLUMNS - 1, span->where, TIME_COLUMNS - 3, span->length_ms);
    if (colour)
        buffer_text(out, span->failed ? "\033[31m" : "\033[36m");
    put_bar(out, span, whole_ms, bar > BAR_LEAST ? bar : BAR_LEAST);
    buffer_printf(out, "%s\n", colour ? "\033[0m" : "");
}

static void put_head(struct buffer *out, const struct waterfall *waterfall, bool colour)
{
    const struct request_line *question = &waterfall->question, *access = &waterfall->access;
    buffer_printf(out, "%sRequest %s%s", colour ? "\033[1m" : "", waterfall->request_id,
                  colour ? "\033[0m" : "");
    if (access->kind)
        buffer_printf(out, "  %s  %.0f", request_line_text(waterfall->arena, access, "routeKey"),
                      request_line_number(access, "status"));
    if (question->kind == LINE_QUESTION)
        buffer_printf(out, "  %s  %.0f tokens in, %.0f out  $%.6f",
                      request_line_text(waterfall->arena, question, "outcome"),
                      request_line_number(question, "InputTokens"),
                      request_line_number(question, "OutputTokens"),
                      request_line_number(question, "CostUSD"));
    if (question->kind == LINE_FAILURE)
        buffer_printf(out, "  failed: %s", request_line_text(waterfall->arena, question, "cause"));
    buffer_char(out, '\n');
}

void waterfall_print(struct buffer *out, const struct waterfall *waterfall, int columns,
                     bool colour)
{
    struct span spans[SPANS_MOST];
    size_t count = waterfall_spans(waterfall, spans);
    double whole_ms = end_of(spans, count);
    put_head(out, waterfall, colour);
    for (size_t i = 0; i < count; i++)
        put_span(out, &spans[i], whole_ms, columns, colour);
}

/* -- for programs -- */

struct value *waterfall_to_value(struct arena *arena, const struct waterfall *waterfall)
{
    struct span spans[SPANS_MOST];
    size_t count = waterfall_spans(waterfall, spans);
    struct value *map = value_map(arena), *list = value_list(arena);
    const struct request_line *question = &waterfall->question;
    value_set_int(arena, map, "schema", 1);
    value_set_text(arena, map, "request", waterfall->request_id);
    value_set_text(arena, map, "function", waterfall->function);
    if (waterfall->access.kind)
        value_set_int(arena, map, "status",
                      (int64_t)request_line_number(&waterfall->access, "status"));
    if (question->kind)
        value_set_text(arena, map, "outcome",
                       question->kind == LINE_FAILURE
                           ? "failed"
                           : request_line_text(waterfall->arena, question, "outcome"));
    if (question->kind == LINE_QUESTION)
        value_set(arena, map, "usd", value_real(arena, request_line_number(question, "CostUSD")));
    for (size_t i = 0; i < count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "name", spans[i].name);
        value_set_text(arena, row, "where", spans[i].where);
        value_set(arena, row, "start_ms", value_real(arena, spans[i].start_ms));
        value_set(arena, row, "length_ms", value_real(arena, spans[i].length_ms));
        value_set_int(arena, row, "depth", spans[i].depth);
        value_push(arena, list, value_set_bool(arena, row, "failed", spans[i].failed));
    }
    return value_set(arena, map, "spans", list);
}
