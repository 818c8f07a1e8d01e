/* Finding what is the stack's: by name, by the tagging API's inventory, and by tags. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"

/* -- candidates: things that are found by name -- */

/* "arn:<partition>:<service>:<region>:<account>:<prefix><name>": the name, or NULL when it is an
 * ARN of something else. */
static const char *name_in_arn(struct arena *arena, const char *arn, const char *service,
                               const char *prefix)
{
    const char *part = arn;
    for (int colons = 0; part && colons < 2; colons++)
        part = strchr(part, ':') ? strchr(part, ':') + 1 : NULL;
    size_t length = strlen(service);
    if (!part || strncmp(part, service, length) != 0 || part[length] != ':')
        return NULL;
    for (int colons = 0; part && colons < 3; colons++)
        part = strchr(part, ':') ? strchr(part, ':') + 1 : NULL;
    if (!part || strncmp(part, prefix, strlen(prefix)) != 0)
        return NULL;
    const char *name = part + strlen(prefix);
    size_t name_length = strlen(name);
    if (name_length > 2 && strcmp(name + name_length - 2, ":*") == 0) /* log groups */
        name_length -= 2;
    return arena_strndup(arena, name, name_length);
}

struct candidates {
    struct candidate *items;
    size_t count, capacity;
};

static struct candidate *candidate_named(const struct candidates *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    }
    return NULL;
}

static void add_name(struct arena *arena, struct candidates *list, const char *name)
{
    if (!candidate_named(list, name))
        vector_push(arena, list, ((struct candidate){.name = name}));
}

static void add_inventory(struct observation *observation, const char *service, const char *prefix,
                          bool only_known, struct candidates *list)
{
    const struct cloud *cloud = observation->target;
    struct value *row;
    value_each(row, cloud->inventory)
    {
        const char *arn = value_text(row, "arn");
        const char *name = arn ? name_in_arn(observation->arena, arn, service, prefix) : NULL;
        if (!name)
            continue;
        if (!only_known)
            add_name(observation->arena, list, name);
        struct candidate *candidate = candidate_named(list, name);
        if (candidate) {
            candidate->arn = arn;
            candidate->tags = value_get(row, "tags");
        }
    }
}

static bool inventory_has_id(const struct candidates *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].tags && value_is_text(value_get(list->items[i].tags, TAG_ID), id))
            return true;
    }
    return false;
}

/* The inventory lags. A replacement that it does not list yet bears the next generation's name, and
 * must not be made a second time. */
static void add_next_generations(struct observation *observation, struct candidates *list)
{
    for (size_t i = 0; i < observation->wanted_count; i++) {
        const struct wanted_name *wanted = &observation->wanted[i];
        if (wanted->generation == 1 && !inventory_has_id(list, wanted->id))
            add_name(observation->arena, list,
                     arena_printf(observation->arena, "%s-2", wanted->name));
    }
}

size_t cloud_candidates(struct observation *observation, const char *service, const char *prefix,
                        struct candidate **out)
{
    struct candidates list = {0};
    const struct found *only = observation->only;
    if (only) {
        add_name(observation->arena, &list, only->name ? only->name : only->physical_id);
        add_inventory(observation, service, prefix, true, &list);
        if (only->physical_id && strncmp(only->physical_id, "arn:", 4) == 0)
            list.items[0].arn = only->physical_id;
    } else {
        for (size_t i = 0; i < observation->wanted_count; i++)
            add_name(observation->arena, &list, observation->wanted[i].name);
        add_inventory(observation, service, prefix, false, &list);
        add_next_generations(observation, &list);
    }
    *out = list.items;
    return list.count;
}

/* -- whose is it? -- */

/* The generation tag is set once and for all: it is no reason to ask again. */
static bool same_but_generation(struct arena *arena, const struct value *a, const struct value *b)
{
    struct value *plain_a = value_copy(arena, a), *plain_b = value_copy(arena, b);
    value_remove(plain_a, TAG_GENERATION);
    value_remove(plain_b, TAG_GENERATION);
    return value_equal(plain_a, plain_b);
}

int cloud_tags_of(struct task *task, struct observation *observation,
                  const struct candidate *candidate, const char *arn, fetch_tags *fetch,
                  struct value **tags, struct error *error)
{
    const struct cloud *cloud = observation->target;
    const struct found *only = observation->only;
    if (only && only->physical_id && only->tags) { /* looked at again: its tags are known */
        *tags = value_copy(observation->arena, only->tags);
        return 0;
    }
    const char *id = candidate ? value_text(candidate->tags, TAG_ID) : NULL;
    const struct value *wanted = id ? map_get(&cloud->wanted_tags, id) : NULL;
    if (wanted && same_but_generation(observation->arena, wanted, candidate->tags)) {
        *tags = value_copy(observation->arena, candidate->tags);
        return 0;
    }
    *tags = NULL;
    return fetch(task, observation, arn, tags, error);
}

