/* What an HTTP API consists of: routes, integrations, an authorizer, and the stage $default.
 * Source: Amazon API Gateway V2 API Reference, the calls of integrations, routes, authorizers and
 * stages.
 *
 * They are matched by what they are: routes by their key, integrations by function and time limit.
 * They are made and changed one after the other, because API Gateway refuses two edits of one API
 * at a time; a new API and one that was left half-made take the same way, which compares with what
 * is there. The stage, which publishes each change, comes last. */
#include <string.h>

#include "pkg/cloud/apigateway.h"

#define STAGE "$default"
#define AUTHORIZER "jwt"
#define LOG_FORMAT                                                                            \
    "{\"requestId\":\"$context.requestId\",\"time\":\"$context.requestTimeEpoch\","           \
    "\"ip\":\"$context.identity.sourceIp\",\"method\":\"$context.httpMethod\","               \
    "\"path\":\"$context.path\",\"routeKey\":\"$context.routeKey\","                          \
    "\"status\":\"$context.status\",\"protocol\":\"$context.protocol\","                      \
    "\"responseLength\":\"$context.responseLength\","                                         \
    "\"responseLatency\":\"$context.responseLatency\","                                       \
    "\"integrationLatency\":\"$context.integrationLatency\","                                 \
    "\"integrationRequestId\":\"$context.integration.requestId\","                            \
    "\"integrationStatus\":\"$context.integration.status\","                                  \
    "\"integrationError\":\"$context.integrationErrorMessage\","                              \
    "\"error\":\"$context.error.message\",\"authorizerError\":\"$context.authorizer.error\"," \
    "\"userAgent\":\"$context.identity.userAgent\"}"

const struct field api_route_fields[] = {
    {.name = "key",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^([$]default|(ANY|GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /.*)$",
     .summary = "\"POST /ask\", \"GET /documents/{id}\" or \"$default\""},
    {.name = "function",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "ARN of the function, or of its alias; it has to permit apigateway.amazonaws.com"},
    {.name = "auth",
     .type = FIELD_STRING,
     .unset = "\"iam\"",
     .allowed = "iam|jwt|none",
     .summary = "who may call it: AWS signatures, tokens of the authorizer, or anybody"},
    {.name = "scopes",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "with jwt: the token has to have one of these"},
    {.name = "timeout_ms",
     .type = FIELD_INT,
     .unset = "30000",
     .allowed = "50..30000",
     .summary = "how long the function may take to answer"},
    {0},
};

const struct field api_authorizer_fields[] = {
    {.name = "issuer",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .reply = "jwtConfiguration.issuer",
     .summary = "who signs the tokens"},
    {.name = "audience",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .reply = "jwtConfiguration.audience",
     .summary = "for whom they are signed"},
    {0},
};

const struct field api_stage_fields[] = {
    {.name = "throttle_rate",
     .type = FIELD_REAL,
     .wire = "defaultRouteSettings.throttlingRateLimit",
     .unset = "10000",
     .allowed = "1..",
     .summary = "requests a second"},
    {.name = "throttle_burst",
     .type = FIELD_INT,
     .wire = "defaultRouteSettings.throttlingBurstLimit",
     .unset = "5000",
     .allowed = "1..",
     .summary = "requests at once"},
    {.name = "access_log",
     .type = FIELD_STRING,
     .reply = "accessLogSettings.destinationArn",
     .summary = "ARN of the log group that gets a line a request; unset: none"},
    {.name = "log_format",
     .type = FIELD_STRING,
     .reply = "accessLogSettings.format",
     .summary = "that line; unset: JSON with request id, status and latencies"},
    {.name = "detailed_metrics",
     .type = FIELD_BOOL,
     .wire = "defaultRouteSettings.detailedMetricsEnabled",
     .unset = "false",
     .summary = "metrics a route; they cost extra"},
    {.name = "auto_deploy",
     .type = FIELD_BOOL,
     .wire = "autoDeploy",
     .unset = "true",
     .summary = "each change goes live at once; the only way that is supported"},
    {0},
};

/* -- words -- */

static const struct {
    const char *word, *wire;
} auths[] = {{"iam", "AWS_IAM"}, {"jwt", "JWT"}, {"none", "NONE"}, {"custom", "CUSTOM"}};

static const char *auth_wire(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(auths); i++) {
        if (word && strcmp(auths[i].word, word) == 0)
            return auths[i].wire;
    }
    return "AWS_IAM"; /* never open by mistake */
}

