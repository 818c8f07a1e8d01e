#include "pkg/value/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/value/number.h"

#define CORE_TAG "tag:yaml.org,2002:"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static bool is_null(const char *text)
{
    return is_one_of(text, (const char *const[]){"", "~", "null", "Null", "NULL", NULL});
}

static bool is_true(const char *text)
{
    return is_one_of(text, (const char *const[]){"true", "True", "TRUE", NULL});
}

static bool is_false(const char *text)
{
    return is_one_of(text, (const char *const[]){"false", "False", "FALSE", NULL});
}

/* 0o17 and 0x1f; there is no sign before either. 0 if it is neither. */
static int prefixed_base(const char *text)
{
    if (text[0] != '0' || !text[1] || !text[2])
        return 0;
    const char *digits = text + 2;
    if (text[1] == 'o' && digits[strspn(digits, "01234567")] == '\0')
        return 8;
    if (text[1] == 'x' && digits[strspn(digits, "0123456789abcdefABCDEF")] == '\0')
        return 16;
    return 0;
}

static bool is_decimal_int(const char *text)
{
    const char *digits = text + (*text == '-' || *text == '+');
    return *digits && digits[strspn(digits, "0123456789")] == '\0';
}

/* Infinity and NaN, by name. */
static bool read_special(const char *text, double *out)
{
    const char *word = text + (*text == '-' || *text == '+');
    if (is_one_of(word, (const char *const[]){".inf", ".Inf", ".INF", NULL})) {
        *out = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    *out = NAN;
    return is_one_of(text, (const char *const[]){".nan", ".NaN", ".NAN", NULL});
}

static int too_large(const struct yaml_scalar *scalar, struct error *error)
{
    return error_set_at(error, ERR_INPUT, scalar->mark,
                        "the number %.60s is too large; if it is a text, quote it", scalar->text);
}

static int resolve_int(struct arena *arena, const struct yaml_scalar *scalar, struct value **out,
                       struct error *error)
{
    int base = prefixed_base(scalar->text);
    errno = 0;
    int64_t integer =
        base ? strtoll(scalar->text + 2, NULL, base) : strtoll(scalar->text, NULL, 10);
    if (errno)
        return too_large(scalar, error);
    *out = value_int(arena, integer);
    return 0;
}

/* A plain scalar: the first of the schema's patterns that fits, else a string. */
static int resolve_plain(struct arena *arena, const struct yaml_scalar *scalar, struct value **out,
                         struct error *error)
{
    const char *text = scalar->text;
    double real;
    if (strlen(text) != scalar->length)
        *out = value_string_n(arena, text, scalar->length);
    else if (is_null(text))
        *out = value_null(arena);
    else if (is_true(text) || is_false(text))
        *out = value_bool(arena, is_true(text));
    else if (is_decimal_int(text) || prefixed_base(text))
        return resolve_int(arena, scalar, out, error);
    else if (read_special(text, &real) || number_read_real(text, &real))
        *out = value_real(arena, real);
    else if (isinf(real))
        return too_large(scalar, error);
    else
        *out = value_string_n(arena, text, scalar->length);
    return 0;
}

static int kind_of_tag(const char *tag)
{
    static const struct {
        const char *tag;
        enum value_kind kind;
    } tags[] = {
        {"!", VALUE_STRING},           {CORE_TAG "str", VALUE_STRING},
        {CORE_TAG "int", VALUE_INT},   {CORE_TAG "float", VALUE_REAL},
        {CORE_TAG "bool", VALUE_BOOL}, {CORE_TAG "null", VALUE_NULL},
    };
    for (size_t i = 0; i < COUNT_OF(tags); i++)
        if (strcmp(tags[i].tag, tag) == 0)
            return (int)tags[i].kind;
    return -1;
}

static int resolve_tagged(struct arena *arena, const struct yaml_scalar *scalar, struct value **out,
                          struct error *error)
{
    int kind = kind_of_tag(scalar->tag);
    if (kind < 0)
        return error_set_at(error, ERR_INPUT, scalar->mark,
                            "the tag %.200s is not supported here; only !!str, !!int, !!float, "
                            "!!bool and !!null are",
                            scalar->tag);
    if (kind == VALUE_STRING) {
        *out = value_string_n(arena, scalar->text, scalar->length);
        return 0;
    }
    int status = resolve_plain(arena, scalar, out, error);
    if (status)
        return status;
    if (kind == VALUE_REAL && (*out)->kind == VALUE_INT)
        *out = value_real(arena, (double)(*out)->integer);
    if ((int)(*out)->kind != kind)
        return error_set_at(error, ERR_INPUT, scalar->mark, "\"%.60s\" is %s, but its tag says %s",
                            scalar->text, value_kind_name((*out)->kind),
                            value_kind_name((enum value_kind)kind));
    return 0;
}

int yaml_scalar_resolve(struct arena *arena, const struct yaml_scalar *scalar, struct value **out,
                        struct error *error)
{
    int status = 0;
    if (scalar->tag)
        status = resolve_tagged(arena, scalar, out, error);
    else if (scalar->plain)
        status = resolve_plain(arena, scalar, out, error);
    else
        *out = value_string_n(arena, scalar->text, scalar->length);
    if (!status)
        (*out)->mark = scalar->mark;
    return status;
}
