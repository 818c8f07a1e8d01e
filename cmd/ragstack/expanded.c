#include "cmd/ragstack/expanded.h"

#include <stdio.h>

#include "pkg/plan/lines.h"

struct value *expanded_to_value(struct arena *arena, const struct resource_list *resources)
{
    struct value *map = value_map(arena);
    for (size_t i = 0; i < resources->count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "kind", resources->items[i].type->kind);
        value_set(arena, row, "props", resources->items[i].props);
        value_set(arena, map, resources->items[i].id, row);
    }
    return map;
}

static void print_resource(const struct session *session, const struct resource *resource)
{
    printf("%s %s", resource->type->kind, resource->id);
    if (resource->mark.line)
        printf("  %s:%d", session->file, resource->mark.line);
    putchar('\n');
    for (size_t i = 0; i < value_count(resource->props); i++) {
        const struct value_entry *entry = value_entry(resource->props, i);
        if (entry->value->kind != VALUE_NULL)
            printf("    %s: %s\n", entry->key, value_words(session->arena, entry->value));
    }
}

int expanded_print(struct session *session, struct error *error)
{
    int result = session_expand(session, error);
    if (result < 0)
        return result;
    if (session->json) {
        struct value *document = value_map(session->arena);
        value_set_int(session->arena, document, "schema", 1);
        value_set(session->arena, document, "resources",
                  expanded_to_value(session->arena, &session->wanted));
        print_json(document);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < session->wanted.count; i++)
        print_resource(session, &session->wanted.items[i]);
    return EXIT_DONE;
}
