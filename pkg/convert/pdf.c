/* PDF by poppler's pdftotext: a process of its own, with a time limit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pkg/convert/internal.h"

enum { TIME_LIMIT_MS = 120000, PIECE = 16 << 10 };

struct child {
    pid_t pid;
    int output;  /* the end to read from */
    int trouble; /* what it says on stderr */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0 or an errno. */
static int start(struct child *child, const char *path)
{
    const char *const arguments[] = {"pdftotext", "-q", "-enc", "UTF-8",
                                     "-nopgbrk",  path, "-",    NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    child->trouble = memfd_create("pdftotext", MFD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (child->trouble >= 0)
        posix_spawn_file_actions_adddup2(&actions, child->trouble, STDERR_FILENO);
    int why =
        posix_spawnp(&child->pid, arguments[0], &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    child->output = ends[0];
    return why;
}

/* Up to its end; false when it is late, or writes more than may be. */
static bool read_output(struct child *child, struct buffer *out, int64_t deadline_ms)
{
    char piece[PIECE];
    for (;;) {
        struct pollfd ready = {.fd = child->output, .events = POLLIN};
        int64_t left_ms = deadline_ms - now_ms();
        if (left_ms <= 0 || out->overflow)
            return false;
        int count = poll(&ready, 1, (int)left_ms);
        if (count <= 0)
            continue;
        ssize_t got = read(child->output, piece, sizeof piece);
        if (got == 0)
            return true;
        if (got > 0)
            buffer_append(out, piece, (size_t)got);
        else if (errno != EINTR)
            return false;
    }
}

/* The first line that it wrote to stderr. */
static const char *trouble_of(struct arena *arena, const struct child *child)
{
    char text[200];
    ssize_t length = child->trouble >= 0 ? pread(child->trouble, text, sizeof text - 1, 0) : 0;
    text[length > 0 ? length : 0] = '\0';
    return arena_strndup(arena, text, strcspn(text, "\n"));
}

static int judge(struct arena *arena, const struct child *child, bool complete, int status,
                 struct error *error)
{
    enum { NOT_ALLOWED = 3 };
    if (!complete)
        return error_set(error, ERR_INPUT, "pdftotext did not come to an end with it");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
        return error_set(error, ERR_INPUT, "its owner allows no copying of its text");
    const char *trouble = trouble_of(arena, child);
    return error_set(error, ERR_INPUT, "pdftotext cannot read it%s%s", *trouble ? ": " : "",
                     trouble);
}

/* A short first line is a title. */
static const char *title_of(struct arena *arena, const char *text)
{
    enum { LONGEST = 120 };
    text += strspn(text, " \t\n\f");
    size_t length = strcspn(text, "\n");
    while (length && text[length - 1] == ' ')
        length--;
    return length && length <= LONGEST ? arena_strndup(arena, text, length) : NULL;
}

static int run(struct arena *arena, struct child *child, struct buffer *out, struct error *error)
{
    int status = 0;
    bool complete = read_output(child, out, now_ms() + TIME_LIMIT_MS);
    if (!complete)
        kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return judge(arena, child, complete, status, error);
}

int convert_pdf(struct arena *arena, const char *path, struct converted *out, struct error *error)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(CONVERT_FILE_MAXIMUM);
    struct child child = {.output = -1, .trouble = -1};
    if (access(path, R_OK) < 0)
        return error_set(error, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, "%s",
                         strerror(errno));
    if (*path == '-') /* an option to pdftotext */
        path = arena_printf(arena, "./%s", path);
    int why = start(&child, path), result = 0;
    if (why == ENOENT)
        result = error_set(error, ERR_INPUT,
                           "there is no pdftotext on this machine (Debian's package: "
                           "poppler-utils)");
    else if (why)
        result = error_set(error, ERR_FAILED, "pdftotext: %s", strerror(why));
    else
        result = run(arena, &child, &text, error);
    if (child.output >= 0)
        close(child.output);
    if (child.trouble >= 0)
        close(child.trouble);
    if (result == 0)
        result =
            text_decode(arena, buffer_string(&text), text.length, &out->text, &out->length, error);
    if (result == 0)
        out->title = title_of(arena, out->text);
    return result;
}
