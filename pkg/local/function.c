/* A function: the handlers' zip behind the supervisor's Runtime API. */
#include <string.h>

#include "pkg/local/local.h"
#include "pkg/local/types.h"

static const struct field fields[] = {
    {.name = "code", .type = FIELD_STRING, .flags = WRITE_ONLY, .summary = "path of the zip"},
    {.name = "code_sha256", .type = FIELD_STRING, .summary = "the zip's SHA-256 in base64"},
    {.name = "handler",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "ask, ingest or schema"},
    {.name = "memory_mb", .type = FIELD_INT, .unset = "256", .summary = "address space, at most"},
    {.name = "timeout_s", .type = FIELD_INT, .unset = "29", .summary = "longest run"},
    {.name = "concurrency",
     .type = FIELD_INT,
     .unset = "2",
     .allowed = "1..64",
     .summary = "processes, each with one event at a time"},
    {.name = "environment", .type = FIELD_MAP, .unset = "{}", .summary = "variables"},
    {.name = "state",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "Pending, Active, Failed"},
    {.name = "reason", .type = FIELD_STRING, .flags = COMPUTED, .summary = "why it failed"},
    {0},
};

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct value *state;
    int result = supervisor_state(task, observation, &state, error);
    const struct value *functions = value_get(state, "functions");
    for (size_t i = 0; result == 0 && i < value_count(functions); i++) {
        const struct value_entry *entry = value_entry(functions, i);
        struct value *props = value_copy(observation->arena, value_get(entry->value, "config"));
        value_set_text(observation->arena, props, "state",
                       value_text_at(entry->value, "status.state"));
        value_set_text(observation->arena, props, "reason",
                       value_text_at(entry->value, "status.reason"));
        struct found found = {.id = entry->key, .physical_id = entry->key, .props = props};
        observation->add(observation, &found);
    }
    return result;
}

static const char *path_of(const struct action *action)
{
    return arena_printf(action->arena, "/functions/%s", action->id);
}

static int put(struct task *task, struct action *action, struct error *error)
{
    return supervisor_call(task, action->target, action->arena, "PUT", path_of(action),
                           action->want, NULL, error);
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int result = supervisor_start(task, action->target, error);
    action->physical_id = action->id;
    return result < 0 ? result : put(task, action, error);
}

static int remove_function(struct task *task, struct action *action, struct error *error)
{
    int result = supervisor_call(task, action->target, action->arena, "DELETE", path_of(action),
                                 NULL, NULL, error);
    return result == ERR_NOT_FOUND ? 0 : result;
}

const struct resource_type local_function = {
    .kind = "local.function",
    .summary = "a handler, run on this machine as Lambda runs it",
    .flags = NO_TAGS | HIDDEN,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = put,
    .remove = remove_function,
    .ready = {.field = "state",
              .wanted = "Active",
              .failing = "Failed",
              .reason = "reason",
              .typical_s = 1,
              .longest_s = 60},
};
