/* Who may call the function by its alias: statements of its resource policy.
 * Source: AWS Lambda API Reference, AddPermission, RemovePermission, GetPolicy. */
#include <string.h>
#include <strings.h>

#include "pkg/cloud/lambda.h"
#include "pkg/value/json.h"

const struct field lambda_permission_fields[] = {
    {.name = "id",
     .wire = "StatementId",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^[A-Za-z0-9_-]{1,100}$",
     .summary = "name of the statement"},
    {.name = "principal",
     .wire = "Principal",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .summary = "who: a service (s3.amazonaws.com), an account (its 12 digits) or an ARN"},
    {.name = "action",
     .wire = "Action",
     .type = FIELD_STRING,
     .unset = "\"lambda:InvokeFunction\"",
     .summary = "what"},
    {.name = "source_arn",
     .wire = "SourceArn",
     .type = FIELD_STRING,
     .summary = "only on behalf of this resource"},
    {.name = "source_account",
     .wire = "SourceAccount",
     .type = FIELD_STRING,
     .summary = "only on behalf of a resource of this account"},
    {.name = "organization",
     .wire = "PrincipalOrgID",
     .type = FIELD_STRING,
     .summary = "only from this organization: o-..."},
    {0},
};

/* -- from the policy -- */

/* AWS writes an account as the ARN of its root. */
static const char *principal_text(struct arena *arena, const struct value *principal)
{
    const char *text = value_is(principal, VALUE_STRING) ? principal->string.text : NULL;
    if (!text)
        text = value_text(principal, "Service");
    if (!text)
        text = value_text(principal, "AWS");
    const char *account = text ? strstr(text, ":iam::") : NULL;
    if (account &&
        strcmp(account + strlen(":iam::") + strspn(account + strlen(":iam::"), "0123456789"),
               ":root") == 0)
        return arena_strndup(arena, account + strlen(":iam::"),
                             strcspn(account + strlen(":iam::"), ":"));
    return text;
}

static const struct {
    const char *key, *field;
} conditions[] = {
    {"AWS:SourceArn", "source_arn"},
    {"AWS:SourceAccount", "source_account"},
    {"aws:PrincipalOrgID", "organization"},
};

static void take_condition(struct arena *arena, struct value *permission,
                           const struct value_entry *entry)
{
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        if (strcasecmp(entry->key, conditions[i].key) == 0)
            value_set(arena, permission, conditions[i].field, value_item(entry->value, 0));
    }
}

static struct value *permission_of(struct arena *arena, const struct value *statement)
{
    struct value *permission = value_map(arena);
    const struct value *condition = value_get(statement, "Condition");
    value_set(arena, permission, "id", value_get(statement, "Sid"));
    value_set_text(arena, permission, "principal",
                   principal_text(arena, value_get(statement, "Principal")));
    value_set(arena, permission, "action", value_item(value_get(statement, "Action"), 0));
    for (size_t i = 0; value_is(condition, VALUE_MAP) && i < value_count(condition); i++) {
        const struct value *operator= value_entry(condition, i)->value;
        for (size_t j = 0; value_is(operator, VALUE_MAP) && j < value_count(operator); j++)
            take_condition(arena, permission, value_entry(operator, j));
    }
    return permission;
}

struct value *lambda_permissions(struct arena *arena, const char *policy)
{
    struct value *list = value_list(arena), *tree = NULL, *statement;
    if (policy && json_parse(arena, policy, strlen(policy), "policy", &tree, NULL) < 0)
        return list;
    value_each(statement, value_get(tree, "Statement"))
        value_push(arena, list, permission_of(arena, statement));
    return list;
}

/* -- to the policy: nothing changes in place -- */

static struct value *statement_call(struct action *action)
{
    struct value *parameters = lambda_named(action->arena, action->name);
    return value_set_text(action->arena, parameters, "Qualifier", LAMBDA_ALIAS);
}

static int take_away(struct task *task, struct action *action, const char *id, struct error *error)
{
    struct value *parameters = statement_call(action);
    value_set_text(action->arena, parameters, "StatementId", id);
    return cloud_remove(task, action, &aws_lambda, "RemovePermission", parameters, error);
}

static int give(struct task *task, struct action *action, const struct value *permission,
                struct error *error)
{
    struct value *parameters = statement_call(action);
    for (const struct field *field = lambda_permission_fields; field->name; field++) {
        const struct value *value = value_get(permission, field->name);
        if (value && value->kind != VALUE_NULL)
            value_set_text(action->arena, parameters, field->wire,
                           value_as_text(action->arena, value));
    }
    int result = cloud_call(task, action, &aws_lambda, "AddPermission", parameters, NULL, error);
    if (result == 0 || !strstr(error->message, "lready exists"))
        return result;
    error_clear(error); /* left by a call whose reply was lost, or made by somebody meanwhile */
    result = take_away(task, action, value_text(permission, "id"), error);
    return result == 0
               ? cloud_call(task, action, &aws_lambda, "AddPermission", parameters, NULL, error)
               : result;
}

static bool same(struct arena *arena, const struct value *a, const struct value *b)
{
    for (const struct field *field = lambda_permission_fields; a && b && field->name; field++) {
        if (!field_equal(arena, field, value_get(a, field->name), value_get(b, field->name)))
            return false;
    }
    return a && b;
}

int lambda_change_permissions(struct task *task, struct action *action, struct error *error)
{
    const struct value *want = value_get(action->want, "permissions"), *item;
    const struct value *have = value_get(action->have->props, "permissions");
    int result = 0;
    value_each(item, have)
    {
        const char *id = value_text(item, "id");
        if (result == 0 && id && !same(action->arena, item, value_find(want, "id", id)))
            result = take_away(task, action, id, error);
    }
    value_each(item, want)
    {
        const char *id = value_text(item, "id");
        if (result == 0 && id && !same(action->arena, item, value_find(have, "id", id)))
            result = give(task, action, item, error);
    }
    return result;
}
