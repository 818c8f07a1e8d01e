/* The command table, and the way from argv to an exit code. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/help.h"
#include "cmd/ragstack/session.h"
#include "pkg/base/log.h"

/* Every command, in the order in which help lists them. */
#define COMMANDS(X) \
    X(init)         \
    X(validate)     \
    X(diff)         \
    X(up)           \
    X(down)         \
    X(status)       \
    X(cost)         \
    X(graph)        \
    X(outputs)      \
    X(logs)         \
    X(watch)        \
    X(ingest)       \
    X(ask)          \
    X(eval)         \
    X(open)         \
    X(ls)           \
    X(history)      \
    X(rollback)     \
    X(adopt)        \
    X(export)       \
    X(unlock)       \
    X(ci)           \
    X(explain)      \
    X(completion)   \
    X(man)          \
    X(bundle)       \
    X(supervise)

#define COMMAND_DECLARE(name) extern const struct command command_##name;
COMMANDS(COMMAND_DECLARE)
#define COMMAND_ROW(name) &command_##name,
const struct command *const commands[] = {COMMANDS(COMMAND_ROW) NULL};

const struct option_row common_options[] = {
    {"file", 'f', "FILE", false, NULL, "the stack file (default: ragstack.yaml)"},
    {"env", 'e', "NAME", false, NULL, "the environment, when the file has several"},
    {"local", 0, NULL, false, NULL, "the local target, on this machine"},
    {"json", 0, NULL, false, NULL, "answer with JSON on stdout"},
    {"verbose", 'v', NULL, true, NULL, "say more; -vv traces every request"},
    {"yes", 'y', NULL, false, NULL, "do not ask; never enough to lose data"},
    {"color", 0, "WHEN", false, "auto|always|never",
     "colours (default: auto; NO_COLOR is honoured)"},
    {"no-color", 0, NULL, false, NULL, "the same as --color=never"},
    {"help", 'h', NULL, false, NULL, "this help"},
    {0},
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *command = commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

/* -- exit codes -- */

static int exit_code_of(int code)
{
    static const struct {
        int error, exit;
    } table[] = {
        {ERR_USAGE, EXIT_USAGE},           {ERR_INPUT, EXIT_INPUT},
        {ERR_DATA_LOSS, EXIT_DATA_LOSS},   {ERR_LOCKED, EXIT_LOCKED},
        {ERR_PARTIAL, EXIT_PARTIAL},       {ERR_PREFLIGHT, EXIT_PREFLIGHT},
        {ERR_CANCELLED, EXIT_INTERRUPTED},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].error == code)
            return table[i].exit;
    }
    return EXIT_FAILED;
}

static void print_error(const struct session *session, const struct error *error)
{
    const char *red = session->colour_err ? "\033[1;31m" : "";
    const char *plain = session->colour_err ? "\033[0m" : "";
    fprintf(stderr, "%serror%s: ", red, plain);
    if (error->file[0] && error->line)
        fprintf(stderr, "%s:%d:%d: ", error->file, error->line, error->column);
    fprintf(stderr, "%s\n", error->message);
    if (error->aws_code[0] || error->request_id[0])
        fprintf(stderr, "  AWS: %s%s%s%s\n", error->aws_code,
                error->request_id[0] ? " (request " : "", error->request_id,
                error->request_id[0] ? ")" : "");
}

/* -- Ctrl-C -- */

static struct session *interruptible; /* what the signal handler may touch */
static volatile sig_atomic_t interrupts;

static void say_at_once(const char *text, size_t length)
{
    if (write(STDERR_FILENO, text, length) < 0)
        _exit(EXIT_INTERRUPTED);
}

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    static const char told[] =
        "\nstopping: what runs is finished, nothing new starts (Ctrl-C again "
        "stops at once)\n";
    if (interrupts++ || !interruptible || interruptible->on_interrupt == INTERRUPT_EXITS) {
        say_at_once("\n", 1);
        _exit(EXIT_INTERRUPTED);
    }
    if (interruptible->on_interrupt == INTERRUPT_FINISHES)
        say_at_once(told, sizeof told - 1);
    interruptible->interrupted = true;
    loop_interrupt(interruptible->loop);
}

/* On the loop, soon after the signal. */
static void cancel_command(void *data)
{
    struct session *session = data;
    if (session->task && session->on_interrupt == INTERRUPT_CANCELS)
        task_cancel(session->task);
}

