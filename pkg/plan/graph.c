#include "pkg/plan/graph.h"

#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/plan/internal.h"

enum { CALL_MS = 300 }; /* what a changing call typically takes */

#define NONE ((size_t)-1)

/* The nodes of one step; NONE where it has no such node. */
struct parts {
    size_t make, ready, connect, complete, disconnect, remove, gone;
};

struct builder {
    struct arena *arena;
    const struct plan *plan;
    struct graph *graph;
    struct parts *parts;      /* by step index */
    struct map step_of_id;    /* id -> parts of its create, update or replace */
    struct map found_of_text; /* physical id, arn, name -> struct found * that goes */
};

static size_t add_node(struct builder *builder, enum node_kind kind, const struct step *step,
                       int64_t work_ms)
{
    vector_push(builder->arena, builder->graph,
                ((struct node){.kind = kind, .step = step, .work_ms = work_ms}));
    return builder->graph->count - 1;
}

static bool has_edge(const struct node *node, size_t after)
{
    for (size_t i = 0; i < node->next_count; i++) {
        if (node->next[i] == after)
            return true;
    }
    return false;
}

static void add_edge(struct builder *builder, size_t before, size_t after)
{
    if (before == NONE || after == NONE || before == after)
        return;
    struct node *node = &builder->graph->items[before];
    if (has_edge(node, after))
        return;
    if (node->next_count == node->next_capacity) {
        size_t capacity = node->next_capacity ? node->next_capacity * 2 : 4;
        node->next = arena_grow(builder->arena, node->next, node->next_count * sizeof *node->next,
                                capacity * sizeof *node->next);
        node->next_capacity = capacity;
    }
    node->next[node->next_count++] = after;
    builder->graph->items[after].needs++;
}

/* Is there a way from one node to the other? */
static bool reaches(struct arena *arena, const struct graph *graph, size_t from, size_t to)
{
    bool *seen = arena_array(arena, graph->count + 1, sizeof *seen);
    size_t *stack = arena_array(arena, graph->count + 1, sizeof *stack), depth = 0;
    stack[depth++] = from;
    seen[from] = true;
    while (depth) {
        const struct node *node = &graph->items[stack[--depth]];
        if (node == &graph->items[to])
            return true;
        for (size_t i = 0; i < node->next_count; i++) {
            if (!seen[node->next[i]])
                stack[depth++] = node->next[i];
            seen[node->next[i]] = true;
        }
    }
    return false;
}

/* -- nodes -- */

/* Does the step have work of this pass? Fresh things have all; updates what differs. */
static bool has_work(struct arena *arena, const struct step *step, bool late)
{
    if (step->kind != STEP_UPDATE && !late)
        return true;
    if (step->kind == STEP_UPDATE) {
        for (size_t i = 0; i < step->difference_count; i++) {
            const struct field *field = step->differences[i].change.field;
            if ((field && (field->flags & LATE)) == late)
                return true;
        }
        return false;
    }
    for (const struct field *field = step->type->fields; field->name; field++) {
        if ((field->flags & LATE) && !field_equal(arena, field, value_get(step->want, field->name),
                                                  field_unset(arena, field)))
            return true;
    }
    return false;
}

static int64_t wait_ms(const struct wait *wait)
{
    return (int64_t)wait->typical_s * 1000;
}

static void add_making(struct builder *builder, const struct step *step, struct parts *parts)
{
    const struct resource_type *type = step->type;
    if (has_work(builder->arena, step, false)) {
        parts->make = add_node(builder, NODE_MAKE, step, CALL_MS);
        if (type->ready.field) {
            parts->ready = add_node(builder, NODE_READY, step, wait_ms(&type->ready));
            add_edge(builder, parts->make, parts->ready);
        }
    }
    if (has_work(builder->arena, step, true)) {
        parts->connect = add_node(builder, NODE_CONNECT, step, CALL_MS);
        add_edge(builder, parts->make, parts->connect);
        add_edge(builder, parts->ready, parts->connect);
    }
    if (type->complete.field) {
        parts->complete = add_node(builder, NODE_COMPLETE, step, wait_ms(&type->complete));
        add_edge(builder, parts->make, parts->complete);
        add_edge(builder, parts->ready, parts->complete);
        add_edge(builder, parts->connect, parts->complete);
    }
}

