#include "pkg/resource/resource.h"

#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"
#include "pkg/resource/resource.h"
#include "pkg/value/json.h"

const struct field *type_field(const struct resource_type *type, const char *name)
{
    for (const struct field *field = type->fields; field->name; field++) {
        if (strcmp(field->name, name) == 0)
            return field;
    }
    return NULL;
}

/* A default stands in no file. */
static void forget_marks(struct value *value)
{
    value->mark = (struct mark){0};
    for (size_t i = 0; value_is(value, VALUE_LIST) && i < value->list.count; i++)
        forget_marks(value->list.items[i]);
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value->map.count; i++)
        forget_marks(value->map.entries[i].value);
}

struct value *field_unset(struct arena *arena, const struct field *field)
{
    if (!field->unset)
        return value_null(arena);
    struct value *value;
    struct error error;
    if (json_parse(arena, field->unset, strlen(field->unset), field->name, &value, &error) < 0)
        panic("field %s: bad unset value %s: %s", field->name, field->unset, error.message);
    forget_marks(value);
    return value;
}

static struct value *fill_fields(struct arena *arena, const struct field *fields,
                                 const struct value *props);

static struct value *fill_value(struct arena *arena, const struct field *field,
                                const struct value *value)
{
    if (!field->fields || value_is(value, VALUE_UNKNOWN) || value_is(value, VALUE_STRING))
        return value_copy(arena, value);
    if (field->type == FIELD_MAP)
        return fill_fields(arena, field->fields, value);
    struct value *list = value_list(arena), *item;
    value_each(item, value)
        value_push(arena, list,
                   value_is(item, VALUE_MAP) ? fill_fields(arena, field->fields, item)
                                             : value_copy(arena, item));
    list->mark = value->mark;
    return list;
}

/* A map whose unset value is {} has the unset values of its own fields. */
static struct value *fill_unset(struct arena *arena, const struct field *field)
{
    struct value *unset = field_unset(arena, field);
    return value_is(unset, VALUE_MAP) ? fill_value(arena, field, unset) : unset;
}

static struct value *fill_fields(struct arena *arena, const struct field *fields,
                                 const struct value *props)
{
    struct value *filled = value_map(arena);
    if (props)
        filled->mark = props->mark;
    for (const struct field *field = fields; field->name; field++) {
        struct value *value = value_get(props, field->name);
        if (value && value->kind != VALUE_NULL)
            value_set(arena, filled, field->name, fill_value(arena, field, value));
        else if (!(field->flags & (COMPUTED | STICKY)))
            value_set(arena, filled, field->name, fill_unset(arena, field));
    }
    return filled;
}

struct value *type_fill(struct arena *arena, const struct resource_type *type,
                        const struct value *props)
{
    return fill_fields(arena, type->fields, props);
}

struct value *found_attributes(struct arena *arena, const struct found *found)
{
    struct value *attributes = value_copy(arena, found->props);
    if (found->name && !value_text(attributes, "name"))
        value_set_text(arena, attributes, "name", found->name);
    if (found->physical_id && !value_text(attributes, "id"))
        value_set_text(arena, attributes, "id", found->physical_id);
    return attributes;
}

bool action_changes(const struct action *action, const char *field)
{
    for (size_t i = 0; i < action->change_count; i++) {
        if (action->changes[i].field && strcmp(action->changes[i].field->name, field) == 0)
            return true;
    }
    return false;
}

enum wait_state wait_judge(struct arena *arena, const struct wait *wait, const struct value *props,
                           const char **seen)
{
    const char *value = value_as_text(arena, value_get(props, wait->field));
    const char *reason = wait->reason ? value_text(props, wait->reason) : NULL;
    *seen = !value              ? "not known"
            : reason && *reason ? arena_printf(arena, "%s: %s", value, reason)
                                : value;
    if (value && strcmp(value, wait->wanted) == 0)
        return WAIT_REACHED;
    bool failed = value && *value && is_choice(wait->failing, value, strlen(value));
    return failed ? WAIT_FAILED : WAIT_PENDING;
}

const struct resource_type *target_type(const struct target *target, const char *kind)
{
    for (const struct resource_type *const *type = target->types; *type; type++) {
        if (strcmp((*type)->kind, kind) == 0)
            return *type;
    }
    return NULL;
}

const char *type_name(struct arena *arena, const struct resource_type *type,
                      const struct identity *identity, const char *id, const struct value *props,
                      int generation)
{
    const char *said = value_text(props, "name");
    if (said)
        return generation > 1 ? arena_printf(arena, "%s-%d", said, generation) : said;
    const char *format = type->name_format ? type->name_format : "%s";
    const char *place = strstr(format, "%s");
    require(place);
    int maximum = (type->name_maximum ? type->name_maximum : 63) - (int)strlen(format) + 2;
    return arena_printf(arena, "%.*s%s%s", (int)(place - format), format,
                        identity_name(arena, identity, id, generation, maximum), place + 2);
}

/* What a placeholder of computed_by_name stands for. */
static const char *placeholder(struct arena *arena, const struct identity *identity,
                               const char *name, const char *word, size_t length)
{
    const struct {
        const char *word, *text;
    } known[] = {
        {"partition", identity->partition},
        {"region", identity->region},
        {"account", identity->account},
        {"path", identity_path(arena, identity)},
        {"name", name},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strlen(known[i].word) == length && strncmp(known[i].word, word, length) == 0)
            return known[i].text;
    }
    panic("unknown placeholder {%.*s}", (int)length, word);
}

static const char *expand_template(struct arena *arena, const struct identity *identity,
                                   const char *name, const char *template)
{
    struct buffer text = BUFFER(4096);
    while (*template) {
        const char *end = *template == '{' ? strchr(template, '}') : NULL;
        if (!end) {
            buffer_char(&text, *template ++);
            continue;
        }
        const char *word =
            placeholder(arena, identity, name, template + 1, (size_t)(end - template - 1));
        buffer_text(&text, word ? word : "");
        template = end + 1;
    }
    const char *result = arena_strdup(arena, buffer_string(&text));
    buffer_free(&text);
    return result;
}

const char *type_predict(struct arena *arena, const struct resource_type *type,
                         const struct identity *identity, const char *name, const char *attribute)
{
    if ((type->flags & NAMED) && strcmp(attribute, "name") == 0)
        return name;
    size_t length = strlen(attribute);
    for (const char *const *row = type->computed_by_name; row && *row; row++) {
        if (strncmp(*row, attribute, length) == 0 && (*row)[length] == '=')
            return expand_template(arena, identity, name, *row + length + 1);
    }
    return NULL;
}

void observation_want(struct observation *observation, const struct identity *identity,
                      const struct resource_list *wanted)
{
    struct arena *arena = observation->arena;
    observation->wanted = arena_array(arena, 2 * wanted->count + 1, sizeof *observation->wanted);
    observation->wanted_count = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct resource *resource = &wanted->items[i];
        if (resource->type != observation->type)
            continue;
        const char *ids[] = {resource->id, resource->was};
        for (size_t j = 0; j < 2 && ids[j]; j++)
            observation->wanted[observation->wanted_count++] = (struct wanted_name){
                ids[j], type_name(arena, resource->type, identity, ids[j], resource->props, 1), 1};
    }
}
