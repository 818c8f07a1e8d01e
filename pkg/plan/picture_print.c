/* A picture as a tree of text, for Graphviz, and as JSON. What a colour says, a sign or a word says
 * too. */
#include <string.h>

#include "pkg/plan/picture.h"

static const struct look {
    const char *sign, *terminal, *fill;
} looks[] = {
    [PICTURE_PLAIN] = {"", "", "#ffffff"},
    [PICTURE_UNCHANGED] = {"=", "", "#eeeeee"},
    [PICTURE_CREATE] = {"+", "\033[32m", "#c8ecc8"},
    [PICTURE_CHANGE] = {"~", "\033[33m", "#fbe7a6"},
    [PICTURE_REPLACE] = {"±", "\033[35m", "#e6c9f2"},
    [PICTURE_DELETE] = {"-", "\033[31m", "#f6c6c6"},
};

/* -- text -- */

enum { DEEPEST = 12 };

struct tree {
    struct buffer *out;
    const struct picture *picture;
    const struct picture_style *style;
    bool *told;         /* by index of nodes: its own ways stand somewhere already */
    bool last[DEEPEST]; /* by depth: nothing follows in that branch */
};

static void put_node(const struct tree *tree, size_t at)
{
    const struct picture_node *node = &tree->picture->nodes.items[at];
    const struct look *look = &looks[node->state];
    bool paint = tree->style->colour && *look->terminal;
    if (!node->kind) {
        buffer_text(tree->out, node->id);
        return;
    }
    buffer_printf(tree->out, "%s%s%s%s%s  %s", paint ? look->terminal : "", look->sign,
                  *look->sign ? " " : "", node->id, paint ? "\033[0m" : "", node->kind);
}

static size_t next_way(const struct picture *picture, size_t from, size_t after)
{
    for (size_t i = after; i < picture->edges.count; i++) {
        if (picture->edges.items[i].data && picture->edges.items[i].from == from)
            return i;
    }
    return picture->edges.count;
}

static void put_indent(const struct tree *tree, int depth)
{
    for (int i = 1; i < depth; i++)
        buffer_text(tree->out, tree->last[i] ? "   " : "│  ");
    buffer_text(tree->out, tree->last[depth] ? "└─ " : "├─ ");
}

static void put_ways(struct tree *tree, size_t from, int depth)
{
    const struct picture *picture = tree->picture;
    size_t i = next_way(picture, from, 0);
    tree->told[from] = true;
    while (i < picture->edges.count) {
        const struct picture_edge *edge = &picture->edges.items[i];
        size_t next = next_way(picture, from, i + 1);
        bool more = next_way(picture, edge->to, 0) < picture->edges.count;
        tree->last[depth] = next == picture->edges.count;
        put_indent(tree, depth);
        put_node(tree, edge->to);
        if (*edge->label)
            buffer_printf(tree->out, "  (%s)", edge->label);
        if (more && (tree->told[edge->to] || depth + 1 >= DEEPEST))
            buffer_text(tree->out, "  ... as above");
        buffer_char(tree->out, '\n');
        if (more && !tree->told[edge->to] && depth + 1 < DEEPEST)
            put_ways(tree, edge->to, depth + 1);
        i = next;
    }
}

static bool is_led_to(const struct picture *picture, size_t to)
{
    for (size_t i = 0; i < picture->edges.count; i++) {
        if (picture->edges.items[i].data && picture->edges.items[i].to == to)
            return true;
    }
    return false;
}

/* A resource that no way of data touches. */
static bool is_around(const struct picture *picture, size_t node)
{
    return picture->nodes.items[node].kind && next_way(picture, node, 0) == picture->edges.count &&
           !is_led_to(picture, node);
}

