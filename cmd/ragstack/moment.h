/* Times on the command line. */
#ifndef RAGSTACK_CMD_MOMENT_H
#define RAGSTACK_CMD_MOMENT_H

#include "cmd/ragstack/session.h"

/* What --<option> says, or else `otherwise` (NULL: *out is 0), as wall time: "15m" ago,
 * "2026-01-31" or "2026-01-31T08:00:00Z". ERR_USAGE for anything else. */
int moment_of_option(const struct session *session, struct task *task, const char *option,
                     const char *otherwise, int64_t *out, struct error *error);

#endif
