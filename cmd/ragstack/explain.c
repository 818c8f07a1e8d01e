#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/reference.h"
#include "cmd/ragstack/session.h"
#include "pkg/cloud/metrics.h"

static const struct option_row options[] = {
    {"schema", 0, NULL, false, NULL, "the JSON Schema of a stack file, for editors"},
    {0},
};

#define ALARMS "watch.alarms" /* its keys are thresholds of alarms */

/* -- printing -- */

static const char *bold(const struct session *session)
{
    return session->colour_out ? "\033[1m" : "";
}

static const char *plain(const struct session *session)
{
    return session->colour_out ? "\033[0m" : "";
}

static const char *type_words(struct arena *arena, const struct field *field)
{
    if (field->type != FIELD_LIST)
        return field_type_name(field->type);
    return arena_printf(arena, "list of %s", field->fields ? "maps" : field_type_name(field->item));
}

/* "required, replace": what matters to who writes the file. */
static const char *flag_words(struct arena *arena, unsigned flags)
{
    const unsigned shown = REQUIRED | REPLACE | AT_LEAST | DATA | STICKY | GROWS;
    const char *words = "";
    for (const struct flag_row *row = field_flag_rows; row->name; row++) {
        if (flags & shown & row->flag)
            words = arena_printf(arena, "%s, %s", words, row->name);
    }
    return words;
}

static void print_field_line(const struct session *session, const struct field *field)
{
    struct arena *arena = session->arena;
    bool shown = field->unset && !field->fields && strcmp(field->unset, "{}") != 0;
    printf("  %s%s%s  %s%s%s%s\n", bold(session), field->name, plain(session),
           type_words(arena, field), flag_words(arena, field->flags), shown ? ", default " : "",
           shown ? field->unset : "");
    if (field->summary)
        printf("      %s\n", field->summary);
}

static void print_fields(const struct session *session, const struct field *fields, bool computed)
{
    for (; fields->name; fields++) {
        if (!!(fields->flags & COMPUTED) == computed)
            print_field_line(session, fields);
    }
}

static bool has_computed(const struct field *fields)
{
    for (; fields->name; fields++) {
        if (fields->flags & COMPUTED)
            return true;
    }
    return false;
}

static void print_kind(const struct session *session, const struct resource_type *type)
{
    printf("%s%s%s: %s\n", bold(session), type->kind, plain(session), type->summary);
    for (const struct flag_row *row = type_flag_rows; row->name; row++) {
        if (type->flags & row->flag)
            printf("  %s\n", row->meaning);
    }
    puts("\nFields:");
    print_fields(session, type->fields, false);
    if (has_computed(type->fields)) {
        puts("\nAttributes, for ${ID.ATTRIBUTE}:");
        print_fields(session, type->fields, true);
    }
    const struct wait *wait = type->complete.field ? &type->complete : &type->ready;
    if (wait->field)
        printf("\nReady when %s is %s: typically %d s, at most %d s.\n", wait->field, wait->wanted,
               wait->typical_s, wait->longest_s);
}

static const struct field *field_named(const struct field *fields, const char *name, size_t length);

/* The alarms of a threshold: `field` is its key, or all of them (a map). */
static void print_alarms(const struct session *session, const struct field *field)
{
    puts(field->fields ? "\nWith the defaults these are the alarms:"
                       : "\nIt makes these alarms (with the default):");
    for (const struct alarm_rule *rule = alarm_rules; rule->id; rule++) {
        const struct field *key =
            field->fields ? field_named(field->fields, rule->key, strlen(rule->key)) : field;
        if (!key || strcmp(key->name, rule->key) != 0)
            continue;
        printf("  %salarm-%s%s  %s\n", bold(session), rule->id, plain(session),
               metrics[metric_number(rule->metric)].title);
        printf("      %s\n",
               alarm_rule_words(session->arena, rule, field_unset(session->arena, key)));
    }
}

static void print_field(const struct session *session, const char *path, const struct field *field)
{
    printf("%s%s%s: %s\n\n", bold(session), path, plain(session),
           field->summary ? field->summary : "");
    printf("  type      %s\n", type_words(session->arena, field));
    printf("  default   %s\n", field->unset ? field->unset : "none");
    if (field->allowed)
        printf("  allowed   %s\n", field->allowed);
    if (field->key)
        printf("  items     are the same thing when their \"%s\" is equal\n", field->key);
    for (const struct flag_row *row = field_flag_rows; row->name; row++) {
        if (field->flags & row->flag)
            printf("  %-9s %s\n", row->name, row->meaning);
    }
    if (field->fields) {
        puts("\nFields:");
        print_fields(session, field->fields, false);
    }
    if (strncmp(path, ALARMS, sizeof ALARMS - 1) == 0)
        print_alarms(session, field);
}

