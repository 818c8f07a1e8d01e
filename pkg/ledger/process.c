#include "pkg/ledger/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a small file of /proc; "" when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : read(descriptor, out, size - 1);
    if (descriptor >= 0)
        close(descriptor);
    out[length > 0 ? length : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* When a process started, in ticks since the machine did: the 22nd field, counted from the ")" that
 * ends its name. "" if it cannot be seen; "-" when it has ended and waits for its parent. */
static void start_of(long pid, char *out, size_t size)
{
    enum { FIELDS_AFTER_NAME = 20 };
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    read_line(path, line, sizeof line);
    const char *at = strrchr(line, ')');
    bool ended = at && at[1] == ' ' && (at[2] == 'Z' || at[2] == 'X');
    for (int i = 0; at && i < FIELDS_AFTER_NAME; i++)
        at = strchr(at + 1, ' ');
    snprintf(out, size, "%.*s", at ? (int)strcspn(at + 1, " ") : 0, at ? at + 1 : "");
    if (ended)
        snprintf(out, size, "-");
}

/* This run of this machine, and whose process numbers count: "<boot>/<namespace>". */
static bool read_place(char *out, size_t size)
{
    char boot[64], space[64];
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (!boot[0] || length <= 0)
        return false;
    space[length] = '\0';
    snprintf(out, size, "%s/%s", boot, space);
    return true;
}

const char *process_mark(struct arena *arena)
{
    char place[160], start[32];
    start_of((long)getpid(), start, sizeof start);
    if (!start[0] || !read_place(place, sizeof place))
        return NULL;
    return arena_printf(arena, "%s/%ld/%s", place, (long)getpid(), start);
}

bool process_is_gone(const char *mark)
{
    char place[160], start[32], *end;
    if (!mark || !read_place(place, sizeof place))
        return false;
    size_t length = strlen(place);
    if (strncmp(mark, place, length) != 0 || mark[length] != '/')
        return false;
    long pid = strtol(mark + length + 1, &end, 10);
    if (*end != '/' || pid <= 0)
        return false;
    if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
        return true;
    start_of(pid, start, sizeof start); /* of another user's it may not be seen */
    return start[0] && strcmp(start, end + 1) != 0;
}
