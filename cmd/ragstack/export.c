/* Hands what the stack has over to terraform: import blocks, and configuration that says what is
 * there. What each kind is called there stands in pkg/cloud/terraform.c. */
#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/hcl.h"
#include "cmd/ragstack/session.h"
#include "pkg/base/file.h"
#include "pkg/base/vector.h"
#include "pkg/cloud/terraform.h"
#include "pkg/value/json.h"

static const struct option_row options[] = {
    {"terraform", 0, NULL, false, NULL, "as configuration and import blocks of terraform"},
    {0},
};

/* One resource of terraform's. */
struct unit {
    const struct terraform_resource *row;
    struct value *scope; /* what sources read */
    struct value *body;
    const char *address; /* "aws_vpc.vpc" */
};

struct export
{
    struct session *session;
    struct arena *arena;
    VECTOR(struct unit) units;
    struct map addresses;   /* that are taken */
    struct map expressions; /* text -> "aws_vpc.vpc.id" */
    struct map owners;      /* text -> address of the resource that is so called */
    const struct unit *current;
};

/* -- sources and conditions -- */

static const struct value *set(const struct value *value)
{
    bool compound = value_is(value, VALUE_LIST) || value_is(value, VALUE_MAP);
    if (!value || value->kind == VALUE_NULL || value_is_text(value, "") ||
        (compound && !value_count(value)))
        return NULL;
    return value;
}

/* Text with "{path}" in it. */
static const char *fill(struct arena *arena, const char *source, const struct value *scope)
{
    struct buffer out = BUFFER(1 << 16);
    for (const char *at = source; *at; at++) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (!end) {
            buffer_char(&out, *at);
            continue;
        }
        const char *path = arena_strndup(arena, at + 1, (size_t)(end - at - 1));
        const char *text = value_as_text(arena, value_at(scope, path));
        buffer_text(&out, text ? text : "");
        at = end;
    }
    const char *text = arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return text;
}

static struct value *read_source(struct arena *arena, const char *source, const struct value *scope)
{
    struct value *value = NULL;
    const char *by_key = strstr(source, "[key]");
    if (*source == '=') {
        json_parse(arena, source + 1, strlen(source + 1), "source", &value, NULL);
        return value;
    }
    if (strchr(source, '{'))
        return value_string(arena, fill(arena, source, scope));
    if (!by_key)
        return value_at(scope, source);
    const struct value *map =
        value_get(scope, arena_strndup(arena, source, (size_t)(by_key - source)));
    const char *key = value_text_at(scope, "item.key");
    return key ? value_get(map, key) : NULL;
}

static bool holds(struct arena *arena, const char *condition, const struct value *scope)
{
    if (!condition)
        return true;
    bool no = *condition == '!';
    size_t length = strcspn(condition + no, "!=~");
    const char *rest = condition + no + length;
    const struct value *value = value_at(scope, arena_strndup(arena, condition + no, length));
    if (!*rest)
        return (set(value) && !(value_is(value, VALUE_BOOL) && !value->boolean)) != no;
    const char *text = value_as_text(arena, value);
    text = text ? text : "";
    if (*rest == '~')
        return strstr(text, rest + 1) != NULL;
    bool differs = *rest == '!';
    const char *choices = fill(arena, rest + 1 + differs, scope);
    return is_choice(choices, text, strlen(text)) != differs;
}

/* -- arguments -- */

static struct value *as_tree(struct arena *arena, const struct value *document)
{
    struct value *tree = NULL;
    if (value_is(document, VALUE_STRING) &&
        json_parse(arena, document->string.text, document->string.length, "document", &tree,
                   NULL) == 0)
        return tree;
    return value_copy(arena, document);
}

/* "vpc_config.subnet_ids": the body of the block, made where it is missing. */
static struct value *body_of(struct arena *arena, struct value *body, const char **name)
{
    for (const char *dot; (dot = strchr(*name, '.')); *name = dot + 1) {
        const char *key = arena_printf(arena, "%.*s" HCL_BLOCK, (int)(dot - *name), *name);
        if (!value_get(body, key))
            value_set(arena, body, key, value_map(arena));
        body = value_get(body, key);
    }
    return body;
}

