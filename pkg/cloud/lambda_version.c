/* Versions, and the alias that callers go by.
 * Source: AWS Lambda API Reference, PublishVersion, UpdateAlias. */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/log.h"
#include "pkg/cloud/lambda.h"

enum { KEPT_VERSIONS = 5 }; /* to go back to */

static struct value *alias_call(struct arena *arena, const char *name, const char *version)
{
    struct value *parameters = lambda_named(arena, name);
    value_set_text(arena, parameters, "Name", LAMBDA_ALIAS);
    return value_set_text(arena, parameters, "FunctionVersion", version);
}

/* All calls go to the one version: weights are taken away. */
static struct value *whole_alias_call(struct arena *arena, const char *name, const char *version)
{
    return value_set(arena, alias_call(arena, name, version), "RoutingConfig",
                     value_wrap(arena, "AdditionalVersionWeights", value_map(arena)));
}

static int update_alias(struct task *task, struct action *action, const char *version,
                        struct error *error)
{
    return cloud_call(task, action, &aws_lambda, "UpdateAlias",
                      whole_alias_call(action->arena, action->name, version), NULL, error);
}

int lambda_point_live(struct task *task, struct cloud *cloud, struct arena *arena, const char *name,
                      const char *version, struct error *error)
{
    return aws_call(task, cloud->client, arena, &aws_lambda, "UpdateAlias",
                    whole_alias_call(arena, name, version), NULL, error);
}

int lambda_lead(struct task *task, struct cloud *cloud, struct arena *arena, const char *name,
                const char *version, const char *next, double share, struct error *error)
{
    struct value *parameters = alias_call(arena, name, version);
    value_set(arena, parameters, "RoutingConfig",
              value_wrap(arena, "AdditionalVersionWeights",
                         value_wrap(arena, next, value_real(arena, share))));
    return aws_call(task, cloud->client, arena, &aws_lambda, "UpdateAlias", parameters, NULL,
                    error);
}

bool lambda_is_on_api(const struct value *props)
{
    return value_find(value_get(props, "permissions"), "principal", "apigateway.amazonaws.com") !=
           NULL;
}

int lambda_create_alias(struct task *task, struct action *action, const char *version,
                        struct error *error)
{
    int result = cloud_call(task, action, &aws_lambda, "CreateAlias",
                            alias_call(action->arena, action->name, version), NULL, error);
    if (result < 0 && strstr(error->message, "lready exists"))
        return error_clear(error), update_alias(task, action, version, error);
    return result;
}

/* -- old versions -- */

static int newest_first(const void *a, const void *b)
{
    long left = *(const long *)a, right = *(const long *)b;
    return (left < right) - (left > right);
}

static bool is_used(const struct value *aliases, const char *version)
{
    const struct value *alias;
    value_each(alias, aliases)
    {
        if (value_is_text(value_get(alias, "FunctionVersion"), version) ||
            value_get(value_at(alias, "RoutingConfig.AdditionalVersionWeights"), version))
            return true;
    }
    return false;
}

struct value *lambda_old_versions(struct arena *arena, const struct value *versions,
                                  const struct value *aliases)
{
    long *numbers = arena_array(arena, value_item_count(versions) + 1, sizeof *numbers);
    struct value *old = value_list(arena), *version;
    size_t count = 0;
    value_each(version, versions)
    {
        const char *text = value_text(version, "Version");
        if (text && strcmp(text, "$LATEST") != 0)
            numbers[count++] = strtol(text, NULL, 10);
    }
    qsort(numbers, count, sizeof *numbers, newest_first);
    for (size_t i = KEPT_VERSIONS; i < count; i++) {
        const char *text = arena_printf(arena, "%ld", numbers[i]);
        if (!is_used(aliases, text))
            value_push_text(arena, old, text);
    }
    return old;
}

/* Old versions cost storage, and no more: what cannot be taken away now is, another time. */
static void prune(struct task *task, struct action *action, const char *newest)
{
    struct cloud *cloud = action->target;
    struct arena *arena = action->arena;
    struct value *parameters = lambda_named(arena, action->name), *versions, *aliases, *version;
    struct error error = {0};
    if (strtol(newest, NULL, 10) <= KEPT_VERSIONS) /* they count up from 1 */
        return;
    int result = aws_list(task, cloud->client, arena, &aws_lambda, "ListVersionsByFunction",
                          parameters, &versions, &error);
    if (result == 0 && value_item_count(versions) > KEPT_VERSIONS + 1)
        result = aws_list(task, cloud->client, arena, &aws_lambda, "ListAliases", parameters,
                          &aliases, &error);
    else
        return;
    value_each(version, result == 0 ? lambda_old_versions(arena, versions, aliases) : NULL)
    {
        struct value *one = lambda_named(arena, action->name);
        value_set(arena, one, "Qualifier", version);
        if (result == 0)
            result = cloud_remove(task, action, &aws_lambda, "DeleteFunction", one, &error);
    }
    if (result < 0)
        log_debug("%s: old versions stay: %s", action->name, error.message);
}

int lambda_publish(struct task *task, struct action *action, bool has_alias, struct error *error)
{
    struct value *parameters = lambda_named(action->arena, action->name), *reply = NULL;
    value_set(action->arena, parameters, "CodeSha256", value_get(action->want, "code_sha256"));
    int result = cloud_call(task, action, &aws_lambda, "PublishVersion", parameters, &reply, error);
    return result == 0 ? lambda_go_live(task, action, reply, has_alias, error) : result;
}

int lambda_go_live(struct task *task, struct action *action, const struct value *reply,
                   bool has_alias, struct error *error)
{
    const char *version = value_text(reply, "Version");
    if (!version)
        return error_set(error, ERR_FAILED, "AWS told no version of %s", action->name);
    struct cloud *cloud = action->target;
    bool held =
        has_alias && action->have && cloud->hold_live && lambda_is_on_api(action->have->props);
    int result = lambda_settle(task, action, version, reply, error);
    if (result == 0 && held)
        map_put(&cloud->held, arena_strdup(cloud->arena, action->name),
                arena_strdup(cloud->arena, version));
    else if (result == 0)
        result = (has_alias ? update_alias : lambda_create_alias)(task, action, version, error);
    if (result == 0) {
        value_set_text(action->arena, action->made, "live_version", version);
        prune(task, action, version);
    }
    return result;
}