static const char *auth_word(const char *wire)
{
    for (size_t i = 0; i < COUNT_OF(auths); i++) {
        if (wire && strcmp(auths[i].wire, wire) == 0)
            return auths[i].word;
    }
    return "none";
}

struct value *api_of(struct arena *arena, const char *id)
{
    return value_set_text(arena, value_map(arena), "apiId", id);
}

/* The function's ARN, also out of "arn:..:apigateway:..:lambda:path/2015-03-31/functions/ARN/
 * invocations"; NULL unless it is called by payload format 2.0, as its handler expects. */
static const char *function_of(struct arena *arena, const struct value *integration)
{
    const char *uri = value_text(integration, "integrationUri");
    if (!uri || !value_is_text(value_get(integration, "integrationType"), "AWS_PROXY") ||
        !value_is_text(value_get(integration, "payloadFormatVersion"), "2.0"))
        return NULL;
    const char *start = strstr(uri, "/functions/"), *end = strstr(uri, "/invocations");
    if (!start || !end || end < start)
        return uri;
    start += strlen("/functions/");
    return arena_strndup(arena, start, (size_t)(end - start));
}

static int64_t timeout_of(const struct value *integration)
{
    return value_int_at(integration, "timeoutInMillis", 30000);
}

/* "integrations/abc123" */
static const struct value *integration_of(const struct value *route,
                                          const struct value *integrations)
{
    const char *target = value_text(route, "target"), *slash = target ? strchr(target, '/') : NULL;
    return slash ? value_find(integrations, "integrationId", slash + 1) : NULL;
}

/* -- reading -- */

enum { API, ROUTES, INTEGRATIONS, STAGES, PARTS };

/* A route for signatures may still name the authorizer that it once had. */
static const char *authorizer_of(const struct value *route)
{
    return value_is_text(value_get(route, "authorizationType"), "JWT")
               ? value_text(route, "authorizerId")
               : NULL;
}

static struct value *decode_routes(struct arena *arena, const struct value *routes,
                                   const struct value *integrations, const char *authorizer_id)
{
    struct value *list = value_list(arena), *route;
    value_each(route, routes)
    {
        const struct value *integration = integration_of(route, integrations);
        const char *other = authorizer_of(route);
        bool ours = !other || !authorizer_id || strcmp(other, authorizer_id) == 0;
        struct value *one = value_map(arena);
        value_set_text(arena, one, "key", value_text(route, "routeKey"));
        value_set(arena, one, "function", value_string(arena, function_of(arena, integration)));
        value_set_text(arena, one, "auth",
                       ours ? auth_word(value_text(route, "authorizationType")) : "custom");
        value_set(arena, one, "scopes", value_get(route, "authorizationScopes"));
        value_set_int(arena, one, "timeout_ms", timeout_of(integration));
        value_push(arena, list, one);
    }
    return list;
}

/* Through a stage that is missing nothing passes: the difference that brings it back. */
static struct value *decode_stage(struct arena *arena, const struct value *stages)
{
    static const struct resource_type stage_type = {.fields = api_stage_fields};
    const struct value *stage = value_find(stages, "stageName", STAGE);
    struct value *props = cloud_decode(arena, &stage_type, stage);
    if (value_is_text(value_get(props, "log_format"), LOG_FORMAT))
        value_remove(props, "log_format");
    if (!stage)
        value_set_int(arena, props, "throttle_rate", 0);
    return value_set_bool(arena, props, "auto_deploy", value_bool_at(stage, "autoDeploy", !stage));
}

static const char *authorizer_id_of(const struct value *routes)
{
    struct value *route;
    value_each(route, routes)
    {
        if (authorizer_of(route))
            return authorizer_of(route);
    }
    return NULL;
}

/* All as it is told, with its ids: for who hands the API over to another tool. */
static struct value *parts_of(struct arena *arena, const struct cloud_read reads[PARTS])
{
    struct value *parts = value_map(arena);
    value_set(arena, parts, "routes", value_copy(arena, reads[ROUTES].reply));
    value_set(arena, parts, "integrations", value_copy(arena, reads[INTEGRATIONS].reply));
    value_set(arena, parts, "stage",
              value_copy(arena, value_find(reads[STAGES].reply, "stageName", STAGE)));
    return parts;
}

