/* What the ledger keeps of a deployment: its document, and what was applied. Nothing is called. */
#ifndef RAGSTACK_CMD_RECORD_H
#define RAGSTACK_CMD_RECORD_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

/* "ann@laptop": who runs this. */
const char *record_owner(struct arena *arena);

/* {"schema": 1, "run":, "command":, "status": "running", "who":, "started":, "git": {..}, "steps":
 * [..], "resources": {"ID": {"kind":, "props":, "tags":}}, ...}. When only a part of the stack is
 * looked at (`partial`: --target, rollback), what has no step is as it was applied before. */
struct value *record_begin(const struct session *session, const struct plan *plan, bool partial);
/* Sets how it ended: "ended", "status", "error", and the outcome of each step. `code` is what the
 * walk returned. */
void record_end(const struct session *session, struct value *document, const struct plan *plan,
                const struct apply_result *result, int code, const struct error *error);
/* What stands applied after the walk: session->applied, with what the steps did to it. */
struct ledger_applied record_applied(const struct session *session, const struct plan *plan,
                                     const struct apply_result *result, bool partial);

#endif
