/* Lambda functions. Callers go by the alias `live`, which points at a new version only when code
 * and configuration are both in force; the function itself ($LATEST) is where they are changed.
 * Source: AWS Lambda API Reference, CreateFunction and its siblings; AWS Lambda Developer Guide,
 * "Lambda function states". */
#include <string.h>

#include "pkg/cloud/lambda.h"
#include "pkg/cloud/types.h"

static const struct field fields[] = {
    {.name = "description",
     .wire = "Description",
     .type = FIELD_STRING,
     .unset = "\"\"",
     .summary = "for people"},
    {.name = "code",
     .type = FIELD_STRING,
     .flags = WRITE_ONLY,
     .summary = "path of the zip that is uploaded, at most 50 MB"},
    {.name = "code_sha256",
     .reply = "CodeSha256",
     .type = FIELD_STRING,
     .flags = STICKY,
     .summary = "the zip's SHA-256 in base64: a new one deploys the code"},
    {.name = "handler",
     .wire = "Handler",
     .type = FIELD_STRING,
     .unset = "\"bootstrap\"",
     .summary = "what the runtime calls"},
    {.name = "runtime",
     .wire = "Runtime",
     .type = FIELD_STRING,
     .unset = "\"provided.al2023\"",
     .summary = "provided.al2023: the zip has its own `bootstrap`"},
    {.name = "architecture",
     .reply = "Architectures[0]",
     .type = FIELD_STRING,
     .unset = "\"x86_64\"",
     .allowed = "x86_64|arm64",
     .summary = "processor"},
    {.name = "role",
     .wire = "Role",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "ARN of the role that it runs with"},
    {.name = "memory_mb",
     .wire = "MemorySize",
     .type = FIELD_INT,
     .unset = "128",
     .allowed = "128..10240",
     .summary = "memory, and with it the share of a processor"},
    {.name = "timeout_s",
     .wire = "Timeout",
     .type = FIELD_INT,
     .unset = "3",
     .allowed = "1..900",
     .summary = "longest run"},
    {.name = "ephemeral_mb",
     .wire = "EphemeralStorage.Size",
     .type = FIELD_INT,
     .unset = "512",
     .allowed = "512..10240",
     .summary = "size of /tmp"},
    {.name = "environment",
     .wire = "Environment.Variables",
     .type = FIELD_MAP,
     .unset = "{}",
     .summary = "variables; no secrets: they are shown in plans"},
    {.name = "subnets",
     .wire = "VpcConfig.SubnetIds",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "subnets that it reaches the network from; none: it is outside"},
    {.name = "groups",
     .wire = "VpcConfig.SecurityGroupIds",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "security groups, with subnets"},
    {.name = "layers",
     .wire = "Layers",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .unset = "[]",
     .allowed = "^arn:.+",
     .summary = "ARNs of layer versions, in their order"},
    {.name = "log_group",
     .wire = "LoggingConfig.LogGroup",
     .type = FIELD_STRING,
     .flags = STICKY,
     .summary = "name of the log group; unset: /aws/lambda/NAME, or the one that it has"},
    {.name = "log_format",
     .wire = "LoggingConfig.LogFormat",
     .type = FIELD_STRING,
     .unset = "\"Text\"",
     .allowed = "Text|JSON",
     .summary = "how Lambda writes its own lines"},
    {.name = "tracing",
     .wire = "TracingConfig.Mode",
     .type = FIELD_STRING,
     .unset = "\"PassThrough\"",
     .allowed = "PassThrough|Active",
     .summary = "X-Ray: as the caller says, or always"},
    {.name = "dead_letter",
     .wire = "DeadLetterConfig.TargetArn",
     .type = FIELD_STRING,
     .allowed = "^arn:.+",
     .summary = "queue or topic for asynchronous events that failed"},
    {.name = "live",
     .type = FIELD_STRING,
     .unset = "\"current\"",
     .allowed = "current",
     .summary = "what the alias `live` points at; stale: at something else than what is deployed"},
    {.name = "concurrency",
     .type = FIELD_INT,
     .flags = AFTER,
     .allowed = "0..10000",
     .summary = "reserved concurrency; unset: the account's"},
    {.name = "permissions",
     .type = FIELD_LIST,
     .flags = LATE,
     .unset = "[]",
     .key = "id",
     .fields = lambda_permission_fields,
     .summary = "who may call it by the alias `live`"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED, .summary = "ARN of the function"},
    {.name = "alias_arn",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "ARN of the alias `live`: what callers use"},
    {.name = "live_version",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "version that the alias `live` points at"},
    {.name = "status",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "Active, when it can be called and has taken its last change"},
    {.name = "status_reason", .type = FIELD_STRING, .flags = COMPUTED, .summary = "why it is not"},
    {0},
};