/* A tree from everything that ways begin at; those who ask come first. */
static void put_trees(struct tree *tree)
{
    const struct picture *picture = tree->picture;
    for (int outside = 1; outside >= 0; outside--) {
        for (size_t i = 0; i < picture->nodes.count; i++) {
            bool begins = next_way(picture, i, 0) < picture->edges.count && !is_led_to(picture, i);
            if (!begins || !picture->nodes.items[i].kind != (bool)outside)
                continue;
            put_node(tree, i);
            buffer_char(tree->out, '\n');
            put_ways(tree, i, 1);
        }
    }
}

static void put_rights(struct buffer *out, const struct picture *picture)
{
    const char *before = "";
    for (size_t i = 0; i < picture->rights.count; i++) {
        const struct picture_right *right = &picture->rights.items[i];
        if (i == 0)
            buffer_text(out, "\nWhat each function may reach, by its role and its network:\n");
        if (strcmp(before, right->function) != 0)
            buffer_printf(out, "  %s\n", right->function);
        before = right->function;
        buffer_printf(out, "    %s  %s  %s\n", right->to, right->actions,
                      right->way ? right->way : "! no rule of its groups leads there");
    }
}

/* One line for all of the node's kind. */
static void put_kind(const struct tree *tree, size_t first, bool *done)
{
    const struct picture *picture = tree->picture;
    const char *kind = picture->nodes.items[first].kind;
    buffer_printf(tree->out, "  %-24s", kind);
    for (size_t i = first; i < picture->nodes.count; i++) {
        const struct picture_node *node = &picture->nodes.items[i];
        const struct look *look = &looks[node->state];
        bool paint = tree->style->colour && *look->terminal;
        if (!is_around(picture, i) || strcmp(node->kind, kind) != 0)
            continue;
        buffer_printf(tree->out, " %s%s%s%s", paint ? look->terminal : "", look->sign, node->id,
                      paint ? "\033[0m" : "");
        done[i] = true;
    }
    buffer_char(tree->out, '\n');
}

static void put_rest(const struct tree *tree)
{
    const struct picture *picture = tree->picture;
    bool *done = arena_array(picture->arena, picture->nodes.count + 1, sizeof *done), any = false;
    for (size_t i = 0; i < picture->nodes.count; i++) {
        if (done[i] || !is_around(picture, i))
            continue;
        if (!any)
            buffer_text(tree->out, "\nAround them:\n");
        any = true;
        put_kind(tree, i, done);
    }
}

static void put_legend(struct buffer *out, const struct picture *picture)
{
    bool any = false;
    for (size_t i = 0; i < picture->nodes.count; i++)
        any = any || picture->nodes.items[i].state != PICTURE_PLAIN;
    if (any)
        buffer_text(out, "\n= unchanged  + create  ~ change  ± replace  - delete\n");
}

void picture_print_text(struct buffer *out, const struct picture *picture,
                        const struct picture_style *style)
{
    struct tree tree = {.out = out, .picture = picture, .style = style};
    tree.told = arena_array(picture->arena, picture->nodes.count + 1, sizeof *tree.told);
    buffer_printf(out, "%s\n\n", picture->title);
    put_trees(&tree);
    put_rights(out, picture);
    put_rest(&tree);
    put_legend(out, picture);
}

/* -- Graphviz -- */

static void put_quoted(struct buffer *out, const char *text)
{
    buffer_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_char(out, '\\');
        buffer_char(out, *text);
    }
    buffer_char(out, '"');
}

/* In a label that is a table. */
static void put_cell(struct buffer *out, const char *fill, const char *text)
{
    buffer_printf(out, "<tr><td align=\"left\" bgcolor=\"%s\">", fill);
    for (; *text; text++) {
        if (strchr("<>&\"", *text))
            buffer_printf(out, "&#%d;", *text);
        else
            buffer_char(out, *text);
    }
    buffer_text(out, "</td></tr>");
}

