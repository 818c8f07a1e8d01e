#include "pkg/serve/log_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pkg/base/arena.h"
#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"

enum { FILE_MAXIMUM = 64 << 20, LINE_MAXIMUM = 300 << 10 };

struct log_files {
    struct arena *arena;
    const char *folder;
    pthread_mutex_t lock;
};

struct log_files *log_files_open(const char *folder)
{
    struct log_files *files = calloc(1, sizeof *files);
    require(files);
    files->arena = arena_new();
    files->folder = arena_strdup(files->arena, folder);
    pthread_mutex_init(&files->lock, NULL);
    mkdir(folder, 0755);
    return files;
}

void log_files_close(struct log_files *files)
{
    if (!files)
        return;
    pthread_mutex_destroy(&files->lock);
    arena_free(files->arena);
    free(files);
}

static void put_time(struct buffer *out)
{
    struct timespec now;
    struct tm parts;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    buffer_printf(out, "%s.%03ldZ\t", text, now.tv_nsec / 1000000);
}

/* A file that has grown too large becomes the older one; the one before that goes. */
static void rotate(struct arena *arena, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && status.st_size > FILE_MAXIMUM / 2)
        rename(path, arena_printf(arena, "%s.1", path));
}

void log_files_write(struct log_files *files, const char *source, const char *line)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *path = arena_printf(arena, "%s/%s.log", files->folder, source);
    struct buffer text = BUFFER(LINE_MAXIMUM);
    put_time(&text);
    for (const char *c = line; *c; c++)
        buffer_char(&text, *c == '\n' ? ' ' : *c);
    buffer_char(&text, '\n');
    pthread_mutex_lock(&files->lock);
    rotate(arena, path);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) {
        ssize_t written = write(file, text.data, text.length);
        (void)written;
        close(file);
    }
    pthread_mutex_unlock(&files->lock);
    buffer_free(&text);
}
