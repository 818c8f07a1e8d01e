/* The resources that a stack file stands for, as text or JSON: `diff --expand`. */
#ifndef RAGSTACK_CMD_EXPANDED_H
#define RAGSTACK_CMD_EXPANDED_H

#include "cmd/ragstack/session.h"

int expanded_print(struct session *session, struct error *error);
/* {"ID": {"kind":, "props": ..}}: also what the ledger keeps. */
struct value *expanded_to_value(struct arena *arena, const struct resource_list *resources);

#endif
