/* From a checked stack file to the resources of the local target. Pure. */
#ifndef RAGSTACK_LOCAL_EXPAND_H
#define RAGSTACK_LOCAL_EXPAND_H

#include "pkg/cloud/expand.h"

/* As cloud_expand, for this machine. What is AWS's alone (network, roles, alarms, the free
 * `resources:`) has no counterpart here, and is left out. `chat_url` and `chat_model`: see kind
 * local.models. */
int local_expand(struct arena *arena, const struct value *tree,
                 const struct expand_options *options, const char *chat_url, const char *chat_model,
                 struct resource_list *out, struct error *error);

#endif
