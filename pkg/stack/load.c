#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/stack/internal.h"
#include "pkg/value/number.h"
#include "pkg/value/yaml.h"

void add_fault(struct loading *loading, struct mark mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = arena_vprintf(loading->arena, format, arguments);
    va_end(arguments);
    vector_push(loading->arena, loading->faults, ((struct fault){mark, message}));
}

static void report(void *data, struct mark mark, const char *message)
{
    add_fault(data, mark, "%s", message);
}

/* -- the free resources -- */

static bool is_id(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return text[0] >= 'a' && text[0] <= 'z' && text[length] == '\0' && length <= 40;
}

static void check_kind(struct loading *loading, const struct value_entry *entry)
{
    const struct value *kind = value_get(entry->value, "kind");
    size_t count = 0;
    while (loading->options->types && loading->options->types[count])
        count++;
    const char **names = arena_array(loading->arena, count + 1, sizeof *names);
    const struct resource_type *type = NULL;
    for (size_t i = 0, used = 0; i < count; i++) {
        if (loading->options->types[i]->flags & HIDDEN)
            continue;
        names[used++] = loading->options->types[i]->kind;
        if (value_is_text(kind, loading->options->types[i]->kind))
            type = loading->options->types[i];
    }
    if (!value_is(kind, VALUE_STRING)) {
        add_fault(loading, entry->mark,
                  "resources.%s: \"kind\" is missing; `ragstack explain` lists "
                  "the kinds",
                  entry->key);
        return;
    }
    const char *nearest = nearest_name(kind->string.text, names);
    if (!type) {
        add_fault(loading, kind->mark, "resources.%s: unknown kind \"%s\"%s%s%s", entry->key,
                  kind->string.text, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                  nearest ? "\"?" : "; `ragstack explain` lists them");
        return;
    }
    const struct value *was = value_get(entry->value, "was");
    if (was && !(value_is(was, VALUE_STRING) && is_id(was->string.text)))
        add_fault(loading, was->mark, "resources.%s.was: expected the id that it had before",
                  entry->key);
    struct value *props = value_copy(loading->arena, entry->value);
    value_remove(props, "kind");
    value_remove(props, "was");
    const char *what = arena_printf(loading->arena, "resources.%s (%s)", entry->key, type->kind);
    fields_check(loading->arena, type->fields, props, what, entry->mark, report, loading);
}

static void check_resources(struct loading *loading, const struct value *resources)
{
    for (size_t i = 0; value_is(resources, VALUE_MAP) && i < value_count(resources); i++) {
        const struct value_entry *entry = value_entry(resources, i);
        if (!is_id(entry->key))
            add_fault(loading, entry->mark,
                      "resources.%s: an id is lower-case letters, digits and -, and starts with a "
                      "letter (40 at most)",
                      entry->key);
        else if (!value_is(entry->value, VALUE_MAP))
            add_fault(loading, entry->value->mark, "resources.%s: expected a map, found %s",
                      entry->key, value_kind_name(entry->value->kind));
        else
            check_kind(loading, entry);
    }
}

/* -- environments -- */

/* An overlay may hold any key of the file but these. */
static void check_overlay(struct loading *loading, const struct value_entry *entry)
{
    static const char *const fixed[] = {"stack", "environments"};
    if (!value_is(entry->value, VALUE_MAP)) {
        if (entry->value->kind != VALUE_NULL)
            add_fault(loading, entry->value->mark, "environments.%s: expected a map, found %s",
                      entry->key, value_kind_name(entry->value->kind));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        const struct value *value = value_get(entry->value, fixed[i]);
        if (value)
            add_fault(loading, value->mark,
                      "environments.%s: \"%s\" cannot differ between "
                      "environments",
                      entry->key, fixed[i]);
    }
    if (!is_id(entry->key) || strlen(entry->key) > 12)
        add_fault(loading, entry->mark,
                  "environments.%s: a name is lower-case letters, digits and -, "
                  "12 at most",
                  entry->key);
}