/* Only asked for when a route names one: an API for signatures has none. */
static int decode_authorizer(struct task *task, struct observation *observation, const char *id,
                             const struct value *routes, struct value *props, struct error *error)
{
    static const struct resource_type authorizer_type = {.fields = api_authorizer_fields};
    struct arena *arena = observation->arena;
    const char *authorizer_id = authorizer_id_of(routes);
    struct value *reply = NULL;
    if (!authorizer_id)
        return 0;
    int result = cloud_get(task, observation, &aws_apigateway, "GetAuthorizer",
                           value_set_text(arena, api_of(arena, id), "authorizerId", authorizer_id),
                           &reply, error);
    if (result == 0 && reply) {
        value_set(arena, props, "authorizer", cloud_decode(arena, &authorizer_type, reply));
        value_set(arena, value_get(props, "parts"), "authorizer", reply);
    }
    return result;
}

int api_read(struct task *task, struct observation *observation, const char *id, struct value **api,
             struct value **props, struct error *error)
{
    static const char *const operations[PARTS] = {
        [API] = "GetApi",
        [ROUTES] = "GetRoutes",
        [INTEGRATIONS] = "GetIntegrations",
        [STAGES] = "GetStages",
    };
    struct arena *arena = observation->arena;
    struct cloud_read reads[PARTS];
    for (size_t i = 0; i < PARTS; i++)
        reads[i] = (struct cloud_read){.service = &aws_apigateway,
                                       .operation = operations[i],
                                       .parameters = api_of(arena, id),
                                       .how = i == API ? READ_ONE : READ_LIST};
    size_t first = *api ? ROUTES : API;
    int result = cloud_get_all(task, observation, reads + first, PARTS - first, error);
    if (!*api && result == 0)
        *api = reads[API].reply;
    if (result < 0 || !*api)
        return result;
    const struct value *routes = reads[ROUTES].reply;
    *props = cloud_decode(arena, observation->type, *api);
    value_set(arena, *props, "routes",
              decode_routes(arena, routes, reads[INTEGRATIONS].reply, authorizer_id_of(routes)));
    value_set(arena, *props, "stage", decode_stage(arena, reads[STAGES].reply));
    value_set(arena, *props, "parts", parts_of(arena, reads));
    return decode_authorizer(task, observation, id, routes, *props, error);
}

/* -- shape: what an API consists of, made to be as wanted -- */

/* What is there now, as API Gateway tells it. */
struct shape {
    struct task *task;
    struct action *action;
    const char *api_id;
    struct value *routes, *integrations, *authorizers, *stage;
    const char *authorizer_id; /* of the wanted one */
    bool is_new;               /* nothing is there, and nothing needs to be asked */
};

static int call(struct shape *shape, const char *operation, struct value *parameters,
                struct value **reply, struct error *error)
{
    value_set_text(shape->action->arena, parameters, "apiId", shape->api_id);
    return cloud_call(shape->task, shape->action, &aws_apigateway, operation, parameters, reply,
                      error);
}

static int drop(struct shape *shape, const char *operation, const char *member, const char *id,
                struct error *error)
{
    struct arena *arena = shape->action->arena;
    struct value *parameters = value_set_text(arena, api_of(arena, shape->api_id), member, id);
    return cloud_remove(shape->task, shape->action, &aws_apigateway, operation, parameters, error);
}

static int list(struct shape *shape, const char *operation, struct value **items,
                struct error *error)
{
    struct cloud *cloud = shape->action->target;
    struct arena *arena = shape->action->arena;
    *items = NULL;
    return shape->is_new ? 0
                         : aws_list(shape->task, cloud->client, arena, &aws_apigateway, operation,
                                    api_of(arena, shape->api_id), items, error);
}

static struct value *wanted(const struct shape *shape, const char *name)
{
    struct value *value = value_get(shape->action->want, name);
    return value && value->kind != VALUE_NULL ? value : NULL;
}

static bool has_jwt_route(const struct shape *shape)
{
    return value_find(wanted(shape, "routes"), "auth", "jwt") != NULL;
}

static int read_shape(struct shape *shape, struct error *error)
{
    struct value *stages;
    bool authorizers =
        has_jwt_route(shape) ||
        value_get(shape->action->have ? shape->action->have->props : NULL, "authorizer");
    int result = list(shape, "GetRoutes", &shape->routes, error);
    if (result == 0)
        result = list(shape, "GetIntegrations", &shape->integrations, error);
    if (result == 0 && authorizers)
        result = list(shape, "GetAuthorizers", &shape->authorizers, error);
    if (result == 0)
        result = list(shape, "GetStages", &stages, error);
    if (result == 0)
        shape->stage = value_find(stages, "stageName", STAGE);
    return result;
}

