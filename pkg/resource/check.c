/* Checking properties against a field table: kinds, required and unknown keys, allowed values. */
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/resource/resource.h"

struct checker {
    fault_report *report;
    void *data;
    struct arena *arena;
    int faults;
};

PRINTF_LIKE(3, 4)
static void fault(struct checker *checker, struct mark mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    checker->report(checker->data, mark, arena_vprintf(checker->arena, format, arguments));
    va_end(arguments);
    checker->faults++;
}

/* Levenshtein distance with a row of the table; words longer than the row are far apart. */
static int distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t length_a = strlen(a), length_b = strlen(b);
    if (length_a > LONGEST || length_b > LONGEST)
        return LONGEST;
    int row[LONGEST + 1];
    for (size_t j = 0; j <= length_b; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= length_a; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= length_b; j++) {
            int above = row[j];
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[length_b];
}

const char *nearest_name(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    int allowed = (int)strlen(word) / 3 + 1, best = allowed > 3 ? 4 : allowed + 1;
    for (; *names; names++) {
        int steps = distance(word, *names);
        if (steps < best) {
            best = steps;
            nearest = *names;
        }
    }
    return nearest;
}

static const char *nearest_field(struct checker *checker, const struct field *fields,
                                 const char *word)
{
    size_t count = 0, used = 0;
    while (fields[count].name)
        count++;
    const char **names = arena_array(checker->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        if (!(fields[i].flags & COMPUTED))
            names[used++] = fields[i].name;
    }
    return nearest_name(word, names);
}

static bool holds_reference(const struct value *value)
{
    return value_is(value, VALUE_STRING) && strstr(value->string.text, "${");
}

