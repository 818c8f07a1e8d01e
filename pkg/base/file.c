#include "pkg/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write_all(int descriptor, const char *bytes, size_t length)
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

/* Writes, and closes; false with errno when anything of it failed. */
static bool fill(int descriptor, const char *bytes, size_t length, bool sync)
{
    bool good = descriptor >= 0 && file_write_all(descriptor, bytes, length) == 0 &&
                (!sync || fsync(descriptor) == 0);
    int why = errno;
    if (descriptor >= 0 && close(descriptor) != 0 && good)
        return false;
    errno = why;
    return good;
}

static int cannot_write(const char *path, int why, struct error *error)
{
    return error_set(error, ERR_FAILED, "cannot write %s: %s", path, strerror(why));
}

int file_make_folders(struct arena *arena, const char *path, unsigned mode, struct error *error)
{
    char *folder = arena_strdup(arena, path);
    for (char *slash = folder; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(folder, mode) != 0 && errno != EEXIST)
            return error_set(error, ERR_FAILED, "cannot make the folder %s: %s", folder,
                             strerror(errno));
        if (slash)
            *slash = '/';
    }
    return 0;
}

int file_create(struct arena *arena, const char *path, const char *text, struct error *error)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : "";
    int result = *folder ? file_make_folders(arena, folder, 0777, error) : 0;
    if (result < 0)
        return result;
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EEXIST)
        return error_set(error, ERR_EXISTS, "%s exists already, and is left as it is", path);
    if (fill(descriptor, text, strlen(text), false))
        return 0;
    int why = errno;
    if (descriptor >= 0)
        unlink(path);
    return cannot_write(path, why, error);
}

/* A neighbour is written first, then it takes the name. */
static int replace(struct arena *arena, const char *path, const char *bytes, size_t length,
                   mode_t mode, struct error *error)
{
    const char *neighbour = arena_printf(arena, "%s.%d", path, (int)getpid());
    int descriptor = open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fill(descriptor, bytes, length, true) && rename(neighbour, path) == 0)
        return 0;
    int why = errno;
    if (descriptor >= 0)
        unlink(neighbour);
    return cannot_write(path, why, error);
}

int file_replace(struct arena *arena, const char *path, const char *bytes, size_t length,
                 struct error *error)
{
    return replace(arena, path, bytes, length, 0600, error);
}

int file_write(struct arena *arena, const char *path, const char *bytes, size_t length,
               struct error *error)
{
    return replace(arena, path, bytes, length, 0666, error);
}

int file_append(const char *path, const char *bytes, size_t length, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return fill(descriptor, bytes, length, false) ? 0 : cannot_write(path, errno, error);
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

int file_read(struct arena *arena, const char *path, size_t maximum, char **bytes, size_t *length,
              struct error *error)
{
    struct stat status;
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) < 0)
        return error_set(error, ERR_FAILED, "cannot read %s: %s", path, strerror(errno));
    if ((size_t)status.st_size > maximum)
        return error_set(error, ERR_FAILED, "%s is over %zu MiB", path, maximum >> 20);
    size_t size = (size_t)status.st_size;
    *bytes = arena_alloc(arena, size + 1);
    *length = 0;
    for (ssize_t got; *length<size; *length += got> 0 ? (size_t)got : 0) {
        got = read(descriptor, *bytes + *length, size - *length);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return error_set(error, ERR_FAILED, "cannot read %s: %s", path, strerror(errno));
    }
    return 0;
}