static void list_environments(struct loading *loading, const struct value *environments)
{
    size_t count = value_is(environments, VALUE_MAP) ? value_count(environments) : 0;
    const char **names = arena_array(loading->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = value_entry(environments, i)->key;
        check_overlay(loading, value_entry(environments, i));
    }
    loading->stack->environments = names;
}

static const char *joined(struct arena *arena, const char *const *names)
{
    const char *text = "";
    for (; *names; names++)
        text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", *names);
    return text;
}

static int choose_environment(struct loading *loading, const struct value *root,
                              const struct value **overlay, struct error *error)
{
    const char *wanted = loading->options->environment;
    const char *const *names = loading->stack->environments;
    *overlay = NULL;
    loading->stack->environment = "";
    if (!names[0] && !wanted)
        return 0;
    if (!names[0])
        return error_set(error, ERR_USAGE, "--env %s: %s has no environments", wanted,
                         loading->stack->file);
    if (!wanted)
        return error_set(error, ERR_USAGE, "%s has environments: say --env NAME (%s)",
                         loading->stack->file, joined(loading->arena, names));
    *overlay = value_get(value_get(root, "environments"), wanted);
    if (!*overlay)
        return error_set(error, ERR_USAGE, "--env %s: %s has only %s", wanted, loading->stack->file,
                         joined(loading->arena, names));
    loading->stack->environment = arena_strdup(loading->arena, wanted);
    return 0;
}

/* -- the whole -- */

/* The subnets are cut from it: it has to be a network's address, and no host's. */
static void check_cidr(struct loading *loading, const struct value *cidr)
{
    const char *slash = cidr ? strchr(cidr->string.text, '/') : NULL;
    char shown[INET_ADDRSTRLEN];
    int64_t prefix;
    struct in_addr base;
    if (!slash || !number_read_int(slash + 1, &prefix) || prefix < 0 || prefix > 31)
        return;
    const char *address =
        arena_strndup(loading->arena, cidr->string.text, (size_t)(slash - cidr->string.text));
    if (inet_pton(AF_INET, address, &base) != 1) {
        add_fault(loading, cidr->mark, "network.cidr: \"%s\" is no IPv4 address", address);
        return;
    }
    uint32_t host_bits = UINT32_MAX >> prefix;
    if (!(ntohl(base.s_addr) & host_bits))
        return;
    base.s_addr &= htonl(~host_bits);
    inet_ntop(AF_INET, &base, shown, sizeof shown);
    add_fault(loading, cidr->mark, "network.cidr: %s has bits beyond its prefix; say %s/%d",
              cidr->string.text, shown, (int)prefix);
}

static void check_api(struct loading *loading, const struct value *tree)
{
    const struct value *auth = value_at(tree, "api.auth"), *jwt = value_at(tree, "api.jwt");
    bool has_jwt = value_is(jwt, VALUE_MAP);
    if (value_is_text(auth, "jwt") && !has_jwt)
        add_fault(loading, auth->mark,
                  "api.auth is jwt, but api.jwt (issuer, audience) is missing");
    if (has_jwt && !value_is_text(auth, "jwt"))
        add_fault(loading, jwt->mark, "api.jwt is only used with api.auth: jwt");
}

static int by_place(const void *a, const void *b)
{
    const struct fault *first = a, *second = b;
    return first->mark.line != second->mark.line ? first->mark.line - second->mark.line
                                                 : first->mark.column - second->mark.column;
}

int give_faults(struct loading *loading, struct error *error)
{
    struct fault_list *faults = loading->faults;
    if (!faults->count)
        return 0;
    qsort(faults->items, faults->count, sizeof *faults->items, by_place);
    const struct fault *first = &faults->items[0];
    return error_set_at(error, ERR_INPUT, first->mark, "%s", first->message);
}

