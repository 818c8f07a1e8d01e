/* Sources: "Lambda log formats" (REPORT lines, platform.report records), AWS Lambda Developer
 * Guide; pkg/cloud/apigateway_parts.c (access lines), pkg/rag/answer_print.c, pkg/serve. */
#include "pkg/watch/request_line.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/value/json.h"
#include "pkg/value/utf8.h"

double request_line_number(const struct request_line *line, const char *name)
{
    return value_as_real(value_get(line->json, name), 0);
}

/* Others wrote it: nothing in it may steer a terminal. */
static const char *harmless(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    utf8_blank_controls(copy, ' ');
    return copy;
}

const char *request_line_text(struct arena *arena, const struct request_line *line,
                              const char *name)
{
    const char *text = value_text(line->json, name);
    return text && strcmp(text, "-") != 0 ? harmless(arena, text) : "";
}

/* "Duration: 12.5 ms" of a REPORT line, whose parts are separated by tabs; NULL: not there. */
static const char *part_of(struct arena *arena, const char *line, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = line; at; at = strchr(at, '\t')) {
        at += *at == '\t';
        if (strncmp(at, name, length) == 0 && strncmp(at + length, ": ", 2) == 0)
            return arena_strndup(arena, at + length + 2, strcspn(at + length + 2, "\t\r\n"));
    }
    return NULL;
}

static void read_text_report(struct arena *arena, const char *message, struct request_line *out)
{
    static const char start[] = "REPORT ";
    if (strncmp(message, start, sizeof start - 1) != 0)
        return;
    const char *parts = message + sizeof start - 1;
    const char *id = part_of(arena, parts, "RequestId"), *status = part_of(arena, parts, "Status");
    const char *duration = part_of(arena, parts, "Duration");
    const char *init = part_of(arena, parts, "Init Duration");
    out->kind = LINE_REPORT;
    out->request_id = id ? harmless(arena, id) : "";
    out->status = status ? harmless(arena, status) : "success";
    out->duration_ms = duration ? strtod(duration, NULL) : 0;
    out->init_ms = init ? strtod(init, NULL) : 0;
}

static void read_report(struct arena *arena, struct request_line *out)
{
    const struct value *record = value_get(out->json, "record");
    const struct value *from = record ? record : out->json;
    const struct value *numbers = record ? value_get(record, "metrics") : out->json;
    const char *id = value_text(from, "requestId"), *status = value_text(from, "status");
    out->kind = LINE_REPORT;
    out->request_id = id ? harmless(arena, id) : "";
    out->status = status ? harmless(arena, status) : "success";
    out->duration_ms = value_as_real(value_get(numbers, "durationMs"), 0);
    out->init_ms = value_as_real(value_get(numbers, "initDurationMs"), 0);
}

static void read_access(struct arena *arena, struct request_line *out)
{
    const char *id = request_line_text(arena, out, "integrationRequestId");
    out->kind = LINE_ACCESS;
    out->request_id = *id ? id : request_line_text(arena, out, "requestId");
}

struct request_line request_line_read(struct arena *arena, const char *message)
{
    struct request_line line = {.request_id = "", .status = ""};
    struct value *json = NULL;
    struct error ignored;
    if (message[0] != '{' ||
        json_parse(arena, message, strlen(message), "log", &json, &ignored) < 0) {
        read_text_report(arena, message, &line);
        return line;
    }
    line.json = json;
    const char *event = request_line_text(arena, &line, "event");
    bool is_question = strcmp(event, "question") == 0, is_failure = strcmp(event, "failure") == 0;
    if (is_question || is_failure) {
        line.kind = is_question ? LINE_QUESTION : LINE_FAILURE;
        line.request_id = request_line_text(arena, &line, "requestId");
    } else if (value_get(json, "routeKey")) {
        read_access(arena, &line);
    } else if (value_is_text(value_get(json, "type"), "platform.report")) {
        read_report(arena, &line);
    }
    return line;
}
