/* The file with the prompt's template: part of what the stack file says, though it stands beside
 * it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pkg/stack/internal.h"
#include "pkg/value/utf8.h"

enum { LONGEST_BYTES = 64 << 10 };

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* A relative path counts from the stack file. */
static const char *path_beside(struct arena *arena, const char *stack_file, const char *path)
{
    const char *slash = strrchr(stack_file, '/');
    if (path[0] == '/' || !slash)
        return path;
    return arena_printf(arena, "%.*s%s", (int)(slash - stack_file) + 1, stack_file, path);
}

/* The template has to have a place for each. */
static void check_places(struct loading *loading, struct mark mark, const char *path,
                         const char *text)
{
    static const char *const places[] = {"{{passages}}", "{{question}}"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (!strstr(text, places[i]))
            add_fault(loading, mark, "prompt: %s has no %s", path, places[i]);
    }
}

static bool is_text(const char *bytes, size_t length)
{
    return length > 0 && utf8_is_valid(bytes, length) && !memchr(bytes, '\0', length);
}

/* NULL: a fault was added. */
static const char *read_file(struct loading *loading, struct mark mark, const char *path,
                             size_t *length)
{
    CLEANUP(close_file) FILE *file = fopen(path, "rb");
    if (!file) {
        add_fault(loading, mark, "prompt: cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = arena_alloc(loading->arena, LONGEST_BYTES + 2);
    *length = fread(text, 1, LONGEST_BYTES + 1, file);
    if (!ferror(file))
        return text;
    add_fault(loading, mark, "prompt: cannot read %s: %s", path, strerror(errno));
    return NULL;
}

static const char *read_commit(struct loading *loading, struct mark mark, const char *path,
                               size_t *length)
{
    const char *text, *commit;
    struct error error = {0};
    if (git_read(loading->arena, path, loading->options->revision, LONGEST_BYTES, &text, length,
                 &commit, &error) == 0)
        return text;
    add_fault(loading, mark, "prompt: %s", error.message);
    return NULL;
}

void read_prompt(struct loading *loading)
{
    const struct value *said = value_get(loading->stack->tree, "prompt");
    size_t length = 0;
    if (!value_is(said, VALUE_STRING))
        return;
    const char *path = path_beside(loading->arena, loading->options->file, said->string.text);
    const char *text = loading->options->revision ? read_commit(loading, said->mark, path, &length)
                                                  : read_file(loading, said->mark, path, &length);
    if (!text)
        return;
    if (length > LONGEST_BYTES)
        add_fault(loading, said->mark, "prompt: %s is longer than %d KiB", path,
                  LONGEST_BYTES >> 10);
    else if (!is_text(text, length))
        add_fault(loading, said->mark, "prompt: %s is no UTF-8 text", path);
    else
        check_places(loading, said->mark, path, text);
    loading->stack->prompt = text;
}
