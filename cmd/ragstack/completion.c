/* Completion scripts, printed from the command table. */
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/help.h"
#include "cmd/ragstack/session.h"

/* Calls `each` for every option that a command takes, its own first. */
typedef void option_visitor(FILE *out, const struct command *command, const struct option_row *row);
static void each_option(FILE *out, const struct command *command, option_visitor *each)
{
    for (const struct option_row *row = command->options; row && row->name; row++)
        each(out, command, row);
    for (const struct option_row *row = common_options; row->name; row++)
        each(out, command, row);
}

/* The text inside single quotes of a shell, with `special` characters behind a backslash. */
static void put_quoted(FILE *out, const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr(special, *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void put_choices(FILE *out, const char *choices)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, out);
}

static bool takes_file(const struct option_row *row)
{
    return row->argument &&
           (strcmp(row->argument, "FILE") == 0 || strcmp(row->argument, "PLAN") == 0);
}

static void put_words(FILE *out, const struct command *command)
{
    struct buffer words = BUFFER(1 << 16);
    command->complete(&words);
    while (words.length && words.data[words.length - 1] == ' ')
        words.data[--words.length] = '\0';
    fputs(buffer_string(&words), out);
    buffer_free(&words);
}

/* -- bash -- */

static void bash_option(FILE *out, const struct command *command, const struct option_row *row)
{
    char letter = option_letter(command, row);
    fprintf(out, " --%s", row->name);
    if (letter)
        fprintf(out, " -%c", letter);
}

static void bash_value(FILE *out, const struct command *command, const struct option_row *row)
{
    char letter = option_letter(command, row);
    if (!row->argument)
        return;
    fprintf(out, "    %s:--%s", command->name, row->name);
    if (letter)
        fprintf(out, "|%s:-%c", command->name, letter);
    fputs(") ", out);
    if (row->choices) {
        fputs("COMPREPLY=($(compgen -W '", out);
        put_choices(out, row->choices);
        fputs("' -- \"$cur\")); ", out);
    } else if (takes_file(row)) {
        fputs("COMPREPLY=($(compgen -f -- \"$cur\")); ", out);
    }
    fputs("return ;;\n", out);
}

static void bash_command(FILE *out, const struct command *command)
{
    fprintf(out, "    %s)\n        options='", command->name);
    each_option(out, command, bash_option);
    fputs("'\n        words='", out);
    if (command->complete)
        put_words(out, command);
    fprintf(out, "' files=%d ;;\n", !command->complete && command->most_arguments != 0);
}

