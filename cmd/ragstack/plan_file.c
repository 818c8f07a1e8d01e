#include "cmd/ragstack/plan_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pkg/value/json.h"

enum { PLAN_MAXIMUM_BYTES = 64 << 20 };

static int write_all(int descriptor, const char *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* Whole or not at all: a neighbour is written first, then it takes the name. */
static int replace_file(struct arena *arena, const char *path, const struct buffer *content,
                        struct error *error)
{
    const char *neighbour = arena_printf(arena, "%s.%d", path, (int)getpid());
    int descriptor = open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = descriptor >= 0 &&
                write_all(descriptor, buffer_string(content), content->length) == 0 &&
                fsync(descriptor) == 0;
    int why = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && good) {
        good = false;
        why = errno;
    }
    if (good && rename(neighbour, path) == 0)
        return 0;
    why = good ? errno : why;
    unlink(neighbour);
    return error_set(error, ERR_FAILED, "cannot write %s: %s", path, strerror(why));
}

int plan_file_write(const struct session *session, const struct plan *plan, const char *path,
                    struct error *error)
{
    struct value *document = plan_to_value(session->arena, plan);
    struct value *targets = value_list(session->arena);
    const char *const *names = option_texts(session->arena, &session->options, "target");
    for (; *names; names++)
        value_push_text(session->arena, targets, *names);
    value_set(session->arena, document, "targets", targets);
    struct buffer text = BUFFER(PLAN_MAXIMUM_BYTES);
    json_print_pretty(&text, document);
    int result = text.overflow ? error_set(error, ERR_FAILED, "the plan is over %d MiB",
                                           PLAN_MAXIMUM_BYTES >> 20)
                               : replace_file(session->arena, path, &text, error);
    buffer_free(&text);
    return result;
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
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
                     : json_parse(arena, buffer_string(&text), text.length, path, out, error);
    buffer_free(&text);
    if (result == 0 && (value_int_at(*out, "schema", 0) != 1 || !value_text(*out, "fingerprint")))
        return error_set(error, ERR_INPUT, "%s is no plan of this version of ragstack", path);
    return result;
}

int plan_file_check(const struct value *saved, const struct plan *plan, struct error *error)
{
    const char *fingerprint = value_text(saved, "fingerprint");
    if (strcmp(fingerprint, plan->fingerprint) == 0)
        return 0;
    return error_set(error, ERR_CONFLICT,
                     "the world, or the stack file, has moved since the plan was made; nothing was "
                     "changed. Make and review a new one: ragstack diff --out PLAN");
}
