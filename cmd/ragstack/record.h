/* What the ledger keeps of a deployment: its document, and what was applied. Nothing is called. */
#ifndef RAGSTACK_CMD_RECORD_H
#define RAGSTACK_CMD_RECORD_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

/* "ann@laptop": who runs this. */
const char *record_owner(struct arena *arena);

/* {"schema": 1, "run":, "command":, "status": "running", "who":, "started":, "git": {..}, "steps":
 * [..], "resources": {"ID": {"kind":, "props":, "tags":}}, ...}. */
struct value *record_begin(const struct session *session, const struct plan *plan);
/* Sets how it ended: "ended", "status", "error", and the outcome of each step. `code` is what the
 * walk returned. */
void record_end(const struct session *session, struct value *document, const struct plan *plan,
                const struct apply_result *result, int code, const struct error *error);
/* {"ID": {properties, "tags":}} after the walk; NULL `before`: nothing was known. What has no step
 * keeps its entry when `partial` (only some resources were looked at). */
struct value *record_applied(const struct session *session, const struct plan *plan,
                             const struct apply_result *result, const struct value *before,
                             bool partial);

#endif
