/* Asking before something is changed. */
#ifndef RAGSTACK_CMD_CONSENT_H
#define RAGSTACK_CMD_CONSENT_H

#include "cmd/ragstack/session.h"

/* 0 when --yes was said, or a person at a terminal types "yes" (or `word`, when that is not NULL);
 * else ERR_USAGE (no terminal) or ERR_CANCELLED. */
int consent_ask(struct task *task, struct session *session, const char *question, const char *word,
                struct error *error);

#endif
