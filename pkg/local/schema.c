/* The database's schema, brought up to date by the schema function, as on AWS. */
#include <string.h>

#include "pkg/cloud/rag_schema.h"
#include "pkg/local/local.h"
#include "pkg/local/types.h"

static const struct field fields[] = {
    {.name = "function",
     .type = FIELD_STRING,
     .flags = REQUIRED | READY | WRITE_ONLY,
     .summary = "the function that does it"},
    SCHEMA_FIELDS,
    {.name = "documents", .type = FIELD_INT, .flags = COMPUTED, .summary = "documents stored"},
    {.name = "passages", .type = FIELD_INT, .flags = COMPUTED, .summary = "passages stored"},
    {0},
};

static int invoke(struct task *task, struct local *local, struct arena *arena, const char *what,
                  const struct value *want, struct value **reply, struct error *error)
{
    return supervisor_call(task, local, arena, "POST", "/functions/schema/invoke",
                           schema_event(arena, what, want), reply, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct value *state, *reply;
    int result = supervisor_state(task, observation, &state, error);
    const char *id = observation->wanted_count ? observation->wanted[0].id : "tables";
    if (result < 0 || !value_is_text(value_at(state, "functions.schema.status.state"), "Active"))
        return result; /* it would not answer */
    result =
        invoke(task, observation->target, observation->arena, "schema-look", NULL, &reply, error);
    if (result < 0) { /* a function or a database that does not run has no schema to show */
        error_clear(error);
        return 0;
    }
    struct found found = {.id = id, .physical_id = "rag", .props = reply};
    found.contents = schema_contents(observation->arena, reply, value_text(reply, "embedder"));
    if (value_int_at(reply, "migrations", 0) > 0)
        observation->add(observation, &found);
    return 0;
}

static int migrate(struct task *task, struct action *action, struct error *error)
{
    struct value *reply;
    const char *what = action->consented ? "schema-reembed" : "schema";
    action->physical_id = "rag";
    int result = invoke(task, action->target, action->arena, what, action->want, &reply, error);
    if (result == 0)
        value_set_text(action->arena, action->made, "warning", value_text(reply, "warning"));
    return result;
}

/* Tables go with their database, and stay with it. */
static int leave(struct task *task, struct action *action, struct error *error)
{
    (void)task, (void)action, (void)error;
    return 0;
}

const struct resource_type local_schema = {
    .kind = "local.schema",
    .summary = "tables, indexes and users in the database",
    .flags = NO_TAGS | HIDDEN,
    .fields = fields,
    .observe = observe,
    .create = migrate,
    .update = migrate,
    .remove = leave,
};
