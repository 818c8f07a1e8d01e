/* The field tables as a JSON Schema. A value may be a reference wherever the checker takes one, and
 * null says that a key is left open. */
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/reference.h"
#include "pkg/cloud/cloud.h"
#include "pkg/stack/stack.h"
#include "pkg/value/number.h"

struct writer {
    struct arena *arena;
    bool partial; /* an environment's overlay: nothing is required */
};

static struct value *typed(const struct writer *writer, const char *type)
{
    return value_set_text(writer->arena, value_map(writer->arena), "type", type);
}

static struct value *refer(const struct writer *writer, const char *definition)
{
    return value_set_text(writer->arena, value_map(writer->arena), "$ref",
                          arena_printf(writer->arena, "#/$defs/%s", definition));
}

static struct value *number(struct arena *arena, const char *text)
{
    int64_t integer;
    double real;
    if (number_read_int(text, &integer))
        return value_int(arena, integer);
    return number_read_real(text, &real) ? value_real(arena, real) : NULL;
}

/* "1..65535", "1..": bounds of a number. */
static void set_range(const struct writer *writer, struct value *schema, const char *range)
{
    const char *dots = strstr(range, "..");
    const char *low = arena_strndup(writer->arena, range, (size_t)(dots - range));
    value_set(writer->arena, schema, "minimum", number(writer->arena, low));
    value_set(writer->arena, schema, "maximum", number(writer->arena, dots + 2));
}

static void set_choices(const struct writer *writer, struct value *schema, const char *choices,
                        bool numbers)
{
    struct value *list = value_list(writer->arena);
    while (*choices) {
        size_t length = strcspn(choices, "|");
        const char *word = arena_strndup(writer->arena, choices, length);
        value_push(writer->arena, list,
                   numbers ? number(writer->arena, word) : value_string(writer->arena, word));
        choices += length + (choices[length] == '|');
    }
    value_set(writer->arena, schema, "enum", list);
}

static void set_allowed(const struct writer *writer, struct value *schema, enum field_type type,
                        const char *allowed)
{
    bool numbers = type == FIELD_INT || type == FIELD_REAL;
    if (!allowed)
        return;
    if (allowed[0] == '^')
        value_set_text(writer->arena, schema, "pattern", allowed);
    else if (numbers && strstr(allowed, ".."))
        set_range(writer, schema, allowed);
    else
        set_choices(writer, schema, allowed, numbers);
}

static struct value *object_schema(const struct writer *writer, const struct field *fields);

static struct value *plain_schema(const struct writer *writer, enum field_type type,
                                  const struct field *field)
{
    static const char *const types[] = {
        [FIELD_STRING] = "string", [FIELD_INT] = "integer", [FIELD_REAL] = "number",
        [FIELD_BOOL] = "boolean",  [FIELD_LIST] = "array",  [FIELD_MAP] = "object",
    };
    if (type == FIELD_DOCUMENT)
        return value_map(writer->arena);
    if (type == FIELD_MAP && field->fields)
        return object_schema(writer, field->fields);
    struct value *schema = typed(writer, types[type]);
    set_allowed(writer, schema, type, field->allowed);
    return schema;
}

static struct value *list_schema(const struct writer *writer, const struct field *field)
{
    enum field_type item = field->fields ? FIELD_MAP : field->item;
    struct value *either = value_list(writer->arena);
    value_push(writer->arena, either, plain_schema(writer, item, field));
    value_push(writer->arena, either, refer(writer, "reference"));
    return value_set(writer->arena, typed(writer, "array"), "items",
                     value_wrap(writer->arena, "anyOf", either));
}

static struct value *field_schema(const struct writer *writer, const struct field *field)
{
    struct arena *arena = writer->arena;
    struct value *either = value_list(arena), *schema = value_map(arena);
    if (field->summary)
        value_set_text(arena, schema, "description", field->summary);
    if (field->unset && !writer->partial)
        value_set(arena, schema, "default", field_unset(arena, field));
    value_push(arena, either,
               field->type == FIELD_LIST ? list_schema(writer, field)
                                         : plain_schema(writer, field->type, field));
    value_push(arena, either, refer(writer, "reference"));
    if (!(field->flags & REQUIRED) || writer->partial)
        value_push(arena, either, typed(writer, "null"));
    return value_set(arena, schema, "anyOf", either);
}

