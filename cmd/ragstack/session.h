/* What a running command has at hand: options, the stack, the target, the plan's making. */
#ifndef RAGSTACK_CMD_SESSION_H
#define RAGSTACK_CMD_SESSION_H

#include "cmd/ragstack/options.h"
#include "pkg/aws/client.h"
#include "pkg/cloud/cloud.h"
#include "pkg/ledger/ledger.h"
#include "pkg/local/local.h"
#include "pkg/plan/plan.h"
#include "pkg/stack/stack.h"

/* What the first Ctrl-C does; the second always ends the program at once. */
enum interrupt {
    INTERRUPT_CANCELS,  /* cancels the command's task: nothing is being changed */
    INTERRUPT_FINISHES, /* nothing new starts, what runs is finished */
    INTERRUPT_EXITS,    /* ends the program: a question is open, nothing runs */
};

struct session {
    struct arena *arena;
    const struct command *command;
    struct options options;
    struct loop *loop;
    bool colour_out, colour_err; /* by --color, NO_COLOR and whether it is a terminal */
    bool json;
    bool interrupted; /* Ctrl-C was pressed once */
    enum interrupt on_interrupt;
    struct task *task; /* that runs the command; NULL before and after */

    const char *file;
    struct stack *stack;         /* NEED_STACK */
    struct transport *transport; /* NEED_CLOUD, NEED_REGION */
    struct credential_provider *credentials;
    struct aws_client *client;
    struct cloud *cloud; /* the target, when it is AWS */
    struct local *local; /* or this machine (--local) */
    struct target *target;
    struct resource_list wanted; /* the expanded stack */
    /* By session_open_ledger; the ledger has a client of its own: no guard may stop its writes. */
    struct ledger *ledger;
    struct aws_client *ledger_client;
    struct ledger_applied applied; /* by session_plan; NULL in it: not known */
};

/* Prepares what the command needs, in order. */
int session_open(struct session *session, struct error *error);
void session_close(struct session *session);

/* The parts of session_open, for commands that say more about a bad file: loads the stack file as
 * this environment (NULL: none) sees it; ERR_INPUT with all faults. Then makes the target that the
 * command line says. */
int session_load(struct session *session, const char *environment, struct fault_list *faults,
                 struct error *error);
int session_open_target(struct session *session, struct error *error);

/* Expands the stack file into session->wanted. Without NEED_HANDLER a missing zip is no error, and
 * the functions' code is left open. */
int session_expand(struct session *session, struct error *error);
/* The same for another stack: one of a commit. */
int session_expand_stack(struct session *session, struct stack *stack, struct resource_list *out,
                         struct error *error);
/* Expand, observe. */
int session_observe(struct task *task, struct session *session, struct found_list *out,
                    struct error *error);
/* Observes session->wanted, and reads session->applied meanwhile. */
int session_observe_and_read(struct task *task, struct session *session, struct found_list *out,
                             struct error *error);
/* Opens the ledger of the stack, once; whether it exists is not looked at. */
int session_open_ledger(struct task *task, struct session *session, struct error *error);
/* Expand, observe, diff, and what it costs. With NEED_LEDGER what was last applied is read
 * meanwhile; that it cannot be read is no error. */
int session_plan(struct task *task, struct session *session, const struct plan_options *options,
                 struct plan **out, struct error *error);

/* Prints all faults of a stack file, each with file:line:column, to stderr. */
void session_print_faults(const struct session *session, const struct fault_list *faults);
/* A value as JSON on stdout, over several lines. */
void print_json(const struct value *value);

#endif
