/* A deployment under the ledger's lock: locked, recorded at its start and its end, released. What
 * `up`, `down` and `rollback` share. */
#ifndef RAGSTACK_CMD_DEPLOYMENT_H
#define RAGSTACK_CMD_DEPLOYMENT_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

struct deployment {
    struct lease *lease;    /* NULL: there is no ledger (yet) */
    struct value *document; /* NULL: not begun */
    struct value *more;     /* what the command adds to the document; may be NULL */
    bool partial;           /* only some resources are looked at: --target, rollback */
};

/* Takes the lock where there is a ledger. From then on every changing call checks it. ERR_LOCKED
 * says who holds it and since when. */
int deployment_lock(struct task *task, struct session *session, struct deployment *out,
                    struct error *error);
/* After consent, before the first change: makes the ledger where it is missing (but for `down`),
 * keeps the functions' code, and records that it runs. */
int deployment_begin(struct task *task, struct session *session, struct deployment *deployment,
                     const struct plan *plan, struct error *error);
/* Records how it ended; `code` is what the walk returned, and is returned. A ledger that cannot be
 * written is a warning: what was done is done. */
int deployment_end(struct task *task, struct session *session, struct deployment *deployment,
                   const struct plan *plan, const struct apply_result *result, int code,
                   struct error *error);
/* Does the step give a function other code? Its sum is then the artifact's name; NULL if not. */
const char *deployment_code_of(struct arena *arena, const struct step *step);
/* Gives the lock up. Returns `code`. */
int deployment_unlock(struct task *task, struct session *session, struct deployment *deployment,
                      int code);

#endif
