#include "pkg/bundle/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "pkg/base/panic.h"

enum {
    FIRST_DOS_DATE = (1 << 5) | 1, /* 1980-01-01, the first that a zip can say */
    BEST_COMPRESSION = 9,
};
static const zip_uint32_t EXECUTABLE = (zip_uint32_t)(S_IFREG | 0755) << 16;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct bundle_file *)a)->name, ((const struct bundle_file *)b)->name);
}

static int add(zip_t *zip, const struct bundle_file *file, struct error *error)
{
    struct stat status;
    if (stat(file->path, &status) != 0)
        return error_set(error, ERR_NOT_FOUND, "%s: %s", file->path, strerror(errno));
    zip_source_t *source = zip_source_file(zip, file->path, 0, -1);
    zip_int64_t index = source ? zip_file_add(zip, file->name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0) {
        zip_source_free(source);
        return error_set(error, ERR_FAILED, "%s: %s", file->path, zip_strerror(zip));
    }
    zip_uint64_t entry = (zip_uint64_t)index;
    if (zip_set_file_compression(zip, entry, ZIP_CM_DEFLATE, BEST_COMPRESSION) != 0 ||
        zip_file_set_dostime(zip, entry, 0, FIRST_DOS_DATE, 0) != 0 ||
        zip_file_set_external_attributes(zip, entry, 0, ZIP_OPSYS_UNIX, EXECUTABLE) != 0)
        return error_set(error, ERR_FAILED, "%s: %s", file->path, zip_strerror(zip));
    return 0;
}

static int add_all(zip_t *zip, const struct bundle_file *files, size_t count, struct error *error)
{
    struct bundle_file *sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        panic("out of memory");
    memcpy(sorted, files, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_name);
    int result = 0;
    for (size_t i = 0; result == 0 && i < count; i++)
        result = add(zip, &sorted[i], error);
    free(sorted);
    return result;
}

int bundle_write(const struct bundle_file *files, size_t count, const char *path,
                 struct error *error)
{
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (!zip)
        return error_set(error, ERR_FAILED, "%s: cannot be written (libzip's error %d)", path,
                         code);
    int result = add_all(zip, files, count, error);
    if (result == 0 && zip_close(zip) == 0)
        return 0;
    if (result == 0)
        result = error_set(error, ERR_FAILED, "%s: %s", path, zip_strerror(zip));
    zip_discard(zip);
    return result;
}
