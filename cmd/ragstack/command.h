/* What a command is: one file, one const struct, one line in main.c's table. Help, completion and
 * the man page are printed from these tables. */
#ifndef RAGSTACK_CMD_COMMAND_H
#define RAGSTACK_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "pkg/base/buffer.h"
#include "pkg/base/error.h"
#include "pkg/task/task.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_CHANGES = 2,
    EXIT_DRIFT = 3,
    EXIT_DATA_LOSS = 4,
    EXIT_LOCKED = 5,
    EXIT_PARTIAL = 6,
    EXIT_PREFLIGHT = 7,
    EXIT_USAGE = 64,
    EXIT_INPUT = 65,
    EXIT_INTERRUPTED = 130,
};

/* One option; the same row for parsing, help, completion and the man page. */
struct option_row {
    const char *name;     /* "file" for --file */
    char letter;          /* 'f' for -f; 0: none */
    const char *argument; /* "FILE"; NULL: none */
    bool repeats;         /* may be said more than once */
    const char *choices;  /* "a|b"; NULL: any. With `repeats` also "a,b" */
    const char *summary;
};

enum need {
    NEED_STACK = 1 << 0,   /* the stack file is loaded first */
    NEED_CLOUD = 1 << 1,   /* a target with credentials is made first */
    NEED_LEDGER = 1 << 2,  /* the ledger is opened, if it exists */
    NEED_REGION = 1 << 3,  /* region and credentials, without a stack file */
    NEED_HANDLER = 1 << 4, /* the handlers' zip: what the expansion says of code is compared */
    NEED_PROCESS = 1 << 5, /* the whole process: no loop, no task, no interrupts are set up */
};

struct session;

struct command {
    const char *name;
    const char *arguments; /* "[NAME]"; "" if none */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs for --help and the man page */
    const char *examples;  /* one a line: "ragstack diff --env prod" */
    const struct option_row
        *options; /* beside the common ones; ends with a NULL name; may be NULL */
    int least_arguments, most_arguments; /* most < 0: any number */
    unsigned needs;
    /* The words that its arguments can be, separated by spaces, for completion; NULL: files. */
    void (*complete)(struct buffer *out);
    /* Runs in a task. Returns an exit code >= 0, or an error code < 0 with the error filled. */
    int (*run)(struct task *task, struct session *session, struct error *error);
};

extern const struct command *const commands[]; /* ends with NULL */
extern const struct option_row common_options[];

const struct command *command_find(const char *name);

#endif
