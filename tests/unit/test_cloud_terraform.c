/* The table of terraform's words: every kind has a row, every row is about a kind, every source
 * leads somewhere, and no field of a kind is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/cloud/cloud.h"
#include "pkg/cloud/terraform.h"

/* What stands in others' words, or is none of terraform's. */
static const char *const elsewhere[] = {
    "rds.subnet_group.vpc",        /* follows from the subnets */
    "rds.proxy.default_auth",      /* provider 5.x has no word for it */
    "lambda.function.code_sha256", /* the same */
    "lambda.function.live",        /* the alias */
    "apigateway.api.routes",       /* from `parts`, with their ids */
    "s3.bucket.policy",            /* in whole_policy */
    "s3.bucket.tls_only",          /* the same */
    "sns.topic.subscriptions",     /* from `confirmed` */
    NULL,
};

static bool is_elsewhere(const char *kind, const char *field)
{
    char whole[128];
    snprintf(whole, sizeof whole, "%s.%s", kind, field);
    for (const char *const *row = elsewhere; *row; row++) {
        if (strcmp(*row, whole) == 0)
            return true;
    }
    return false;
}

/* Does the text name this field, as a whole word at the start of a path? */
static bool names(const char *text, const char *field)
{
    size_t length = strlen(field);
    for (const char *at = text; at && (at = strstr(at, field)); at++) {
        bool starts = at == text || at[-1] == '{' || at[-1] == '!';
        if (starts && (strchr(".}=!~[", at[length]) || !at[length]))
            return true;
    }
    return false;
}

static bool arguments_name(const struct terraform_argument *row, const char *field)
{
    for (; row->name; row++) {
        if (names(row->from, field) || names(row->when, field) ||
            (row->items && arguments_name(row->items, field)))
            return true;
    }
    return false;
}

static bool rows_name(const struct resource_type *type, const char *field)
{
    for (const struct terraform_resource *row = terraform_resources; row->kind; row++) {
        if (strcmp(row->kind, type->kind) == 0 &&
            (names(row->each, field) || names(row->when, field) || names(row->import, field) ||
             arguments_name(row->arguments, field)))
            return true;
    }
    return false;
}

static void no_field_is_forgotten(void **state)
{
    (void)state;
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        for (const struct field *field = (*type)->fields; field->name; field++) {
            bool own = (*type)->flags & HIDDEN; /* no resource of AWS's */
            if (own || (field->flags & (COMPUTED | WRITE_ONLY)) ||
                is_elsewhere((*type)->kind, field->name))
                continue;
            if (!rows_name(*type, field->name))
                fail_msg("%s.%s has no word in pkg/cloud/terraform.c", (*type)->kind, field->name);
        }
    }
}

static const struct resource_type *kind_of(const char *kind)
{
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        if (strcmp((*type)->kind, kind) == 0)
            return *type;
    }
    return NULL;
}

/* The first word of a path is a field, or one of those that every scope has. */
static void check_path(const struct resource_type *type, const char *path, size_t length)
{
    static const char *const known[] = {"id", "name", "tags", "stack", "item", "argument"};
    char word[128];
    size_t end = strcspn(path, ".[");
    snprintf(word, sizeof word, "%.*s", (int)(end < length ? end : length), path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], word) == 0)
            return;
    }
    if (!type_field(type, word))
        fail_msg("%s has no \"%s\"", type->kind, word);
}

static void check_source(const struct resource_type *type, const char *source)
{
    if (!source || *source == '=')
        return;
    if (!strchr(source, '{'))
        check_path(type, source, strlen(source));
    for (const char *at = strchr(source, '{'); at; at = strchr(at + 1, '{'))
        check_path(type, at + 1, strcspn(at + 1, "}"));
}

static void check_arguments(const struct resource_type *type, const struct terraform_argument *row)
{
    for (; row->name; row++) {
        check_source(type, row->from);
        if (row->when)
            check_path(type, row->when + (*row->when == '!'),
                       strcspn(row->when + (*row->when == '!'), "=!~"));
        if (row->items)
            check_arguments(type, row->items);
    }
}

static void every_source_leads_somewhere(void **state)
{
    (void)state;
    for (const struct terraform_resource *row = terraform_resources; row->kind; row++) {
        const struct resource_type *type = kind_of(row->kind);
        assert_non_null(type);
        assert_int_equal(strncmp(row->type, "aws_", 4), 0);
        assert_non_null(row->import);
        check_source(type, row->import);
        check_source(type, row->each);
        check_source(type, row->when);
        if (row->label && strchr(row->label, '{'))
            check_source(type, row->label);
        check_arguments(type, row->arguments);
    }
}

static void what_holds_data_is_not_destroyed(void **state)
{
    (void)state;
    for (const struct terraform_resource *row = terraform_resources; row->kind; row++) {
        bool main_row = row->refers && !row->each;
        if (main_row)
            assert_int_equal(row->keeps, (kind_of(row->kind)->flags & HOLDS_DATA) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_field_is_forgotten),
        cmocka_unit_test(every_source_leads_somewhere),
        cmocka_unit_test(what_holds_data_is_not_destroyed),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