static struct value *with_item(struct arena *arena, const struct value *scope, struct value *item)
{
    struct value *inner = value_map(arena);
    for (size_t i = 0; i < value_count(scope); i++)
        value_set(arena, inner, value_entry(scope, i)->key, value_entry(scope, i)->value);
    return value_set(arena, inner, "item", item);
}

/* The items of a list; of a map, {"key":, "value":} each. */
static struct value *items_of(struct arena *arena, const struct value *value)
{
    struct value *list = value_list(arena), *item;
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value_count(value); i++) {
        struct value *pair =
            value_set_text(arena, value_map(arena), "key", value_entry(value, i)->key);
        value_push(arena, list, value_set(arena, pair, "value", value_entry(value, i)->value));
    }
    if (value_is(value, VALUE_LIST)) {
        value_each(item, value) value_push(arena, list, item);
    }
    return list;
}

static void add_argument(struct arena *arena, const struct terraform_argument *row,
                         struct value *value, struct value *body, struct value *scope)
{
    const char *name = row->name;
    if (row->how == TERRAFORM_TAG) {
        value_set_text(arena, value_get(body, "tags"), name, value_as_text(arena, value));
        return;
    }
    struct value *inner = body_of(arena, body, &name);
    bool json = row->how == TERRAFORM_JSON;
    const char *key = json ? arena_printf(arena, "%s" HCL_JSON, name) : name;
    if (value_get(inner, key))
        return;
    if (json)
        value = as_tree(arena, value);
    if (row->how == TERRAFORM_LIST)
        value = value_push(arena, value_list(arena), value_copy(arena, value));
    value_set(arena, inner, key, value);
    if (value_get(scope, "argument") && inner == body)
        value_set(arena, value_get(scope, "argument"), name, value);
}

static struct value *make_body(struct arena *arena, const struct terraform_argument *rows,
                               struct value *scope)
{
    struct value *body = value_map(arena), *item;
    for (const struct terraform_argument *row = rows; row->name; row++) {
        if (!holds(arena, row->when, scope))
            continue;
        struct value *value = read_source(arena, row->from, scope);
        bool wanted = set(value) || (row->how == TERRAFORM_EMPTY && value);
        if (wanted && !row->items)
            add_argument(arena, row, value, body, scope);
        if (!wanted || !row->items)
            continue;
        struct value *blocks = value_list(arena), *items = items_of(arena, value);
        value_each(item, items)
            value_push(arena, blocks, make_body(arena, row->items, with_item(arena, scope, item)));
        value_set(arena, body, arena_printf(arena, "%s" HCL_BLOCK, row->name), blocks);
    }
    return body;
}

/* -- units -- */

static struct value *scope_of(const struct export *export, const struct found *found)
{
    struct arena *arena = export->arena;
    const struct identity *identity = export->session->target->identity;
    struct value *scope = found_attributes(arena, found), *stack = value_map(arena);
    value_set_text(arena, scope, "name", found->name);
    value_set(arena, scope, "tags", value_copy(arena, found->tags));
    value_set_text(arena, stack, "region", identity->region);
    value_set_text(arena, stack, "account", identity->account);
    return value_set(arena, scope, "stack", stack);
}

/* Of a replacement that did not come to its end there are two. */
static const char *free_address(struct export *export, const struct terraform_resource *row,
                                const char *label)
{
    const char *address =
        arena_printf(export->arena, "%s.%s", row->type, hcl_name(export->arena, label));
    const char *first = address;
    for (int n = 2; map_get(&export->addresses, address); n++)
        address = arena_printf(export->arena, "%s-%d", first, n);
    map_put(&export->addresses, address, (void *)row);
    return address;
}

