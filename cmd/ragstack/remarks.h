/* What a plan means that its steps do not say: who may ask, what costs. */
#ifndef RAGSTACK_CMD_REMARKS_H
#define RAGSTACK_CMD_REMARKS_H

#include "cmd/ragstack/session.h"

/* On stderr, for what the plan makes or changes. */
void remarks_print(const struct session *session, const struct plan *plan);

#endif
