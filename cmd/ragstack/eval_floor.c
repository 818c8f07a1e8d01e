/* The calibrated floor, into the stack file: one scalar is changed, by its place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/eval.h"
#include "pkg/base/file.h"
#include "pkg/value/yaml.h"

/* The byte at line and column; columns count characters. NULL: there is no such place. */
static const char *place_of(const char *text, struct mark mark)
{
    for (int line = 1; line < mark.line; line++) {
        text = strchr(text, '\n');
        if (!text)
            return NULL;
        text++;
    }
    for (int column = 1; column < mark.column; text++) {
        if (!*text || *text == '\n')
            return NULL;
        column += ((unsigned char)text[1] & 0xc0) != 0x80; /* not inside a character */
    }
    return text;
}

/* Bytes of the scalar, with its quotes; 0: something else stands there. */
static size_t scalar_length(const char *at, const char *said)
{
    size_t length = strlen(said);
    bool quoted = *at == '"' || *at == '\'';
    if (strncmp(at + quoted, said, length) != 0 || (quoted && at[1 + length] != *at))
        return 0;
    return length + (quoted ? 2 : 0);
}

static const char *with_scalar(struct arena *arena, const char *text, const char *at, size_t length,
                               const char *scalar)
{
    return arena_printf(arena, "%.*s\"%s\"%s", (int)(at - text), text, scalar, at + length);
}

/* Would the file say it now? */
static int check_result(struct session *session, const char *text, const char *wanted,
                        struct error *error)
{
    struct stack *stack = NULL;
    struct fault_list faults = {0};
    const struct stack_options options = {.file = session->file,
                                          .environment = option_text(&session->options, "env"),
                                          .types = session->target->types};
    int result =
        stack_load_text(session->arena, text, strlen(text), &options, &stack, &faults, error);
    if (result == 0 && value_is_text(value_at(stack->tree, "retrieval.floor"), wanted))
        return 0;
    return error_set(error, ERR_PREFLIGHT,
                     "%s cannot be changed in place here; write: retrieval: {floor: \"%s\"}",
                     session->file, wanted);
}

static int no_place(const struct session *session, const char *floor, struct error *error)
{
    return error_set(error, ERR_PREFLIGHT,
                     "%s does not say `floor` where it could be changed; write: retrieval: {floor: "
                     "\"%s\"}",
                     session->file, floor);
}

static int write_file(struct session *session, const char *text, struct error *error)
{
    struct stat status;
    char *real = realpath(session->file, NULL); /* a link stays one */
    if (!real || stat(real, &status) != 0) {
        free(real);
        return error_set(error, ERR_FAILED, "cannot find %s: %s", session->file, strerror(errno));
    }
    int result = file_write(session->arena, real, text, strlen(text), error);
    if (result == 0 && chmod(real, status.st_mode & 07777) != 0)
        result =
            error_set(error, ERR_FAILED, "cannot set the mode of %s: %s", real, strerror(errno));
    free(real);
    return result;
}

static int change(struct task *task, struct session *session, const struct value *said,
                  const char *floor, struct error *error)
{
    char *text;
    size_t length;
    int result =
        file_read(session->arena, session->file, YAML_MAXIMUM_BYTES, &text, &length, error);
    if (result < 0)
        return result;
    const char *at = said->mark.line ? place_of(text, said->mark) : NULL;
    size_t old = at ? scalar_length(at, said->string.text) : 0;
    if (!old || strlen(text) != length)
        return no_place(session, floor, error);
    const char *changed = with_scalar(session->arena, text, at, old, floor);
    result = check_result(session, changed, floor, error);
    if (result == 0)
        result = consent_ask(task, session,
                             arena_printf(session->arena, "%s:%d: floor %.*s -> \"%s\". Write it?",
                                          session->file, said->mark.line, (int)old, at, floor),
                             NULL, error);
    if (result == 0)
        result = write_file(session, changed, error);
    if (result == 0)
        fprintf(stderr, "%s:%d: floor is \"%s\" now; `ragstack up%s` brings it into force.\n",
                session->file, said->mark.line, floor,
                option_said(&session->options, "local") ? " --local" : "");
    return result;
}

int eval_write_floor(struct task *task, struct session *session, const struct report *report,
                     struct error *error)
{
    const struct calibration *calibration = report->calibration;
    const struct value *said = value_at(session->stack->tree, "retrieval.floor");
    if (!calibration->chosen || calibration->too_few)
        return error_set(error, ERR_PREFLIGHT, "no floor is written: %s",
                         calibration->why_not ? calibration->why_not : calibration->too_few);
    if (eval_asked(report->run) < report->run->count)
        return error_set(error, ERR_PREFLIGHT, "no floor is written: not all questions were asked");
    const char *floor = floor_said_with(session->arena, said->string.text,
                                        report->run->settings.embedder, calibration->chosen->floor);
    if (strcmp(floor, said->string.text) == 0) {
        fprintf(stderr, "%s says this floor already.\n", session->file);
        return 0;
    }
    return change(task, session, said, floor, error);
}