/* "id=id name=bucket": what it is called, and by which attribute others name it. */
static void take_names(struct export *export, const struct unit *unit)
{
    struct arena *arena = export->arena;
    for (const char *at = unit->row->refers; at && *at; at += strspn(at, " ")) {
        const char *equals = strchr(at, '=');
        size_t length = strcspn(at, " ");
        const char *path = arena_strndup(arena, at, (size_t)(equals - at));
        const char *text = value_as_text(arena, value_at(unit->scope, path));
        const char *expression = arena_printf(arena, "%s.%.*s", unit->address,
                                              (int)(at + length - equals - 1), equals + 1);
        if (text && *text) {
            map_put(&export->expressions, text, (void *)expression);
            map_put(&export->owners, text, (void *)unit->address);
        }
        at += length;
    }
}

static void add_unit(struct export *export, const struct terraform_resource *row,
                     const struct found *found, struct value *scope)
{
    struct arena *arena = export->arena;
    struct unit unit = {.row = row, .scope = scope};
    value_set(arena, scope, "argument", value_map(arena));
    unit.body = make_body(arena, row->arguments, scope);
    const char *label = row->label ? fill(arena, row->label, scope) : NULL;
    unit.address = free_address(export, row,
                                label ? arena_printf(arena, "%s-%s", found->id, label) : found->id);
    take_names(export, &unit);
    vector_push(arena, &export->units, unit);
}

static bool add_found(struct export *export, const struct found *found)
{
    struct arena *arena = export->arena;
    bool known = false;
    for (const struct terraform_resource *row = terraform_resources; row->kind; row++) {
        if (strcmp(row->kind, found->type->kind) != 0)
            continue;
        struct value *scope = scope_of(export, found), *item;
        known = true;
        if (!holds(arena, row->when, scope))
            continue;
        if (!row->each)
            add_unit(export, row, found, scope);
        struct value *items = row->each ? items_of(arena, value_at(scope, row->each)) : NULL;
        value_each(item, items) add_unit(export, row, found, with_item(arena, scope, item));
    }
    return known;
}

/* -- printing -- */

/* Another resource's attribute in place of its value: never one's own. */
static const char *expression_for(void *data, const char *text)
{
    const struct export *export = data;
    const char *owner = map_get(&export->owners, text);
    if (!owner || strcmp(owner, export->current->address) == 0)
        return NULL;
    return map_get(&export->expressions, text);
}

static void print_lifecycle(struct buffer *out, const struct terraform_resource *row)
{
    if (!row->ignore && !row->keeps)
        return;
    buffer_text(out, "\n  lifecycle {\n");
    if (row->keeps)
        buffer_text(out, "    prevent_destroy = true\n");
    if (row->ignore)
        buffer_text(out, "    ignore_changes = [");
    for (const char *at = row->ignore; at && *at; at++)
        buffer_printf(out, "%c%s", *at, *at == ',' ? " " : "");
    buffer_text(out, row->ignore ? "]\n  }\n" : "  }\n");
}

static void print_unit(struct export *export, const struct unit *unit, struct buffer *out)
{
    const struct hcl hcl = {out, expression_for, export};
    const char *dot = strchr(unit->address, '.');
    export->current = unit;
    buffer_char(out, '\n');
    if (unit->row->note)
        buffer_printf(out, "# %s\n", unit->row->note);
    buffer_printf(out, "resource \"%.*s\" \"%s\" {\n", (int)(dot - unit->address), unit->address,
                  dot + 1);
    hcl_print_body(&hcl, unit->body, 1);
    print_lifecycle(out, unit->row);
    buffer_text(out, "}\n");
}

static void print_import(const struct export *export, const struct unit *unit, struct buffer *out)
{
    buffer_printf(out, "\nimport {\n  to = %s\n  id = ", unit->address);
    hcl_print_text(out, fill(export->arena, unit->row->import, unit->scope));
    buffer_text(out, "\n}\n");
}

static void print_versions(const struct export *export, struct buffer *out)
{
    buffer_text(out, "terraform {\n"
                     "  required_version = \">= 1.5\"\n"
                     "  required_providers {\n"
                     "    aws = {\n"
                     "      source  = \"hashicorp/aws\"\n"
                     "      version = \"~> 5.100\"\n"
                     "    }\n"
                     "  }\n"
                     "}\n\n"
                     "provider \"aws\" {\n  region = ");
    hcl_print_text(out, export->session->target->identity->region);
    buffer_text(out, "\n}\n");
}

