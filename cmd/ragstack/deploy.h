/* Applying a plan, and telling how it went: what `up`, `down` and `rollback` share. */
#ifndef RAGSTACK_CMD_DEPLOY_H
#define RAGSTACK_CMD_DEPLOY_H

#include "cmd/ragstack/session.h"
#include "pkg/apply/apply.h"

/* Applies with progress, prints failures, and where the time went. */
int deploy_run(struct task *task, struct session *session, const struct plan *plan,
               const struct apply_options *options, struct apply_result *result,
               struct error *error);

/* --allow-data-loss, --target: the rows that up and down share. */
#define OPTION_ALLOW_DATA_LOSS                                                                \
    {                                                                                         \
        "allow-data-loss", 0, "ID", true, NULL, "consent to the loss of this resource's data" \
    }
#define OPTION_TARGET                                                                 \
    {                                                                                 \
        "target", 't', "KIND.ID", true, NULL, "only this resource, and what it needs" \
    }

/* What the stack is reached by: {"api_url": .., ...}; from attributes by id. */
struct value *outputs_from(struct arena *arena, const struct value *attributes);
/* On stdout: as lines, or with --json as {"schema": 1, "outputs": {..}}. */
void outputs_give(const struct session *session, struct value *outputs);
/* {"ID": {attributes}} of what was found and is ours. */
struct value *attributes_of(struct arena *arena, const struct found_list *found);

#endif
