/* HTTP APIs.
 * Source: Amazon API Gateway V2 API Reference, CreateApi, UpdateApi, GetApis, TagResource; what an
 * API consists of is in apigateway_parts.c.
 *
 * Routes, integrations, authorizer and stage are part of an API's properties. So a run that ends
 * while they are made is repaired by the next one: they differ. */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/apigateway.h"
#include "pkg/cloud/types.h"

static const struct field cors_fields[] = {
    {.name = "origins",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED | CASELESS,
     .wire = "allowOrigins",
     .summary = "pages that may call it"},
    {.name = "methods",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED | CASELESS,
     .wire = "allowMethods",
     .unset = "[]",
     .summary = "GET, POST ..."},
    {.name = "headers",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED | CASELESS,
     .wire = "allowHeaders",
     .unset = "[]",
     .summary = "headers that they may send"},
    {.name = "expose_headers",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED | CASELESS,
     .wire = "exposeHeaders",
     .unset = "[]",
     .summary = "headers of answers that they may read"},
    {.name = "credentials",
     .type = FIELD_BOOL,
     .wire = "allowCredentials",
     .unset = "false",
     .summary = "they may send cookies"},
    {.name = "max_age_s",
     .type = FIELD_INT,
     .wire = "maxAge",
     .unset = "0",
     .allowed = "0..86400",
     .summary = "browsers remember this for so long"},
    {0},
};

