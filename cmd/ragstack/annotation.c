#include "cmd/ragstack/annotation.h"

#include <limits.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/plan/lines.h"

/* -- what is said -- */

static enum severity step_severity(const struct step *step)
{
    if (step->loses_data || step->blocked)
        return SEVERITY_ERROR;
    return step->kind == STEP_REPLACE || step->kind == STEP_DELETE || step->drift ? SEVERITY_WARNING
                                                                                  : SEVERITY_NOTICE;
}

struct words {
    struct arena *arena;
    const char *text;
};

static void add_line(void *data, const struct difference_line *line)
{
    struct words *words = data;
    words->text =
        arena_printf(words->arena, "%s\n%s: %s -> %s", words->text, line->path,
                     line->before ? line->before : "(none)", line->after ? line->after : "(none)");
}

static const char *step_message(struct arena *arena, const struct step *step)
{
    struct words words = {arena, step->reason};
    if (step->blocked)
        words.text = arena_printf(arena, "%s\n%s", words.text, step->blocked);
    for (size_t i = 0; i < step->difference_count; i++)
        difference_lines(arena, &step->differences[i], add_line, &words);
    return words.text;
}

/* A step stands where its first difference stands, else where its resource does. */
static struct mark step_mark(const struct step *step)
{
    for (size_t i = 0; i < step->difference_count; i++) {
        if (step->differences[i].mark.line)
            return step->differences[i].mark;
    }
    return step->mark;
}

static void add_steps(struct arena *arena, const struct plan *plan, const char *file,
                      enum severity severity, bool placed, struct annotation_list *out)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        struct mark mark = step_mark(step);
        if (step_severity(step) != severity || (mark.line != 0) != placed)
            continue;
        vector_push(
            arena, out,
            ((struct annotation){.severity = severity,
                                 .file = file,
                                 .line = placed ? mark.line : 1,
                                 .column = mark.column,
                                 .title = arena_printf(arena, "%s %s.%s%s", step_word(step->kind),
                                                       step->type->kind, step->id,
                                                       step->loses_data ? " (DATA LOSS)" : ""),
                                 .message = step_message(arena, step)}));
    }
}

void annotations_of_plan(struct arena *arena, const struct plan *plan, const char *file,
                         struct annotation_list *out)
{
    static const enum severity order[] = {SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTICE};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        add_steps(arena, plan, file, order[i], true, out);
        add_steps(arena, plan, file, order[i], false, out);
    }
}

void annotations_of_faults(struct arena *arena, const struct fault_list *faults, const char *file,
                           struct annotation_list *out)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        vector_push(arena, out,
                    ((struct annotation){.severity = SEVERITY_ERROR,
                                         .file = file,
                                         .line = fault->mark.line ? fault->mark.line : 1,
                                         .column = fault->mark.column,
                                         .title = "bad stack file",
                                         .message = fault->message}));
    }
}

/* -- GitHub -- */

/* Workflow commands: their own escapes, more of them in properties. */
static void put_escaped(struct buffer *out, const char *text, bool property)
{
    for (; *text; text++) {
        bool special = *text == '%' || *text == '\r' || *text == '\n' ||
                       (property && (*text == ':' || *text == ','));
        if (special)
            buffer_printf(out, "%%%02X", (unsigned char)*text);
        else
            buffer_char(out, *text);
    }
}

static bool same_place(const struct annotation *a, const struct annotation *b)
{
    return a->severity == b->severity && a->line == b->line && a->column == b->column &&
           strcmp(a->file, b->file) == 0;
}

/* The first of a place, with all that stands there as its message; the others of it are `told`. */
static struct annotation gather(struct arena *arena, const struct annotation_list *list, size_t at,
                                bool *told)
{
    struct annotation whole = list->items[at];
    size_t count = 1;
    for (size_t i = at + 1; i < list->count; i++) {
        const struct annotation *other = &list->items[i];
        if (!same_place(&whole, other))
            continue;
        if (count++ == 1)
            whole.message = arena_printf(arena, "%s: %s", whole.title, whole.message);
        whole.message =
            arena_printf(arena, "%s\n%s: %s", whole.message, other->title, other->message);
        told[i] = true;
    }
    if (count > 1)
        whole.title = arena_printf(arena, "%s and %zu more", whole.title, count - 1);
    return whole;
}

static void print_github(struct buffer *out, const struct annotation *annotation)
{
    static const char *const names[] = {"notice", "warning", "error"};
    buffer_printf(out, "::%s file=", names[annotation->severity]);
    put_escaped(out, annotation->file, true);
    buffer_printf(out, ",line=%d", annotation->line);
    if (annotation->column)
        buffer_printf(out, ",col=%d", annotation->column);
    buffer_text(out, ",title=");
    put_escaped(out, annotation->title, true);
    buffer_text(out, "::");
    put_escaped(out, annotation->message, false);
    buffer_char(out, '\n');
}

void annotations_print_github(struct arena *arena, struct buffer *out,
                              const struct annotation_list *list)
{
    enum { SHOWN_OF_EACH = 10 };
    int shown[SEVERITY_ERROR + 1] = {0};
    bool *told = arena_array(arena, list->count + 1, sizeof *told);
    for (size_t i = 0; i < list->count; i++) {
        if (told[i] || shown[list->items[i].severity]++ >= SHOWN_OF_EACH)
            continue;
        struct annotation whole = gather(arena, list, i, told);
        print_github(out, &whole);
    }
}

/* -- GitLab -- */

/* The same finding has the same fingerprint in every run: its line does not count. */
static const char *fingerprint(struct arena *arena, const struct annotation *annotation)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    const char *whole =
        arena_printf(arena, "%s\n%s\n%s", annotation->file, annotation->title, annotation->message);
    char *hex = arena_alloc(arena, 2 * sizeof digest + 1);
    SHA256((const unsigned char *)whole, strlen(whole), digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    return hex;
}

struct value *annotations_to_code_quality(struct arena *arena, const struct annotation_list *list)
{
    static const char *const severities[] = {"info", "major", "critical"};
    struct value *report = value_list(arena);
    for (size_t i = 0; i < list->count; i++) {
        const struct annotation *annotation = &list->items[i];
        struct value *row = value_map(arena), *place = value_map(arena);
        value_set_text(arena, row, "description",
                       arena_printf(arena, "%s: %s", annotation->title, annotation->message));
        value_set_text(arena, row, "check_name", "ragstack");
        value_set_text(arena, row, "fingerprint", fingerprint(arena, annotation));
        value_set_text(arena, row, "severity", severities[annotation->severity]);
        value_set_text(arena, place, "path", annotation->file);
        value_set(arena, place, "lines",
                  value_set_int(arena, value_map(arena), "begin", annotation->line));
        value_push(arena, report, value_set(arena, row, "location", place));
    }
    return report;
}

const char *annotation_path(struct arena *arena, const char *file, const char *root)
{
    char whole_file[PATH_MAX], whole_root[PATH_MAX];
    if (!root || !realpath(file, whole_file) || !realpath(root, whole_root))
        return file;
    size_t length = strlen(whole_root);
    bool inside = strncmp(whole_file, whole_root, length) == 0 && whole_file[length] == '/';
    return inside ? arena_strdup(arena, whole_file + length + 1) : file;
}
