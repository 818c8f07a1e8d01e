/* The stack as a picture: a tree on the terminal, or drawn by Graphviz. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/ragstack/session.h"
#include "pkg/base/file.h"
#include "pkg/plan/picture.h"

extern char **environ;

static const struct option_row options[] = {
    {"svg", 0, NULL, false, NULL, "drawn by Graphviz's `dot` (the default for --out)"},
    {"dot", 0, NULL, false, NULL, "the drawing's text, for Graphviz"},
    {"text", 0, NULL, false, NULL, "a tree (the default without --out)"},
    {"out", 'o', "FILE", false, NULL, "write it there"},
    {"offline", 0, NULL, false, NULL, "by the file alone; asks nobody, and tells no changes"},
    {0},
};

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

/* -- Graphviz -- */

static int start_dot(FILE *in, FILE *out, pid_t *child)
{
    char program[] = "dot", format[] = "-Tsvg", *arguments[] = {program, format, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    int failed = posix_spawnp(child, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* ERR_NOT_FOUND: there is no Graphviz here. */
static int draw(struct task *task, const struct buffer *dot, FILE *out, struct error *error)
{
    pid_t child;
    int status = 0;
    CLEANUP(close_file) FILE *in = tmpfile();
    if (!in || fwrite(buffer_string(dot), 1, dot->length, in) != dot->length || fflush(in) != 0 ||
        fseek(in, 0, SEEK_SET) != 0)
        return error_set(error, ERR_FAILED, "a temporary file: %s", strerror(errno));
    int failed = start_dot(in, out, &child);
    if (failed)
        return error_set(error, failed == ENOENT ? ERR_NOT_FOUND : ERR_FAILED,
                         "there is no `dot` here (Debian's package graphviz): %s",
                         strerror(failed));
    task_block_begin(task);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    task_block_end(task);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? 0
               : error_set(error, ERR_FAILED, "`dot` failed");
}

static int write_svg(struct task *task, struct session *session, const struct picture *picture,
                     const char *path, struct error *error)
{
    CLEANUP(buffer_free) struct buffer dot = BUFFER(BUFFER_LARGE);
    picture_print_dot(&dot, picture);
    if (!path) {
        fflush(stdout);
        return draw(task, &dot, stdout, error);
    }
    CLEANUP(close_file) FILE *drawn = tmpfile();
    if (!drawn)
        return error_set(error, ERR_FAILED, "a temporary file: %s", strerror(errno));
    int result = draw(task, &dot, drawn, error);
    if (result < 0)
        return result;
    long length = fseek(drawn, 0, SEEK_END) == 0 ? ftell(drawn) : -1;
    char *bytes = arena_alloc(session->arena, length > 0 ? (size_t)length : 1);
    rewind(drawn);
    if (length < 0 || fread(bytes, 1, (size_t)length, drawn) != (size_t)length)
        return error_set(error, ERR_FAILED, "a temporary file cannot be read");
    return file_write(session->arena, path, bytes, (size_t)length, error);
}

/* -- text -- */

static int give_text(struct session *session, const struct picture *picture, bool dot,
                     const char *path, struct error *error)
{
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    struct picture_style style = {.colour = session->colour_out && !path};
    if (dot)
        picture_print_dot(&out, picture);
    else
        picture_print_text(&out, picture, &style);
    if (path)
        return file_write(session->arena, path, buffer_string(&out), out.length, error);
    fwrite(buffer_string(&out), 1, out.length, stdout);
    return 0;
}

static int give(struct task *task, struct session *session, const struct picture *picture,
                struct error *error)
{
    const char *path = option_text(&session->options, "out");
    bool dot = option_said(&session->options, "dot");
    bool svg = option_said(&session->options, "svg");
    bool draws = svg || (path && !dot && !option_said(&session->options, "text"));
    int result = draws ? write_svg(task, session, picture, path, error)
                       : give_text(session, picture, dot, path, error);
    if (result == ERR_NOT_FOUND && draws && !svg) {
        fprintf(stderr, "%s; a tree is written instead\n", error->message);
        error_clear(error);
        result = give_text(session, picture, false, path, error);
    }
    if (result == 0 && path)
        fprintf(stderr, "Wrote %s.\n", path);
    return result;
}

/* -- running -- */

static int check_form(const struct session *session, struct error *error)
{
    static const char *const forms[] = {"svg", "dot", "text", "json"};
    int said = 0;
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        said += option_said(&session->options, forms[i]);
    if (said > 1)
        return error_set(error, ERR_USAGE, "--svg, --dot, --text, --json: one of them");
    if (session->json && option_said(&session->options, "out"))
        return error_set(error, ERR_USAGE, "--json answers on stdout: leave --out out");
    return 0;
}

/* As if nothing were there. */
static int plan_offline(struct session *session, struct plan **plan, struct error *error)
{
    struct found_list nothing = {0};
    int result = session_expand(session, error);
    return result < 0 ? result
                      : plan_make(session->arena, session->target, &session->wanted, &nothing, NULL,
                                  plan, error);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct plan *plan;
    struct picture picture;
    struct plan_options all = {0};
    bool offline = option_said(&session->options, "offline");
    int result = check_form(session, error);
    if (result == 0)
        result = offline ? plan_offline(session, &plan, error)
                         : session_plan(task, session, &all, &plan, error);
    if (result < 0)
        return result;
    picture_make(session->arena, plan, offline, &picture);
    if (!session->json)
        return give(task, session, &picture, error);
    struct value *document = picture_to_value(session->arena, &picture);
    print_json(value_set_int(session->arena, document, "schema", 1));
    return EXIT_DONE;
}

const struct command command_graph = {
    .name = "graph",
    .arguments = "",
    .summary = "Draw the stack: the ways of data, what changes, what functions may reach",
    .details =
        "From those who ask to the model, with what `up` would do to each resource. What a "
        "function\n"
        "may reach is what its role allows, and the way that its security groups leave open; what "
        "is\nallowed and cannot be reached is marked.",
    .examples = "ragstack graph\nragstack graph --out stack.svg\nragstack graph --dot --offline",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
