/* A profile's credential_process: a program that prints credentials.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkg/aws/source.h"
#include "pkg/aws/words.h"

enum { TIME_LIMIT_MS = 60000, OUTPUT_MAXIMUM_BYTES = 64 << 10 };

extern char **environ;

struct child {
    char **words;
    int timeout_ms;
    pid_t pid;
    bool own_group; /* may be killed with all that it started */
    int output;     /* the end to read from */
    char *text;     /* OUTPUT_MAXIMUM_BYTES + 1, in the erased arena */
    size_t length;
};

static void close_pipe(int (*ends)[2])
{
    for (int i = 0; i < 2; i++) {
        if ((*ends)[i] >= 0)
            close((*ends)[i]);
    }
}

/* The signals of a program that is started by hand. */
static void arrange_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, pipe_signal;
    sigemptyset(&none);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &pipe_signal);
}

/* At a terminal the program may ask (for a code, a touch); elsewhere what it says beside its
 * output would end in a log, secrets and all. */
static void arrange(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                    struct child *child, int output)
{
    bool terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    child->own_group = !terminal;
    arrange_signals(attributes);
    posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    if (!terminal) {
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        flags |= POSIX_SPAWN_SETPGROUP;
    }
    posix_spawnattr_setflags(attributes, flags);
}

/* 0 or an errno. */
static int start(struct child *child)
{
    CLEANUP(close_pipe) int ends[2] = {-1, -1};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    arrange(&actions, &attributes, child, ends[1]);
    int why =
        posix_spawnp(&child->pid, child->words[0], &actions, &attributes, child->words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (why == 0) {
        child->output = ends[0];
        ends[0] = -1;
    }
    return why;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads up to the end of the output. 0, ETIMEDOUT, EFBIG or another errno. */
static int read_output(struct child *child, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd ready = {.fd = child->output, .events = POLLIN};
        int64_t left_ms = deadline_ms - now_ms();
        int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
        if (count == 0)
            return ETIMEDOUT;
        if (count < 0 && errno != EINTR)
            return errno;
        if (count < 0)
            continue;
        ssize_t got = read(child->output, child->text + child->length,
                           OUTPUT_MAXIMUM_BYTES + 1 - child->length);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return errno;
        child->length += got > 0 ? (size_t)got : 0;
        if (child->length > OUTPUT_MAXIMUM_BYTES)
            return EFBIG;
    }
}

/* Waits for the end of the program, and kills what is late. */
static int reap(struct child *child, int64_t deadline_ms, bool kill_now, int *status)
{
    enum { POLL_MS = 10 };
    bool late = kill_now;
    for (;;) {
        if (late)
            kill(child->own_group ? -child->pid : child->pid, SIGKILL);
        pid_t ended = waitpid(child->pid, status, late ? 0 : WNOHANG);
        if (ended == child->pid)
            return late && !kill_now ? ETIMEDOUT : 0;
        if (ended < 0 && errno != EINTR)
            return errno;
        late = late || now_ms() >= deadline_ms;
        if (!late)
            poll(NULL, 0, POLL_MS);
    }
}

/* Blocks; touches nothing but the child. 0 or an errno. */
static int run(struct child *child, int *status)
{
    int64_t deadline_ms = now_ms() + child->timeout_ms;
    int why = start(child);
    if (why)
        return why;
    why = read_output(child, deadline_ms);
    close(child->output);
    int ended = reap(child, deadline_ms, why != 0, status);
    return why ? why : ended;
}

static int failed(const struct child *child, int why, int status, struct error *error)
{
    const char *program = child->words[0];
    if (why == ETIMEDOUT)
        return error_set(error, ERR_TIMEOUT, "%s did not end within %d.%d s", program,
                         child->timeout_ms / 1000, child->timeout_ms / 100 % 10);
    if (why == EFBIG)
        return error_set(error, ERR_FAILED, "%s printed over %d KiB", program,
                         OUTPUT_MAXIMUM_BYTES >> 10);
    if (why)
        return error_set(error, ERR_FAILED, "cannot run %s: %s", program, strerror(why));
    if (WIFSIGNALED(status))
        return error_set(error, ERR_FAILED, "%s was ended by signal %d", program, WTERMSIG(status));
    return error_set(error, ERR_FAILED, "%s failed with status %d; run it by hand to see why",
                     program, WEXITSTATUS(status));
}

static int take_output(struct search *search, const struct child *child, struct credentials *out,
                       struct error *error)
{
    struct value *tree;
    int result = search_json(search, child->text, child->length, child->words[0], &tree, error);
    if (result < 0)
        return result;
    if (value_int_at(tree, "Version", 0) != 1)
        return error_set(error, ERR_FAILED, "%s printed no credentials of \"Version\": 1",
                         child->words[0]);
    return search_keys(tree, "SessionToken", child->words[0], out, error);
}

int source_process(struct task *task, struct search *search, const struct profile *profile,
                   struct credentials *out, struct error *error)
{
    const char *command = profile_get(profile, "credential_process");
    int limit_ms = search->options->process_timeout_ms;
    struct child child = {.timeout_ms = limit_ms ? limit_ms : TIME_LIMIT_MS};
    size_t count;
    int status = 0;
    if (!command)
        return SOURCE_EMPTY;
    int result = words_split(search->arena, command, &child.words, &count, error);
    if (result < 0 || count == 0)
        return error_wrap(error, "profile %s, credential_process", profile->name);
    child.text = arena_alloc(search->arena, OUTPUT_MAXIMUM_BYTES + 2);
    task_block_begin(task);
    int why = run(&child, &status);
    task_block_end(task);
    result = why || status ? failed(&child, why, status, error)
                           : take_output(search, &child, out, error);
    credentials_name(out, "profile %.30s, credential_process", profile->name);
    return result < 0 ? error_wrap(error, "profile %s, credential_process", profile->name) : 0;
}
