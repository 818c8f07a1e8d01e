/* The bundled handlers: each a role that allows what it uses and no more, a log group, a function.
 */
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"

/* What the three functions differ in. */
struct handler {
    const char *id, *what, *group;
    bool models, documents, by_proxy, on_api;
};

static const struct handler handlers[] = {
    {"ask", "question to answer", "functions-group", true, false, true, true},
    {"ingest", "documents to passages", "functions-group", true, true, true, true},
    {"schema", "brings the database's schema up to date", "schema-group", false, false, false,
     false},
};

/* -- roles -- */

static struct value *logs_statement(struct arena *arena, const struct handler *handler)
{
    return allow(
        arena, "Logs",
        items(arena, text(arena, "logs:CreateLogStream"), text(arena, "logs:PutLogEvents"), NULL),
        items(arena, text(arena, "${%s-logs.arn}:*", handler->id), NULL));
}

/* Lambda makes the function's network interfaces with the function's own role; these actions know
 * no narrower resource. */
static struct value *network_statement(struct arena *arena)
{
    static const char *const actions[] = {
        "ec2:CreateNetworkInterface",   "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",          "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
    };
    struct value *list = value_list(arena);
    for (size_t i = 0; i < COUNT_OF(actions); i++)
        value_push_text(arena, list, actions[i]);
    return allow(arena, "Network", list, items(arena, text(arena, "*"), NULL));
}

/* The same actions are denied to the function's code: only the service itself needs them. */
static struct value *network_denial(struct arena *arena)
{
    struct value *statement = network_statement(arena);
    struct value *any_function =
        text(arena, "arn:${stack.partition}:lambda:${stack.region}:${stack.account}:function:*");
    value_set_text(arena, statement, "Sid", "NetworkNotForCode");
    value_set_text(arena, statement, "Effect", "Deny");
    return value_set(arena, statement, "Condition",
                     props(arena, "ArnLike",
                           props(arena, "lambda:SourceFunctionArn", any_function, NULL), NULL));
}

static struct value *database_statement(const struct expansion *expansion,
                                        const struct handler *handler)
{
    struct arena *arena = expansion->arena;
    bool proxy = handler->by_proxy && say_bool(expansion, "database.proxy");
    struct value *user =
        text(arena,
             "arn:${stack.partition}:rds-db:${stack.region}:${stack.account}:dbuser:"
             "${%s.resource_id}/%s",
             proxy ? "proxy" : "database", handler->by_proxy ? APP_USER : MASTER_USER);
    return allow(arena, "Database", items(arena, text(arena, "rds-db:connect"), NULL),
                 items(arena, user, NULL));
}

/* An inference profile ("us.anthropic.x") is allowed itself, and the model that it stands for in
 * every region it sends to, but only by way of the profile. */
