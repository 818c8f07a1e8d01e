/* The models endpoint, in place of Bedrock. */
#include <string.h>

#include "pkg/local/local.h"
#include "pkg/local/types.h"

static const struct field fields[] = {
    {.name = "chat_url",
     .type = FIELD_STRING,
     .summary =
         "OpenAI-compatible server for answers (\"http://127.0.0.1:11434/v1\"); unset: extracts"},
    {.name = "chat_model", .type = FIELD_STRING, .summary = "its name for the model"},
    {.name = "url", .type = FIELD_STRING, .flags = COMPUTED, .summary = "how it is reached"},
    {.name = "embedder",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "the embedding model; \"none\" when its weights could not be had"},
    {.name = "note",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "why there is no embedder"},
    {0},
};

#define EMBEDDER "ragstack.use-lite"

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct value *state;
    int result = supervisor_state(task, observation, &state, error);
    const struct value *models = value_get(state, "models");
    if (result < 0 || !models)
        return result;
    struct arena *arena = observation->arena;
    struct value *props = value_copy(arena, value_get(models, "config"));
    value_set(
        arena, props, "url",
        value_printf(arena, "http://127.0.0.1:%lld", (long long)value_int_at(models, "port", 0)));
    value_set_text(arena, props, "embedder", value_get(props, "encoder") ? EMBEDDER : "none");
    struct found found = {.id = value_text(props, "id"), .physical_id = "models", .props = props};
    observation->add(observation, &found);
    return 0;
}

static int put(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *config = value_copy(arena, action->want), *state;
    const char *encoder, *why;
    int result = fetch_encoder(task, action->target, arena, &encoder, &why, error);
    if (result < 0)
        return result;
    value_set_text(arena, config, "id", action->id);
    if (encoder)
        value_set_text(arena, config, "encoder", encoder);
    else
        value_set_text(arena, config, "note", why);
    result = supervisor_call(task, action->target, arena, "PUT", "/models", config, &state, error);
    if (result < 0)
        return result;
    value_set(arena, action->made, "url",
              value_printf(arena, "http://127.0.0.1:%lld",
                           (long long)value_int_at(state, "models.port", 0)));
    value_set_text(arena, action->made, "note", why);
    value_set_text(arena, action->made, "embedder", encoder ? EMBEDDER : "none");
    return 0;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int result = supervisor_start(task, action->target, error);
    action->physical_id = "models";
    return result < 0 ? result : put(task, action, error);
}

static int remove_models(struct task *task, struct action *action, struct error *error)
{
    int result = supervisor_call(task, action->target, action->arena, "DELETE", "/models", NULL,
                                 NULL, error);
    return result == ERR_NOT_FOUND ? 0 : result;
}

const struct resource_type local_models = {
    .kind = "local.models",
    .summary = "a Bedrock-compatible endpoint: the local encoder, and a language model or extracts",
    .flags = NO_TAGS | HIDDEN,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = put,
    .remove = remove_models,
};