static void add_removing(struct builder *builder, const struct step *step, struct parts *parts)
{
    parts->remove = add_node(builder, NODE_REMOVE, step, CALL_MS);
    parts->gone = parts->remove;
    if (step->type->gone.longest_s) {
        parts->gone = add_node(builder, NODE_GONE, step, wait_ms(&step->type->gone));
        add_edge(builder, parts->remove, parts->gone);
    }
}

static void add_nodes(struct builder *builder)
{
    const struct plan *plan = builder->plan;
    builder->parts = arena_array(builder->arena, plan->step_count + 1, sizeof *builder->parts);
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        struct parts *parts = &builder->parts[i];
        *parts = (struct parts){NONE, NONE, NONE, NONE, NONE, NONE, NONE};
        if (step->kind != STEP_DELETE) {
            add_making(builder, step, parts);
            map_put(&builder->step_of_id, step->id, parts);
        }
        if (step->kind == STEP_DELETE || step->kind == STEP_REPLACE)
            add_removing(builder, step, parts);
    }
}

/* -- edges of making -- */

static size_t first_of(size_t a, size_t b, size_t c, size_t d)
{
    return a != NONE ? a : b != NONE ? b : c != NONE ? c : d;
}

/* What a reference in this field has to wait for. */
static size_t needed_part(const struct parts *parts, unsigned flags)
{
    if (flags & COMPLETE)
        return first_of(parts->complete, parts->connect, parts->ready, parts->make);
    if (flags & READY)
        return first_of(parts->ready, parts->make, NONE, NONE);
    return parts->make;
}

/* An attribute that is known only later than the thing is made. */
static unsigned attribute_flags(const struct builder *builder, const struct parts *parts,
                                const char *attribute)
{
    const struct step *step = &builder->plan->steps[parts - builder->parts];
    const struct field *field = type_field(step->type, attribute);
    return field && (field->flags & COMPUTED) ? field->flags & (READY | COMPLETE) : 0;
}

static int add_making_edges(struct builder *builder, const struct step *step, struct parts *parts,
                            struct error *error)
{
    struct reference_list references = {0};
    int result = resource_references(builder->arena, step->resource, &references, error);
    for (size_t i = 0; result == 0 && i < references.count; i++) {
        const struct parts *needed = map_get(&builder->step_of_id, references.items[i].id);
        unsigned flags = references.items[i].field ? references.items[i].field->flags : 0;
        if (needed && needed != parts)
            add_edge(builder,
                     needed_part(needed, flags | attribute_flags(builder, needed,
                                                                 references.items[i].attribute)),
                     flags & LATE ? parts->connect : parts->make);
    }
    return result;
}

/* -- edges of removing: by what was found, so that they hold without the file -- */

/* Others may know a thing by a further ARN of it: a function by its alias. */
static void index_further_arns(struct builder *builder, const struct found *found,
                               const struct parts *parts)
{
    static const char ending[] = "_arn";
    for (const struct field *field = found->type->fields; field->name; field++) {
        size_t length = strlen(field->name);
        const char *text = field->flags & COMPUTED ? value_text(found->props, field->name) : NULL;
        if (text && length >= sizeof ending &&
            strcmp(field->name + length - (sizeof ending - 1), ending) == 0)
            map_put(&builder->found_of_text, text, (void *)parts);
    }
}

