/* What the parts of `ragstack eval` share, and `ragstack ci` takes of it. */
#ifndef RAGSTACK_CMD_EVAL_H
#define RAGSTACK_CMD_EVAL_H

#include "cmd/ragstack/api.h"
#include "pkg/eval/report.h"

/* The rows of commands that judge answers. */
#define OPTIONS_GATE                                                                              \
    {"fail-under", 0, "METRIC=VALUE", true, NULL, "exit code 1 when a figure is below this"},     \
    {                                                                                             \
        "fail-over", 0, "METRIC=VALUE", true, NULL, "or above it, where less is better (latency)" \
    }

struct eval_options {
    const char *questions; /* the file */
    int at_once;
    double rate;  /* questions a second */
    int top_k;    /* 0: the stack's */
    double floor; /* NAN: the stack's */
    bool search_only;
    double most_lost; /* share of answers that a floor may lose */
    struct bootstrap bootstrap;
    const char *against; /* an earlier run; NULL: none */
    const char *resume;  /* a run to go on with; NULL: none */
    struct gate_list gates;
};

/* With everything but the questions and the gates as it is when nobody says otherwise. */
int eval_options_default(struct session *session, const char *questions, struct eval_options *out,
                         struct error *error);

/* Asks what has not been asked yet, several at once at a bounded rate; a busy API is waited for.
 * One that fails is in its row; an error ends it all (nobody answers, nobody may, Ctrl-C), and what
 * is known so far is in the run. */
int eval_ask(struct task *task, struct session *session, const struct api *api,
             const struct eval_options *options, struct eval_run *run, struct error *error);

/* Reads the questions, asks them, and makes the report. After an error *out is filled if any reply
 * came (out->run is set). */
int eval_run_all(struct task *task, struct session *session, const struct eval_options *options,
                 struct report *out, struct error *error);

/* ERR_FAILED, with all that were missed; 0 when none was. */
int eval_check_gates(struct arena *arena, const struct gate_list *gates, struct error *error);

/* Writes the proposed floor into the stack file: the one scalar, nothing else. Asks first.
 * ERR_PREFLIGHT when there is none to rely on, or no place for it in the file. */
int eval_write_floor(struct task *task, struct session *session, const struct report *report,
                     struct error *error);

#endif
