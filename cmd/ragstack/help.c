#include "cmd/ragstack/help.h"

#include <string.h>

const struct exit_row exit_rows[] = {
    {EXIT_DONE, "done, or nothing to do"},
    {EXIT_FAILED, "failed"},
    {EXIT_CHANGES, "diff: changes are pending"},
    {EXIT_DRIFT, "diff: drift only"},
    {EXIT_DATA_LOSS, "data would be lost, and nobody consented"},
    {EXIT_LOCKED, "somebody else holds the lock"},
    {EXIT_PARTIAL, "partly done: run it again"},
    {EXIT_PREFLIGHT, "cannot work as things are; nothing was changed"},
    {EXIT_USAGE, "wrong command line"},
    {EXIT_INPUT, "bad stack file"},
    {EXIT_INTERRUPTED, "interrupted"},
    {0, NULL},
};

static void print_options(FILE *out, const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        char left[64], letter[8] = "    ";
        if (rows->letter)
            snprintf(letter, sizeof letter, "-%c, ", rows->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows->name, rows->argument ? " " : "",
                 rows->argument ? rows->argument : "");
        fprintf(out, "  %-26s %s\n", left, rows->summary);
    }
}

static void print_exit_codes(FILE *out)
{
    fputs("\nExit codes:\n", out);
    for (const struct exit_row *row = exit_rows; row->text; row++)
        fprintf(out, "  %3d  %s\n", row->code, row->text);
}

void help_all(FILE *out)
{
    fputs("ragstack: a RAG system from one YAML file to running infrastructure, and kept there.\n\n"
          "  ragstack init            write a stack file\n"
          "  ragstack diff            see what would change\n"
          "  ragstack up              make it so\n\n"
          "Commands:\n",
          out);
    for (const struct command *const *command = commands; *command; command++) {
        if ((*command)->summary)
            fprintf(out, "  %-12s %s\n", (*command)->name, (*command)->summary);
    }
    fputs("\nOptions of every command:\n", out);
    print_options(out, common_options);
    print_exit_codes(out);
    fputs("\n`ragstack COMMAND --help` says more; `ragstack explain` is the reference of the stack "
          "file.\n",
          out);
}

static void print_examples(FILE *out, const char *examples)
{
    for (const char *line = examples; line && *line;) {
        int length = (int)strcspn(line, "\n");
        fprintf(out, "  %.*s\n", length, line);
        line += length + (line[length] == '\n');
    }
}

void help_command(FILE *out, const struct command *command)
{
    if (command->examples) {
        print_examples(out, command->examples);
        fputc('\n', out);
    }
    fprintf(out, "Usage: ragstack %s%s%s [options]\n\n%s.\n", command->name,
            command->arguments[0] ? " " : "", command->arguments,
            command->summary ? command->summary : "internal");
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
    fputs("\nOptions:\n", out);
    print_options(out, command->options);
    print_options(out, common_options);
}
