/* The man page, printed from the command table. */
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/help.h"
#include "cmd/ragstack/session.h"

/* Text as roff takes it: no request at a line's start, and hyphens that can be copied. */
static void put_text(const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        line_start = *text == '\n';
        switch (*text) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '`': /* `command` */
            fputs("\\(ga", stdout);
            break;
        case '~':
            fputs("\\(ti", stdout);
            break;
        case '^':
            fputs("\\(ha", stdout);
            break;
        default:
            putchar(*text);
        }
    }
}

static void put_line(const char *text)
{
    put_text(text);
    putchar('\n');
}

static void put_option(const struct command *command, const struct option_row *row)
{
    char letter = option_letter(command, row);
    fputs(".TP\n\\fB", stdout);
    if (letter)
        printf("\\-%c\\fR, \\fB", letter);
    put_text("--");
    put_text(row->name);
    fputs("\\fR", stdout);
    if (row->argument) {
        fputs(" \\fI", stdout);
        put_text(row->argument);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    put_line(row->summary);
}

static void put_examples(const char *examples)
{
    if (!examples)
        return;
    fputs(".PP\n.EX\n", stdout);
    put_line(examples);
    fputs(".EE\n", stdout);
}

static void put_command(const struct command *command)
{
    if (!command->summary)
        return;
    printf(".SS %s %s\n", command->name, command->arguments);
    put_text(command->summary);
    fputs(".\n", stdout);
    if (command->details) {
        fputs(".PP\n.nf\n", stdout);
        put_line(command->details);
        fputs(".fi\n", stdout);
    }
    for (const struct option_row *row = command->options; row && row->name; row++)
        put_option(command, row);
    put_examples(command->examples);
}

static void put_head(void)
{
    printf(".TH RAGSTACK 1 \"\" \"ragstack %s\" \"User Commands\"\n", RAGSTACK_VERSION);
    fputs(".SH NAME\n"
          "ragstack \\- a RAG system from one YAML file to running infrastructure\n"
          ".SH SYNOPSIS\n"
          ".B ragstack\n"
          ".I COMMAND\n"
          "[options]\n"
          ".SH DESCRIPTION\n"
          "ragstack makes the infrastructure that a stack file describes, and keeps it as the file "
          "says:\n"
          "it observes what exists, compares it with the file, and makes only the calls that close "
          "the\n"
          "difference. There is no state file; what belongs to a stack is known by its tags.\n",
          stdout);
}

static void put_tables(void)
{
    fputs(".SH OPTIONS OF EVERY COMMAND\n", stdout);
    for (const struct option_row *row = common_options; row->name; row++)
        put_option(NULL, row);
    fputs(".SH EXIT STATUS\n", stdout);
    for (const struct exit_row *row = exit_rows; row->text; row++) {
        printf(".TP\n%d\n", row->code);
        put_line(row->text);
    }
    fputs(".SH ENVIRONMENT\n", stdout);
    for (const struct environment_row *row = environment_rows; row->name; row++) {
        printf(".TP\n%s\n", row->name);
        put_line(row->text);
    }
    fputs(".SH FILES\n.TP\nragstack.yaml\nthe stack file; ", stdout);
    put_line("`ragstack explain` is its reference");
}

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task, (void)session, (void)error;
    put_head();
    fputs(".SH COMMANDS\n", stdout);
    for (const struct command *const *command = commands; *command; command++)
        put_command(*command);
    put_tables();
    return EXIT_DONE;
}

const struct command command_man = {
    .name = "man",
    .arguments = "",
    .summary = "Print the man page",
    .details = "In roff; `make install` puts it where man looks.",
    .examples = "ragstack man | man -l -",
    .run = run,
};
