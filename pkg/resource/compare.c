/* When are a wanted and a found value the same? Every rule stands here, none in a resource type. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pkg/resource/resource.h"
#include "pkg/value/json.h"

static bool nothing(const struct value *value)
{
    return !value || value->kind == VALUE_NULL ||
           ((value->kind == VALUE_LIST || value->kind == VALUE_MAP) && value_count(value) == 0);
}

/* "17" is met by "17.4", by "18.0" (never a downgrade), not by "16.9". */
static bool version_satisfies(const char *wanted, const char *found)
{
    while (*wanted) {
        char *wanted_end, *found_end;
        long want = strtol(wanted, &wanted_end, 10), have = strtol(found, &found_end, 10);
        if (want != have)
            return have > want;
        wanted = *wanted_end == '.' ? wanted_end + 1 : "";
        found = *found_end == '.' ? found_end + 1 : "";
    }
    return true;
}

static bool scalar_equal(struct arena *arena, const struct field *field, const struct value *wanted,
                         const struct value *found)
{
    const char *want = value_as_text(arena, wanted), *have = value_as_text(arena, found);
    if (!want || !have)
        return value_equal(wanted, found);
    if (field->flags & AT_LEAST)
        return version_satisfies(want, have);
    if (field->type == FIELD_REAL)
        return value_as_real(wanted, 0) == value_as_real(found, 0);
    return field->flags & CASELESS ? strcasecmp(want, have) == 0 : strcmp(want, have) == 0;
}

/* -- documents -- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists of an IAM policy are sets, and a list of one is its item. */
static struct value *policy_form(struct arena *arena, const struct value *value)
{
    if (value_is(value, VALUE_MAP)) {
        struct value *map = value_map(arena);
        for (size_t i = 0; i < value->map.count; i++)
            value_set(arena, map, value->map.entries[i].key,
                      policy_form(arena, value->map.entries[i].value));
        return map;
    }
    if (!value_is(value, VALUE_LIST))
        return value_copy(arena, value);
    if (value->list.count == 1)
        return policy_form(arena, value->list.items[0]);
    const char **texts = arena_array(arena, value->list.count, sizeof *texts);
    for (size_t i = 0; i < value->list.count; i++)
        texts[i] = json_text_canonical(arena, policy_form(arena, value->list.items[i]));
    if (value->list.count)
        qsort(texts, value->list.count, sizeof *texts, by_text);
    struct value *sorted = value_list(arena);
    for (size_t i = 0; i < value->list.count; i++)
        value_push_text(arena, sorted, texts[i]);
    return sorted;
}

static const char *document_form(struct arena *arena, const struct field *field,
                                 const struct value *value)
{
    struct value *tree = (struct value *)value;
    if (value_is(value, VALUE_STRING) &&
        json_parse(arena, value->string.text, value->string.length, field->name, &tree, NULL) < 0)
        return value->string.text;
    return json_text_canonical(arena, field->flags & POLICY ? policy_form(arena, tree) : tree);
}

/* -- lists and maps -- */

static bool fields_equal(struct arena *arena, const struct field *fields,
                         const struct value *wanted, const struct value *found)
{
    for (const struct field *field = fields; field->name; field++) {
        const struct value *want = value_get(wanted, field->name);
        if (field_compared(field, want) &&
            !field_equal(arena, field, want, value_get(found, field->name)))
            return false;
    }
    return true;
}

static bool item_equal(struct arena *arena, const struct field *list, const struct value *wanted,
                       const struct value *found)
{
    if (list->fields && value_is(wanted, VALUE_MAP) && value_is(found, VALUE_MAP))
        return fields_equal(arena, list->fields, wanted, found);
    struct field item = {.name = list->name, .type = list->item, .flags = list->flags & CASELESS};
    return field_equal(arena, &item, wanted, found);
}

static bool list_equal(struct arena *arena, const struct field *field, const struct value *wanted,
                       const struct value *found)
{
    size_t count = value_count(wanted);
    if (count != value_count(found))
        return false;
    bool ordered = !(field->flags & UNORDERED) && !field->key;
    bool *taken = arena_array(arena, count + 1, sizeof *taken);
    for (size_t i = 0; i < count; i++) {
        size_t match = count;
        for (size_t j = ordered ? i : 0; j < (ordered ? i + 1 : count) && match == count; j++) {
            if (!taken[j] && item_equal(arena, field, value_item(wanted, i), value_item(found, j)))
                match = j;
        }
        if (match == count)
            return false;
        taken[match] = true;
    }
    return true;
}

static bool free_map_equal(struct arena *arena, const struct value *wanted,
                           const struct value *found)
{
    if (value_count(wanted) != value_count(found) || !value_is(found, VALUE_MAP))
        return false;
    struct field scalar = {.name = "", .type = FIELD_STRING};
    for (size_t i = 0; i < value_count(wanted); i++) {
        const struct value_entry *entry = value_entry(wanted, i);
        const struct value *other = value_get(found, entry->key);
        bool compound = value_is(entry->value, VALUE_MAP) || value_is(entry->value, VALUE_LIST);
        if (compound ? !value_equal(entry->value, other)
                     : !other || !scalar_equal(arena, &scalar, entry->value, other))
            return false;
    }
    return true;
}

static bool map_equal(struct arena *arena, const struct field *field, const struct value *wanted,
                      const struct value *found)
{
    if (field->fields)
        return fields_equal(arena, field->fields, wanted, found);
    if (field->item != FIELD_DOCUMENT)
        return free_map_equal(arena, wanted, found);
    struct field document = {.name = field->name, .type = FIELD_DOCUMENT, .flags = field->flags};
    if (value_count(wanted) != value_count(found))
        return false;
    for (size_t i = 0; i < value_count(wanted); i++) {
        const struct value_entry *entry = value_entry(wanted, i);
        if (!field_equal(arena, &document, entry->value, value_get(found, entry->key)))
            return false;
    }
    return true;
}

bool field_compared(const struct field *field, const struct value *wanted)
{
    if (field->flags & (COMPUTED | WRITE_ONLY))
        return false;
    return !(field->flags & STICKY) || (wanted && wanted->kind != VALUE_NULL);
}

bool field_equal(struct arena *arena, const struct field *field, const struct value *wanted,
                 const struct value *found)
{
    if (nothing(wanted) || nothing(found))
        return nothing(wanted) && nothing(found);
    if (value_has_unknown(wanted))
        return false;
    switch (field->type) {
    case FIELD_DOCUMENT:
        return strcmp(document_form(arena, field, wanted), document_form(arena, field, found)) == 0;
    case FIELD_LIST:
        return list_equal(arena, field, wanted, found);
    case FIELD_MAP:
        return map_equal(arena, field, wanted, found);
    default:
        return scalar_equal(arena, field, wanted, found);
    }
}