static const struct field fields[] = {
    {.name = "name",
     .type = FIELD_STRING,
     .flags = STICKY,
     .wire = "name",
     .summary = "name in the console; unset: one of the stack's own"},
    {.name = "description",
     .type = FIELD_STRING,
     .wire = "description",
     .unset = "\"\"",
     .summary = "what it is for"},
    {.name = "cors",
     .type = FIELD_MAP,
     .wire = "corsConfiguration",
     .fields = cors_fields,
     .summary = "access from pages in browsers; unset: none"},
    {.name = "disable_endpoint",
     .type = FIELD_BOOL,
     .wire = "disableExecuteApiEndpoint",
     .unset = "false",
     .summary = "switch off https://ID.execute-api...: only a domain of its own reaches it"},
    {.name = "authorizer",
     .type = FIELD_MAP,
     .fields = api_authorizer_fields,
     .summary = "for routes with auth: jwt"},
    {.name = "stage",
     .type = FIELD_MAP,
     .unset = "{\"throttle_rate\": 10000, \"throttle_burst\": 5000, \"access_log\": null, "
              "\"log_format\": null, \"detailed_metrics\": false, \"auto_deploy\": true}",
     .fields = api_stage_fields,
     .summary = "limits and log of the stage $default"},
    {.name = "routes",
     .type = FIELD_LIST,
     .flags = UNORDERED,
     .key = "key",
     .unset = "[]",
     .fields = api_route_fields,
     .summary = "which request goes to which function"},
    {.name = "id",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "apiId",
     .summary = "its id: in metrics, and in its address"},
    {.name = "url",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .reply = "apiEndpoint",
     .summary = "where it answers"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "its ARN"},
    {.name = "execution_arn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "for permissions of functions: ${api.execution_arn}/*"},
    {.name = "parts",
     .type = FIELD_DOCUMENT,
     .flags = COMPUTED,
     .summary = "what it consists of, as API Gateway tells it, with the ids of all"},
    {0},
};

/* -- observing -- */

static const char *api_arn(struct arena *arena, const struct cloud *cloud, const char *id)
{
    return arena_printf(arena, "arn:%s:apigateway:%s::/apis/%s", cloud->identity.partition,
                        cloud->identity.region, id);
}

static void set_arns(struct arena *arena, const struct cloud *cloud, const char *id,
                     struct value *props)
{
    value_set_text(arena, props, "arn", api_arn(arena, cloud, id));
    value_set_text(arena, props, "execution_arn", cloud_arn(arena, cloud, "execute-api", id));
}

/* `api` may be known already, from a listing. */
static int add_api(struct task *task, struct observation *observation, const char *id,
                   struct value *api, struct error *error)
{
    struct value *props = NULL;
    int result = api_read(task, observation, id, &api, &props, error);
    if (result < 0 || !api)
        return result;
    const char *name = value_text(api, "name");
    set_arns(observation->arena, observation->target, id, props);
    cloud_add(observation, id, name ? name : id, props,
              value_copy(observation->arena, value_get(api, "tags")));
    return 0;
}

struct look {
    struct observation *observation;
    const char *id;
    struct value *api;
};
struct look_list {
    struct look *items;
    size_t count, capacity;
};

static int look_at(struct task *task, void *argument, struct error *error)
{
    struct look *look = argument;
    return add_api(task, look->observation, look->id, look->api, error);
}

static bool has_look(const struct look_list *looks, const char *id)
{
    for (size_t i = 0; i < looks->count; i++) {
        if (strcmp(looks->items[i].id, id) == 0)
            return true;
    }
    return false;
}

/* Which of the wanted ids the inventory lists; `looks` gets them and all others of the stack. */
static bool take_inventory(struct observation *observation, struct look_list *looks)
{
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "apigateway", "/apis/", &candidates), known = 0;
    for (size_t i = 0; i < count; i++) {
        const char *id = candidates[i].arn ? candidates[i].name : NULL;
        if (id && !strchr(id, '/')) /* and no stage of it */
            vector_push(observation->arena, looks, ((struct look){observation, id, NULL}));
    }
    for (size_t i = 0; i < observation->wanted_count; i++) {
        for (size_t j = 0; j < count; j++)
            known += candidates[j].arn && value_is_text(value_get(candidates[j].tags, TAG_ID),
                                                        observation->wanted[i].id);
    }
    return known >= observation->wanted_count;
}

/* GetApis knows no filter: it lists all HTTP APIs of the account and region, one request for every
 * page of them. So it is asked only while the inventory, which lags, lacks an API that is wanted:
 * on the first run, and for a minute after it. */
static int search(struct task *task, struct observation *observation, struct look_list *looks,
                  struct error *error)
{
    const struct cloud *cloud = observation->target;
    struct value *items, *api;
    int result = cloud_list(task, observation, &aws_apigateway, "GetApis",
                            value_map(observation->arena), &items, error);
    if (result < 0)
        return result;
    value_each(api, items)
    {
        const char *id = value_text(api, "apiId");
        if (id && identity_owns(&cloud->identity, value_get(api, "tags"), NULL, NULL) &&
            !has_look(looks, id))
            vector_push(observation->arena, looks, ((struct look){observation, id, api}));
    }
    return 0;
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    const struct found *only = observation->only;
    struct look_list looks = {0};
    int result = 0;
    if (only && only->physical_id)
        return add_api(task, observation, only->physical_id, NULL, error);
    if (only || !take_inventory(observation, &looks))
        result = search(task, observation, &looks, error);
    if (result < 0)
        return result;
    return task_each(task, "api", look_at, looks.items, sizeof *looks.items, looks.count, 0, error);
}

/* -- changing -- */

/* API Gateway has no use for an empty list. */
static void drop_empty_lists(struct value *map)
{
    for (size_t i = value_count(map); i-- > 0;) {
        const struct value_entry *entry = value_entry(map, i);
        if (value_is(entry->value, VALUE_LIST) && !value_count(entry->value))
            value_remove(map, entry->key);
    }
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply, *parameters = cloud_encode(arena, action->type, action->want);
    drop_empty_lists(value_get(parameters, "corsConfiguration"));
    value_set_text(arena, parameters, "name", action->name);
    value_set_text(arena, parameters, "protocolType", "HTTP");
    value_set(arena, parameters, "tags", value_copy(arena, action->tags));
    int result = cloud_call(task, action, &aws_apigateway, "CreateApi", parameters, &reply, error);
    if (result < 0)
        return result;
    const char *id = value_text(reply, "apiId");
    if (!id)
        return error_set(error, ERR_FAILED, "CreateApi named no API");
    action->physical_id = id;
    value_set_text(arena, action->made, "id", id);
    value_set(arena, action->made, "url", value_get(reply, "apiEndpoint"));
    set_arns(arena, action->target, id, action->made);
    return api_make_parts(task, action, id, true, error);
}

/* A list that is to be empty goes with the whole configuration: what is left out of it may be kept
 * as it is. */
static bool loses_a_list(const struct action *action)
{
    const struct value *want = value_get(action->want, "cors");
    const struct value *have = value_get(action->have->props, "cors");
    for (const struct field *field = cors_fields; field->name; field++) {
        if (field->type == FIELD_LIST && value_count(value_get(have, field->name)) &&
            !value_count(value_get(want, field->name)))
            return true;
    }
    return false;
}

static int update_api(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *id = action->have->physical_id;
    struct value *parameters = cloud_encode_changes(arena, action);
    int result = 0;
    drop_empty_lists(value_get(parameters, "corsConfiguration"));
    if (action_changes(action, "cors") && loses_a_list(action))
        result = cloud_remove(task, action, &aws_apigateway, "DeleteCorsConfiguration",
                              api_of(arena, id), error);
    if (result < 0 || !value_count(parameters))
        return result;
    value_set_text(arena, parameters, "apiId", id);
    return cloud_call(task, action, &aws_apigateway, "UpdateApi", parameters, NULL, error);
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = update_api(task, action, error);
    if (result == 0 && (action_changes(action, "routes") || action_changes(action, "authorizer") ||
                        action_changes(action, "stage")))
        result = api_make_parts(task, action, action->have->physical_id, false, error);
    return result;
}

static int remove_api(struct task *task, struct action *action, struct error *error)
{
    return cloud_remove(task, action, &aws_apigateway, "DeleteApi",
                        api_of(action->arena, action->have->physical_id), error);
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    const char *arn = api_arn(arena, action->target, action->have->physical_id);
    struct value *set, *gone, *parameters = value_map(arena);
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    value_set_text(arena, parameters, "resourceArn", arn);
    if (value_count(set))
        result =
            cloud_call(task, action, &aws_apigateway, "TagResource",
                       value_set(arena, value_copy(arena, parameters), "tags", set), NULL, error);
    if (result < 0 || !value_count(gone))
        return result;
    value_set(arena, parameters, "tagKeys", gone);
    return cloud_call(task, action, &aws_apigateway, "UntagResource", parameters, NULL, error);
}

static const struct patience patience[] = {
    {"ConflictException", "concurrent modification", "another change of this API is under way", 60,
     0},
    {"TooManyRequestsException", NULL, "API Gateway takes only so many changes", 180, 0},
    {0},
};

const struct resource_type apigateway_api = {
    .kind = "apigateway.api",
    .summary = "HTTP API: requests to functions",
    .name_maximum = 128,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_api,
    .retag = retag,
    .patience = patience,
};