struct value *lambda_named(struct arena *arena, const char *name)
{
    return value_set_text(arena, value_map(arena), "FunctionName", name);
}

/* -- what the replies say -- */

static struct value *decode_configuration(struct arena *arena, const struct resource_type *type,
                                          const struct value *configuration)
{
    struct value *props = cloud_decode(arena, type, configuration), *layer;
    struct value *layers = value_list(arena);
    value_each(layer, value_get(configuration, "Layers"))
        value_push(arena, layers, value_get(layer, "Arn"));
    value_set(arena, props, "layers", layers);
    return type_fill(arena, type, props);
}

static void decode_status(struct arena *arena, const struct value *configuration,
                          struct value *props)
{
    const char *state = value_text(configuration, "State");
    const char *update = value_text(configuration, "LastUpdateStatus");
    const char *reason = value_text(configuration, "StateReason");
    /* One that nobody called for weeks is Inactive, and wakes when it is called. */
    if (!state || strcmp(state, "Active") == 0 || strcmp(state, "Inactive") == 0) {
        bool done = !update || strcmp(update, "Successful") == 0;
        state = done ? "Active" : strcmp(update, "InProgress") == 0 ? "Updating" : "Update failed";
        reason = done ? NULL : value_text(configuration, "LastUpdateStatusReason");
    }
    value_set_text(arena, props, "status", state);
    value_set_text(arena, props, "status_reason", reason ? reason : "");
}

/* Is a version what the function itself is? */
static bool is_same_deployment(struct arena *arena, const struct value *latest,
                               const struct value *version)
{
    for (const struct field *field = fields; field->name; field++) {
        bool deployed = (field->wire || field->reply) && !(field->flags & (COMPUTED | AFTER));
        if (deployed && !field_equal(arena, field, value_get(latest, field->name),
                                     value_get(version, field->name)))
            return false;
    }
    return true;
}

enum { PART_LIVE, PART_ALIAS, PART_POLICY, PARTS };

static const char *live_word(struct arena *arena, const struct resource_type *type,
                             const struct value *props, const struct cloud_read parts[PARTS])
{
    const char *status = value_text(props, "status");
    if (strcmp(status, "Failed") == 0 || strcmp(status, "Update failed") == 0)
        return "failed";
    if (!parts[PART_LIVE].reply || !parts[PART_ALIAS].reply)
        return "none";
    if (value_count(value_at(parts[PART_ALIAS].reply, "RoutingConfig.AdditionalVersionWeights")))
        return "stale";
    const struct value *version = decode_configuration(arena, type, parts[PART_LIVE].reply);
    return is_same_deployment(arena, props, version) ? "current" : "stale";
}

/* Both follow from the name alone; replies tell them with and without versions. */
static void set_arns(struct arena *arena, const struct cloud *cloud, const char *name,
                     struct value *props)
{
    const char *arn = cloud_arn(arena, cloud, "lambda", arena_printf(arena, "function:%s", name));
    value_set_text(arena, props, "arn", arn);
    value_set_text(arena, props, "alias_arn", arena_printf(arena, "%s:" LAMBDA_ALIAS, arn));
}

