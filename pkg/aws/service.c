#include "pkg/aws/service.h"

#include <stddef.h>
#include <string.h>

/* Verbs at the beginning of operation names. */
static const char *const reading_verbs[] = {"Describe", "Get",      "List", "Head",
                                            "Filter",   "Simulate", NULL};
static const char *const repeatable_verbs[] = {"Put",    "Modify", "Update", "Set", "Delete",
                                               "Remove", "Tag",    "Untag",  NULL};

static bool begins_with_verb(const char *name, const char *const *verbs)
{
    for (; *verbs; verbs++)
        if (strncmp(name, *verbs, strlen(*verbs)) == 0)
            return true;
    return false;
}

const struct aws_operation *aws_operation(const struct aws_service *service, const char *name)
{
    for (const struct aws_operation *row = service->operations; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

bool aws_operation_reads(const struct aws_service *service, const char *name)
{
    const struct aws_operation *row = aws_operation(service, name);
    return (row && row->reads) || begins_with_verb(name, reading_verbs);
}

bool aws_operation_repeats(const struct aws_service *service, const char *name)
{
    const struct aws_operation *row = aws_operation(service, name);
    switch (row ? row->repeat : AWS_REPEAT_BY_NAME) {
    case AWS_REPEAT_ALWAYS:
    case AWS_REPEAT_TOKEN:
        return true;
    case AWS_REPEAT_NEVER:
        return false;
    case AWS_REPEAT_BY_NAME:
        break;
    }
    return aws_operation_reads(service, name) || begins_with_verb(name, repeatable_verbs);
}
