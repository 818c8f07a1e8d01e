/* What each function may reach: by its role's policies, and by the rules of its groups. */
#include <stdint.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/plan/picture.h"

static const char everything[] = "everything";

struct looking {
    struct arena *arena;
    struct picture *picture;
    const struct plan *plan;
    const struct resource *function;
};

static const struct resource *wanted(const struct looking *looking, const char *id)
{
    const struct resource_list *list = looking->plan->wanted;
    for (size_t i = 0; id && i < list->count; i++) {
        if (strcmp(list->items[i].id, id) == 0)
            return &list->items[i];
    }
    return NULL;
}

/* Does the list refer to it? */
static bool refers(const struct looking *looking, const struct value *list, const char *id)
{
    struct value *item;
    value_each(item, list)
    {
        const char *to = picture_reference(looking->arena, item);
        if (to && strcmp(to, id) == 0)
            return true;
    }
    return false;
}

/* -- the network -- */

typedef bool rule_fits(const struct looking *looking, const struct value *rule, const void *data);

/* The port of the first way out that fits; 0: none. */
static int port_out(const struct looking *looking, rule_fits *fits, const void *data)
{
    struct value *group, *rule;
    value_each(group, value_get(looking->function->props, "groups"))
    {
        const struct resource *own = wanted(looking, picture_reference(looking->arena, group));
        value_each(rule, value_get(own ? own->props : NULL, "rules"))
        {
            if (value_is_text(value_get(rule, "direction"), "egress") && fits(looking, rule, data))
                return (int)value_int_at(rule, "port", 0);
        }
    }
    return 0;
}

/* The rule leads to the resource: to one of its groups, or to its prefix list. */
static bool leads_to(const struct looking *looking, const struct value *rule, const void *data)
{
    const struct resource *to = data;
    const char *group = picture_reference(looking->arena, value_get(rule, "group"));
    const char *list = picture_reference(looking->arena, value_get(rule, "prefix_list"));
    return (group && refers(looking, value_get(to->props, "groups"), group)) ||
           (list && strcmp(list, to->id) == 0);
}

static bool leads_out(const struct looking *looking, const struct value *rule, const void *data)
{
    (void)looking;
    (void)data;
    return value_is_text(value_get(rule, "cidr"), "0.0.0.0/0");
}

static const struct resource *first_of_kind(const struct looking *looking, const char *kind,
                                            const char *service)
{
    const struct resource_list *list = looking->plan->wanted;
    for (size_t i = 0; i < list->count; i++) {
        const struct resource *resource = &list->items[i];
        if (strcmp(resource->type->kind, kind) == 0 &&
            (!service || value_is_text(value_get(resource->props, "service"), service)))
            return resource;
    }
    return NULL;
}

/* What stands between, in *by: an endpoint or a NAT gateway. */
static const char *way_to_service(const struct looking *looking, const char *service,
                                  const struct resource **by)
{
    const char *name = strcmp(service, "bedrock") == 0 ? "bedrock-runtime" : service;
    const struct resource *endpoint = first_of_kind(looking, "ec2.vpc_endpoint", name);
    const struct resource *nat = first_of_kind(looking, "ec2.nat_gateway", NULL);
    int port = endpoint ? port_out(looking, leads_to, endpoint) : 0;
    *by = endpoint;
    if (port)
        return arena_printf(looking->arena, "%d to %s", port, endpoint->id);
    port = nat ? port_out(looking, leads_out, NULL) : 0;
    *by = nat;
    return port ? arena_printf(looking->arena, "%d to %s", port, nat->id) : NULL;
}

static const char *way_to(const struct looking *looking, const char *service,
                          const struct resource *to, const struct resource **by)
{
    static const char *const by_lambda[] = {"logs", "ec2", "lambda", "xray"};
    *by = NULL;
    for (size_t i = 0; i < COUNT_OF(by_lambda); i++) {
        if (strcmp(service, by_lambda[i]) == 0)
            return "by Lambda itself";
    }
    if (!value_count(value_get(looking->function->props, "subnets")))
        return "by the internet";
    if (strcmp(service, "rds-db") != 0)
        return way_to_service(looking, service, by);
    int port = to ? port_out(looking, leads_to, to) : 0;
    return port ? arena_printf(looking->arena, "%d to %s", port, to->id) : NULL;
}

/* -- the policies -- */

/* "model anthropic.x" from ".../foundation-model/anthropic.x"; NULL if it is no model. */
static const char *model_in(struct arena *arena, const char *text)
{
    static const char *const marks[] = {"foundation-model/", "inference-profile/"};
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        const char *at = strstr(text, marks[i]);
        if (at)
            return arena_printf(arena, "model %s", at + strlen(marks[i]));
    }
    return NULL;
}

/* "bedrock" of "bedrock:InvokeModel". */
static const char *service_of(struct arena *arena, const char *action)
{
    return arena_strndup(arena, action, strcspn(action, ":"));
}

