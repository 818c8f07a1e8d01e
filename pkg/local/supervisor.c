/* Speaking to the supervisor, and starting it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/buffer.h"
#include "pkg/base/file.h"
#include "pkg/local/local.h"
#include "pkg/value/json.h"

enum { FILE_MAXIMUM = 4096, START_TRIES = 100, START_PAUSE_MS = 50, CALL_TIMEOUT_MS = 960000 };

/* Where it listens, and its token; ERR_NOT_FOUND when none runs. */
static int find(const struct local *local, struct arena *arena, struct value **out,
                struct error *error)
{
    const char *path = arena_printf(arena, "%s/supervisor.json", local->folder);
    char text[FILE_MAXIMUM];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0 || json_parse(arena, text, (size_t)length, path, out, error) < 0)
        return error_set(error, ERR_NOT_FOUND, "the stack is not running on this machine");
    if (kill((pid_t)value_int_at(*out, "pid", 0), 0) != 0)
        return error_set(error, ERR_NOT_FOUND, "the stack is not running on this machine");
    return 0;
}

static int judge(struct arena *arena, const struct http_reply *answer, struct value **reply,
                 struct error *error)
{
    struct value *tree = NULL;
    if (answer->body_length &&
        json_parse(arena, answer->body, answer->body_length, "supervisor", &tree, error) < 0)
        return error_wrap(error, "the supervisor's answer");
    if (reply)
        *reply = tree;
    const char *message = value_text(tree, "message");
    if (answer->status == 404)
        return error_set(error, ERR_NOT_FOUND, "%s", message ? message : "not found");
    if (answer->status == 502)
        return error_set(error, ERR_FAILED, "%s", value_text(tree, "errorMessage"));
    if (answer->status != 200)
        return error_set(error, ERR_INPUT, "%s", message ? message : "the supervisor refuses");
    return 0;
}

int supervisor_call(struct task *task, struct local *local, struct arena *arena, const char *method,
                    const char *path, const struct value *body, struct value **reply,
                    struct error *error)
{
    struct value *where = NULL;
    struct http_reply answer;
    int result = find(local, arena, &where, error);
    if (result < 0)
        return result;
    const struct http_header headers[] = {{"authorization", value_text(where, "token")},
                                          {"content-type", "application/json"}};
    const char *text = body ? json_text(arena, body) : NULL;
    struct http_request request = {
        .method = method,
        .url = arena_printf(arena, "http://127.0.0.1:%lld%s",
                            (long long)value_int_at(where, "port", 0), path),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = text,
        .body_length = text ? strlen(text) : 0,
        .timeout_ms = CALL_TIMEOUT_MS,
    };
    result = http_perform(local->transport, task, arena, &request, &answer, error);
    if (result == ERR_FAILED) /* it could not be reached: it is gone, and its file is left over */
        return error_set(error, ERR_NOT_FOUND, "the stack is not running on this machine");
    return result < 0 ? result : judge(arena, &answer, reply, error);
}

int supervisor_state(struct task *task, struct observation *observation, struct value **out,
                     struct error *error)
{
    struct local *local = observation->target;
    *out = local->state;
    if (!observation->only)
        return 0;
    *out = NULL;
    int result =
        supervisor_call(task, local, observation->arena, "GET", "/state", NULL, out, error);
    if (result == ERR_NOT_FOUND)
        error_clear(error);
    return result == ERR_NOT_FOUND ? 0 : result;
}

/* -- starting it -- */

/* A process of its own session, that outlives this one: forked twice, so that nobody waits for it.
 */
static void launch(const struct local *local, const char *log)
{
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char command[] = "supervise", *folder = arena_strdup(local->arena, local->folder);
    char *const arguments[] = {own, command, folder, NULL};
    pid_t pid = fork();
    if (pid != 0) {
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return;
    }
    setsid();
    if (fork() != 0)
        _exit(0);
    int null = open("/dev/null", O_RDWR), output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(null, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close_range(3, ~0U, 0);
    execv(own, arguments);
    _exit(127);
}

int supervisor_start(struct task *task, struct local *local, struct error *error)
{
    struct arena *arena = local->arena;
    const char *log = arena_printf(arena, "%s/supervisor.log", local->folder);
    int result = supervisor_call(task, local, arena, "GET", "/state", NULL, NULL, error);
    if (result != ERR_NOT_FOUND)
        return result;
    result = file_make_folders(arena, local->folder, 0755, error);
    if (result < 0)
        return result;
    launch(local, log);
    for (int tries = 0; tries < START_TRIES; tries++) {
        result = task_sleep(task, START_PAUSE_MS, error);
        if (result == 0)
            result = supervisor_call(task, local, arena, "GET", "/state", NULL, NULL, error);
        if (result != ERR_NOT_FOUND)
            return result;
    }
    return error_set(error, ERR_FAILED, "the supervisor did not start; %s says why", log);
}