static void index_goers(struct builder *builder)
{
    for (size_t i = 0; i < builder->plan->step_count; i++) {
        const struct parts *parts = &builder->parts[i];
        const struct found *found = builder->plan->steps[i].found;
        if (parts->remove == NONE)
            continue;
        const char *texts[FOUND_TEXTS];
        found_texts(found, texts);
        for (size_t j = 0; j < FOUND_TEXTS; j++) {
            if (texts[j])
                map_put(&builder->found_of_text, texts[j], (void *)parts);
        }
        index_further_arns(builder, found, parts);
    }
}

/* One thing that stands (or goes) and refers to things that go. */
struct referrer {
    struct builder *builder;
    struct parts *parts;
    const struct field *field;
    bool blocks_pass;
};

static bool is_making(const struct node *node)
{
    return node->kind == NODE_MAKE || node->kind == NODE_READY || node->kind == NODE_CONNECT ||
           node->kind == NODE_COMPLETE;
}

/* Rules between groups that both go may refer to each other: those that close a circle are taken
 * away by a node of their own. Only what makes the successor, and what is repointed to it, precedes
 * that: until then the old rules are in use. */
static size_t disconnect_node(struct builder *builder, struct parts *parts)
{
    if (parts->disconnect != NONE)
        return parts->disconnect;
    parts->disconnect =
        add_node(builder, NODE_DISCONNECT, &builder->plan->steps[parts - builder->parts], CALL_MS);
    for (size_t i = 0; i < parts->disconnect; i++) {
        const struct node *node = &builder->graph->items[i];
        if (is_making(node) && has_edge(node, parts->remove))
            add_edge(builder, i, parts->disconnect);
    }
    add_edge(builder, parts->disconnect, parts->remove);
    return parts->disconnect;
}

static bool deletes_first(const struct step *step)
{
    return step->kind == STEP_REPLACE && (step->type->flags & DELETE_FIRST);
}

/* What cannot stand beside its successor goes before that is made: nobody can be repointed first,
 * so only those precede it that go for good, or before their own successors. */
static bool cannot_be_repointed(const struct builder *builder, const struct parts *goer)
{
    return deletes_first(&builder->plan->steps[goer - builder->parts]);
}

static bool can_go_first(const struct builder *builder, const struct parts *parts)
{
    const struct step *step = &builder->plan->steps[parts - builder->parts];
    return step->kind == STEP_DELETE || deletes_first(step);
}

static void refer(const struct referrer *referrer, const struct parts *goer)
{
    struct builder *builder = referrer->builder;
    struct parts *parts = referrer->parts;
    bool late = referrer->field->flags & LATE;
    bool goes_now = cannot_be_repointed(builder, goer);
    if (goer == parts || (goes_now && !can_go_first(builder, parts)))
        return;
    if (!referrer->blocks_pass && !goes_now) /* what still stands is repointed first */
        add_edge(builder, late ? parts->connect : parts->make, goer->remove);
    if (parts->remove == NONE || (late && !(referrer->field->flags & BLOCKS)))
        return;
    if (!late) {
        add_edge(builder, parts->gone, goer->remove);
    } else if (referrer->blocks_pass) {
        bool circle = reaches(builder->arena, builder->graph, goer->remove, parts->remove);
        add_edge(builder, circle ? disconnect_node(builder, parts) : parts->gone, goer->remove);
    }
}

static void scan(const struct referrer *referrer, const struct value *value)
{
    if (value_is(value, VALUE_STRING)) {
        const struct parts *goer = map_get(&referrer->builder->found_of_text, value->string.text);
        if (goer)
            refer(referrer, goer);
    } else if (value_is(value, VALUE_LIST)) {
        for (size_t i = 0; i < value->list.count; i++)
            scan(referrer, value->list.items[i]);
    } else if (value_is(value, VALUE_MAP)) {
        for (size_t i = 0; i < value->map.count; i++)
            scan(referrer, value->map.entries[i].value);
    }
}