/* "+ ask", "create" stands below, or beside it in a table. */
static const char *name_of(struct arena *arena, const struct picture_node *node)
{
    const char *sign = looks[node->state].sign;
    return arena_printf(arena, "%s%s%s", sign, *sign ? " " : "", node->id);
}

static void dot_node(struct buffer *out, struct arena *arena, const struct picture_node *node)
{
    const char *word = picture_word(node->state);
    buffer_text(out, "  ");
    put_quoted(out, node->id);
    buffer_text(out, " [label=");
    if (!node->kind) {
        put_quoted(out, node->id);
        buffer_text(out, ", shape=ellipse, fillcolor=\"#dbe9fb\"];\n");
        return;
    }
    CLEANUP(buffer_free) struct buffer label = BUFFER(BUFFER_LARGE);
    put_quoted(&label, name_of(arena, node));
    label.data[--label.length] = '\0'; /* the lines below are ours: "\n" is Graphviz's */
    buffer_printf(out, "%s\\n%s%s%s\", fillcolor=\"%s\"];\n", buffer_string(&label), node->kind,
                  *word ? "\\n" : "", word, looks[node->state].fill);
}

static void dot_way(struct buffer *out, const struct picture *picture,
                    const struct picture_edge *edge)
{
    buffer_text(out, "  ");
    put_quoted(out, picture->nodes.items[edge->from].id);
    buffer_text(out, " -> ");
    put_quoted(out, picture->nodes.items[edge->to].id);
    buffer_text(out, " [penwidth=2.2, color=\"#1f5fbf\", label=");
    put_quoted(out, edge->label);
    buffer_text(out, "];\n");
}

/* Tables that nothing leads to are laid out in rows, by arrows that are not seen. */
struct tables {
    struct buffer *out;
    const char *before; /* the name of the last; NULL: none in this row */
    int in_row;
};

static void begin_table(struct tables *tables, const char *name, const char *title)
{
    enum { A_ROW = 4 };
    struct buffer *out = tables->out;
    if (tables->before && tables->in_row < A_ROW) {
        buffer_text(out, "  ");
        put_quoted(out, tables->before);
        buffer_text(out, " -> ");
        put_quoted(out, name);
        buffer_text(out, " [style=invis];\n");
    } else {
        tables->in_row = 0;
    }
    tables->before = name;
    tables->in_row++;
    buffer_text(out, "  ");
    put_quoted(out, name);
    buffer_text(out, " [shape=plain, style=\"\", label=<<table border=\"0\" cellborder=\"1\" "
                     "cellspacing=\"0\" cellpadding=\"4\">");
    buffer_printf(out, "<tr><td bgcolor=\"#ffffff\"><b>%s</b></td></tr>", title);
}

static void end_table(struct buffer *out)
{
    buffer_text(out, "</table>>];\n");
}

/* What no way touches: a table a kind. */
static void dot_around(struct buffer *out, const struct picture *picture)
{
    bool *done = arena_array(picture->arena, picture->nodes.count + 1, sizeof *done);
    struct tables tables = {.out = out};
    for (size_t i = 0; i < picture->nodes.count; i++) {
        const struct picture_node *node = &picture->nodes.items[i];
        if (done[i] || !is_around(picture, i))
            continue;
        begin_table(&tables, arena_printf(picture->arena, "kind %s", node->kind), node->kind);
        for (size_t j = i; j < picture->nodes.count; j++) {
            const struct picture_node *other = &picture->nodes.items[j];
            if (!is_around(picture, j) || strcmp(other->kind, node->kind) != 0)
                continue;
            const char *word = picture_word(other->state);
            put_cell(out, looks[other->state].fill,
                     arena_printf(picture->arena, "%s%s%s", name_of(picture->arena, other),
                                  *word ? ": " : "", word));
            done[j] = true;
        }
        end_table(out);
    }
}

