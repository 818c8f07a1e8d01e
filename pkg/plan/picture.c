#include "pkg/plan/picture.h"

#include <stdint.h>
#include <string.h>

#include "pkg/base/vector.h"

/* -- nodes and edges -- */

size_t picture_node_of(struct picture *picture, const char *id)
{
    const size_t *place = id ? map_get(&picture->by_id, id) : NULL;
    return place ? *place : SIZE_MAX;
}

static void add_node(struct picture *picture, const char *id, const char *kind,
                     enum picture_state state)
{
    size_t *place = arena_new_of(picture->arena, size_t);
    *place = picture->nodes.count;
    vector_push(picture->arena, &picture->nodes, ((struct picture_node){id, kind, state}));
    map_put(&picture->by_id, id, place);
}

size_t picture_outside(struct picture *picture, const char *id)
{
    if (picture_node_of(picture, id) == SIZE_MAX)
        add_node(picture, id, NULL, PICTURE_PLAIN);
    return picture_node_of(picture, id);
}

/* Is it among the labels, which are separated by commas? */
static bool is_told(const char *labels, const char *label)
{
    size_t length = strlen(label);
    for (const char *at = labels; (at = strstr(at, label)); at += length) {
        if ((at == labels || at[-1] == ' ') && (at[length] == '\0' || at[length] == ','))
            return true;
    }
    return false;
}

/* A second way between the same two adds its label; data outweigh a mere need. */
void picture_connect(struct picture *picture, size_t from, size_t to, const char *label, bool data)
{
    if (from == SIZE_MAX || to == SIZE_MAX || from == to)
        return;
    for (size_t i = 0; i < picture->edges.count; i++) {
        struct picture_edge *edge = &picture->edges.items[i];
        if (edge->from != from || edge->to != to)
            continue;
        if (*label && !is_told(edge->label, label))
            edge->label = arena_printf(picture->arena, "%s%s%s", edge->label,
                                       *edge->label ? ", " : "", label);
        edge->data = edge->data || data;
        return;
    }
    vector_push(picture->arena, &picture->edges, ((struct picture_edge){from, to, label, data}));
}

const char *picture_reference(struct arena *arena, const struct value *text)
{
    const char *at = value_is(text, VALUE_STRING) ? text->string.text : "";
    while ((at = strstr(at, "${"))) {
        size_t length = strcspn(at + 2, ".}");
        const char *id = arena_strndup(arena, at + 2, length);
        if (at[2 + length] == '.' && strcmp(id, STACK_REFERENCE) != 0)
            return id;
        at += 2;
    }
    return NULL;
}

/* -- the ways of data -- */

/* Items of a list that name a function: routes, notifications. */
static void connect_callers(struct picture *picture, const struct resource *resource,
                            const char *list, const char *label_key)
{
    struct value *item;
    value_each(item, value_get(resource->props, list))
    {
        const struct value *label = value_get(item, label_key);
        const char *word = value_is(label, VALUE_STRING)
                               ? label->string.text
                               : value_as_text(picture->arena, value_item(label, 0));
        const char *to = picture_reference(picture->arena, value_get(item, "function"));
        picture_connect(picture, picture_node_of(picture, resource->id),
                        picture_node_of(picture, to), word ? word : "", true);
    }
}

/* What a function without a role is told of in its environment, it uses. */
static void connect_environment(struct picture *picture, const struct resource *resource)
{
    const struct value *variables = value_get(resource->props, "environment");
    if (type_field(resource->type, "role"))
        return; /* its policies say more */
    for (size_t i = 0; i < value_count(variables); i++) {
        const char *to = picture_reference(picture->arena, value_entry(variables, i)->value);
        picture_connect(picture, picture_node_of(picture, resource->id),
                        picture_node_of(picture, to), "", true);
    }
}

static void connect_data(struct picture *picture, const struct resource *resource)
{
    size_t own = picture_node_of(picture, resource->id);
    if (value_text(value_item(value_get(resource->props, "routes"), 0), "function"))
        picture_connect(picture, picture_outside(picture, "who asks"), own,
                        type_field(resource->type, "stage") ? "HTTPS" : "HTTP", true);
    connect_callers(picture, resource, "routes", "key");
    connect_callers(picture, resource, "notifications", "events");
    connect_environment(picture, resource);
    const char *target = picture_reference(picture->arena, value_get(resource->props, "target"));
    picture_connect(picture, own, picture_node_of(picture, target), "", true);
}

static void connect_needs(struct picture *picture, const struct resource *resource)
{
    struct reference_list list = {0};
    struct error ignored = {0};
    if (resource_references(picture->arena, resource, &list, &ignored) < 0)
        return;
    for (size_t i = 0; i < list.count; i++)
        picture_connect(picture, picture_node_of(picture, resource->id),
                        picture_node_of(picture, list.items[i].id), "", false);
}

/* -- the whole -- */

const char *picture_word(enum picture_state state)
{
    static const char *const words[] = {
        [PICTURE_PLAIN] = "",          [PICTURE_UNCHANGED] = "unchanged",
        [PICTURE_CREATE] = "create",   [PICTURE_CHANGE] = "change",
        [PICTURE_REPLACE] = "replace", [PICTURE_DELETE] = "delete"};
    return words[state];
}

static enum picture_state state_of(enum step_kind kind)
{
    static const enum picture_state states[] = {[STEP_CREATE] = PICTURE_CREATE,
                                                [STEP_UPDATE] = PICTURE_CHANGE,
                                                [STEP_REPLACE] = PICTURE_REPLACE,
                                                [STEP_DELETE] = PICTURE_DELETE};
    return states[kind];
}

static void add_nodes(struct picture *picture, const struct plan *plan, bool plain)
{
    enum picture_state quiet = plain ? PICTURE_PLAIN : PICTURE_UNCHANGED;
    for (size_t i = 0; i < plan->wanted->count; i++) {
        const struct resource *resource = &plan->wanted->items[i];
        add_node(picture, resource->id, resource->type->kind, quiet);
    }
    for (size_t i = 0; i < plan->step_count && !plain; i++) {
        const struct step *step = &plan->steps[i];
        size_t at = picture_node_of(picture, step->id);
        if (at == SIZE_MAX)
            add_node(picture, step->id, step->type->kind, state_of(step->kind));
        else if (picture->nodes.items[at].state == PICTURE_UNCHANGED)
            picture->nodes.items[at].state = state_of(step->kind);
    }
}

void picture_make(struct arena *arena, const struct plan *plan, bool plain, struct picture *out)
{
    const struct identity *identity = plan->target->identity;
    *out = (struct picture){.arena = arena, .by_id = map_in(arena)};
    out->title = arena_printf(arena, "%s%s%s", identity->stack, identity->environment[0] ? " " : "",
                              identity->environment);
    add_nodes(out, plan, plain);
    for (size_t i = 0; i < plan->wanted->count; i++)
        connect_data(out, &plan->wanted->items[i]);
    picture_add_rights(out, plan);
    for (size_t i = 0; i < plan->wanted->count; i++)
        connect_needs(out, &plan->wanted->items[i]);
}