/* A threshold that is null is said: there is to be no alarm, and no default either. */
static void keep_switched_off(struct loading *loading, const struct value *said)
{
    const struct value *alarms = value_at(said, "watch.alarms");
    for (size_t i = 0; i < value_count(alarms); i++) {
        const struct value_entry *entry = value_entry(alarms, i);
        if (entry->value->kind == VALUE_NULL)
            value_set(loading->arena, value_at(loading->stack->tree, "watch.alarms"), entry->key,
                      entry->value);
    }
}

static int load_tree(struct loading *loading, struct value *root, struct error *error)
{
    struct stack *stack = loading->stack;
    if (!value_is(root, VALUE_MAP)) {
        add_fault(loading, root->mark, "a stack file is a map: at least `stack:` and `region:`");
        return give_faults(loading, error);
    }
    replace_variables(loading, root);
    list_environments(loading, value_get(root, "environments"));
    const struct value *overlay;
    int result = choose_environment(loading, root, &overlay, error);
    if (result < 0)
        return result;
    bool differs = value_is(overlay, VALUE_MAP); /* "dev:" alone is the file as it is */
    struct value *merged = differs ? value_merge(loading->arena, root, overlay) : root;
    fields_check(loading->arena, stack_fields, merged, "stack", root->mark, report, loading);
    check_resources(loading, value_get(merged, "resources"));
    struct resource_type file_type = {.kind = "stack", .fields = stack_fields};
    if (!loading->faults->count) {
        stack->tree = type_fill(loading->arena, &file_type, merged);
        keep_switched_off(loading, merged);
        check_api(loading, stack->tree);
        check_cidr(loading, value_at(stack->tree, "network.cidr"));
    }
    stack->name = value_text(merged, "stack");
    stack->region = value_text(merged, "region");
    return give_faults(loading, error);
}

int stack_load_text(struct arena *arena, const char *text, size_t length,
                    const struct stack_options *options, struct stack **out,
                    struct fault_list *faults, struct error *error)
{
    struct stack *stack = arena_new_of(arena, struct stack);
    struct loading loading = {arena, options, stack, faults};
    struct value *root;
    stack->file = arena_strdup(arena, options->file);
    int result = yaml_parse(arena, text, length, stack->file, &root, error);
    if (result == ERR_INPUT)
        add_fault(&loading, (struct mark){stack->file, error->line, error->column}, "%s",
                  error->message);
    if (result == 0)
        result = load_tree(&loading, root, error);
    *out = stack;
    return result;
}

/* The tree of the file as it stands there, or as a commit has it. */
static int read_root(struct loading *loading, struct value **root, struct error *error)
{
    struct stack *stack = loading->stack;
    const char *path = stack->file, *revision = loading->options->revision, *text;
    size_t length;
    if (!revision)
        return yaml_parse_file(loading->arena, path, root, error);
    stack->file = arena_printf(loading->arena, "%s:%s", revision, path);
    int result = git_read(loading->arena, path, revision, YAML_MAXIMUM_BYTES, &text, &length,
                          &stack->git.commit, error);
    return result < 0 ? result : yaml_parse(loading->arena, text, length, stack->file, root, error);
}

int stack_load(struct arena *arena, const struct stack_options *options, struct stack **out,
               struct fault_list *faults, struct error *error)
{
    struct stack *stack = arena_new_of(arena, struct stack);
    struct loading loading = {arena, options, stack, faults};
    struct value *root;
    *out = stack;
    stack->file = arena_strdup(arena, options->file);
    int result = read_root(&loading, &root, error);
    if (result == ERR_INPUT)
        add_fault(&loading, (struct mark){stack->file, error->line, error->column}, "%s",
                  error->message);
    if (result == 0 && !options->revision)
        result = git_look(arena, stack->file, &stack->git, error);
    if (result == 0)
        result = load_tree(&loading, root, error);
    if (result == 0) {
        read_prompt(&loading);
        result = give_faults(&loading, error);
    }
    return result;
}
