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

static void take_note_of_schema(struct arena *arena, struct value *tags, struct value *props)
{
    value_set(arena, props, "schema", value_get(tags, RDS_TAG_SCHEMA));
    if (tags)
        value_remove(tags, RDS_TAG_SCHEMA);
}

static bool is_going(const struct rds_kind *kind, const struct value *item)
{
    return kind->status && value_is_text(value_get(item, kind->status), "deleting");
}

/* Of what goes away nothing is left to compare; who waits for its end looks on. */
static bool counts(const struct look *look)
{
    const struct found *only = look->observation->only;
    bool watched = only && only->physical_id;
    return look->item && (watched || !is_going(look->kind, look->item));
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
    if (!counts(look)) {
        look->candidate->arn = NULL;
        look->item = NULL;
        return result;
    }
    look->props = cloud_decode(observation->arena, observation->type, look->item);
    if (kind->decode)
        result = kind->decode(task, observation, look->item, look->props, error);
    if (result == 0)
        result = look_at_tags(task, look, error);
    take_note_of_schema(observation->arena, look->tags, look->props);
    return result;
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

/* Is there something of this name that is on its way out? */
static int look_for_goer(struct task *task, struct action *action, const struct rds_kind *kind,
                         bool *goes, struct error *error)
{
    struct value *reply = NULL;
    struct cloud *cloud = action->target;
    int result = aws_call(task, cloud->client, action->arena, &aws_rds, kind->operation,
                          rds_named(action->arena, kind->name_member, action->name), &reply, error);
    *goes = result == ERR_NOT_FOUND || is_going(kind, value_item(value_at(reply, kind->items), 0));
    return result == ERR_NOT_FOUND ? 0 : result;
}

int rds_create(struct task *task, struct action *action, const struct rds_kind *kind,
               const char *operation, const struct value *parameters, struct value **reply,
               struct error *error)
{
    enum { POLL_MS = 15000, LONGEST_MS = 3600000 };
    static const char what[] = "what had this name before is still being deleted";
    int64_t started_ms = task_now_ms(task);
    for (;;) {
        int result = cloud_call(task, action, &aws_rds, operation, parameters, reply, error);
        bool goes = false;
        if (result != ERR_EXISTS || task_now_ms(task) - started_ms > LONGEST_MS)
            return result;
        struct error taken = *error;
        result = look_for_goer(task, action, kind, &goes, error);
        if (result < 0)
            return result;
        if (!goes) {
            *error = taken;
            return ERR_EXISTS;
        }
        result = action->waiting ? action->waiting(action->waiting_data, what, error) : 0;
        if (result == 0)
            result = task_sleep(task, POLL_MS, error);
        if (result < 0)
            return result;
    }
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