bool is_choice(const char *choices, const char *word, size_t length)
{
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        if (strncmp(at, word, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool matches_pattern(const char *pattern, const char *word)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&regex, word, 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

/* "1..65535", "1..": by value. */
static bool in_range(const char *range, double number)
{
    char *end;
    double low = strtod(range, &end);
    if (end > range && end[-1] == '.') /* strtod took "1." of "1..9" */
        end--;
    const char *upper = strstr(range, "..") + 2;
    return number >= low && (*upper == '\0' || number <= strtod(upper, NULL));
}

static bool is_number_range(const char *allowed)
{
    return strstr(allowed, "..") && (isdigit((unsigned char)allowed[0]) || allowed[0] == '-');
}

static void check_allowed(struct checker *checker, const struct field *field,
                          const struct value *value, const char *what)
{
    const char *text = value_as_text(checker->arena, value);
    if (!field->allowed || !text)
        return;
    if (field->allowed[0] == '^') {
        if (!matches_pattern(field->allowed, text))
            fault(checker, value->mark, "%s.%s: \"%s\" does not match %s%s%s%s", what, field->name,
                  text, field->allowed, field->summary ? " (" : "",
                  field->summary ? field->summary : "", field->summary ? ")" : "");
    } else if (is_number_range(field->allowed)) {
        if (!in_range(field->allowed, value_as_real(value, 0)))
            fault(checker, value->mark, "%s.%s: %s is not in %s", what, field->name, text,
                  field->allowed);
    } else if (!is_choice(field->allowed, text, strlen(text))) {
        fault(checker, value->mark, "%s.%s: \"%s\" is not one of %s", what, field->name, text,
              field->allowed);
    }
}

static bool kind_fits(enum field_type type, const struct value *value)
{
    switch (type) {
    case FIELD_STRING:
        return value->kind == VALUE_STRING;
    case FIELD_INT:
        return value->kind == VALUE_INT;
    case FIELD_REAL:
        return value->kind == VALUE_REAL || value->kind == VALUE_INT;
    case FIELD_BOOL:
        return value->kind == VALUE_BOOL;
    case FIELD_LIST:
        return value->kind == VALUE_LIST;
    case FIELD_MAP:
        return value->kind == VALUE_MAP;
    case FIELD_DOCUMENT:
        return value->kind == VALUE_MAP || value->kind == VALUE_STRING || value->kind == VALUE_LIST;
    }
    return false;
}

static const char *type_words(enum field_type type)
{
    static const char *const words[] = {
        [FIELD_STRING] = "a string",
        [FIELD_INT] = "a whole number",
        [FIELD_REAL] = "a number",
        [FIELD_BOOL] = "true or false",
        [FIELD_LIST] = "a list",
        [FIELD_MAP] = "a map",
        [FIELD_DOCUMENT] = "a JSON document",
    };
    return words[type];
}

static void check_fields(struct checker *checker, const struct field *fields,
                         const struct value *props, const char *what, struct mark mark);

static void check_value(struct checker *checker, const struct field *field,
                        const struct value *value, const char *what)
{
    if (holds_reference(value))
        return;
    if (!kind_fits(field->type, value)) {
        const char *text = value_as_text(checker->arena, value);
        const char *hint = field->type == FIELD_STRING && text ? ": put it in quotes" : "";
        fault(checker, value->mark, "%s.%s: expected %s, found %s%s", what, field->name,
              type_words(field->type), value_kind_name(value->kind), hint);
        return;
    }
    if (field->type != FIELD_LIST && field->type != FIELD_MAP) {
        check_allowed(checker, field, value, what);
        return;
    }
    const char *inner = arena_printf(checker->arena, "%s.%s", what, field->name);
    if (field->type == FIELD_MAP && field->fields)
        check_fields(checker, field->fields, value, inner, value->mark);
    if (field->type != FIELD_LIST)
        return;
    struct value *item;
    struct field item_field = {.name = field->name,
                               .type = field->fields ? FIELD_MAP : field->item,
                               .allowed = field->allowed,
                               .fields = field->fields,
                               .summary = field->summary};
    value_each(item, value) check_value(checker, &item_field, item, what);
}

static const struct field *find_field(const struct field *fields, const char *name)
{
    for (; fields->name; fields++) {
        if (strcmp(fields->name, name) == 0)
            return fields;
    }
    return NULL;
}

static void check_unknown_key(struct checker *checker, const struct field *fields,
                              const struct value_entry *entry, const char *what)
{
    const struct field *field = find_field(fields, entry->key);
    if (field && (field->flags & COMPUTED)) {
        fault(checker, entry->mark, "%s.%s is computed: it can be referred to, not set", what,
              entry->key);
        return;
    }
    const char *nearest = nearest_field(checker, fields, entry->key);
    if (nearest)
        fault(checker, entry->mark, "%s: unknown key \"%s\"; did you mean \"%s\"?", what,
              entry->key, nearest);
    else
        fault(checker, entry->mark, "%s: unknown key \"%s\"", what, entry->key);
}

static void check_fields(struct checker *checker, const struct field *fields,
                         const struct value *props, const char *what, struct mark mark)
{
    for (size_t i = 0; i < value_count(props); i++) {
        const struct value_entry *entry = value_entry(props, i);
        const struct field *field = find_field(fields, entry->key);
        if (!field || (field->flags & COMPUTED))
            check_unknown_key(checker, fields, entry, what);
        else if (entry->value->kind != VALUE_NULL)
            check_value(checker, field, entry->value, what);
    }
    for (const struct field *field = fields; field->name; field++) {
        const struct value *value = value_get(props, field->name);
        if ((field->flags & REQUIRED) && (!value || value->kind == VALUE_NULL))
            fault(checker, mark, "%s: \"%s\" is missing (%s)", what, field->name,
                  field->summary ? field->summary : type_words(field->type));
    }
}

int fields_check(struct arena *arena, const struct field *fields, const struct value *props,
                 const char *what, struct mark mark, fault_report *report, void *data)
{
    struct checker checker = {report, data, arena, 0};
    check_fields(&checker, fields, props, what, mark);
    return checker.faults;
}
