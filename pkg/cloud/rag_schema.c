/* The schema of the stack's database: extension, tables, users. The database is private, so the
 * schema function changes it; what it was brought to is written down in a tag of the database, so
 * that a look asks neither, and a database that is replaced or restored tells by itself.
 * Source: AWS Lambda API Reference, Invoke; Amazon RDS API Reference, AddTagsToResource. */
#include "pkg/cloud/rag_schema.h"

#include <stdio.h>
#include <string.h>

#include "pkg/base/log.h"
#include "pkg/base/vector.h"
#include "pkg/cloud/rds.h"
#include "pkg/cloud/types.h"
#include "pkg/rag/model.h"
#include "pkg/value/json.h"
#include "pkg/value/number.h"

static const struct field fields[] = {
    {.name = "function",
     .type = FIELD_STRING,
     .flags = REQUIRED | READY | WRITE_ONLY,
     .summary = "ARN of the function that does it"},
    {.name = "database",
     .type = FIELD_STRING,
     .flags = REQUIRED | READY,
     .summary = "name of the database instance"},
    {.name = "host",
     .type = FIELD_STRING,
     .flags = REQUIRED | READY | WRITE_ONLY,
     .summary = "its endpoint, not the proxy's"},
    {.name = "needs",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = COMPLETE | WRITE_ONLY,
     .summary = "what lets the function reach the database: security groups, roles"},
    {.name = "app_user",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^[a-z_][a-z0-9_]{0,62}$",
     .summary = "database user of the other functions, who sign in by IAM"},
    SCHEMA_FIELDS,
    {0},
};

/* -- the function -- */

struct value *schema_event(struct arena *arena, const char *what, const struct value *props)
{
    static const char *const told[] = {"embedder", "dimensions", "host", "app_user"};
    struct value *event = value_map(arena);
    value_set_text(arena, event, "ragstack", what);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        if (value_get(props, told[i]))
            value_set(arena, event, told[i], value_copy(arena, value_get(props, told[i])));
    }
    return event;
}

const char *schema_contents(struct arena *arena, const struct value *report, const char *embedder)
{
    enum { CHARACTERS_PER_TOKEN = 4 }; /* of English, about */
    int64_t units = value_int_at(report, "units", 0);
    int64_t characters = value_int_at(report, "characters", 0);
    double dollars = price_of_tokens(embedder, (int)(characters / CHARACTERS_PER_TOKEN), 0);
    if (!units)
        return "";
    const char *price = dollars < 0   ? ""
                        : dollars > 0 ? arena_printf(arena, ", for about $%.2f", dollars)
                                      : ", which costs nothing";
    return arena_printf(arena,
                        "%lld vectors of %lld passages in %lld documents: ingest these again "
                        "afterwards%s",
                        (long long)units, (long long)value_int_at(report, "passages", 0),
                        (long long)value_int_at(report, "documents", 0), price);
}

static int read_reply(struct arena *arena, const struct value *text, struct value **report,
                      struct error *error)
{
    if (!text || !value_is(text, VALUE_STRING))
        return error_set(error, ERR_FAILED, "the schema function answered nothing");
    return json_parse(arena, text->string.text, text->string.length, "the schema function's answer",
                      report, error);
}

static struct value *invocation(struct arena *arena, const char *function, const char *what,
                                const struct value *props)
{
    struct value *parameters = value_map(arena);
    value_set_text(arena, parameters, "FunctionName", function);
    value_set_text(arena, parameters, "InvocationType", "RequestResponse");
    return value_set_text(arena, parameters, "Payload",
                          json_text(arena, schema_event(arena, what, props)));
}

/* -- looking: the database's tag -- */

/* "<id> <migrations> <app user> <dimensions> <embedder>" */
static const char *note_of(struct arena *arena, const char *id, const struct value *props)
{
    return arena_printf(
        arena, "%s %lld %s %lld %s", id, (long long)value_int_at(props, "migrations", 0),
        value_text(props, "app_user"), (long long)value_int_at(props, "dimensions", 0),
        value_text(props, "embedder"));
}

static struct value *read_note(struct arena *arena, const char *note, const char **id)
{
    char name[64], user[64], first[24], second[24];
    int64_t migrations, dimensions;
    int length = 0;
    if (!note || sscanf(note, "%63s %23s %63s %23s %n", name, first, user, second, &length) < 4 ||
        !length || !number_read_int(first, &migrations) || !number_read_int(second, &dimensions))
        return NULL;
    struct value *props = value_map(arena);
    *id = arena_strdup(arena, name);
    value_set_int(arena, props, "migrations", migrations);
    value_set_text(arena, props, "app_user", user);
    value_set_int(arena, props, "dimensions", dimensions);
    return value_set_text(arena, props, "embedder", note + length);
}

static const struct resource *wanted_schema(const struct cloud *cloud, const char *id)
{
    for (size_t i = 0; cloud->wanted && i < cloud->wanted->count; i++) {
        const struct resource *resource = &cloud->wanted->items[i];
        if (resource->type == &rag_schema && strcmp(resource->id, id) == 0)
            return resource;
    }
    return NULL;
}

/* The name tells the ARN of a function that another field refers to. */
static const struct value *predict(void *data, const char *id, const char *attribute)
{
    const struct observation *observation = data;
    const struct cloud *cloud = observation->target;
    for (size_t i = 0; i < cloud->wanted->count; i++) {
        const struct resource *resource = &cloud->wanted->items[i];
        if (strcmp(resource->id, id) != 0)
            continue;
        const char *name =
            type_name(observation->arena, resource->type, &cloud->identity, id, resource->props, 1);
        return value_string(observation->arena, type_predict(observation->arena, resource->type,
                                                             &cloud->identity, name, attribute));
    }
    return NULL;
}

