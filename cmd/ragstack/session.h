/* What a running command has at hand: options, the stack, the target, the plan's making. */
#ifndef RAGSTACK_CMD_SESSION_H
#define RAGSTACK_CMD_SESSION_H

#include "cmd/ragstack/options.h"
#include "pkg/aws/client.h"
#include "pkg/cloud/cloud.h"
#include "pkg/plan/plan.h"
#include "pkg/stack/stack.h"

struct session {
    struct arena *arena;
    const struct command *command;
    struct options options;
    struct loop *loop;
    bool colour_out, colour_err; /* by --color, NO_COLOR and whether it is a terminal */
    bool json;
    bool interrupted; /* Ctrl-C was pressed once */

    const char *file;
    struct stack *stack;         /* NEED_STACK */
    struct transport *transport; /* NEED_CLOUD, NEED_REGION */
    struct credential_provider *credentials;
    struct aws_client *client;
    struct cloud *cloud;
    struct target *target;
    struct resource_list wanted; /* the expanded stack */
};

/* Prepares what the command needs, in order. */
int session_open(struct session *session, struct error *error);
void session_close(struct session *session);

/* Expands the stack file into session->wanted. */
int session_expand(struct session *session, struct error *error);
/* Expand, observe, diff. */
int session_plan(struct task *task, struct session *session, const struct plan_options *options,
                 struct plan **out, struct error *error);

/* Prints all faults of a stack file, each with file:line:column, to stderr. */
void session_print_faults(const struct session *session, const struct fault_list *faults);
/* A value as JSON on stdout. */
void print_json(const struct value *value);

#endif
