/* Tags as AWS writes them, and what has to change about them. */
#include <string.h>

#include "pkg/cloud/cloud.h"

struct value *cloud_tag_list(struct arena *arena, const struct value *tags, const char *key_name,
                             const char *value_name)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < value_count(tags); i++) {
        const struct value_entry *entry = value_entry(tags, i);
        struct value *pair = value_map(arena);
        value_set_text(arena, pair, key_name, entry->key);
        value_set_text(arena, pair, value_name, value_as_text(arena, entry->value));
        value_push(arena, list, pair);
    }
    return list;
}

struct value *cloud_tag_map(struct arena *arena, const struct value *list, const char *key_name,
                            const char *value_name)
{
    struct value *map = value_map(arena), *pair;
    value_each(pair, list)
    {
        const char *key = value_text(pair, key_name), *text = value_text(pair, value_name);
        if (key) /* an empty value is an empty element, and no string */
            value_set_text(arena, map, key, text ? text : "");
    }
    return map;
}

void cloud_tag_changes(const struct action *action, struct value **set, struct value **remove)
{
    const struct value *have = action->have ? action->have->tags : NULL;
    *set = value_map(action->arena);
    *remove = value_list(action->arena);
    for (size_t i = 0; i < value_count(action->tags); i++) {
        const struct value_entry *entry = value_entry(action->tags, i);
        if (!value_equal(entry->value, value_get(have, entry->key)))
            value_set(action->arena, *set, entry->key, value_copy(action->arena, entry->value));
    }
    for (size_t i = 0; i < value_count(have); i++) {
        const struct value_entry *entry = value_entry(have, i);
        bool aws_own = strncmp(entry->key, "aws:", 4) == 0; /* nobody can take these away */
        if (!aws_own && !value_get(action->tags, entry->key))
            value_push_text(action->arena, *remove, entry->key);
    }
}