static int take_function(struct observation *observation, const struct value *reply,
                         const struct cloud_read parts[PARTS], struct error *error)
{
    struct arena *arena = observation->arena;
    const struct value *configuration = value_get(reply, "Configuration");
    const struct value *concurrency = value_at(reply, "Concurrency.ReservedConcurrentExecutions");
    const char *name = value_text(configuration, "FunctionName");
    const struct found *only = observation->only;
    bool watched = only && only->physical_id;
    if (!name || (!watched && value_is_text(value_get(configuration, "State"), "Deleting")))
        return 0;
    if (value_get(reply, "TagsError"))
        return error_set(error, ERR_DENIED, "the tags of %s cannot be read: %s", name,
                         value_text_at(reply, "TagsError.Message"));
    struct value *props = decode_configuration(arena, observation->type, configuration);
    decode_status(arena, configuration, props);
    set_arns(arena, observation->target, name, props);
    value_set_text(arena, props, "live", live_word(arena, observation->type, props, parts));
    value_set(arena, props, "live_version", value_get(parts[PART_LIVE].reply, "Version"));
    value_set(arena, props, "concurrency", value_copy(arena, concurrency));
    value_set(arena, props, "permissions",
              lambda_permissions(arena, value_text(parts[PART_POLICY].reply, "Policy")));
    struct value *tags = value_get(reply, "Tags");
    cloud_add(observation, name, name, props, tags ? tags : value_map(arena));
    return 0;
}

/* -- looking: what is known to exist is asked for all at once -- */

static void ask_parts(struct arena *arena, const char *name, struct cloud_read parts[PARTS])
{
    struct value *by_alias = lambda_named(arena, name), *alias = lambda_named(arena, name);
    value_set_text(arena, by_alias, "Qualifier", LAMBDA_ALIAS);
    value_set_text(arena, alias, "Name", LAMBDA_ALIAS);
    parts[PART_LIVE] = (struct cloud_read){
        .service = &aws_lambda, .operation = "GetFunctionConfiguration", .parameters = by_alias};
    parts[PART_ALIAS] =
        (struct cloud_read){.service = &aws_lambda, .operation = "GetAlias", .parameters = alias};
    parts[PART_POLICY] = (struct cloud_read){
        .service = &aws_lambda, .operation = "GetPolicy", .parameters = by_alias};
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct arena *arena = observation->arena;
    struct candidate *candidates;
    size_t count = cloud_candidates(observation, "lambda", "function:", &candidates);
    struct cloud_read *reads = arena_array(arena, count * (1 + PARTS) + 1, sizeof *reads);
    struct cloud_read *later = arena_array(arena, count * PARTS + 1, sizeof *later);
    struct cloud_read **parts = arena_array(arena, count + 1, sizeof *parts);
    size_t asked = count, asked_later = 0;
    bool known = observation->only && observation->only->physical_id;
    for (size_t i = 0; i < count; i++) {
        reads[i] = (struct cloud_read){.service = &aws_lambda,
                                       .operation = "GetFunction",
                                       .parameters = lambda_named(arena, candidates[i].name)};
        if (known || candidates[i].arn) {
            ask_parts(arena, candidates[i].name, parts[i] = &reads[asked]);
            asked += PARTS;
        }
    }
    int result = cloud_get_all(task, observation, reads, asked, error);
    for (size_t i = 0; i < count; i++) {
        if (reads[i].reply && !parts[i]) {
            ask_parts(arena, candidates[i].name, parts[i] = &later[asked_later]);
            asked_later += PARTS;
        }
    }
    if (result == 0)
        result = cloud_get_all(task, observation, later, asked_later, error);
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (reads[i].reply)
            result = take_function(observation, reads[i].reply, parts[i], error);
    }
    return result;
}

/* -- create -- */

static int create_function(struct task *task, struct action *action, struct value *zip,
                           struct value **reply, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = cloud_encode(arena, action->type, action->want);
    value_set_text(arena, parameters, "FunctionName", action->name);
    value_set(arena, parameters, "Code", value_wrap(arena, "ZipFile", zip));
    value_set(arena, parameters, "Architectures",
              value_push(arena, value_list(arena),
                         value_copy(arena, value_get(action->want, "architecture"))));
    value_set_bool(arena, parameters, "Publish", true);
    value_set(arena, parameters, "Tags", value_copy(arena, action->tags));
    int result = cloud_call(task, action, &aws_lambda, "CreateFunction", parameters, reply, error);
    /* The code that says "busy" everywhere else. */
    if (result < 0 && strstr(error->message, "lready exist"))
        return error->code = ERR_EXISTS;
    return result;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct value *zip, *reply = NULL;
    int result = lambda_read_zip(action->arena, value_text(action->want, "code"), &zip, error);
    if (result == 0)
        result = create_function(task, action, zip, &reply, error);
    if (result < 0)
        return result;
    const char *version = value_text(reply, "Version");
    action->physical_id = action->name;
    set_arns(action->arena, action->target, action->name, action->made);
    value_set(action->arena, action->made, "code_sha256", value_get(reply, "CodeSha256"));
    value_set(action->arena, action->made, "live_version", value_get(reply, "Version"));
    decode_status(action->arena, reply, action->made);
    result = lambda_check_code(action, reply, error);
    if (result == 0)
        result = lambda_create_alias(task, action, version ? version : "1", error);
    return result;
}