static struct value *object_schema(const struct writer *writer, const struct field *fields)
{
    struct arena *arena = writer->arena;
    struct value *schema = typed(writer, "object"), *properties = value_map(arena);
    struct value *required = value_list(arena);
    for (; fields->name; fields++) {
        if (fields->flags & COMPUTED)
            continue;
        value_set(arena, properties, fields->name, field_schema(writer, fields));
        if ((fields->flags & REQUIRED) && !writer->partial)
            value_push_text(arena, required, fields->name);
    }
    value_set(arena, schema, "properties", properties);
    if (value_count(required))
        value_set(arena, schema, "required", required);
    return value_set_bool(arena, schema, "additionalProperties", false);
}

/* -- the free resources -- */

static struct value *kind_schema(const struct writer *writer, const struct resource_type *type)
{
    struct arena *arena = writer->arena;
    struct value *schema = object_schema(writer, type->fields);
    struct value *properties = value_get(schema, "properties");
    value_set(arena, properties, "kind",
              value_wrap(arena, "const", value_string(arena, type->kind)));
    value_set(arena, properties, "was",
              value_set_text(arena, typed(writer, "string"), "description",
                             "the id that this resource had before"));
    return value_set_text(arena, schema, "description", type->summary);
}

static struct value *when_kind(const struct writer *writer, const char *kind)
{
    struct arena *arena = writer->arena;
    struct value *is = value_wrap(arena, "const", value_string(arena, kind));
    struct value *condition = value_wrap(arena, "properties", value_wrap(arena, "kind", is));
    struct value *rule = value_wrap(arena, "if", condition);
    return value_set(arena, rule, "then", refer(writer, kind));
}

static struct value *resources_schema(const struct writer *writer, struct value *definitions)
{
    struct arena *arena = writer->arena;
    struct value *kinds = value_list(arena), *rules = value_list(arena);
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        if ((*type)->flags & HIDDEN)
            continue;
        value_push_text(arena, kinds, (*type)->kind);
        value_push(arena, rules, when_kind(writer, (*type)->kind));
        value_set(arena, definitions, (*type)->kind, kind_schema(writer, *type));
    }
    struct value *one = typed(writer, "object"), *required = value_list(arena);
    value_set(arena, one, "properties",
              value_wrap(arena, "kind", value_wrap(arena, "enum", kinds)));
    value_set(arena, one, "required", value_push_text(arena, required, "kind"));
    value_set(arena, one, "allOf", rules);
    struct value *schema = typed(writer, "object"), *names = value_map(arena);
    value_set_text(arena, names, "pattern", "^[a-z][a-z0-9-]{0,39}$");
    value_set(arena, schema, "propertyNames", names);
    return value_set(arena, schema, "additionalProperties", one);
}

/* -- the whole -- */

/* `schema`, or null. */
static struct value *or_null(const struct writer *writer, struct value *schema)
{
    struct value *either = value_list(writer->arena);
    value_push(writer->arena, either, schema);
    value_push(writer->arena, either, typed(writer, "null"));
    return value_wrap(writer->arena, "anyOf", either);
}

static struct value *overlay_schema(struct arena *arena)
{
    struct writer writer = {arena, true};
    struct value *schema = object_schema(&writer, stack_fields);
    struct value *properties = value_get(schema, "properties");
    value_remove(properties, "stack");
    value_remove(properties, "environments");
    value_set(arena, properties, "resources", typed(&writer, "object"));
    return schema;
}

struct value *reference_schema(struct arena *arena)
{
    struct writer writer = {arena, false};
    struct value *definitions = value_map(arena), *head = value_map(arena);
    struct value *schema = object_schema(&writer, stack_fields);
    struct value *properties = value_get(schema, "properties");
    value_set(arena, definitions, "reference",
              value_set_text(arena, typed(&writer, "string"), "pattern", "\\$\\{[^}]+\\}"));
    value_set(arena, properties, "resources",
              or_null(&writer, resources_schema(&writer, definitions)));
    struct value *overlays = typed(&writer, "object");
    value_set(arena, overlays, "additionalProperties", or_null(&writer, overlay_schema(arena)));
    value_set(arena, properties, "environments", or_null(&writer, overlays));
    value_set_text(arena, head, "$schema", "https://json-schema.org/draft/2020-12/schema");
    value_set_text(arena, head, "title", "ragstack stack file");
    return value_set(arena, value_merge(arena, head, schema), "$defs", definitions);
}
