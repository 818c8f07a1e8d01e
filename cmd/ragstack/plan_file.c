#include "cmd/ragstack/plan_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/file.h"
#include "pkg/value/json.h"

enum { PLAN_MAXIMUM_BYTES = 64 << 20 };

int plan_file_write(struct arena *arena, const struct plan *plan, const char *const *targets,
                    const char *path, struct error *error)
{
    struct value *document = plan_to_value(arena, plan), *list = value_list(arena);
    for (; *targets; targets++)
        value_push_text(arena, list, *targets);
    value_set(arena, document, "targets", list);
    struct buffer text = BUFFER(PLAN_MAXIMUM_BYTES);
    json_print_pretty(&text, document);
    int result =
        text.overflow
            ? error_set(error, ERR_FAILED, "the plan is over %d MiB", PLAN_MAXIMUM_BYTES >> 20)
            : file_replace(arena, path, buffer_string(&text), text.length, error);
    buffer_free(&text);
    return result;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* What is read from it later must be there, and of its kind. */
static int check_shape(const char *path, const struct value *document, struct error *error)
{
    const struct value *target, *targets = value_get(document, "targets");
    bool good = value_int_at(document, "schema", 0) == 1 && value_text(document, "fingerprint") &&
                value_is(value_get(document, "steps"), VALUE_LIST) &&
                (!targets || value_is(targets, VALUE_LIST));
    value_each(target, targets) good = good && value_is(target, VALUE_STRING);
    return good ? 0
                : error_set(error, ERR_INPUT, "%s is no plan of this version of ragstack", path);
}

int plan_file_parse(struct arena *arena, const char *text, size_t length, const char *path,
                    struct value **out, struct error *error)
{
    int result = json_parse(arena, text, length, path, out, error);
    return result == 0 ? check_shape(path, *out, error) : result;
}

int plan_file_read(struct arena *arena, const char *path, struct value **out, struct error *error)
{
    CLEANUP(close_file) FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(error, ERR_USAGE, "%s: %s", path, strerror(errno));
    struct buffer text = BUFFER(PLAN_MAXIMUM_BYTES);
    char chunk[65536];
    for (size_t length; (length = fread(chunk, 1, sizeof chunk, file)) > 0 && !text.overflow;)
        buffer_append(&text, chunk, length);
    int result = text.overflow || ferror(file)
                     ? error_set(error, ERR_INPUT, "%s cannot be a plan: %s", path,
                                 text.overflow ? "it is too large" : strerror(errno))
                     : plan_file_parse(arena, buffer_string(&text), text.length, path, out, error);
    buffer_free(&text);
    return result;
}

/* A plan for another stack is told apart from one that is out of date. */
static int check_subject(const struct value *saved, const struct plan *plan, struct error *error)
{
    const struct identity *identity = plan->target->identity;
    const struct {
        const char *key, *here;
    } rows[] = {
        {"stack", identity->stack},     {"environment", identity->environment},
        {"target", plan->target->name}, {"account", identity->account},
        {"region", identity->region},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *there = value_text(saved, rows[i].key);
        const char *here = rows[i].here ? rows[i].here : "";
        if (strcmp(there ? there : "", here) != 0)
            return error_set(error, ERR_CONFLICT,
                             "the plan is for %s \"%s\", but this is \"%s\"; nothing was changed",
                             rows[i].key, there ? there : "", here);
    }
    return 0;
}

int plan_file_check(const struct value *saved, const struct plan *plan, struct error *error)
{
    int result = check_subject(saved, plan, error);
    if (result < 0 || strcmp(value_text(saved, "fingerprint"), plan->fingerprint) == 0)
        return result;
    return error_set(error, ERR_CONFLICT,
                     "the world, or the stack file, has moved since the plan was made; nothing was "
                     "changed. Make and review a new one: ragstack diff --out PLAN");
}
