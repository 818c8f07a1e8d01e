#include "pkg/watch/host_gauges.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pkg/base/arena.h"
#include "pkg/base/log.h"
#include "pkg/base/panic.h"
#include "pkg/cloud/metrics.h"
#include "pkg/pg/pg.h"

enum {
    PROCESSES_MOST = 256,
    FIRST_LOOK_MS = 200, /* processor time needs two looks */
    URL_MOST = 2048,
};

struct process {
    int64_t pid, ticks;
};

struct host_gauges {
    char *folder, *url_file;
    struct pg *pg;
    struct process processes[PROCESSES_MOST];
    size_t count;
    int64_t looked_ms; /* monotonic; 0: not yet */
};

struct host_gauges *host_gauges_open(const char *folder, const char *url_file)
{
    struct host_gauges *gauges = calloc(1, sizeof *gauges);
    require(gauges);
    gauges->folder = strdup(folder);
    gauges->url_file = strdup(url_file);
    require(gauges->folder && gauges->url_file);
    return gauges;
}

void host_gauges_close(struct host_gauges *gauges)
{
    if (!gauges)
        return;
    pg_close(gauges->pg);
    free(gauges->folder);
    free(gauges->url_file);
    free(gauges);
}

/* -- the host -- */

static double free_storage(const char *folder)
{
    struct statvfs status;
    return statvfs(folder, &status) == 0 ? (double)status.f_bavail * (double)status.f_frsize : NAN;
}

static double free_memory(void)
{
    static const char available[] = "MemAvailable:";
    char line[256];
    double bytes = NAN;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, available, sizeof available - 1) == 0)
            bytes = strtod(line + sizeof available - 1, NULL) * 1024; /* kB */
    }
    if (file)
        fclose(file);
    return bytes;
}

/* User and system time of a process; -1 when it is gone. Source: proc_pid_stat(5). */
static int64_t ticks_of(int64_t pid)
{
    enum { USER = 14, SYSTEM = 15, AFTER_NAME = 3 };
    char path[64], text[1024];
    int64_t ticks = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0)
        return -1;
    text[length] = '\0';
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    at = at ? strchr(at, ' ') : NULL;
    for (int number = AFTER_NAME; at && number <= SYSTEM; number++) {
        at++;
        if (number >= USER)
            ticks += strtoll(at, NULL, 10);
        at = strchr(at, ' ');
    }
    return ticks;
}

/* -- the database -- */

static int connect_to(struct task *task, struct host_gauges *gauges, struct error *error)
{
    char url[URL_MOST];
    int file = open(gauges->url_file, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, url, sizeof url - 1) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0)
        return error_set(error, ERR_NOT_FOUND, "%s cannot be read", gauges->url_file);
    url[length] = '\0';
    url[strcspn(url, "\n")] = '\0';
    struct pg_options options = {.url = url, .application = "ragstack watch"};
    pg_close(gauges->pg);
    gauges->pg = NULL;
    int result = pg_open(task, &options, &gauges->pg, error);
    explicit_bzero(url, sizeof url);
    return result;
}

/* Its processes, and how many of them serve a client other than us. */
static int list_processes(struct task *task, struct host_gauges *gauges, struct arena *arena,
                          struct pg_rows *rows, struct error *error)
{
    static const char sql[] = "SELECT pid, backend_type = 'client backend' AND pid <> "
                              "pg_backend_pid() FROM pg_stat_activity";
    int result = pg_usable(gauges->pg) ? 0 : connect_to(task, gauges, error);
    return result < 0 ? result : pg_run(task, gauges->pg, arena, sql, NULL, 0, rows, error);
}

static int64_t ticks_before(const struct host_gauges *gauges, int64_t pid)
{
    for (size_t i = 0; i < gauges->count; i++) {
        if (gauges->processes[i].pid == pid)
            return gauges->processes[i].ticks;
    }
    return -1;
}

/* Per cent of all processors since the last look; NAN at the first. */
static double look_at(struct host_gauges *gauges, const struct pg_rows *rows, int64_t now_ms)
{
    struct process now[PROCESSES_MOST];
    size_t count = 0;
    int64_t spent = 0;
    for (size_t i = 0; i < rows->count && count < PROCESSES_MOST; i++) {
        int64_t pid = pg_cell_int(rows, i, 0), ticks = ticks_of(pid);
        int64_t before = ticks_before(gauges, pid);
        if (ticks < 0)
            continue;
        spent += before >= 0 ? ticks - before : 0;
        now[count++] = (struct process){pid, ticks};
    }
    int64_t passed_ms = now_ms - gauges->looked_ms;
    bool first = !gauges->looked_ms || passed_ms <= 0;
    memcpy(gauges->processes, now, count * sizeof *now);
    gauges->count = count;
    gauges->looked_ms = now_ms;
    double possible = (double)passed_ms / 1000 * (double)sysconf(_SC_CLK_TCK) *
                      (double)sysconf(_SC_NPROCESSORS_ONLN);
    return first ? NAN : fmin(100, 100 * (double)spent / possible);
}

static int read_database(struct task *task, struct host_gauges *gauges, double *values,
                         struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct pg_rows rows = {0};
    int64_t connections = 0;
    bool first = !gauges->looked_ms;
    int result = list_processes(task, gauges, arena, &rows, error);
    if (result == 0 && first) {
        look_at(gauges, &rows, task_now_ms(task));
        result = task_sleep(task, FIRST_LOOK_MS, error);
        if (result == 0)
            result = list_processes(task, gauges, arena, &rows, error);
    }
    if (result < 0)
        return result;
    for (size_t i = 0; i < rows.count; i++) {
        const char *is_client = pg_cell(&rows, i, 1);
        connections += is_client && is_client[0] == 't';
    }
    values[metric_number("connections")] = (double)connections;
    values[metric_number("database-cpu")] = look_at(gauges, &rows, task_now_ms(task));
    return 0;
}

int host_gauges_read(struct task *task, struct host_gauges *gauges, double *values,
                     struct error *error)
{
    for (size_t i = 0; i < METRICS_MOST; i++)
        values[i] = NAN;
    values[metric_number("free-storage")] = free_storage(gauges->folder);
    values[metric_number("free-memory")] = free_memory();
    int result = read_database(task, gauges, values, error);
    if (result == 0 || result == ERR_CANCELLED)
        return result;
    log_debug("the database's processes: %s", error->message);
    error_clear(error);
    return 0;
}
