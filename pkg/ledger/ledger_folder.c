/* The ledger in a folder: for the local target, and for tests.
 *
 * Writes are whole or not at all (a neighbour, fsync, rename). Who changes something holds the
 * folder's own file lock for that moment, which the system releases when a process dies. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/file.h"
#include "pkg/base/hex.h"
#include "pkg/base/vector.h"
#include "pkg/ledger/ledger.h"

enum { OBJECT_MAXIMUM_BYTES = 256 << 20, PATIENCE_MS = 10000, RETRY_MS = 20 };

struct folder_ledger {
    struct ledger ledger;
    struct arena *arena;
    const char *path;
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

static int failed(const char *path, struct error *error)
{
    return error_set(error, ERR_FAILED, "ledger: %s: %s", path, strerror(errno));
}

static int no_ledger(struct folder_ledger *folder, struct error *error)
{
    folder->ledger.missing = true;
    return error_set(error, ERR_NOT_FOUND, "there is no ledger yet (%s)", folder->path);
}

static void version_of(const char *bytes, size_t length, char version[LEDGER_VERSION_BYTES])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)bytes, length, digest);
    hex_encode(digest, sizeof digest, version);
}

/* -- reading -- */

static int read_all(struct arena *arena, int descriptor, const char *path,
                    struct ledger_object *out, struct error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) < 0)
        return failed(path, error);
    if (status.st_size > OBJECT_MAXIMUM_BYTES)
        return error_set(error, ERR_FAILED, "ledger: %s is too large", path);
    size_t size = (size_t)status.st_size;
    char *bytes = arena_alloc(arena, size + 1);
    while (out->length < size) {
        ssize_t got = read(descriptor, bytes + out->length, size - out->length);
        if (got < 0 && errno != EINTR)
            return failed(path, error);
        if (got == 0)
            break;
        out->length += got > 0 ? (size_t)got : 0;
    }
    out->bytes = bytes;
    out->age_ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    return 0;
}

static int get(struct task *task, struct ledger *ledger, struct arena *arena, const char *key,
               struct ledger_object *out, struct error *error)
{
    struct folder_ledger *folder = (struct folder_ledger *)ledger;
    const char *path = arena_printf(arena, "%s/%s", folder->path, key);
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    (void)task;
    *out = (struct ledger_object){0};
    if (descriptor < 0 && errno != ENOENT)
        return failed(path, error);
    ledger->missing = descriptor < 0 && access(folder->path, F_OK) != 0;
    if (ledger->missing)
        return no_ledger(folder, error);
    if (descriptor < 0)
        return error_set(error, ERR_NOT_FOUND, "ledger: there is no %s", path);
    int result = read_all(arena, descriptor, path, out, error);
    if (result < 0)
        return result;
    int64_t age_ms = ledger_wall_ms(ledger) - out->age_ms;
    out->age_ms = age_ms > 0 ? age_ms : 0;
    version_of(out->bytes, out->length, out->version);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void close_folder(DIR **folder)
{
    if (*folder)
        closedir(*folder);
}

static int list(struct task *task, struct ledger *ledger, struct arena *arena, const char *prefix,
                size_t most, const char ***keys, size_t *count, struct error *error)
{
    struct folder_ledger *folder = (struct folder_ledger *)ledger;
    const char *slash = strrchr(prefix, '/');
    int length = slash ? (int)(slash - prefix) + 1 : 0;
    const char *path = arena_printf(arena, "%s/%.*s", folder->path, length, prefix);
    CLEANUP(close_folder) DIR *open_folder = opendir(path);
    VECTOR(const char *) names = {0};
    (void)task;
    *count = 0;
    if (!open_folder && errno != ENOENT)
        return failed(path, error);
    ledger->missing = !open_folder && access(folder->path, F_OK) != 0;
    if (!open_folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        const char *key = arena_printf(arena, "%.*s%s", length, prefix, entry->d_name);
        if (entry->d_name[0] != '.' && strncmp(key, prefix, strlen(prefix)) == 0)
            vector_push(arena, &names, key);
    }
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    *keys = names.items;
    *count = names.count < most ? names.count : most;
    return 0;
}

/* -- changing -- */

/* The file lock is let go by closing it. ERR_NOT_FOUND when there is no ledger. */
static int enter(struct task *task, struct folder_ledger *folder, struct arena *arena,
                 int *descriptor, struct error *error)
{
    const char *path = arena_printf(arena, "%s/.guard", folder->path);
    *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*descriptor < 0)
        return errno == ENOENT ? no_ledger(folder, error) : failed(path, error);
    for (int waited_ms = 0; flock(*descriptor, LOCK_EX | LOCK_NB) < 0; waited_ms += RETRY_MS) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return failed(path, error);
        if (waited_ms >= PATIENCE_MS)
            return error_set(error, ERR_TIMEOUT, "ledger: %s is locked by a process that hangs",
                             path);
        int result = task_sleep(task, RETRY_MS, error);
        if (result < 0)
            return result;
    }
    return 0;
}

