#include "tests/unit/fake_cloud.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/value/json.h"

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static struct aws_client *new_client(struct fake_cloud *fake, const char *region)
{
    return aws_client_new(&(struct aws_client_options){.transport = &fake->transport->transport,
                                                       .clock = &fake->clock.clock,
                                                       .credentials = fake->credentials,
                                                       .region = region,
                                                       .getenv = no_environment});
}

void fake_cloud_move(struct fake_cloud *fake, const char *region)
{
    aws_client_free(fake->cloud.client);
    fake->cloud.client = new_client(fake, region);
    fake->cloud.identity.region = region;
}

struct fake_cloud *fake_cloud_new(void)
{
    struct arena *arena = arena_new();
    struct fake_cloud *fake = arena_new_of(arena, struct fake_cloud);
    fake->arena = arena;
    clock_virtual(&fake->clock, 1767225600000);
    fake->loop = loop_new(&fake->clock.clock);
    fake->transport = fake_transport_new();
    fake->credentials = credential_provider_static("AKIDEXAMPLE", "secret", NULL);
    fake->cloud = (struct cloud){.client = new_client(fake, "eu-west-1"),
                                 .arena = arena,
                                 .identity = {.target = "aws",
                                              .partition = "aws",
                                              .account = "111122223333",
                                              .region = "eu-west-1",
                                              .stack = "acme",
                                              .environment = ""},
                                 .wanted_tags = map_in(arena),
                                 .made = map_in(arena),
                                 .answers = map_in(arena)};
    fake->cloud.inventory = value_list(arena);
    return fake;
}

void fake_cloud_free(struct fake_cloud *fake)
{
    aws_client_free(fake->cloud.client);
    credential_provider_free(fake->credentials);
    fake_transport_free(fake->transport);
    loop_free(fake->loop);
    arena_free(fake->arena);
}

struct value *fake_parse(struct fake_cloud *fake, const char *json)
{
    struct value *value = NULL;
    struct error error;
    if (json_parse(fake->arena, json, strlen(json), "test", &value, &error) < 0)
        panic("%s: %s", json, error.message);
    return value;
}

/* -- actions -- */

static int tell(void *data, const char *what, struct error *error)
{
    struct fake_cloud *fake = data;
    fake->told = what;
    fake->times_told++;
    return fake->interrupted ? error_set(error, ERR_CANCELLED, "interrupted") : 0;
}

static void find_changes(struct fake_cloud *fake, struct action *action)
{
    VECTOR(struct change) changes = {0};
    for (const struct field *field = action->type->fields; field->name; field++) {
        const struct value *want = value_get(action->want, field->name);
        const struct value *have = value_get(action->have->props, field->name);
        if (field_compared(field, want) && !field_equal(fake->arena, field, want, have))
            vector_push(fake->arena, &changes, ((struct change){field, field->name, have, want}));
    }
    action->changes = changes.items;
    action->change_count = changes.count;
}

struct action fake_action(struct fake_cloud *fake, const struct resource_type *type,
                          const char *want, const char *have)
{
    struct action action = {
        .target = &fake->cloud,
        .arena = fake->arena,
        .type = type,
        .id = "thing",
        .name = "acme-thing-12345678",
        .generation = 1,
        .want = type_fill(fake->arena, type, fake_parse(fake, want)),
        .tags = identity_tags(fake->arena, &fake->cloud.identity, "thing", 1, NULL),
        .made = value_map(fake->arena),
        .waiting = tell,
        .waiting_data = fake,
    };
    if (have) {
        struct found *found = arena_new_of(fake->arena, struct found);
        struct value *props = fake_parse(fake, have);
        *found = (struct found){
            .type = type,
            .id = "thing",
            .generation = 1,
            .physical_id = value_text(props, "id") ? value_text(props, "id") : "thing-1",
            .name = "acme-thing-12345678",
            .props = value_merge(fake->arena, type_fill(fake->arena, type, props), props),
            .tags = value_copy(fake->arena, action.tags)};
        action.have = found;
        find_changes(fake, &action);
    }
    return action;
}

/* -- running -- */

int fake_run(struct fake_cloud *fake, task_function *function, void *argument)
{
    error_clear(&fake->error);
    return loop_run_task(fake->loop, "test", function, argument, &fake->error);
}

struct verb_call {
    verb *function;
    struct action *action;
};

static int call_verb(struct task *task, void *argument, struct error *error)
{
    struct verb_call *call = argument;
    return call->function(task, call->action, error);
}

int fake_verb(struct fake_cloud *fake, verb *call, struct action *action)
{
    struct verb_call argument = {call, action};
    return fake_run(fake, call_verb, &argument);
}

static void take(struct observation *observation, const struct found *found)
{
    struct fake_cloud *fake = observation->sink;
    vector_push(fake->arena, &fake->found, *found);
}

static int call_observe(struct task *task, void *argument, struct error *error)
{
    struct observation *observation = argument;
    return observation->type->observe(task, observation, error);
}

int fake_observe(struct fake_cloud *fake, const struct resource_type *type)
{
    struct observation observation = {.target = &fake->cloud,
                                      .arena = fake->arena,
                                      .type = type,
                                      .only = fake->only,
                                      .add = take,
                                      .sink = fake};
    fake->found.count = 0;
    return fake_run(fake, call_observe, &observation);
}

/* -- EC2's replies and requests -- */

void fake_ec2_error(struct fake_cloud *fake, const char *code, const char *message)
{
    fake_reply(fake->transport, 400,
               arena_printf(fake->arena,
                            "<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error>"
                            "</Errors><RequestID>r-1</RequestID></Response>",
                            code, message));
}

void fake_ec2_reply(struct fake_cloud *fake, const char *inner)
{
    fake_reply(fake->transport, 200,
               arena_printf(fake->arena,
                            "<AnyResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                            "<requestId>r-1</requestId>%s</AnyResponse>",
                            inner));
}

static const char *decode(struct arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1), *at = out;
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        if (text[i] == '%' && i + 2 < length + 0 && sscanf(text + i + 1, "%2x", &byte) == 1) {
            *at++ = (char)byte;
            i += 2;
        } else {
            *at++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

const char *fake_parameter(const struct fake_cloud *fake, size_t nth, const char *name)
{
    if (nth >= fake->transport->request_count)
        return NULL;
    const char *pair = fake->transport->requests[nth].body;
    while (pair && *pair) {
        size_t length = strcspn(pair, "&"), key = strcspn(pair, "=&");
        if (pair[key] == '=' && strcmp(decode(fake->arena, pair, key), name) == 0)
            return decode(fake->arena, pair + key + 1, length - key - 1);
        pair += length + (pair[length] == '&');
    }
    return NULL;
}

const char *fake_operations(const struct fake_cloud *fake)
{
    const char *all = "";
    for (size_t i = 0; i < fake->transport->request_count; i++) {
        const char *operation = fake_parameter(fake, i, "Action");
        all = arena_printf(fake->arena, "%s%s%s", all, i ? " " : "", operation ? operation : "?");
    }
    return all;
}
