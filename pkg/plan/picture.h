/* A plan as a picture: the resources, what becomes of each, the ways that data take, and what each
 * function may reach. Pure. (The order of the work is another graph: graph.h.)
 *
 * The ways come from the properties as the file has them: routes and notifications lead to
 * functions, environments and role policies from them to what they use, and the rules of their
 * security groups say how they get there. */
#ifndef RAGSTACK_PLAN_PICTURE_H
#define RAGSTACK_PLAN_PICTURE_H

#include "pkg/plan/plan.h"

enum picture_state {
    PICTURE_PLAIN, /* nobody looked, or it is no resource of ours: a model, those who ask */
    PICTURE_UNCHANGED,
    PICTURE_CREATE,
    PICTURE_CHANGE,
    PICTURE_REPLACE,
    PICTURE_DELETE,
};

struct picture_node {
    const char *id;
    const char *kind; /* NULL: outside of the stack */
    enum picture_state state;
};

struct picture_edge {
    size_t from, to;   /* indices of nodes */
    const char *label; /* "POST /ask", "rds-db:connect"; "" if none */
    bool data;         /* data go this way; else `from` only needs `to` */
};

/* What a role lets a function do, and whether the network lets it get there. */
struct picture_right {
    const char *function;
    const char *actions; /* "bedrock:InvokeModel" */
    const char *to;      /* a resource's id, "model NAME", "everything" */
    const char *way;     /* "443 to endpoint-s3"; NULL: no rule of its groups leads there */
};

struct picture {
    struct arena *arena;
    const char *title;
    struct {
        struct picture_node *items;
        size_t count, capacity;
    } nodes;
    struct {
        struct picture_edge *items;
        size_t count, capacity;
    } edges;
    struct {
        struct picture_right *items;
        size_t count, capacity;
    } rights;
    struct map by_id; /* id -> size_t *, its index */
};

/* `plain`: the plan's steps are not told (nothing was observed). */
void picture_make(struct arena *arena, const struct plan *plan, bool plain, struct picture *out);

struct picture_style {
    bool colour;
};
/* A tree of the ways, what each function may reach, and the rest by kinds. */
void picture_print_text(struct buffer *out, const struct picture *picture,
                        const struct picture_style *style);
/* For Graphviz. */
void picture_print_dot(struct buffer *out, const struct picture *picture);
/* {"nodes": [..], "edges": [..], "rights": [..]} */
struct value *picture_to_value(struct arena *arena, const struct picture *picture);

/* -- for the files of the picture -- */
size_t picture_node_of(struct picture *picture, const char *id); /* SIZE_MAX: none */
size_t picture_outside(struct picture *picture, const char *id); /* there already, or added */
void picture_connect(struct picture *picture, size_t from, size_t to, const char *label, bool data);
/* The id in the first "${ID.ATTRIBUTE}" of the text that is not the stack itself; NULL if none. */
const char *picture_reference(struct arena *arena, const struct value *text);
void picture_add_rights(struct picture *picture, const struct plan *plan);
const char *picture_word(enum picture_state state); /* "create"; "" */

#endif