static void catch_interrupts(struct session *session)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    interruptible = session;
    loop_on_interrupt(session->loop, cancel_command, session);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* -- running -- */

static bool use_colour(const struct options *options, int descriptor)
{
    const char *when = option_text(options, "color"), *none = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (option_said(options, "no-color") || (when && strcmp(when, "never") == 0))
        return false;
    if (when && strcmp(when, "always") == 0)
        return true;
    return isatty(descriptor) && !(none && *none) && !(terminal && strcmp(terminal, "dumb") == 0);
}

static int run_in_task(struct task *task, void *argument, struct error *error)
{
    struct session *session = argument;
    session->task = task;
    int result = session->command->run(task, session, error);
    session->task = NULL;
    return result;
}

static int run(struct session *session, struct error *error)
{
    if (session->command->needs & NEED_PROCESS)
        return session->command->run(NULL, session, error);
    session->loop = loop_new(clock_system());
    catch_interrupts(session);
    int result = session_open(session, error);
    if (result == 0)
        result = loop_run_task(session->loop, session->command->name, run_in_task, session, error);
    interruptible = NULL;
    session_close(session);
    loop_free(session->loop);
    return result;
}

static int run_command(struct arena *arena, const struct command *command, int argc, char **argv)
{
    struct session session = {.arena = arena, .command = command};
    struct error error = {0};
    int result = options_parse(arena, command, argc, argv, &session.options, &error);
    session.colour_out = use_colour(&session.options, STDOUT_FILENO);
    session.colour_err = use_colour(&session.options, STDERR_FILENO);
    session.json = option_said(&session.options, "json");
    log_set_level((enum log_level)option_count(&session.options, "verbose"));
    if (result == 0 && option_said(&session.options, "help")) {
        help_command(stdout, command);
        return EXIT_DONE;
    }
    if (result == 0)
        result = run(&session, &error);
    if (result >= 0)
        return result;
    if (error.message[0])
        print_error(&session, &error);
    return interrupts && result != ERR_PARTIAL ? EXIT_INTERRUPTED : exit_code_of(result);
}

static int unknown_command(struct arena *arena, const char *word)
{
    size_t count = 0;
    while (commands[count])
        count++;
    const char **names = arena_array(arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = commands[i]->name;
    const char *nearest = nearest_name(word, names);
    fprintf(stderr, "error: there is no command \"%s\"; %s%s%s\n", word,
            nearest ? "did you mean \"" : "`ragstack --help` lists them", nearest ? nearest : "",
            nearest ? "\"?" : "");
    return EXIT_USAGE;
}

/* Common options may stand before the command, too: it is moved to the front. */
static void put_command_first(int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *word = argv[at];
        for (const struct option_row *row = common_options; row->name; row++) {
            bool named = strncmp(word, "--", 2) == 0 && strcmp(word + 2, row->name) == 0;
            bool lettered = row->letter && word[1] == row->letter && word[2] == '\0';
            if (row->argument && (named || lettered))
                at++; /* its argument follows */
        }
    }
    if (at >= argc)
        return;
    char *command = argv[at];
    memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof *argv);
    argv[1] = command;
}

static int help(int argc, char **argv)
{
    const struct command *command = argc > 2 ? command_find(argv[2]) : NULL;
    if (command)
        help_command(stdout, command);
    else
        help_all(argc > 1 ? stdout : stderr);
    return argc > 1 ? EXIT_DONE : EXIT_USAGE;
}

/* A pipe whose reader had enough, as in `ragstack logs | head`: no error. */
static bool nobody_reads(int descriptor)
{
    struct pollfd pipe = {.fd = descriptor, .events = POLLOUT};
    return poll(&pipe, 1, 0) > 0 && (pipe.revents & POLLERR);
}

int main(int argc, char **argv)
{
    put_command_first(argc, argv);
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--version") == 0) {
        printf("ragstack %s\n", RAGSTACK_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(argc, argv);
    struct arena *arena = arena_new();
    const struct command *command = command_find(word);
    int code =
        command ? run_command(arena, command, argc - 2, argv + 2) : unknown_command(arena, word);
    arena_free(arena);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || nobody_reads(STDOUT_FILENO))
        return code;
    fputs("error: cannot write to stdout\n", stderr);
    return code == EXIT_DONE ? EXIT_FAILED : code;
}
