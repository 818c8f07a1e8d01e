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

#endif