static void dot_rights(struct buffer *out, const struct picture *picture)
{
    const struct picture_right *rights = picture->rights.items;
    struct tables tables = {.out = out};
    for (size_t i = 0; i < picture->rights.count; i++) {
        const struct picture_right *right = &rights[i];
        if (i == 0 || strcmp(rights[i - 1].function, right->function) != 0)
            begin_table(&tables, arena_printf(picture->arena, "rights %s", right->function),
                        arena_printf(picture->arena, "%s may reach", right->function));
        put_cell(out, right->way ? "#ffffff" : looks[PICTURE_DELETE].fill,
                 arena_printf(picture->arena, "%s: %s, %s", right->to, right->actions,
                              right->way ? right->way : "! no rule of its groups leads there"));
        if (i + 1 == picture->rights.count || strcmp(rights[i + 1].function, right->function) != 0)
            end_table(out);
    }
}

void picture_print_dot(struct buffer *out, const struct picture *picture)
{
    buffer_text(out, "digraph ");
    put_quoted(out, picture->title);
    buffer_text(out, " {\n  rankdir=LR;\n  label=");
    put_quoted(out, arena_printf(picture->arena,
                                 "%s: arrows are the ways of data; = unchanged, + create, "
                                 "~ change, ± replace, - delete",
                                 picture->title));
    buffer_text(out, ";\n  node [shape=box, style=\"filled,rounded\", fontname=\"sans-serif\", "
                     "fontsize=11];\n  edge [fontname=\"sans-serif\", fontsize=9];\n");
    for (size_t i = 0; i < picture->nodes.count; i++) {
        if (!is_around(picture, i))
            dot_node(out, picture->arena, &picture->nodes.items[i]);
    }
    for (size_t i = 0; i < picture->edges.count; i++) {
        if (picture->edges.items[i].data)
            dot_way(out, picture, &picture->edges.items[i]);
    }
    dot_rights(out, picture);
    dot_around(out, picture);
    buffer_text(out, "}\n");
}

/* -- JSON -- */

static struct value *node_to_value(struct arena *arena, const struct picture_node *node)
{
    const char *word = picture_word(node->state);
    struct value *row = value_set_text(arena, value_map(arena), "id", node->id);
    value_set(arena, row, "kind", node->kind ? value_string(arena, node->kind) : NULL);
    return *word ? value_set_text(arena, row, "action", word) : row;
}

static struct value *edge_to_value(const struct picture *picture, const struct picture_edge *edge)
{
    struct arena *arena = picture->arena;
    struct value *row = value_map(arena);
    value_set_text(arena, row, "from", picture->nodes.items[edge->from].id);
    value_set_text(arena, row, "to", picture->nodes.items[edge->to].id);
    value_set_bool(arena, row, "data", edge->data);
    return *edge->label ? value_set_text(arena, row, "label", edge->label) : row;
}

static struct value *right_to_value(struct arena *arena, const struct picture_right *right)
{
    struct value *row = value_map(arena);
    value_set_text(arena, row, "function", right->function);
    value_set_text(arena, row, "actions", right->actions);
    value_set_text(arena, row, "to", right->to);
    return value_set(arena, row, "way",
                     right->way ? value_string(arena, right->way) : value_null(arena));
}

struct value *picture_to_value(struct arena *arena, const struct picture *picture)
{
    struct value *map = value_map(arena), *nodes = value_list(arena), *edges = value_list(arena),
                 *rights = value_list(arena);
    for (size_t i = 0; i < picture->nodes.count; i++)
        value_push(arena, nodes, node_to_value(arena, &picture->nodes.items[i]));
    for (size_t i = 0; i < picture->edges.count; i++)
        value_push(arena, edges, edge_to_value(picture, &picture->edges.items[i]));
    for (size_t i = 0; i < picture->rights.count; i++)
        value_push(arena, rights, right_to_value(arena, &picture->rights.items[i]));
    value_set(arena, map, "nodes", nodes);
    value_set(arena, map, "edges", edges);
    return value_set(arena, map, "rights", rights);
}
