/* The front, in place of API Gateway. Its port stays the same from one start to the next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/local/local.h"
#include "pkg/local/types.h"

static const struct field route_fields[] = {
    {.name = "key", .type = FIELD_STRING, .flags = REQUIRED, .summary = "\"POST /ask\""},
    {.name = "function", .type = FIELD_STRING, .flags = REQUIRED, .summary = "the function's name"},
    {0},
};

static const struct field cors_fields[] = {
    {.name = "origins", .type = FIELD_LIST, .flags = UNORDERED, .unset = "[]", .summary = "pages"},
    {.name = "methods",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "methods"},
    {.name = "headers",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "headers"},
    {.name = "max_age_s",
     .type = FIELD_INT,
     .unset = "0",
     .summary = "how long a browser remembers"},
    {0},
};

static const struct field fields[] = {
    {.name = "routes",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .unset = "[]",
     .key = "key",
     .fields = route_fields,
     .summary = "requests, and the function that answers each"},
    {.name = "cors", .type = FIELD_MAP, .fields = cors_fields, .summary = "access from browsers"},
    {.name = "throttle_rate", .type = FIELD_REAL, .summary = "requests a second"},
    {.name = "throttle_burst", .type = FIELD_INT, .summary = "requests at once"},
    {.name = "port", .type = FIELD_INT, .flags = STICKY, .summary = "where it listens; unset: any"},
    {.name = "url", .type = FIELD_STRING, .flags = COMPUTED, .summary = "how it is reached"},
    {0},
};

static const char *url_of(struct arena *arena, int64_t port)
{
    return arena_printf(arena, "http://127.0.0.1:%lld", (long long)port);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct value *state;
    int result = supervisor_state(task, observation, &state, error);
    const struct value *gateway = value_get(state, "gateway");
    if (result < 0 || !gateway)
        return result;
    struct value *props = value_copy(observation->arena, value_get(gateway, "config"));
    const char *id = value_text(props, "id");
    int64_t port = value_int_at(gateway, "port", 0);
    value_set_int(observation->arena, props, "port", port);
    value_set_text(observation->arena, props, "url", url_of(observation->arena, port));
    struct found found = {.id = id, .physical_id = "gateway", .props = props};
    observation->add(observation, &found);
    return 0;
}

/* -- the port of the last time -- */

static int64_t last_port(const struct action *action)
{
    const struct local *local = action->target;
    FILE *file = fopen(arena_printf(action->arena, "%s/gateway.port", local->folder), "r");
    char text[16] = "";
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return strtoll(text, NULL, 10);
}

static void keep_port(const struct action *action, int64_t port)
{
    const struct local *local = action->target;
    FILE *file = fopen(arena_printf(action->arena, "%s/gateway.port", local->folder), "w");
    if (!file)
        return; /* then another one next time */
    fprintf(file, "%lld\n", (long long)port);
    fclose(file);
}

static int put(struct task *task, struct action *action, int64_t port, struct error *error)
{
    struct value *config = value_copy(action->arena, action->want), *state;
    value_set_text(action->arena, config, "id", action->id);
    value_set_int(action->arena, config, "port", port);
    int result = supervisor_call(task, action->target, action->arena, "PUT", "/gateway", config,
                                 &state, error);
    if (result < 0)
        return result;
    port = value_int_at(state, "gateway.port", 0);
    value_set_int(action->arena, action->made, "port", port);
    value_set_text(action->arena, action->made, "url", url_of(action->arena, port));
    keep_port(action, port);
    return 0;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    int64_t said = value_int_at(action->want, "port", 0), last = last_port(action);
    int result = supervisor_start(task, action->target, error);
    action->physical_id = "gateway";
    if (result == 0)
        result = put(task, action, said ? said : last, error);
    if (result == ERR_INPUT && !said && last) /* somebody else has the port by now */
        result = put(task, action, 0, error);
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int64_t have = value_int_at(action->have->props, "port", 0);
    return put(task, action, value_int_at(action->want, "port", have), error);
}

static int remove_gateway(struct task *task, struct action *action, struct error *error)
{
    int result = supervisor_call(task, action->target, action->arena, "DELETE", "/gateway", NULL,
                                 NULL, error);
    return result == ERR_NOT_FOUND ? 0 : result;
}

const struct resource_type local_gateway = {
    .kind = "local.gateway",
    .summary = "HTTP on loopback, as API Gateway would serve it",
    .flags = NO_TAGS | HIDDEN,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_gateway,
};
