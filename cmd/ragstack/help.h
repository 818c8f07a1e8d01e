/* Help, printed from the command tables. */
#ifndef RAGSTACK_CMD_HELP_H
#define RAGSTACK_CMD_HELP_H

#include <stdio.h>

#include "cmd/ragstack/command.h"

void help_all(FILE *out);
void help_command(FILE *out, const struct command *command);

/* The exit codes, for help and the man page; ends with a NULL text. */
struct exit_row {
    int code;
    const char *text;
};
extern const struct exit_row exit_rows[];

/* The environment variables that are read; ends with a NULL name. */
struct environment_row {
    const char *name, *text;
};
extern const struct environment_row environment_rows[];

/* The letter of an option in this command: a command's own rows win over the common ones. 0: none.
 */
char option_letter(const struct command *command, const struct option_row *row);

#endif
