#include "pkg/serve/unpack.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "pkg/base/arena.h"
#include "pkg/base/file.h"

enum { UNPACKED_MAXIMUM = 250 << 20, OPEN_FOLDERS = 16 };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static bool stays_inside(const char *name)
{
    return name[0] && name[0] != '/' && strncmp(name, "../", 3) != 0 && !strstr(name, "/../") &&
           !strchr(name, '\\');
}

/* The folder that a file is to stand in. */
static int make_folder_of(struct arena *arena, const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    return file_make_folders(arena, arena_strndup(arena, path, (size_t)(slash - path)), 0755,
                             error);
}

static int copy_entry(zip_file_t *entry, const char *path, size_t *left, struct error *error)
{
    char chunk[65536];
    FILE *file = fopen(path, "wb");
    zip_int64_t length = 0;
    if (!file)
        return error_set(error, ERR_FAILED, "%s: %s", path, strerror(errno));
    while ((length = zip_fread(entry, chunk, sizeof chunk)) > 0) {
        if ((size_t)length > *left)
            break;
        *left -= (size_t)length;
        fwrite(chunk, 1, (size_t)length, file);
    }
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed)
        return error_set(error, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
    if (length != 0)
        return error_set(error, ERR_INPUT, "%s: the entry is broken, or more than 250 MB in all",
                         path);
    chmod(path, 0755);
    return 0;
}

static int unpack_entry(struct arena *arena, zip_t *archive, zip_int64_t index, const char *folder,
                        size_t *left, struct error *error)
{
    const char *name = zip_get_name(archive, (zip_uint64_t)index, 0);
    if (!name || !stays_inside(name))
        return error_set(error, ERR_INPUT, "the zip has an entry that leads out of its folder");
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    int result = make_folder_of(arena, path, error);
    if (result < 0 || name[strlen(name) - 1] == '/')
        return result;
    zip_file_t *entry = zip_fopen_index(archive, (zip_uint64_t)index, 0);
    if (!entry)
        return error_set(error, ERR_INPUT, "the zip's entry %s cannot be read", name);
    result = copy_entry(entry, path, left, error);
    zip_fclose(entry);
    return result;
}

static int unpack_all(struct arena *arena, const char *zip, const char *folder, struct error *error)
{
    size_t left = UNPACKED_MAXIMUM;
    int code = 0, result = 0;
    zip_t *archive = zip_open(zip, ZIP_RDONLY, &code);
    if (!archive)
        return error_set(error, ERR_INPUT, "%s is no zip that can be read", zip);
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0) && result == 0; i++)
        result = unpack_entry(arena, archive, i, folder, &left, error);
    zip_discard(archive);
    return result;
}

int unpack_zip(const char *zip, const char *folder, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *beside = arena_printf(arena, "%s.%ld", folder, (long)getpid());
    struct stat status;
    if (stat(folder, &status) == 0)
        return 0;
    int result = file_make_folders(arena, beside, 0755, error);
    if (result == 0)
        result = unpack_all(arena, zip, beside, error);
    if (result == 0 && rename(beside, folder) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        result = error_set(error, ERR_FAILED, "%s: %s", folder, strerror(errno));
    if (result < 0)
        nftw(beside, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    return result;
}
