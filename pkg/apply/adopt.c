/* Taking in what exists: it gets the stack's tags, and nothing else of it changes. */
#include "pkg/apply/apply.h"

int apply_adopt(struct task *task, struct arena *arena, const struct target *target,
                const struct found *have, const struct value *tags, struct error *error)
{
    enum { ATTEMPTS = 4 };
    struct action action = {
        .target = target->data,
        .arena = arena,
        .type = have->type,
        .id = have->id,
        .name = have->name,
        .generation = have->generation,
        .want = have->props,
        .have = have,
        .made = value_map(arena),
        .tags = tags,
    };
    int result = ERR_LOST_REPLY; /* tags may be set twice */
    for (int attempt = 0; attempt < ATTEMPTS && result == ERR_LOST_REPLY; attempt++)
        result = have->type->retag(task, &action, error);
    return result;
}