/* The authorizer has one name, by which it is found again. */
static int make_authorizer(struct shape *shape, struct error *error)
{
    static const char *const source = "$request.header.Authorization";
    struct arena *arena = shape->action->arena;
    const struct value *want = wanted(shape, "authorizer");
    const struct value *have = value_find(shape->authorizers, "name", AUTHORIZER);
    struct value *parameters = value_map(arena), *jwt = value_map(arena), *reply;
    shape->authorizer_id = value_text(have, "authorizerId");
    if (!want)
        return 0;
    value_set(arena, jwt, "issuer", value_get(want, "issuer"));
    value_set(arena, jwt, "audience", value_get(want, "audience"));
    value_set(arena, parameters, "jwtConfiguration", jwt);
    value_set(arena, parameters, "identitySource",
              value_push_text(arena, value_list(arena), source));
    if (have) {
        value_set_text(arena, parameters, "authorizerId", shape->authorizer_id);
        return value_equal(value_get(have, "jwtConfiguration"), jwt)
                   ? 0
                   : call(shape, "UpdateAuthorizer", parameters, NULL, error);
    }
    value_set_text(arena, parameters, "authorizerType", "JWT");
    value_set_text(arena, parameters, "name", AUTHORIZER);
    int result = call(shape, "CreateAuthorizer", parameters, &reply, error);
    shape->authorizer_id = result == 0 ? value_text(reply, "authorizerId") : NULL;
    return result;
}

/* -- integrations: one for each function and time limit -- */

static bool serves(const struct shape *shape, const struct value *integration,
                   const struct value *route)
{
    const char *function = function_of(shape->action->arena, integration);
    return function && value_is_text(value_get(route, "function"), function) &&
           value_int_at(route, "timeout_ms", 30000) == timeout_of(integration);
}

static int make_integration(struct shape *shape, const struct value *route, const char **id,
                            struct error *error)
{
    struct arena *arena = shape->action->arena;
    struct value *integration, *reply, *parameters = value_map(arena);
    value_each(integration, shape->integrations)
    {
        if (serves(shape, integration, route)) {
            *id = value_text(integration, "integrationId");
            return 0;
        }
    }
    value_set_text(arena, parameters, "integrationType", "AWS_PROXY");
    value_set_text(arena, parameters, "integrationUri", value_text(route, "function"));
    value_set_text(arena, parameters, "integrationMethod", "POST");
    value_set_text(arena, parameters, "payloadFormatVersion", "2.0");
    value_set_int(arena, parameters, "timeoutInMillis", value_int_at(route, "timeout_ms", 30000));
    int result = call(shape, "CreateIntegration", parameters, &reply, error);
    if (result < 0)
        return result;
    *id = value_text(reply, "integrationId");
    value_set_text(arena, parameters, "integrationId", *id);
    shape->integrations = shape->integrations ? shape->integrations : value_list(arena);
    value_push(arena, shape->integrations, parameters);
    return 0;
}

static int drop_integrations(struct shape *shape, struct error *error)
{
    struct value *integration, *route;
    int result = 0;
    value_each(integration, shape->integrations)
    {
        bool used = false;
        value_each(route, wanted(shape, "routes")) used = used || serves(shape, integration, route);
        if (!used && result == 0)
            result = drop(shape, "DeleteIntegration", "integrationId",
                          value_text(integration, "integrationId"), error);
    }
    return result;
}

/* -- routes -- */

static bool same_texts(struct arena *arena, const struct value *a, const struct value *b)
{
    static const struct field set = {
        .name = "scopes", .type = FIELD_LIST, .item = FIELD_STRING, .flags = UNORDERED};
    return field_equal(arena, &set, a, b);
}

static bool is_same_route(struct arena *arena, const struct value *have, const struct value *want)
{
    const char *auth = value_text(have, "authorizationType");
    const char *authorizer = value_text(have, "authorizerId");
    const char *want_authorizer = value_text(want, "authorizerId");
    return value_is_text(value_get(want, "target"),
                         value_text(have, "target") ? value_text(have, "target") : "") &&
           value_is_text(value_get(want, "authorizationType"), auth ? auth : "NONE") &&
           strcmp(authorizer ? authorizer : "", want_authorizer ? want_authorizer : "") == 0 &&
           same_texts(arena, value_get(want, "authorizationScopes"),
                      value_get(have, "authorizationScopes"));
}