static void connect_right(const struct looking *looking, const char *service,
                          const struct picture_right *right, const struct resource *by)
{
    struct picture *picture = looking->picture;
    size_t from = picture_node_of(picture, looking->function->id);
    bool data = right->way && strcmp(service, "logs") != 0 && strcmp(service, "ec2") != 0;
    size_t between = by ? picture_node_of(picture, by->id) : SIZE_MAX;
    size_t to = strncmp(right->to, "model ", 6) == 0 ? picture_outside(picture, right->to)
                                                     : picture_node_of(picture, right->to);
    if (!data || to == SIZE_MAX)
        return;
    if (between != SIZE_MAX) {
        picture_connect(picture, from, between, "443", true);
        picture_connect(picture, between, to, "", true);
    } else {
        picture_connect(picture, from, to, right->actions, true);
    }
}

static void add_right(const struct looking *looking, const char *actions, const char *service,
                      const struct value *resource)
{
    struct picture_right right = {.function = looking->function->id, .actions = actions};
    const struct resource *by;
    const char *text = value_is(resource, VALUE_STRING) ? resource->string.text : "";
    const char *id = picture_reference(looking->arena, resource);
    right.to = model_in(looking->arena, text);
    if (!right.to)
        right.to = id ? id : strcmp(text, "*") == 0 ? everything : text;
    right.way = way_to(looking, service, wanted(looking, id), &by);
    for (size_t i = 0; i < looking->picture->rights.count; i++) {
        const struct picture_right *known = &looking->picture->rights.items[i];
        if (strcmp(known->function, right.function) == 0 && strcmp(known->to, right.to) == 0 &&
            strcmp(known->actions, right.actions) == 0)
            return;
    }
    vector_push(looking->arena, &looking->picture->rights, right);
    connect_right(looking, service, &right, by);
}

/* A policy may say one alone in place of a list. */
static const struct value *list_in(const struct looking *looking, const struct value *map,
                                   const char *key)
{
    const struct value *value = value_get(map, key);
    return !value || value_is(value, VALUE_LIST)
               ? value
               : value_push(looking->arena, value_list(looking->arena),
                            value_copy(looking->arena, value));
}

/* Denied to the function's own code, all of it: what the service needs for itself. */
static bool is_denied(const struct looking *looking, const struct value *statements,
                      const struct value *actions, const struct value *resources)
{
    struct value *statement;
    value_each(statement, statements)
    {
        if (value_is_text(value_get(statement, "Effect"), "Deny") &&
            value_equal(list_in(looking, statement, "Action"), actions) &&
            value_equal(list_in(looking, statement, "Resource"), resources))
            return true;
    }
    return false;
}

static void add_statement(const struct looking *looking, const struct value *statements,
                          const struct value *statement)
{
    struct value *action, *resource;
    const struct value *actions = list_in(looking, statement, "Action");
    const struct value *resources = list_in(looking, statement, "Resource");
    const char *words = "", *service = "";
    if (!value_is_text(value_get(statement, "Effect"), "Allow") ||
        is_denied(looking, statements, actions, resources))
        return;
    value_each(action, actions)
    {
        if (!value_is(action, VALUE_STRING))
            continue;
        service = service_of(looking->arena, action->string.text);
        words =
            arena_printf(looking->arena, "%s%s%s", words, *words ? ", " : "", action->string.text);
    }
    value_each(resource, resources) add_right(looking, words, service, resource);
}

static void add_policy(const struct looking *looking, const struct value *policy)
{
    const struct value *statements = list_in(looking, policy, "Statement");
    struct value *statement;
    value_each(statement, statements) add_statement(looking, statements, statement);
}

/* A policy of others stands in their account, or in AWS's: what it says is not known here. */
static void add_managed(const struct looking *looking, const struct value *policy)
{
    const char *arn = value_is(policy, VALUE_STRING) ? policy->string.text : "?";
    const char *slash = strrchr(arn, '/');
    struct picture_right right = {
        .function = looking->function->id,
        .actions = "all of them",
        .to = arena_printf(looking->arena, "what the policy %s allows", slash ? slash + 1 : arn),
        .way = "not looked into"};
    vector_push(looking->arena, &looking->picture->rights, right);
}

void picture_add_rights(struct picture *picture, const struct plan *plan)
{
    for (size_t i = 0; i < plan->wanted->count; i++) {
        struct looking looking = {picture->arena, picture, plan, &plan->wanted->items[i]};
        const char *id =
            picture_reference(picture->arena, value_get(looking.function->props, "role"));
        const struct resource *role = wanted(&looking, id);
        const struct value *policies = role ? value_get(role->props, "policies") : NULL;
        struct value *managed;
        if (!type_field(looking.function->type, "environment"))
            continue; /* a role of something that runs no code of ours */
        for (size_t j = 0; j < value_count(policies); j++)
            add_policy(&looking, value_entry(policies, j)->value);
        value_each(managed, role ? value_get(role->props, "managed_policies") : NULL)
            add_managed(&looking, managed);
    }
}
