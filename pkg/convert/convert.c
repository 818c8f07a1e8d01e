#include "pkg/convert/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/convert/internal.h"

static const struct kind {
    const char *ending;
    converter *convert; /* NULL: pdf, which is read by its program */
} kinds[] = {
    {".md", convert_markdown}, {".markdown", convert_markdown}, {".txt", convert_text},
    {".text", convert_text},   {".rst", convert_text},          {".html", convert_html},
    {".htm", convert_html},    {".xhtml", convert_html},        {".pdf", NULL},
};

static const struct kind *kind_of(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t ending = strlen(kinds[i].ending);
        if (length > ending && strcasecmp(name + length - ending, kinds[i].ending) == 0)
            return &kinds[i];
    }
    return NULL;
}

bool convert_knows(const char *name)
{
    return kind_of(name) != NULL;
}

const char *convert_endings(struct arena *arena)
{
    const char *all = "";
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        all = arena_printf(arena, "%s%s%s", all, i ? " " : "", kinds[i].ending);
    return all;
}

/* "guides/setup.v2.md" is "setup.v2". */
static const char *title_of_name(struct arena *arena, const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    const struct kind *kind = kind_of(base);
    return arena_strndup(arena, base, strlen(base) - (kind ? strlen(kind->ending) : 0));
}

static int finish(struct arena *arena, const char *name, struct converted *out, struct error *error)
{
    if (!out->text[strspn(out->text, " \t\n\f")])
        return error_set(error, ERR_INPUT, "it holds no text");
    if (!out->title || !*out->title)
        out->title = title_of_name(arena, name);
    return 0;
}

int convert_bytes(struct arena *arena, const char *name, const char *bytes, size_t length,
                  struct converted *out, struct error *error)
{
    const struct kind *kind = kind_of(name);
    *out = (struct converted){.text = ""};
    if (kind && !kind->convert)
        return error_set(error, ERR_INPUT, "a PDF is read from its file");
    int result = (kind ? kind->convert : convert_text)(arena, bytes, length, out, error);
    return result < 0 ? result : finish(arena, name, out, error);
}

static void close_file(const int *file)
{
    if (*file >= 0)
        close(*file);
}

static int read_file(struct arena *arena, const char *path, char **bytes, size_t *length,
                     struct error *error)
{
    struct stat about;
    CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &about) < 0)
        return error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "%s",
                         strerror(errno));
    if (!S_ISREG(about.st_mode))
        return error_set(error, ERR_INPUT, "it is no file");
    if (about.st_size > CONVERT_FILE_MAXIMUM)
        return error_set(error, ERR_INPUT, "it is larger than %d MB", CONVERT_FILE_MAXIMUM >> 20);
    *bytes = arena_alloc(arena, (size_t)about.st_size + 1);
    for (*length = 0; *length < (size_t)about.st_size;) {
        ssize_t got = read(file, *bytes + *length, (size_t)about.st_size - *length);
        if (got < 0 && errno != EINTR)
            return error_set(error, ERR_FAILED, "%s", strerror(errno));
        if (got == 0)
            break; /* it was cut off meanwhile */
        *length += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int convert_file(struct arena *arena, const char *path, struct converted *out, struct error *error)
{
    const struct kind *kind = kind_of(path);
    char *bytes = NULL;
    size_t length = 0;
    *out = (struct converted){.text = ""};
    if (kind && !kind->convert) {
        int result = convert_pdf(arena, path, out, error);
        return result < 0 ? result : finish(arena, path, out, error);
    }
    int result = read_file(arena, path, &bytes, &length, error);
    return result < 0 ? result : convert_bytes(arena, path, bytes, length, out, error);
}
