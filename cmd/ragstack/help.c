#include "cmd/ragstack/help.h"

#include <string.h>

const struct exit_row exit_rows[] = {
    {EXIT_DONE, "done, or nothing to do"},
    {EXIT_FAILED, "failed; status --check: not healthy"},
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

const struct environment_row environment_rows[] = {
    {"AWS_PROFILE, AWS_REGION", "profile and region, as the AWS CLI reads them; so are the other "
                                "sources of credentials"},
    {"AWS_ENDPOINT_URL", "another endpoint for all services; AWS_ENDPOINT_URL_<SERVICE> for one"},
    {"AWS_CA_BUNDLE", "certificates to trust in place of the system's"},
    {"HTTPS_PROXY, NO_PROXY", "as curl reads them"},
    {"NO_COLOR", "no colours, when it is set and not empty"},
    {"RAGSTACK_TOKEN", "the token for the API, where api.auth is jwt"},
    {"RAGSTACK_HANDLER_ZIP", "the functions' zip, in place of the one beside the program"},
    {NULL, NULL},
};

char option_letter(const struct command *command, const struct option_row *row)
{
    bool common = false;
    for (const struct option_row *one = common_options; one->name; one++)
        common = common || one == row;
    const struct option_row *own = command && common ? command->options : NULL;
    for (; own && own->name; own++) {
        if (own->letter == row->letter)
            return 0;
    }
    return row->letter;
}

static void print_options(FILE *out, const struct command *command, const struct option_row *rows)
{
    for (; rows && rows->name; rows++) {
        char left[64], letter[8] = "    ", short_name = option_letter(command, rows);
        if (short_name)
            snprintf(letter, sizeof letter, "-%c, ", short_name);
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
    print_options(out, NULL, common_options);
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
    print_options(out, command, command->options);
    print_options(out, command, common_options);
}
