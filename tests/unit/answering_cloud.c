#include "tests/unit/answering_cloud.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/value/json.h"

static const char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

/* "POST /\nAction=..&": the host is left out, and the last parameter ends like the others. */
static const char *line_of(struct arena *arena, const struct fake_request *request)
{
    const char *host = strstr(request->url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return arena_printf(arena, "%s %s\n%s&", request->method, path ? path : "/",
                        request->body ? request->body : "");
}

/* The reply of a query protocol that says nothing but "done". */
static const char *done(struct arena *arena, const char *line)
{
    const char *action = strstr(line, "Action=");
    if (!action)
        return "{}";
    int length = (int)strcspn(action + 7, "&");
    return arena_printf(arena, "<%.*sResponse><%.*sResult/></%.*sResponse>", length, action + 7,
                        length, action + 7, length, action + 7);
}

static struct fake_reply answer(void *data, const struct fake_request *request)
{
    struct answering_cloud *cloud = data;
    const char *line = line_of(cloud->arena, request);
    struct given_answer *last = NULL;
    for (size_t i = 0; i < cloud->answer_count; i++) {
        struct given_answer *row = &cloud->answers[i];
        if (!strstr(line, row->when))
            continue;
        last = row;
        if (!row->used)
            break; /* the first that is not used up, else the last */
    }
    if (!last) {
        cloud->fake->unexpected++;
        return (struct fake_reply){.code = ERR_FAILED};
    }
    last->used = true;
    return (struct fake_reply){.status = last->status,
                               .body = last->body ? last->body : done(cloud->arena, line)};
}

struct answering_cloud *answering_cloud_new(void)
{
    struct arena *arena = arena_new();
    struct answering_cloud *cloud = arena_new_of(arena, struct answering_cloud);
    struct identity identity = {.target = "aws",
                                .partition = "aws",
                                .account = "111122223333",
                                .region = "eu-west-1",
                                .stack = "acme",
                                .environment = "prod"};
    cloud->arena = arena;
    clock_virtual(&cloud->clock, 1769903999000); /* 2026-01-31T23:59:59Z */
    cloud->loop = loop_new(&cloud->clock.clock);
    cloud->fake = fake_transport_new();
    cloud->fake->answer = answer;
    cloud->fake->data = cloud;
    cloud->credentials = credential_provider_static("AKIAIOSFODNN7EXAMPLE", "secret", NULL);
    cloud->client = aws_client_new(&(struct aws_client_options){
        .transport = &cloud->fake->transport,
        .clock = &cloud->clock.clock,
        .credentials = cloud->credentials,
        .region = identity.region,
        .getenv = no_environment,
    });
    cloud->cloud = cloud_new(arena, cloud->client, &identity);
    return cloud;
}

void answering_cloud_free(struct answering_cloud *cloud)
{
    aws_client_free(cloud->client);
    credential_provider_free(cloud->credentials);
    loop_free(cloud->loop);
    fake_transport_free(cloud->fake);
    arena_free(cloud->arena);
}

/* -- answers and requests -- */

void answering_cloud_answer(struct answering_cloud *cloud, const char *when, int status,
                            const char *body)
{
    require(cloud->answer_count < COUNT_OF(cloud->answers));
    cloud->answers[cloud->answer_count++] = (struct given_answer){when, status, body, false};
}

const char *answering_cloud_xml(struct answering_cloud *cloud, const char *action,
                                const char *result)
{
    return arena_printf(cloud->arena, "<%sResponse><%sResult>%s</%sResult></%sResponse>", action,
                        action, result, action, action);
}

const char *answering_cloud_error(struct answering_cloud *cloud, const char *code,
                                  const char *message)
{
    return arena_printf(cloud->arena,
                        "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s"
                        "</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
                        code, message);
}

int answering_cloud_count(const struct answering_cloud *cloud, const char *part)
{
    int count = 0;
    for (size_t i = 0; i < cloud->fake->request_count; i++)
        count += strstr(line_of(cloud->arena, &cloud->fake->requests[i]), part) != NULL;
    return count;
}

const char *answering_cloud_sent(const struct answering_cloud *cloud, const char *part, int nth)
{
    for (size_t i = 0; i < cloud->fake->request_count; i++) {
        const char *line = line_of(cloud->arena, &cloud->fake->requests[i]);
        if (strstr(line, part) && nth-- == 0)
            return line;
    }
    return "";
}

/* -- looking -- */

static void take(struct observation *observation, const struct found *found)
{
    struct answering_cloud *cloud = observation->sink;
    struct found copy = *found;
    require(cloud->found_count < COUNT_OF(cloud->found));
    copy.props = type_fill(cloud->arena, observation->type, found->props);
    cloud->found[cloud->found_count++] = copy;
}

static int look(struct task *task, void *argument, struct error *error)
{
    struct observation *observation = argument;
    return observation->type->observe(task, observation, error);
}

int answering_cloud_observe(struct answering_cloud *cloud, const struct resource_type *type,
                            const char *id, struct error *error)
{
    struct wanted_name wanted = {
        id, type_name(cloud->arena, type, &cloud->cloud->identity, id, NULL, 1), 1};
    struct observation observation = {.target = cloud->cloud,
                                      .arena = cloud->arena,
                                      .type = type,
                                      .wanted = &wanted,
                                      .wanted_count = 1,
                                      .add = take,
                                      .sink = cloud};
    cloud->found_count = 0;
    return loop_run_task(cloud->loop, "look", look, &observation, error);
}

struct value *answering_cloud_tags(struct answering_cloud *cloud, const char *id)
{
    return identity_tags(cloud->arena, &cloud->cloud->identity, id, 1, NULL);
}

void answering_cloud_list(struct answering_cloud *cloud, const char *arn, const char *id)
{
    struct value *row = value_map(cloud->arena);
    value_set_text(cloud->arena, row, "arn", arn);
    value_set(cloud->arena, row, "tags", answering_cloud_tags(cloud, id));
    value_push(cloud->arena, cloud->cloud->inventory, row);
    map_put(&cloud->cloud->wanted_tags, id, answering_cloud_tags(cloud, id));
}

const char *answering_cloud_tags_xml(struct answering_cloud *cloud, const char *id)
{
    const struct value *tags = answering_cloud_tags(cloud, id);
    const char *text = "";
    for (size_t i = 0; i < value_count(tags); i++)
        text = arena_printf(cloud->arena, "%s<Tag><Key>%s</Key><Value>%s</Value></Tag>", text,
                            value_entry(tags, i)->key, value_entry(tags, i)->value->string.text);
    return text;
}

/* -- verbs -- */

struct action answering_cloud_action(struct answering_cloud *cloud,
                                     const struct resource_type *type, const char *id,
                                     const char *want, const struct found *have)
{
    struct value *props;
    struct error error;
    if (json_parse(cloud->arena, want, strlen(want), "want", &props, &error) < 0)
        panic("%s: %s", want, error.message);
    return (struct action){
        .target = cloud->cloud,
        .arena = cloud->arena,
        .type = type,
        .id = id,
        .name =
            have ? have->name : type_name(cloud->arena, type, &cloud->cloud->identity, id, NULL, 1),
        .generation = 1,
        .want = type_fill(cloud->arena, type, props),
        .have = have,
        .tags = answering_cloud_tags(cloud, id),
        .made = value_map(cloud->arena),
    };
}

void answering_cloud_change(struct answering_cloud *cloud, struct action *action, const char *field)
{
    struct change *changes = arena_array(cloud->arena, action->change_count + 1, sizeof *changes);
    for (size_t i = 0; i < action->change_count; i++)
        changes[i] = action->changes[i];
    changes[action->change_count++] =
        (struct change){type_field(action->type, field), field,
                        action->have ? value_get(action->have->props, field) : NULL,
                        value_get(action->want, field)};
    action->changes = changes;
}

struct run {
    verb *function;
    struct action *action;
};

static int run_verb(struct task *task, void *argument, struct error *error)
{
    struct run *run = argument;
    return run->function(task, run->action, error);
}

int answering_cloud_run(struct answering_cloud *cloud, verb *function, struct action *action,
                        struct error *error)
{
    struct run run = {function, action};
    return loop_run_task(cloud->loop, "verb", run_verb, &run, error);
}