static int write_file(struct export *export, const char *folder, const char *name,
                      const struct buffer *text, struct error *error)
{
    const char *path = arena_printf(export->arena, "%s/%s", folder, name);
    int result = file_create(export->arena, path, buffer_string(text), error);
    if (result == ERR_EXISTS)
        return error_set(error, ERR_EXISTS,
                         "%s is there already: name another folder, or take it away", path);
    return result;
}

static int write_all(struct export *export, const char *folder, struct error *error)
{
    CLEANUP(buffer_free) struct buffer versions = BUFFER(BUFFER_LARGE);
    CLEANUP(buffer_free) struct buffer resources = BUFFER(BUFFER_LARGE);
    CLEANUP(buffer_free) struct buffer imports = BUFFER(BUFFER_LARGE);
    buffer_printf(&resources, "# What the stack %s has, as `ragstack export` found it.\n",
                  export->session->stack->name);
    buffer_text(&imports, "# Once these are applied, this file can go.\n");
    print_versions(export, &versions);
    for (size_t i = 0; i < export->units.count; i++) {
        print_unit(export, &export->units.items[i], &resources);
        print_import(export, &export->units.items[i], &imports);
    }
    int result = write_file(export, folder, "versions.tf", &versions, error);
    if (result == 0)
        result = write_file(export, folder, "resources.tf", &resources, error);
    if (result == 0)
        result = write_file(export, folder, "imports.tf", &imports, error);
    return result;
}

/* -- the command -- */

static void give(const struct export *export, const char *folder)
{
    struct arena *arena = export->arena;
    if (!export->session->json) {
        printf("Wrote %zu resources and their imports to %s.\n"
               "Next, there: terraform init && terraform plan\n",
               export->units.count, folder);
        return;
    }
    struct value *document = value_set_int(arena, value_map(arena), "schema", 1);
    struct value *addresses = value_list(arena);
    for (size_t i = 0; i < export->units.count; i++)
        value_push_text(arena, addresses, export->units.items[i].address);
    value_set_text(arena, document, "folder", folder);
    print_json(value_set(arena, document, "resources", addresses));
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct arena *arena = session->arena;
    const char *folder =
        session->options.argument_count ? session->options.arguments[0] : "terraform";
    struct export export = {.session = session,
                            .arena = arena,
                            .addresses = map_in(arena),
                            .expressions = map_in(arena),
                            .owners = map_in(arena)};
    struct found_list found = {0};
    if (!option_said(&session->options, "terraform"))
        return error_set(error, ERR_USAGE, "say --terraform: there is no other form");
    if (!session->cloud)
        return error_set(error, ERR_USAGE, "--local: terraform has no resources of this machine");
    int result = session_observe(task, session, &found, error);
    if (result < 0)
        return result;
    for (size_t i = 0; i < found.count; i++) {
        const struct found *one = &found.items[i];
        if (!one->foreign && !add_found(&export, one))
            fprintf(stderr, "%s %s stays with ragstack: terraform has no such resource\n",
                    one->type->kind, one->id);
    }
    if (!export.units.count)
        return error_set(error, ERR_NOT_FOUND, "nothing of %s exists", session->stack->name);
    result = write_all(&export, folder, error);
    if (result < 0)
        return result;
    give(&export, folder);
    return EXIT_DONE;
}

const struct command command_export = {
    .name = "export",
    .arguments = "[DIR]",
    .summary = "Write what exists as terraform configuration",
    .details =
        "Writes import blocks, and configuration for them that says what is there, so that "
        "`terraform plan`\nimports all of it and changes nothing. Into the folder `terraform`, or "
        "DIR. Nothing in the cloud\nchanges; from then on one of the two tools should be used.",
    .examples = "ragstack export --terraform\nragstack export --terraform infra --env prod",
    .options = options,
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
