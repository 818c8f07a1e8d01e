#include "pkg/cloud/rds.h"

#include <string.h>

/* -- looking -- */

struct look {
    struct observation *observation;
    const struct rds_kind *kind;
    struct candidate *candidate;
    struct value *item, *props, *tags; /* item NULL: it does not exist */
};

static int fetch_tags_of(struct task *task, struct observation *observation, const char *arn,
                         struct value **tags, struct error *error)
{
    struct value *reply = NULL;
    int result = cloud_get(task, observation, &aws_rds, "ListTagsForResource",
                           rds_named(observation->arena, "ResourceName", arn), &reply, error);
    if (result == 0)
        *tags = cloud_tag_map(observation->arena, value_at(reply, "TagList.Tag"), "Key", "Value");
    return result;
}

static int look_at_tags(struct task *task, struct look *look, struct error *error)
{
    struct arena *arena = look->observation->arena;
    const char *arn = value_text(look->item, look->kind->arn), *listed = look->candidate->arn;
    /* The inventory may still list what bore the same name before. */
    const struct candidate *same =
        listed && arn && strcmp(listed, arn) == 0 ? look->candidate : NULL;
    look->candidate->arn = arn;
    if (!look->kind->tags)
        return cloud_tags_of(task, look->observation, same, arn, fetch_tags_of, &look->tags, error);
    look->tags = cloud_tag_map(arena, value_at(look->item, look->kind->tags), "Key", "Value");
    return 0;
}

static int look_at_one(struct task *task, void *argument, struct error *error)
{
    struct look *look = argument;
    const struct rds_kind *kind = look->kind;
    struct observation *observation = look->observation;
    struct value *reply = NULL;
    int result = cloud_get(task, observation, &aws_rds, kind->operation,
                           rds_named(observation->arena, kind->name_member, look->candidate->name),
                           &reply, error);
    look->item = value_item(value_at(reply, kind->items), 0);
    if (!look->item)
        look->candidate->arn = NULL;
    if (result < 0 || !look->item)
        return result;
    look->props = cloud_decode(observation->arena, observation->type, look->item);
    if (kind->decode)
        result = kind->decode(task, observation, look->item, look->props, error);
    return result == 0 ? look_at_tags(task, look, error) : result;
}

int rds_observe_candidates(struct task *task, struct observation *observation,
                           const struct rds_kind *kind, struct candidate *candidates, size_t count,
                           struct error *error)
{
    struct look *looks = arena_array(observation->arena, count + 1, sizeof *looks);
    for (size_t i = 0; i < count; i++)
        looks[i] =
            (struct look){.observation = observation, .kind = kind, .candidate = &candidates[i]};
    int result = count == 1 ? look_at_one(task, &looks[0], error)
                            : task_each(task, kind->operation, look_at_one, looks, sizeof *looks,
                                        count, 0, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        const char *name = value_text(looks[i].item, kind->name_member);
        if (name)
            cloud_add(observation, name, name, looks[i].props, looks[i].tags);
    }
    return result;
}

int rds_observe(struct task *task, struct observation *observation, const struct rds_kind *kind,
                struct error *error)
{
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "rds", kind->arn_prefix, &candidates);
    return rds_observe_candidates(task, observation, kind, candidates, count, error);
}

/* -- verbs -- */

struct value *rds_named(struct arena *arena, const char *member, const char *text)
{
    return value_set_text(arena, value_map(arena), member, text);
}

void rds_add_tags(struct action *action, struct value *parameters)
{
    struct arena *arena = action->arena;
    value_set(arena, parameters, "Tags",
              value_wrap(arena, "Tag", cloud_tag_list(arena, action->tags, "Key", "Value")));
}

void rds_take_made(struct action *action, const struct value *item)
{
    const struct value *known = cloud_decode(action->arena, action->type, item);
    for (const struct field *field = action->type->fields; field->name; field++) {
        if (field->flags & COMPUTED)
            value_set(action->arena, action->made, field->name, value_get(known, field->name));
    }
    action->physical_id = action->name;
}

int rds_retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *arn = value_text(action->have->props, "arn");
    struct value *set, *gone;
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set)) {
        struct value *parameters = rds_named(arena, "ResourceName", arn);
        value_set(arena, parameters, "Tags",
                  value_wrap(arena, "Tag", cloud_tag_list(arena, set, "Key", "Value")));
        result = cloud_call(task, action, &aws_rds, "AddTagsToResource", parameters, NULL, error);
    }
    if (result == 0 && value_count(gone)) {
        struct value *parameters = rds_named(arena, "ResourceName", arn);
        value_set(arena, parameters, "TagKeys", value_wrap(arena, "member", gone));
        result =
            cloud_call(task, action, &aws_rds, "RemoveTagsFromResource", parameters, NULL, error);
    }
    return result;
}