static void add_removing_edges(struct builder *builder, bool blocks_pass)
{
    for (size_t i = 0; i < builder->plan->step_count; i++) {
        const struct step *step = &builder->plan->steps[i];
        for (const struct field *field = step->type->fields; step->found && field->name; field++) {
            if (field->type == FIELD_DOCUMENT || (field->flags & COMPUTED))
                continue;
            struct referrer referrer = {builder, &builder->parts[i], field, blocks_pass};
            scan(&referrer, value_get(step->found->props, field->name));
        }
    }
}

static void order_replacements(struct builder *builder)
{
    for (size_t i = 0; i < builder->plan->step_count; i++) {
        const struct parts *parts = &builder->parts[i];
        if (builder->plan->steps[i].kind != STEP_REPLACE)
            continue;
        if (builder->plan->steps[i].type->flags & DELETE_FIRST)
            add_edge(builder, parts->gone, parts->make);
        else
            add_edge(builder, needed_part(parts, COMPLETE), parts->remove);
    }
}

/* -- ranks -- */

static int rank_nodes(struct arena *arena, struct graph *graph, struct error *error)
{
    int *needs = arena_array(arena, graph->count + 1, sizeof *needs);
    size_t *order = arena_array(arena, graph->count + 1, sizeof *order), done = 0, ready = 0;
    for (size_t i = 0; i < graph->count; i++) {
        needs[i] = graph->items[i].needs;
        if (needs[i] == 0)
            order[ready++] = i;
    }
    for (; done < ready; done++) {
        const struct node *node = &graph->items[order[done]];
        for (size_t i = 0; i < node->next_count; i++) {
            if (--needs[node->next[i]] == 0)
                order[ready++] = node->next[i];
        }
    }
    for (size_t i = 0; done < graph->count && i < graph->count; i++) {
        if (needs[i] > 0)
            return error_set(error, ERR_FAILED, "the work cannot be ordered: %s %s is in a circle",
                             node_verb(&graph->items[i]), graph->items[i].step->id);
    }
    while (done-- > 0) {
        struct node *node = &graph->items[order[done]];
        int64_t rest = 0;
        for (size_t i = 0; i < node->next_count; i++) {
            if (graph->items[node->next[i]].rank_ms > rest)
                rest = graph->items[node->next[i]].rank_ms;
        }
        node->rank_ms = node->work_ms + rest;
    }
    return 0;
}

int graph_build(struct arena *arena, const struct plan *plan, struct graph *out,
                struct error *error)
{
    *out = (struct graph){0};
    struct builder builder = {.arena = arena,
                              .plan = plan,
                              .graph = out,
                              .step_of_id = map_in(arena),
                              .found_of_text = map_in(arena)};
    add_nodes(&builder);
    for (size_t i = 0; i < plan->step_count; i++) {
        int result = plan->steps[i].resource
                         ? add_making_edges(&builder, &plan->steps[i], &builder.parts[i], error)
                         : 0;
        if (result < 0)
            return result;
    }
    index_goers(&builder);
    add_removing_edges(&builder, false);
    order_replacements(&builder);
    add_removing_edges(&builder, true);
    return rank_nodes(arena, out, error);
}

int64_t graph_critical_ms(const struct graph *graph)
{
    int64_t longest = 0;
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->items[i].rank_ms > longest)
            longest = graph->items[i].rank_ms;
    }
    return longest;
}

const char *node_verb(const struct node *node)
{
    switch (node->kind) {
    case NODE_MAKE:
        return node->step->kind == STEP_UPDATE ? "change" : "create";
    case NODE_READY:
        return "wait until ready";
    case NODE_CONNECT:
        return "connect";
    case NODE_COMPLETE:
        return "wait until healthy";
    case NODE_DISCONNECT:
        return "disconnect";
    case NODE_REMOVE:
        return "delete";
    case NODE_GONE:
        return "wait until gone";
    }
    return "";
}