static void print_bash(FILE *out)
{
    fputs("# bash completion for ragstack; load it with: source <(ragstack completion bash)\n"
          "_ragstack() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} options='' words='' files=0\n"
          "    COMPREPLY=()\n"
          "    if [[ $cur == = ]]; then cur=''; fi\n"
          "    if [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    for (const struct command *const *command = commands; *command; command++) {
        if ((*command)->summary)
            fprintf(out, "%s ", (*command)->name);
    }
    fputs("--help --version' -- \"$cur\"))\n"
          "        return\n"
          "    fi\n"
          "    case $command:$prev in\n",
          out);
    for (const struct command *const *command = commands; *command; command++)
        each_option(out, *command, bash_value);
    fputs("    esac\n    case $command in\n", out);
    for (const struct command *const *command = commands; *command; command++)
        bash_command(out, *command);
    fputs("    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "    elif [[ -n $words ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    elif ((files)); then\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _ragstack ragstack\n",
          out);
}

/* -- zsh -- */

static void zsh_option(FILE *out, const struct command *command, const struct option_row *row)
{
    char letter = option_letter(command, row);
    fputs(" \\\n            ", out);
    if (letter && row->repeats)
        fprintf(out, "'*'{-%c,--%s}'[", letter, row->name);
    else if (letter)
        fprintf(out, "'(-%c --%s)'{-%c,--%s}'[", letter, row->name, letter, row->name);
    else
        fprintf(out, "'%s--%s[", row->repeats ? "*" : "", row->name);
    put_quoted(out, row->summary, "[]:\\");
    fputc(']', out);
    if (row->argument) {
        fprintf(out, ":%s:", row->argument);
        if (row->choices) {
            fputc('(', out);
            put_choices(out, row->choices);
            fputc(')', out);
        } else if (takes_file(row)) {
            fputs("_files", out);
        }
    }
    fputc('\'', out);
}

static void zsh_command(FILE *out, const struct command *command)
{
    fprintf(out, "        %s)\n        _arguments", command->name);
    each_option(out, command, zsh_option);
    if (command->complete) {
        fputs(" \\\n            '*: :(", out);
        put_words(out, command);
        fputs(")'", out);
    } else if (command->most_arguments != 0) {
        fputs(" \\\n            '*: :_files'", out);
    }
    fputs(" ;;\n", out);
}

static void print_zsh(FILE *out)
{
    fputs("#compdef ragstack\n"
          "# zsh completion for ragstack; load it with: source <(ragstack completion zsh)\n"
          "_ragstack() {\n"
          "    local -a commands\n"
          "    commands=(\n",
          out);
    for (const struct command *const *command = commands; *command; command++) {
        if (!(*command)->summary)
            continue;
        fprintf(out, "        '%s:", (*command)->name);
        put_quoted(out, (*command)->summary, ":\\");
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          out);
    for (const struct command *const *command = commands; *command; command++)
        zsh_command(out, *command);
    fputs("    esac\n"
          "}\n"
          "if [[ $funcstack[1] == _ragstack ]]; then\n"
          "    _ragstack \"$@\"\n"
          "else\n"
          "    compdef _ragstack ragstack\n"
          "fi\n",
          out);
}

/* -- fish -- */

static void fish_option(FILE *out, const struct command *command, const struct option_row *row)
{
    char letter = option_letter(command, row);
    fprintf(out, "complete -c ragstack -n '__fish_seen_subcommand_from %s' -l %s", command->name,
            row->name);
    if (letter)
        fprintf(out, " -s %c", letter);
    if (row->choices) {
        fputs(" -x -a '", out);
        put_choices(out, row->choices);
        fputc('\'', out);
    } else if (row->argument) {
        fputs(takes_file(row) ? " -r -F" : " -x", out);
    }
    fputs(" -d '", out);
    put_quoted(out, row->summary, "");
    fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *command)
{
    if (command->summary) {
        fprintf(out, "complete -c ragstack -n __fish_use_subcommand -a %s -d '", command->name);
        put_quoted(out, command->summary, "");
        fputs("'\n", out);
    }
    each_option(out, command, fish_option);
    if (command->complete) {
        fprintf(out, "complete -c ragstack -n '__fish_seen_subcommand_from %s' -a '",
                command->name);
        put_words(out, command);
        fputs("'\n", out);
    } else if (command->most_arguments != 0) {
        fprintf(out, "complete -c ragstack -n '__fish_seen_subcommand_from %s' -F\n",
                command->name);
    }
}

static void print_fish(FILE *out)
{
    fputs("# fish completion for ragstack; load it with: ragstack completion fish | source\n"
          "complete -c ragstack -f\n",
          out);
    for (const struct command *const *command = commands; *command; command++)
        fish_command(out, *command);
}

static const struct shell {
    const char *name;
    void (*print)(FILE *out);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

static void complete(struct buffer *out)
{
    for (size_t i = 0; i < COUNT_OF(shells); i++)
        buffer_printf(out, "%s ", shells[i].name);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task;
    const char *name = session->options.arguments[0];
    for (size_t i = 0; i < COUNT_OF(shells); i++) {
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].print(stdout);
            return EXIT_DONE;
        }
    }
    return error_set(error, ERR_USAGE, "\"%s\" is none of bash, zsh, fish", name);
}

const struct command command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "Print a completion script for the shell",
    .details = "bash: source <(ragstack completion bash)\nzsh:  source <(ragstack completion "
               "zsh)\nfish: ragstack completion fish | source",
    .examples = "ragstack completion bash",
    .least_arguments = 1,
    .most_arguments = 1,
    .complete = complete,
    .run = run,
};