static bool is_profile(const char *model)
{
    static const char *const prefixes[] = {"us.", "eu.", "apac.", "global.", "us-gov.", "jp.",
                                           "au.", "ca.", "sa.",   "in.",     "mx.",     "me."};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        if (strncmp(model, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* A profile of the account's own is named by its ARN, which does not tell the model. */
static void allow_profile(struct arena *arena, struct value *statements, const char *model,
                          size_t n)
{
    bool own = strncmp(model, "arn:", 4) == 0;
    const char *name = own ? "*" : strchr(model, '.') + 1;
    struct value *profile =
        own ? text(arena, "%s", model)
            : text(arena,
                   "arn:${stack.partition}:bedrock:${stack.region}:${stack.account}:"
                   "inference-profile/%s",
                   model);
    struct value *actions = items(arena, text(arena, "bedrock:InvokeModel"), NULL);
    value_push(
        arena, statements,
        allow(arena, arena_printf(arena, "Profile%zu", n), actions, items(arena, profile, NULL)));
    struct value *behind = allow(
        arena, arena_printf(arena, "ProfileModel%zu", n), actions,
        items(arena, text(arena, "arn:${stack.partition}:bedrock:*::foundation-model/%s", name),
              NULL));
    value_set(arena, behind, "Condition",
              props(arena, "StringEquals",
                    props(arena, "bedrock:InferenceProfileArn", profile, NULL), NULL));
    value_push(arena, statements, behind);
}

static void allow_model(struct arena *arena, struct value *statements, const char *model)
{
    size_t n = value_count(statements);
    if (is_profile(model) || strstr(model, "inference-profile/")) {
        allow_profile(arena, statements, model, n);
        return;
    }
    struct value *foundation =
        strncmp(model, "arn:", 4) == 0 /* imported, or bought throughput */
            ? text(arena, "%s", model)
            : text(arena, "arn:${stack.partition}:bedrock:${stack.region}::foundation-model/%s",
                   model);
    value_push(arena, statements,
               allow(arena, arena_printf(arena, "Model%zu", n),
                     items(arena, text(arena, "bedrock:InvokeModel"), NULL),
                     items(arena, foundation, NULL)));
}

static void allow_models(const struct expansion *expansion, const struct handler *handler,
                         struct value *statements)
{
    struct value *model, *fallback = say(expansion, "models.generate.fallback");
    allow_model(expansion->arena, statements, say_text(expansion, "models.embed.id"));
    if (strcmp(handler->id, "ask") != 0)
        return;
    allow_model(expansion->arena, statements, say_text(expansion, "models.generate.id"));
    value_each(model, fallback) allow_model(expansion->arena, statements, model->string.text);
}

/* Without the right to list, S3 does not tell that an object is gone. */
static void allow_documents(const struct expansion *expansion, struct value *statements)
{
    struct arena *arena = expansion->arena;
    value_push(arena, statements,
               allow(arena, "Documents", items(arena, text(arena, "s3:GetObject"), NULL),
                     items(arena, text(arena, "${documents.arn}/*"), NULL)));
    value_push(arena, statements,
               allow(arena, "DocumentsThere", items(arena, text(arena, "s3:ListBucket"), NULL),
                     items(arena, text(arena, "${documents.arn}"), NULL)));
    if (has_topic(expansion))
        value_push(arena, statements,
                   allow(arena, "Failures", items(arena, text(arena, "sns:Publish"), NULL),
                         items(arena, text(arena, "${alerts.arn}"), NULL)));
}

static struct value *role_policy(const struct expansion *expansion, const struct handler *handler)
{
    struct arena *arena = expansion->arena;
    struct value *statements =
        items(arena, logs_statement(arena, handler), network_statement(arena),
              network_denial(arena), database_statement(expansion, handler), NULL);
    if (handler->models)
        allow_models(expansion, handler, statements);
    if (handler->documents && say_bool(expansion, "documents.bucket"))
        allow_documents(expansion, statements);
    return policy(arena, statements);
}

/* -- functions -- */

static struct value *number(const struct expansion *expansion, const char *path)
{
    return text(expansion->arena, "%lld", (long long)say_int(expansion, path));
}

static struct value *joined(struct arena *arena, const struct value *list)
{
    const char *words = "";
    struct value *word;
    value_each(word, list) words =
        arena_printf(arena, "%s%s%s", words, *words ? "," : "", word->string.text);
    return value_string(arena, words);
}

void expand_asking(const struct expansion *expansion, struct value *environment)
{
    struct arena *arena = expansion->arena;
    value_set(arena, environment, "RAG_MAX_TOKENS",
              number(expansion, "models.generate.max_tokens"));
    value_set(arena, environment, "RAG_TOP_K", number(expansion, "retrieval.top_k"));
    value_set(arena, environment, "RAG_FLOOR", say(expansion, "retrieval.floor"));
    value_set_text(arena, environment, "RAG_LOG_QUESTIONS",
                   say_bool(expansion, "watch.log_questions") ? "1" : "0");
    if (expansion->options->prompt)
        value_set_text(arena, environment, "RAG_PROMPT",
                       reference_quote(arena, expansion->options->prompt));
}

static void add_asking(const struct expansion *expansion, struct value *map)
{
    const struct value *fallback = say(expansion, "models.generate.fallback");
    value_set(expansion->arena, map, "RAG_GENERATE_MODEL", say(expansion, "models.generate.id"));
    if (value_count(fallback))
        value_set(expansion->arena, map, "RAG_FALLBACK_MODELS", joined(expansion->arena, fallback));
    expand_asking(expansion, map);
}

/* Names and limits that the handlers read; the schema's database is named in its event. */
static struct value *environment(const struct expansion *expansion, const struct handler *handler)
{
    struct arena *arena = expansion->arena;
    const char *door = say_bool(expansion, "database.proxy") ? "proxy" : "database";
    struct value *map =
        props(arena, "RAG_STACK", text(arena, "${stack.full_name}"), "RAG_DB_NAME",
              say(expansion, "database.name"), "RAG_DB_USER",
              text(arena, "%s", handler->by_proxy ? APP_USER : MASTER_USER), "RAG_EMBED_DIMENSIONS",
              number(expansion, "models.embed.dimensions"), NULL);
    if (handler->by_proxy)
        value_set(arena, map, "RAG_DB_HOST", text(arena, "${%s.endpoint}", door));
    if (handler->models)
        value_set(arena, map, "RAG_EMBED_MODEL", say(expansion, "models.embed.id"));
    if (handler->documents && say_bool(expansion, "documents.bucket"))
        value_set(arena, map, "RAG_BUCKET", text(arena, "${documents.name}"));
    if (strcmp(handler->id, "ask") == 0)
        add_asking(expansion, map);
    const struct value *functions = say(expansion, "functions");
    return value_merge(arena, map, value_at(value_get(functions, handler->id), "environment"));
}

static struct value *permissions(const struct expansion *expansion, const struct handler *handler)
{
    struct arena *arena = expansion->arena;
    struct value *list = value_list(arena);
    if (handler->on_api)
        value_push(arena, list,
                   props(arena, "id", text(arena, "api"), "principal",
                         text(arena, "apigateway.amazonaws.com"), "source_arn",
                         text(arena, "${api.execution_arn}/*"), NULL));
    if (handler->documents && say_bool(expansion, "documents.bucket"))
        value_push(arena, list,
                   props(arena, "id", text(arena, "documents"), "principal",
                         text(arena, "s3.amazonaws.com"), "source_arn",
                         text(arena, "${documents.arn}"), "source_account",
                         text(arena, "${stack.account}"), NULL));
    return list;
}

static void add_function(struct expansion *expansion, const struct handler *handler,
                         const struct value *from)
{
    struct arena *arena = expansion->arena;
    int zones = (int)say_int(expansion, "network.zones");
    struct value *own =
        props(arena, "description", text(arena, "%s", handler->what), "code",
              value_string(arena, expansion->options->handler_zip), "code_sha256",
              value_string(arena, expansion->options->handler_sha256), "handler",
              text(arena, "%s", handler->id), "runtime", text(arena, "provided.al2023"),
              "architecture", say(expansion, "functions.architecture"), "role",
              text(arena, "${%s-role.arn}", handler->id), "memory_mb", value_get(from, "memory_mb"),
              "timeout_s", value_get(from, "timeout_s"), "concurrency",
              value_get(from, "concurrency"), "environment", environment(expansion, handler),
              "subnets", each_reference(arena, "private-", zones, "id"), "groups",
              items(arena, text(arena, "${%s.id}", handler->group), NULL), "log_group",
              text(arena, "${%s-logs.name}", handler->id), "permissions",
              permissions(expansion, handler), NULL);
    if (handler->documents && say_bool(expansion, "documents.bucket") && has_topic(expansion))
        value_set(arena, own, "dead_letter", text(arena, "${alerts.arn}")); /* events that fail */
    expand_add(expansion, &lambda_function, handler->id, from, own);
}

void expand_functions(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    for (size_t i = 0; i < COUNT_OF(handlers); i++) {
        const struct handler *handler = &handlers[i];
        const struct value *from = value_get(say(expansion, "functions"), handler->id);
        expand_add(expansion, &logs_group, arena_printf(arena, "%s-logs", handler->id), from,
                   props(arena, "retention_days", say(expansion, "watch.retention_days"), NULL));
        expand_add(expansion, &iam_role, arena_printf(arena, "%s-role", handler->id), from,
                   props(arena, "description", text(arena, "function %s", handler->id), "assume",
                         trust(arena, "lambda"), "policies",
                         props(arena, "function", role_policy(expansion, handler), NULL), NULL));
        add_function(expansion, handler, from);
    }
}