static int make_route(struct shape *shape, const struct value *want, struct error *error)
{
    struct arena *arena = shape->action->arena;
    const char *key = value_text(want, "key"), *auth = value_text(want, "auth"), *integration;
    bool jwt = auth && strcmp(auth, "jwt") == 0;
    const struct value *have = value_find(shape->routes, "routeKey", key);
    struct value *parameters = value_map(arena);
    int result = make_integration(shape, want, &integration, error);
    if (result < 0)
        return result;
    value_set_text(arena, parameters, "target",
                   arena_printf(arena, "integrations/%s", integration));
    value_set_text(arena, parameters, "authorizationType", auth_wire(auth));
    if (jwt || value_text(have, "authorizerId"))
        value_set_text(arena, parameters, "authorizerId", jwt ? shape->authorizer_id : "");
    if (jwt || value_count(value_get(have, "authorizationScopes")))
        value_set(arena, parameters, "authorizationScopes",
                  jwt ? value_copy(arena, value_get(want, "scopes")) : value_list(arena));
    if (have && is_same_route(arena, have, parameters))
        return 0;
    value_set_text(arena, parameters, "routeKey", key);
    if (have)
        value_set_text(arena, parameters, "routeId", value_text(have, "routeId"));
    return call(shape, have ? "UpdateRoute" : "CreateRoute", parameters, NULL, error);
}

static int make_routes(struct shape *shape, struct error *error)
{
    struct value *route;
    int result = 0;
    value_each(route, wanted(shape, "routes"))
    {
        if (result == 0)
            result = make_route(shape, route, error);
    }
    value_each(route, shape->routes)
    {
        const char *key = value_text(route, "routeKey");
        if (result == 0 && key && !value_find(wanted(shape, "routes"), "key", key))
            result = drop(shape, "DeleteRoute", "routeId", value_text(route, "routeId"), error);
    }
    return result;
}

/* -- the stage -- */

static struct value *encode_stage(struct shape *shape)
{
    static const struct resource_type stage_type = {.fields = api_stage_fields};
    struct arena *arena = shape->action->arena;
    const struct value *want = wanted(shape, "stage");
    const char *destination = value_text(want, "access_log"),
               *format = value_text(want, "log_format");
    struct value *parameters = cloud_encode(arena, &stage_type, want);
    if (destination) {
        struct value *log = value_set_text(arena, value_map(arena), "destinationArn", destination);
        value_set_text(arena, log, "format", format ? format : LOG_FORMAT);
        value_set(arena, parameters, "accessLogSettings", log);
    }
    return value_set_text(arena, parameters, "stageName", STAGE);
}

static int make_stage(struct shape *shape, struct error *error)
{
    struct value *parameters = encode_stage(shape);
    if (!shape->stage)
        return call(shape, "CreateStage", parameters, NULL, error);
    if (!action_changes(shape->action, "stage"))
        return 0;
    int result = call(shape, "UpdateStage", parameters, NULL, error);
    if (result == 0 && value_get(shape->stage, "accessLogSettings") &&
        !value_get(parameters, "accessLogSettings"))
        result = drop(shape, "DeleteAccessLogSettings", "stageName", STAGE, error);
    return result;
}

static int check(const struct shape *shape, struct error *error)
{
    bool has_authorizer = wanted(shape, "authorizer") != NULL;
    if (has_jwt_route(shape) && !has_authorizer)
        return error_set(error, ERR_INPUT,
                         "a route has auth: jwt, but there is no authorizer (issuer, audience)");
    if (!value_bool_at(wanted(shape, "stage"), "auto_deploy", true))
        return error_set(error, ERR_INPUT,
                         "stage.auto_deploy: false is not supported: nothing would be published");
    if (has_authorizer && !has_jwt_route(shape))
        return error_set(error, ERR_INPUT, "there is an authorizer, but no route has auth: jwt");
    return 0;
}

static int make_shape(struct shape *shape, struct error *error)
{
    int result = check(shape, error);
    if (result == 0)
        result = read_shape(shape, error);
    if (result == 0)
        result = make_authorizer(shape, error);
    if (result == 0)
        result = make_routes(shape, error);
    if (result == 0)
        result = drop_integrations(shape, error);
    if (result == 0 && shape->authorizer_id && !wanted(shape, "authorizer"))
        result = drop(shape, "DeleteAuthorizer", "authorizerId", shape->authorizer_id, error);
    return result == 0 ? make_stage(shape, error) : result;
}

int api_make_parts(struct task *task, struct action *action, const char *id, bool is_new,
                   struct error *error)
{
    struct shape shape = {.task = task, .action = action, .api_id = id, .is_new = is_new};
    return make_shape(&shape, error);
}