static const struct wanted_name *wanted_named(const struct observation *observation,
                                              const char *name)
{
    for (size_t i = 0; name && i < observation->wanted_count; i++) {
        if (strcmp(observation->wanted[i].name, name) == 0)
            return &observation->wanted[i];
    }
    return NULL;
}

const char *cloud_derived_id(const struct observation *observation, const char *name)
{
    const struct cloud *cloud = observation->target;
    const struct wanted_name *wanted = wanted_named(observation, name);
    const char *derived = wanted ? type_name(observation->arena, observation->type,
                                             &cloud->identity, wanted->id, NULL, wanted->generation)
                                 : NULL;
    return derived && strcmp(derived, name) == 0 ? wanted->id : NULL;
}

/* What the file says as the name: generations add to it. */
static void take_generation_off(struct arena *arena, const struct found *found,
                                const struct resource_type *type)
{
    const struct field *field = type_field(type, "name");
    const char *name = value_text(found->props, "name");
    const char *ending = arena_printf(arena, "-%d", found->generation);
    size_t length = name ? strlen(name) : 0, ending_length = strlen(ending);
    if (!field || (field->flags & COMPUTED) || found->generation < 2 || length <= ending_length ||
        strcmp(name + length - ending_length, ending) != 0)
        return;
    value_set(arena, found->props, "name", value_string_n(arena, name, length - ending_length));
}

void cloud_add(struct observation *observation, const char *physical_id, const char *name,
               struct value *props, struct value *tags)
{
    const struct cloud *cloud = observation->target;
    struct found found = {.type = observation->type,
                          .generation = 1,
                          .physical_id = arena_strdup(observation->arena, physical_id),
                          .name = arena_strdup(observation->arena, name),
                          .props = props,
                          .tags = tags};
    const struct wanted_name *wanted = wanted_named(observation, name);
    const struct found *only = observation->only;
    if (observation->type->flags & NO_TAGS) {
        /* Nothing but the name tells; it ends with the hash of the whole identity. */
        found.id = wanted ? wanted->id : NULL;
        found.generation = wanted ? wanted->generation : 1;
    } else if (!identity_owns(&cloud->identity, tags, &found.id, &found.generation)) {
        bool asked_for = only && only->physical_id &&
                         (strcmp(only->physical_id, physical_id) == 0 ||
                          (only->name && strcmp(only->name, name) == 0));
        found.id = wanted ? wanted->id : asked_for ? only->id : NULL;
        found.foreign = true;
    }
    take_generation_off(observation->arena, &found, observation->type);
    if (found.id)
        observation->add(observation, &found);
}

/* -- what people call it -- */

/* The part of an ARN that names the thing: "vpc-1", "acme/x" of "log-group:acme/x:*", "r" of
 * "role/path/r", "1a" of "/apis/1a". */
static const char *name_of_part(struct arena *arena, const char *service, const char *part)
{
    bool path = strcmp(service, "iam") == 0 || strcmp(service, "apigateway") == 0;
    bool plain = strcmp(service, "sns") == 0 || strcmp(service, "s3") == 0;
    const char *start = plain ? NULL : path ? strrchr(part, '/') : strpbrk(part, ":/");
    const char *name = start ? start + 1 : part;
    size_t length = strlen(name);
    if (strcmp(service, "lambda") == 0) /* with or without a version */
        length = strcspn(name, ":");
    else if (length > 2 && strcmp(name + length - 2, ":*") == 0)
        length -= 2;
    return arena_strndup(arena, name, length);
}

int cloud_address(struct arena *arena, const struct cloud *cloud, const char *text,
                  struct found *found, struct error *error)
{
    enum { SERVICE = 2, REGION, ACCOUNT, PART, PARTS };
    const char *parts[PARTS] = {text};
    found->physical_id = found->name = text;
    if (strncmp(text, "arn:", 4) != 0)
        return 0;
    char *copy = arena_strdup(arena, text);
    for (int i = 0; i < PARTS; i++) {
        parts[i] = copy;
        copy = i < PART && copy ? strchr(copy, ':') : NULL;
        if (copy)
            *copy++ = '\0';
    }
    if (!parts[PART] || !*parts[PART])
        return error_set(error, ERR_INPUT, "%s is no ARN of a resource", text);
    if (*parts[REGION] && strcmp(parts[REGION], cloud->identity.region) != 0)
        return error_set(error, ERR_INPUT, "%s is in %s, and the stack in %s", text, parts[REGION],
                         cloud->identity.region);
    if (*parts[ACCOUNT] && strcmp(parts[ACCOUNT], cloud->identity.account) != 0)
        return error_set(error, ERR_INPUT, "%s is of account %s, and the stack of %s", text,
                         parts[ACCOUNT], cloud->identity.account);
    if (strcmp(parts[SERVICE], "rds") == 0 && strncmp(parts[PART], "db-proxy:", 9) == 0)
        return error_set(error, ERR_INPUT,
                         "%s: RDS finds a proxy by its name, which this ARN does not tell: say the "
                         "name",
                         text);
    found->physical_id = found->name = name_of_part(arena, parts[SERVICE], parts[PART]);
    return 0;
}