static void print_all(const struct session *session)
{
    puts("Keys of a stack file (`ragstack explain KEY` says more):\n");
    for (const struct field *field = stack_fields; field->name; field++)
        printf("  %s%-22s%s %s\n", bold(session), field->name, plain(session),
               field->summary ? field->summary : "");
    puts("\nKinds of resources, for `resources:` (`ragstack explain KIND`):\n");
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        if (!((*type)->flags & HIDDEN))
            printf("  %s%-22s%s %s\n", bold(session), (*type)->kind, plain(session),
                   (*type)->summary);
    }
}

/* -- finding -- */

static const struct field *field_named(const struct field *fields, const char *name, size_t length)
{
    for (; fields && fields->name; fields++) {
        if (strlen(fields->name) == length && strncmp(fields->name, name, length) == 0)
            return fields;
    }
    return NULL;
}

/* The kind that the path starts with; *rest is what follows it. */
static const struct resource_type *kind_in(const char *path, const char **rest)
{
    for (const struct resource_type *const *type = cloud_types; *type; type++) {
        size_t length = strlen((*type)->kind);
        if (strncmp(path, (*type)->kind, length) != 0)
            continue;
        *rest = path + length;
        if (**rest == '.')
            ++*rest;
        if (**rest == '\0' || (*rest)[-1] == '.')
            return *type;
    }
    return NULL;
}

/* At the first level a kind may be meant, too. */
static int unknown(struct session *session, const struct field *fields, const char *path,
                   const char *word, struct error *error)
{
    const char **names = arena_array(session->arena, 256, sizeof *names);
    size_t count = 0;
    for (const struct field *field = fields; field && field->name && count < 200; field++)
        names[count++] = field->name;
    for (const struct resource_type *const *type = cloud_types;
         fields == stack_fields && *type && count < 255; type++)
        names[count++] = (*type)->kind;
    const char *nearest = nearest_name(fields == stack_fields ? path : word, names);
    return error_set(error, ERR_USAGE, "there is no \"%s\"; %s%s%s", path,
                     nearest ? "did you mean \"" : "`ragstack explain` lists all",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

static int explain_path(struct session *session, const char *path, struct error *error)
{
    const char *rest = path;
    const struct resource_type *type = kind_in(path, &rest);
    const struct field *fields = type ? type->fields : stack_fields, *field = NULL;
    if (type && !*rest) {
        print_kind(session, type);
        return EXIT_DONE;
    }
    while (*rest) {
        size_t length = strcspn(rest, ".");
        field = field_named(fields, rest, length);
        if (!field)
            return unknown(session, fields, path, arena_strndup(session->arena, rest, length),
                           error);
        fields = field->fields;
        rest += length + (rest[length] == '.');
    }
    if (!field)
        return unknown(session, fields, path, path, error);
    print_field(session, path, field);
    return EXIT_DONE;
}

static void complete(struct buffer *out)
{
    for (const struct field *field = stack_fields; field->name; field++)
        buffer_printf(out, "%s ", field->name);
    for (const struct resource_type *const *type = cloud_types; *type; type++)
        buffer_printf(out, "%s ", (*type)->kind);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task;
    if (option_said(&session->options, "schema"))
        print_json(reference_schema(session->arena));
    else if (session->json)
        print_json(reference_tables(session->arena));
    else if (session->options.argument_count)
        return explain_path(session, session->options.arguments[0], error);
    else
        print_all(session);
    return EXIT_DONE;
}

const struct command command_explain = {
    .name = "explain",
    .arguments = "[KIND[.FIELD]|KEY]",
    .summary = "The reference of stack keys and resource kinds",
    .details =
        "Printed from the tables that the program itself works by. In an editor with the YAML "
        "language\nserver: ragstack explain --schema > ragstack.schema.json, and in the stack "
        "file\n# yaml-language-server: $schema=ragstack.schema.json",
    .examples = "ragstack explain\nragstack explain network.nat\nragstack explain "
                "rds.instance\nragstack explain --schema",
    .options = options,
    .most_arguments = 1,
    .complete = complete,
    .run = run,
};
