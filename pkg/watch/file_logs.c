#include "pkg/watch/file_logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pkg/base/vector.h"

enum { PAGE_LINES = 1000, TIME_BYTES = 40 };

struct log_file {
    const char *path;
};

/* One of the two files, open. */
struct reader {
    FILE *file;
    unsigned long long inode; /* names the file, whatever it is called by now */
    char *line;
    size_t capacity;
};

static void close_reader(struct reader *reader)
{
    if (reader->file)
        fclose(reader->file);
    free(reader->line);
}

/* False when there is no such file. */
static bool open_reader(struct reader *reader, const char *path)
{
    struct stat status;
    *reader = (struct reader){.file = fopen(path, "re")};
    if (!reader->file || fstat(fileno(reader->file), &status) != 0)
        return false;
    reader->inode = status.st_ino;
    return true;
}

/* The next whole line, its time and text; false at the end (a line that is being written ends it,
 * too). Lines without a time are passed. */
static bool next_line(struct reader *reader, int64_t *time_ms, const char **text)
{
    ssize_t length;
    while ((length = getline(&reader->line, &reader->capacity, reader->file)) > 0) {
        if (reader->line[length - 1] != '\n')
            return false;
        reader->line[length - 1] = '\0';
        char *tab =
            memchr(reader->line, '\t', (size_t)length < TIME_BYTES ? (size_t)length : TIME_BYTES);
        if (!tab)
            continue;
        *tab = '\0';
        *time_ms = clock_parse(reader->line);
        *text = tab + 1;
        if (*time_ms >= 0)
            return true;
    }
    return false;
}

/* Places the reader at a line's start, at or before the first line of that time: by halves, since
 * times rise. */
static void seek_time(struct reader *reader, int64_t from_ms)
{
    enum { NEAR_BYTES = 65536 };
    struct stat status;
    int64_t time_ms;
    const char *text;
    off_t low = 0, high = fstat(fileno(reader->file), &status) == 0 ? status.st_size : 0;
    while (high - low > NEAR_BYTES) {
        off_t middle = low + (high - low) / 2;
        fseeko(reader->file, middle, SEEK_SET);
        if (getline(&reader->line, &reader->capacity, reader->file) > 0 && /* the rest of a line */
            next_line(reader, &time_ms, &text) && time_ms < from_ms)
            low = middle;
        else
            high = middle;
    }
    fseeko(reader->file, low, SEEK_SET);
    if (low && getline(&reader->line, &reader->capacity, reader->file) < 0)
        clearerr(reader->file);
}

static bool is_wanted(const struct log_request *request, int64_t time_ms, const char *text)
{
    return time_ms >= request->from_ms && (!request->to_ms || time_ms <= request->to_ms) &&
           (!request->filter || strstr(text, request->filter));
}

/* Takes lines until the page is full (then true, and page->next is set) or the file has ended. */
static bool take_lines(struct arena *arena, struct reader *reader,
                       const struct log_request *request, struct log_page *page)
{
    for (;;) {
        int64_t time_ms;
        const char *text;
        off_t place = ftello(reader->file);
        if (page->count == PAGE_LINES) {
            page->next = arena_printf(arena, "%llu %lld", reader->inode, (long long)place);
            return true;
        }
        if (!next_line(reader, &time_ms, &text))
            return false;
        if (is_wanted(request, time_ms, text))
            page->events[page->count++] = (struct log_event){
                .time_ms = time_ms,
                .id = arena_printf(arena, "%llu:%lld", reader->inode, (long long)place),
                .stream = "",
                .message = arena_strdup(arena, text)};
    }
}

/* The older file first. A page that begins in the newer one passes the older; the file that a page
 * begins in may have been renamed meanwhile, and is known by its inode. */
static int read_file(struct task *task, void *data, struct arena *arena,
                     const struct log_request *request, struct log_page *page, struct error *error)
{
    (void)task, (void)error;
    const struct log_file *log = data;
    const char *paths[] = {arena_printf(arena, "%s.1", log->path), log->path};
    char *rest = NULL;
    unsigned long long inode = request->page ? strtoull(request->page, &rest, 10) : 0;
    off_t place = request->page ? (off_t)strtoll(rest, NULL, 10) : 0;
    page->events = arena_array(arena, PAGE_LINES, sizeof *page->events);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        CLEANUP(close_reader) struct reader reader;
        if (!open_reader(&reader, paths[i]) || (inode && reader.inode != inode))
            continue;
        if (inode)
            fseeko(reader.file, place, SEEK_SET);
        else
            seek_time(&reader, request->from_ms);
        inode = 0; /* what follows it is read from its start */
        if (take_lines(arena, &reader, request, page))
            return 0;
    }
    return 0;
}

struct log_source file_log_source(struct arena *arena, const char *name, const char *path)
{
    struct log_file *log = arena_new_of(arena, struct log_file);
    log->path = path;
    return (struct log_source){.name = name, .read = read_file, .data = log};
}