/* -- update -- */

static bool changes_code(const struct action *action)
{
    return action_changes(action, "code_sha256") || action_changes(action, "architecture");
}

static bool changes_configuration(const struct action *action)
{
    for (size_t i = 0; i < action->change_count; i++) {
        if (action->changes[i].field->wire)
            return true;
    }
    return false;
}

/* `publish`: it is all that changes, and a version is made of it by the same call. */
static int update_code(struct task *task, struct action *action, bool publish, struct value **reply,
                       struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = lambda_named(arena, action->name), *zip;
    int result = lambda_read_zip(arena, value_text(action->want, "code"), &zip, error);
    if (result < 0)
        return result;
    value_set(arena, parameters, "ZipFile", zip);
    value_set(arena, parameters, "Architectures",
              value_push(arena, value_list(arena),
                         value_copy(arena, value_get(action->want, "architecture"))));
    if (publish)
        value_set_bool(arena, parameters, "Publish", true);
    result = cloud_call(task, action, &aws_lambda, "UpdateFunctionCode", parameters, reply, error);
    return result == 0 ? lambda_check_code(action, *reply, error) : result;
}

static struct value *vpc_config(struct arena *arena, const struct value *props)
{
    struct value *config = value_map(arena);
    const struct value *subnets = value_get(props, "subnets"), *groups = value_get(props, "groups");
    value_set(arena, config, "SubnetIds", subnets ? value_copy(arena, subnets) : value_list(arena));
    return value_set(arena, config, "SecurityGroupIds",
                     groups ? value_copy(arena, groups) : value_list(arena));
}

/* `all`: what stands may be what was wanted before, or what AWS refused. */
static int update_configuration(struct task *task, struct action *action, bool all,
                                struct error *error)
{
    struct arena *arena = action->arena;
    struct value *reply = NULL, *parameters = all ? cloud_encode(arena, action->type, action->want)
                                                  : cloud_encode_changes(arena, action);
    const struct value *dead_letter = value_get(action->want, "dead_letter");
    value_set_text(arena, parameters, "FunctionName", action->name);
    if (action_changes(action, "subnets") || action_changes(action, "groups"))
        value_set(arena, parameters, "VpcConfig", vpc_config(arena, action->want));
    if (action_changes(action, "dead_letter") && !value_is(dead_letter, VALUE_STRING))
        value_set(arena, parameters, "DeadLetterConfig",
                  value_set_text(arena, value_map(arena), "TargetArn", ""));
    int result = cloud_call(task, action, &aws_lambda, "UpdateFunctionConfiguration", parameters,
                            &reply, error);
    return result == 0 ? lambda_settle(task, action, NULL, reply, error) : result;
}

static int update_concurrency(struct task *task, struct action *action, struct error *error)
{
    struct value *parameters = lambda_named(action->arena, action->name);
    const struct value *want = value_get(action->want, "concurrency");
    if (!value_is(want, VALUE_INT))
        return cloud_remove(task, action, &aws_lambda, "DeleteFunctionConcurrency", parameters,
                            error);
    value_set(action->arena, parameters, "ReservedConcurrentExecutions",
              value_copy(action->arena, want));
    return cloud_call(task, action, &aws_lambda, "PutFunctionConcurrency", parameters, NULL, error);
}