/* The file's time is the ledger's, which in tests is not the system's. */
static int set_time(int descriptor, int64_t wall_ms)
{
    struct timespec time = {.tv_sec = wall_ms / 1000, .tv_nsec = wall_ms % 1000 * 1000000};
    struct timespec times[] = {time, time};
    return futimens(descriptor, times);
}

static int sync_folder(const char *path)
{
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return descriptor < 0 ? -1 : fsync(descriptor);
}

/* A neighbour that a killed process left is its own to replace: the file lock is held. */
static int replace(struct folder_ledger *folder, struct arena *arena, const char *path,
                   const char *bytes, size_t length, struct error *error)
{
    const char *neighbour = arena_printf(arena, "%s/.new", folder->path);
    unlink(neighbour);
    CLEANUP(close_descriptor)
    int descriptor = open(neighbour, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0 || file_write_all(descriptor, bytes, length) < 0 ||
        set_time(descriptor, ledger_wall_ms(&folder->ledger)) < 0 || fsync(descriptor) < 0)
        return failed(neighbour, error);
    if (rename(neighbour, path) < 0)
        return failed(path, error);
    const char *parent = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
    return sync_folder(parent) < 0 ? failed(parent, error) : 0;
}

/* 0 when the condition holds. */
static int check(struct task *task, struct ledger *ledger, struct arena *arena, const char *key,
                 const char *condition, struct error *error)
{
    struct ledger_object now;
    if (!condition)
        return 0;
    int result = get(task, ledger, arena, key, &now, error);
    if (result < 0 && result != ERR_NOT_FOUND)
        return result;
    if (strcmp(condition, LEDGER_ABSENT) == 0)
        return result == ERR_NOT_FOUND ? 0
                                       : error_set(error, ERR_EXISTS, "ledger: %s is there", key);
    if (result == 0 && strcmp(condition, now.version) == 0)
        return 0;
    return error_set(error, ERR_CONFLICT, "ledger: %s has changed", key);
}

static int put(struct task *task, struct ledger *ledger, const char *key, const char *bytes,
               size_t length, const char *condition, char version[LEDGER_VERSION_BYTES],
               struct error *error)
{
    struct folder_ledger *folder = (struct folder_ledger *)ledger;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(close_descriptor) int guard = -1;
    const char *path = arena_printf(arena, "%s/%s", folder->path, key);
    const char *parent = arena_strndup(arena, path, (size_t)(strrchr(path, '/') - path));
    int result = enter(task, folder, arena, &guard, error);
    if (result == 0)
        result = check(task, ledger, arena, key, condition, error);
    if (result == 0 && strcmp(parent, folder->path) != 0)
        result = file_make_folders(arena, parent, 0700, error);
    if (result == 0)
        result = replace(folder, arena, path, bytes, length, error);
    if (result == 0)
        version_of(bytes, length, version);
    return result;
}

static int remove_object(struct task *task, struct ledger *ledger, const char *key,
                         const char *version, struct error *error)
{
    struct folder_ledger *folder = (struct folder_ledger *)ledger;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(close_descriptor) int guard = -1;
    struct ledger_object now;
    const char *path = arena_printf(arena, "%s/%s", folder->path, key);
    int result = enter(task, folder, arena, &guard, error);
    if (result == ERR_NOT_FOUND)
        return 0;
    if (result == 0)
        result = get(task, ledger, arena, key, &now, error);
    if (result < 0)
        return result == ERR_NOT_FOUND ? 0 : result;
    if (strcmp(now.version, version) != 0)
        return error_set(error, ERR_CONFLICT, "ledger: %s has changed", key);
    return unlink(path) < 0 ? failed(path, error) : 0;
}

static int create(struct task *task, struct ledger *ledger, struct error *error)
{
    struct folder_ledger *folder = (struct folder_ledger *)ledger;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)task;
    ledger->missing = false;
    return file_make_folders(arena, folder->path, 0700, error);
}

static void close_ledger(struct ledger *ledger)
{
    arena_free(((struct folder_ledger *)ledger)->arena);
}

struct ledger *ledger_folder_new(struct clock *clock, const char *folder, const char *stack,
                                 const char *environment)
{
    struct arena *arena = arena_new();
    struct folder_ledger *made = arena_new_of(arena, struct folder_ledger);
    *made = (struct folder_ledger){
        .ledger = {.clock = clock,
                   .get = get,
                   .put = put,
                   .remove = remove_object,
                   .list = list,
                   .create = create,
                   .close = close_ledger},
        .arena = arena,
        .path = arena_printf(arena, "%s/%s/%s", folder, stack, environment[0] ? environment : "-"),
    };
    made->ledger.place = made->path;
    return &made->ledger;
}
