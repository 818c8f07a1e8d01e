/* New functions are tried before `up` is done: questions that must be answered, for as long as the
 * file says; when one fails, the alias `live` goes back to the version that it was at. */
#ifndef RAGSTACK_CMD_RELEASE_H
#define RAGSTACK_CMD_RELEASE_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

/* Will `up` ask anything after this plan? Says so on stderr, with the plan. */
void release_tell(const struct session *session, const struct plan *plan);

/* Before the walk: with canary steps `live` stays where it is until release_try. */
void release_prepare(struct session *session);

/* After the walk. Asks where functions changed and the file has smoke questions. ERR_FAILED when
 * one failed: the message says what was done about it. Canary steps are taken here, each watched:
 * by the questions, and by CloudWatch's count of the new versions' errors. `*told` becomes what the
 * deployment's document keeps of it ({"asked": 2, "busy": 1, "failed":, "returned": {"ask": "3"}});
 * NULL when nothing was asked. */
int release_try(struct task *task, struct session *session, const struct plan *plan,
                const struct apply_result *applied, struct value **told, struct error *error);

#endif
