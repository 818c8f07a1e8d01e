/* The database: instance, its groups, and the proxy before it, all by IAM. There is no password. */
#include <string.h>

#include "pkg/cloud/expand.h"
#include "pkg/cloud/types.h"
#include "pkg/rag/schema.h"

static struct value *private_subnets(const struct expansion *expansion)
{
    return each_reference(expansion->arena, "private-", (int)say_int(expansion, "network.zones"),
                          "id");
}

static void add_groups(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = say(expansion, "database");
    const char *version = say_text(expansion, "database.version");
    int major_length = (int)strcspn(version, ".");
    expand_add(expansion, &rds_subnet_group, "database-subnets", from,
               props(arena, "description", text(arena, "private subnets"), "vpc",
                     text(arena, "${vpc.id}"), "subnets", private_subnets(expansion), NULL));
    expand_add(expansion, &rds_parameter_group, "database-parameters", value_get(from, "version"),
               props(arena, "description", text(arena, "TLS only"), "family",
                     text(arena, "postgres%.*s", major_length, version), "parameters",
                     props(arena, "rds.force_ssl", text(arena, "1"), NULL), NULL));
}

static void add_instance(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = say(expansion, "database");
    struct value *own = props(
        arena, "engine", text(arena, "postgres"), "version", value_get(from, "version"), "class",
        value_get(from, "class"), "storage_gb", value_get(from, "storage_gb"), "max_storage_gb",
        value_get(from, "max_storage_gb"), "storage_type", text(arena, "gp3"), "encrypted",
        value_bool(arena, true), "db_name", value_get(from, "name"), "master_user",
        text(arena, MASTER_USER), "master_auth", text(arena, "iam-db-auth"), "iam_auth",
        value_bool(arena, true), "multi_az", value_get(from, "multi_az"), "backup_days",
        value_get(from, "backup_days"), "deletion_protection",
        value_get(from, "deletion_protection"), "copy_tags_to_snapshot", value_bool(arena, true),
        "performance_insights", value_get(from, "performance_insights"), "log_exports",
        items(arena, text(arena, "postgresql"), NULL), "subnet_group",
        text(arena, "${database-subnets.name}"), "parameter_group",
        text(arena, "${database-parameters.name}"), "groups",
        items(arena, text(arena, "${database-group.id}"), NULL), NULL);
    struct resource *instance = expand_add(expansion, &rds_instance, "database", from, own);
    instance->was = value_text(from, "was");
}

static void add_proxy(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    const struct value *from = value_get(say(expansion, "database"), "proxy");
    struct value *database_users =
        text(arena, "arn:${stack.partition}:rds-db:${stack.region}:${stack.account}:dbuser:"
                    "${database.resource_id}/" APP_USER);
    struct value *statement =
        allow(arena, "Connect", items(arena, text(arena, "rds-db:connect"), NULL),
              items(arena, database_users, NULL));
    expand_add(expansion, &iam_role, "proxy-role", from,
               props(arena, "description", text(arena, "RDS Proxy to its database, by IAM"),
                     "assume", trust(arena, "rds"), "policies",
                     props(arena, "connect", policy(arena, items(arena, statement, NULL)), NULL),
                     NULL));
    struct resource *proxy =
        expand_add(expansion, &rds_proxy, "proxy", from,
                   props(arena, "engine_family", text(arena, "POSTGRESQL"), "default_auth",
                         text(arena, "IAM_AUTH"), "require_tls", value_bool(arena, true), "role",
                         text(arena, "${proxy-role.arn}"), "subnets", private_subnets(expansion),
                         "groups", items(arena, text(arena, "${proxy-group.id}"), NULL), "target",
                         text(arena, "${database.name}"), "users",
                         items(arena, text(arena, "${tables.app_user}"), NULL), NULL));
    expand_note(proxy, from,
                "RDS Proxy is billed by the instance's processors, for two at least: more than a "
                "small instance itself");
}

static void add_schema(struct expansion *expansion)
{
    struct arena *arena = expansion->arena;
    expand_add(
        expansion, &rag_schema, "tables", say(expansion, "database"),
        props(arena, "function", text(arena, "${schema.alias_arn}"), "database",
              text(arena, "${database.name}"), "host", text(arena, "${database.endpoint}"), "needs",
              items(arena, text(arena, "${schema-group.id}"), text(arena, "${database-group.id}"),
                    text(arena, "${schema-role.arn}"), NULL),
              "app_user", text(arena, APP_USER), "migrations", value_int(arena, schema_newest()),
              "embedder", say(expansion, "models.embed.id"), "dimensions",
              say(expansion, "models.embed.dimensions"), NULL));
}

void expand_database(struct expansion *expansion)
{
    add_groups(expansion);
    add_instance(expansion);
    add_schema(expansion);
    if (say_bool(expansion, "database.proxy"))
        add_proxy(expansion);
}
