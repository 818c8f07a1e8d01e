/* Other programs, run to their end. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/buffer.h"
#include "pkg/local/local.h"

enum { OUTPUT_MAXIMUM = 1 << 20, TOLD_MAXIMUM = 600, NOT_FOUND = 127 };

/* Between fork and exec. The user is looked up before. */
NORETURN static void become(const struct program *program, const struct passwd *user, int output)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); /* Ctrl-C is ours to handle */
    int input = open("/dev/null", O_RDONLY);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(3, ~0U, 0);
    if (user && (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
        _exit(NOT_FOUND - 1);
    if (!program->folder || chdir(program->folder) == 0)
        execvp(program->arguments[0], (char *const *)(uintptr_t)program->arguments);
    _exit(NOT_FOUND);
}

static void read_output(int from, struct buffer *into)
{
    char chunk[4096];
    for (ssize_t length; (length = read(from, chunk, sizeof chunk)) != 0;) {
        if (length < 0 && errno != EINTR)
            return;
        if (length > 0)
            buffer_append(into, chunk, (size_t)length);
    }
}

static int judge(const struct program *program, int status, const struct buffer *output,
                 struct error *error)
{
    const char *text = buffer_string(output), *name = program->arguments[0];
    size_t length = strlen(text);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND && !length)
        return error_set(error, ERR_NOT_FOUND, "there is no program %s", name);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    const char *last = length > TOLD_MAXIMUM ? text + length - TOLD_MAXIMUM : text;
    if (program->output)
        return error_set(error, ERR_FAILED, "%s failed; %s says why", name, program->output);
    return error_set(error, ERR_FAILED, "%s failed: %.*s", name,
                     (int)(length - (size_t)(last - text)), last);
}

/* The pipe's or the file's end that the program writes to. */
static int open_output(const struct program *program, int pipe_ends[2], struct error *error)
{
    pipe_ends[0] = -1;
    if (program->output)
        pipe_ends[1] = open(program->output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    else if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        pipe_ends[1] = -1;
    if (pipe_ends[1] < 0)
        return error_set(error, ERR_FAILED, "%s: %s",
                         program->output ? program->output : program->arguments[0],
                         strerror(errno));
    return 0;
}

int program_run(struct task *task, const struct program *program, struct error *error)
{
    int ends[2], status = 0;
    const struct passwd *user = program->user && geteuid() == 0 ? getpwnam(program->user) : NULL;
    struct buffer output = BUFFER(OUTPUT_MAXIMUM);
    if (program->user && geteuid() == 0 && !user)
        return error_set(error, ERR_FAILED, "there is no user %s on this machine", program->user);
    int result = open_output(program, ends, error);
    if (result < 0)
        return result;
    pid_t pid = fork();
    if (pid == 0)
        become(program, user, ends[1]);
    close(ends[1]);
    task_block_begin(task);
    if (ends[0] >= 0)
        read_output(ends[0], &output);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    task_block_end(task);
    if (ends[0] >= 0)
        close(ends[0]);
    result = pid < 0 ? error_set(error, ERR_FAILED, "fork: %s", strerror(errno))
                     : judge(program, status, &output, error);
    buffer_free(&output);
    return result;
}