static bool keeps_vectors(const struct value *want, const struct value *have)
{
    return value_equal(value_get(want, "embedder"), value_get(have, "embedder")) &&
           value_as_int(value_get(want, "dimensions"), 0) == value_int_at(have, "dimensions", 0);
}

/* Only what is going to change is asked for: how much there is to lose. NULL: it cannot be told. */
static const char *contents(struct task *task, struct observation *observation,
                            const struct value *want, const struct value *host)
{
    struct cloud *cloud = observation->target;
    struct arena *arena = observation->arena;
    const struct value *function =
        reference_resolve(arena, value_get(want, "function"), predict, observation);
    struct value *props = value_map(arena), *reply = NULL, *report = NULL;
    struct error error = {0};
    value_set(arena, props, "host", value_copy(arena, host));
    int result = value_is(function, VALUE_STRING)
                     ? aws_call(task, cloud->client, arena, &aws_lambda, "Invoke",
                                invocation(arena, function->string.text, "schema-look", props),
                                &reply, &error)
                     : error_set(&error, ERR_NOT_FOUND, "its function is not known");
    if (result == 0)
        result = read_reply(arena, reply, &report, &error);
    if (result == 0)
        return schema_contents(arena, report, value_text(want, "embedder"));
    log_debug("what the database holds is not known: %s", error.message);
    return NULL;
}

/* What observing the databases found. */
struct database_list {
    struct found *items;
    size_t count, capacity;
    struct arena *arena;
};

static void take_database(struct observation *observation, const struct found *found)
{
    struct database_list *list = observation->sink;
    if (!found->foreign)
        vector_push(list->arena, list, *found);
}

static int look_at_databases(struct task *task, const struct observation *observation,
                             struct database_list *list, struct error *error)
{
    const struct cloud *cloud = observation->target;
    const struct found *only = observation->only;
    struct found database = {.type = &rds_instance};
    struct observation inner = {.target = observation->target,
                                .arena = observation->arena,
                                .type = &rds_instance,
                                .add = take_database,
                                .sink = list};
    if (cloud->wanted)
        observation_want(&inner, &cloud->identity, cloud->wanted);
    if (only && only->physical_id) {
        database.name = database.physical_id = only->physical_id;
        inner.only = &database;
    }
    return rds_instance.observe(task, &inner, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    struct database_list databases = {.arena = arena};
    int result = look_at_databases(task, observation, &databases, error);
    for (size_t i = 0; result == 0 && i < databases.count; i++) {
        const struct found *database = &databases.items[i];
        const char *id = NULL;
        struct value *props = read_note(arena, value_text(database->props, "schema"), &id);
        if (!props)
            continue;
        const struct resource *wanted = wanted_schema(observation->target, id);
        struct found found = {.id = id,
                              .generation = 1,
                              .physical_id = database->physical_id,
                              .name = database->name,
                              .props = props};
        value_set_text(arena, props, "database", database->name);
        if (wanted && !observation->only && !keeps_vectors(wanted->props, props))
            found.contents =
                contents(task, observation, wanted->props, value_get(database->props, "endpoint"));
        observation->add(observation, &found);
    }
    return result;
}

/* -- bringing it up to date -- */

static int write_note(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *database = value_text(action->want, "database");
    const char *arn =
        cloud_arn(arena, action->target, "rds", arena_printf(arena, "db:%s", database));
    struct value *tag = value_map(arena), *parameters = rds_named(arena, "ResourceName", arn);
    value_set_text(arena, tag, RDS_TAG_SCHEMA, note_of(arena, action->id, action->want));
    value_set(arena, parameters, "Tags",
              value_wrap(arena, "Tag", cloud_tag_list(arena, tag, "Key", "Value")));
    return cloud_call(task, action, &aws_rds, "AddTagsToResource", parameters, NULL, error);
}

/* Repeating it changes nothing: a run that ended between both calls is followed by another. */
static int migrate(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply = NULL, *report = NULL;
    const char *what = action->consented ? "schema-reembed" : "schema";
    action->physical_id = value_text(action->want, "database");
    int result = cloud_call(
        task, action, &aws_lambda, "Invoke",
        invocation(arena, value_text(action->want, "function"), what, action->want), &reply, error);
    if (result < 0 && strcmp(error->aws_code, "Ragstack.DataLoss") == 0) {
        error->code = ERR_DATA_LOSS;
        return error_wrap(error, "say --allow-data-loss=%s if that may be", action->id);
    }
    if (result == 0)
        result = read_reply(arena, reply, &report, error);
    if (result == 0)
        result = write_note(task, action, error);
    if (result == 0)
        value_set(arena, action->made, "warning", value_get(report, "warning"));
    return result;
}

/* Tables go with their database, and stay with it. */
static int leave(struct task *task, struct action *action, struct error *error)
{
    (void)task, (void)action, (void)error;
    return 0;
}

static const struct patience patience[] = {
    {"Ragstack.Denied", "PAM authentication failed",
     "the database does not know the function's role yet", 180, 0},
    {"Ragstack.Failed", "timeout expired", "the database is not reached yet", 120, 0},
    {"Ragstack.Failed", "Connection refused", "the database does not answer yet", 120, 0},
    {"Ragstack.Failed", "cannot resolve", "the database's name is not known everywhere yet", 120,
     0},
    {"ResourceConflictException", NULL, "the function takes a change", 300, 0},
    {0},
};

const struct resource_type rag_schema = {
    .kind = "rag.schema",
    .summary = "tables, indexes and users in the database",
    .flags = NO_TAGS | HIDDEN,
    .fields = fields,
    .observe = observe,
    .create = migrate,
    .update = migrate,
    .remove = leave,
    .patience = patience,
};