/* Code, configuration, and the version that goes live with both. */
static int deploy(struct task *task, struct action *action, struct error *error)
{
    const char *live = value_text(action->have->props, "live");
    bool failed = live && strcmp(live, "failed") == 0 && action_changes(action, "live");
    bool code = changes_code(action);
    bool configuration = changes_configuration(action) || failed;
    bool has_alias = live && strcmp(live, "none") != 0;
    struct value *reply = NULL;
    int result = 0;
    if (code)
        result = update_code(task, action, !configuration, &reply, error);
    if (result == 0 && code && !configuration)
        return lambda_go_live(task, action, reply, has_alias, error);
    if (result == 0 && code)
        result = lambda_settle(task, action, NULL, reply, error);
    if (result == 0 && configuration)
        result = update_configuration(task, action, failed, error);
    if (result == 0 && (configuration || action_changes(action, "live")))
        result = lambda_publish(task, action, has_alias, error);
    return result;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    int result = deploy(task, action, error);
    if (result == 0 && action_changes(action, "concurrency"))
        result = update_concurrency(task, action, error);
    if (result == 0 && action_changes(action, "permissions"))
        result = lambda_change_permissions(task, action, error);
    return result;
}

/* -- remove and retag -- */

/* Lambda gives the network interfaces back sooner when the function leaves the network first. That
 * it may not is no reason to keep the function. */
static int leave_network(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *parameters = lambda_named(arena, action->name), *reply = NULL;
    value_set(arena, parameters, "VpcConfig", vpc_config(arena, NULL));
    int result = cloud_call(task, action, &aws_lambda, "UpdateFunctionConfiguration", parameters,
                            &reply, error);
    if (result == 0)
        result = lambda_settle(task, action, NULL, reply, error);
    if (result == ERR_CANCELLED)
        return result;
    error_clear(error);
    return 0;
}

static int remove_function(struct task *task, struct action *action, struct error *error)
{
    int result = 0;
    if (value_count(value_get(action->have->props, "subnets")))
        result = leave_network(task, action, error);
    return result == 0 ? cloud_remove(task, action, &aws_lambda, "DeleteFunction",
                                      lambda_named(action->arena, action->name), error)
                       : result;
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct arena *arena = action->arena;
    struct value *set, *gone, *arn = value_get(action->have->props, "arn");
    int result = 0;
    cloud_tag_changes(action, &set, &gone);
    if (value_count(set)) {
        struct value *parameters = value_wrap(arena, "Resource", arn);
        value_set(arena, parameters, "Tags", set);
        result = cloud_call(task, action, &aws_lambda, "TagResource", parameters, NULL, error);
    }
    if (result == 0 && value_count(gone)) {
        struct value *parameters = value_wrap(arena, "Resource", arn);
        value_set(arena, parameters, "TagKeys", gone);
        result = cloud_call(task, action, &aws_lambda, "UntagResource", parameters, NULL, error);
    }
    return result;
}

static const struct patience patience[] = {
    {"InvalidParameterValueException", "cannot be assumed by Lambda",
     "the role is not known to Lambda yet", 180, 0},
    {"InvalidParameterValueException", "CreateNetworkInterface",
     "the role's policy is not known everywhere yet", 180, 0},
    {"InvalidParameterValueException", "does not have permissions to call",
     "the role's policy is not known everywhere yet", 180, 0},
    {"InvalidParameterValueException", "EC2 Error Code: Invalid",
     "new subnets or security groups are not known to Lambda yet", 90, 0},
    {"ResourceConflictException", "cannot be performed at this time",
     "the function takes an earlier change", 900, 2},
    {"ResourceConflictException", "is in progress", "the function takes an earlier change", 900, 2},
    {0},
};

static const char *const computed_by_name[] = {
    "arn=arn:{partition}:lambda:{region}:{account}:function:{name}",
    "alias_arn=arn:{partition}:lambda:{region}:{account}:function:{name}:" LAMBDA_ALIAS, NULL};

const struct resource_type lambda_function = {
    .kind = "lambda.function",
    .summary = "code that runs when it is called, by way of the alias `live`",
    .flags = NAMED,
    .name_maximum = 64,
    .fields = fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_function,
    .retag = retag,
    .ready = {.field = "status",
              .wanted = "Active",
              .failing = "Failed|Update failed",
              .reason = "status_reason",
              .typical_s = 60,
              .longest_s = 900},
    .gone = {.typical_s = 5, .longest_s = 600},
    .patience = patience,
    .computed_by_name = computed_by_name,
};
