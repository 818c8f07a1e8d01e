/* The processes of a function: started as Lambda starts them, and again whenever they end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkg/base/vector.h"
#include "pkg/serve/runtime_internal.h"

enum {
    LINE_MAXIMUM = 256 << 10, /* longer ones are cut, as CloudWatch does */
    PIECE_BYTES = 4096,
    MEMORY_LOOK_MS = 200,
    RESTART_LEAST_MS = 100,
    RESTART_MOST_MS = 5000,
};

/* The environment as Lambda gives it, and the function's own. */
static char **environment_of(struct arena *arena, const struct worker *worker)
{
    const struct function_options *options = &worker->function->options;
    VECTOR(char *) list = {0};
    const char *const fixed[] = {
        arena_printf(arena, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", server_port(worker->server)),
        arena_printf(arena, "_HANDLER=%s", options->handler),
        arena_printf(arena, "LAMBDA_TASK_ROOT=%s", options->root),
        arena_printf(arena, "AWS_LAMBDA_FUNCTION_NAME=%s", options->name),
        arena_printf(arena, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", options->memory_mb),
        arena_printf(arena, "AWS_REGION=%s", options->region),
        "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
        "LANG=en_US.UTF-8",
        "TZ=:UTC",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    };
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        vector_push(arena, &list, arena_strdup(arena, fixed[i]));
    for (const char *const *own = options->environment; own && *own; own++)
        vector_push(arena, &list, arena_strdup(arena, *own));
    vector_push(arena, &list, NULL);
    return list.items;
}

/* Between fork and exec: nothing but system calls. */
NORETURN static void become_handler(const struct worker *worker, const char *program,
                                    char **environment, int output)
{
    const struct function_options *options = &worker->function->options;
    struct rlimit no_core = {0, 0};
    char *arguments[] = {(char *)(uintptr_t)program, NULL};
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(3, ~0U, 0);
    setrlimit(RLIMIT_CORE, &no_core);
    if (chdir(options->root) == 0)
        execve(program, arguments, environment);
    _exit(127);
}

/* Returns the end of the pipe that its output comes from, or -1. */
static int spawn(struct worker *worker)
{
    int ends[2];
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *program = arena_printf(arena, "%s/bootstrap", worker->function->options.root);
    char **environment = environment_of(arena, worker);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        become_handler(worker, program, environment, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -1;
    }
    pthread_mutex_lock(&worker->function->lock);
    worker->pid = pid;
    if (worker->function->stopping)
        kill(pid, SIGKILL);
    pthread_mutex_unlock(&worker->function->lock);
    return ends[0];
}

/* -- its output, and its memory -- */

/* As Lambda counts it: what is resident. (A limit of the address space would keep out runtimes
 * that reserve much and use little.) */
static void check_memory(struct worker *worker)
{
    char path[64], text[128];
    long pages = 0, page_bytes = sysconf(_SC_PAGESIZE);
    size_t limit = (size_t)worker->function->options.memory_mb << 20;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)worker->pid);
    int file = limit ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    text[length > 0 ? length : 0] = '\0';
    const char *space = strchr(text, ' ');
    if (space)
        pages = strtol(space, NULL, 10);
    if (pages > 0 && (size_t)pages * (size_t)page_bytes > limit) {
        worker->outgrown = true;
        kill(worker->pid, SIGKILL);
    }
}

static void end_line(const struct worker *worker, struct buffer *line)
{
    if (line->length)
        function_log(worker->function, buffer_string(line));
    buffer_reset(line);
}

static void take_output(const struct worker *worker, struct buffer *line, const char *bytes,
                        size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r')
            end_line(worker, line);
        else if (bytes[i])
            buffer_char(line, bytes[i]);
    }
}

/* Reads what the process writes, until it has ended. */
static void pass_output(struct worker *worker, int output)
{
    CLEANUP(buffer_free) struct buffer line = BUFFER(LINE_MAXIMUM);
    struct pollfd wait = {.fd = output, .events = POLLIN};
    char bytes[PIECE_BYTES];
    for (;;) {
        int ready = poll(&wait, 1, MEMORY_LOOK_MS);
        check_memory(worker);
        ssize_t length = ready > 0 ? read(output, bytes, sizeof bytes) : -1;
        if (length > 0)
            take_output(worker, &line, bytes, (size_t)length);
        else if (ready > 0 && (length == 0 || errno != EINTR))
            break;
    }
    end_line(worker, &line);
    close(output);
}

/* What the end of a process means for its event, and for the function. True if it had come as far
 * as asking for an event. */
static bool mourn(struct worker *worker, int status)
{
    struct function *function = worker->function;
    char how[128];
    if (worker->outgrown)
        snprintf(how, sizeof how, "the process was killed: it took more than its %d MB",
                 function->options.memory_mb);
    else if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "the process was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(how, sizeof how, "the process ended with exit status %d", WEXITSTATUS(status));
    pthread_mutex_lock(&function->lock);
    bool served = worker->serving;
    worker->pid = 0;
    worker->life++;
    worker->ready = false;
    worker->serving = false;
    if (worker->event && !worker->event->ended)
        event_fail(worker->event, worker->outgrown ? "Runtime.OutOfMemory" : "Runtime.ExitError",
                   how);
    worker->event = NULL;
    if (!function->stopping) {
        function->status.restarts++;
        if (!function->ever_ready) {
            function->status.state = "Failed";
            if (!function->status.reason[0])
                snprintf(function->status.reason, sizeof function->status.reason, "%s", how);
        }
    }
    pthread_cond_broadcast(&function->changed);
    pthread_mutex_unlock(&function->lock);
    worker->outgrown = false;
    if (!function->stopping)
        function_log(function, how);
    return served;
}

/* Sleeps, unless the function stops. */
static void rest(struct function *function, int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&function->lock);
    int waited = 0;
    while (!function->stopping && waited == 0)
        waited = pthread_cond_timedwait(&function->changed, &function->lock, &until);
    pthread_mutex_unlock(&function->lock);
}

static bool is_stopping(struct function *function)
{
    pthread_mutex_lock(&function->lock);
    bool stopping = function->stopping;
    pthread_mutex_unlock(&function->lock);
    return stopping;
}

/* The thread that forks lives as long as the process: the parent's death signal is tied to it. */
void *runtime_keep_alive(void *argument)
{
    struct worker *worker = argument;
    int pause_ms = RESTART_LEAST_MS;
    while (!is_stopping(worker->function)) {
        int status = 0, output = spawn(worker);
        if (output >= 0) {
            pass_output(worker, output);
            waitpid(worker->pid, &status, 0);
            if (mourn(worker, status))
                pause_ms = RESTART_LEAST_MS;
        }
        rest(worker->function, pause_ms);
        pause_ms = pause_ms * 2 < RESTART_MOST_MS ? pause_ms * 2 : RESTART_MOST_MS;
    }
    return NULL;
}
