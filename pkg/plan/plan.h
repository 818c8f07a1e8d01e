/* From wanted and found to steps: observe (reads only), diff (pure), and the graph.
 *
 * A plan says what would be done, why, and from which line of the stack file. */
#ifndef RAGSTACK_PLAN_PLAN_H
#define RAGSTACK_PLAN_PLAN_H

#include "pkg/base/buffer.h"
#include "pkg/resource/resource.h"

struct found_list {
    struct found *items;
    size_t count, capacity;
};

/* Observes every kind of the target at once. `wanted` gives the names to look for. */
int observe_all(struct task *task, struct arena *arena, struct target *target,
                const struct resource_list *wanted, struct found_list *out, struct error *error);
/* Looks for one resource again; NULL in *out when it is not there. */
int observe_one(struct task *task, struct arena *arena, struct target *target,
                const struct found *known, struct found **out, struct error *error);
/* The same by physical id and name, whoever it belongs to (`foreign` says so). */
int observe_any(struct task *task, struct arena *arena, struct target *target,
                const struct found *known, struct found **out, struct error *error);

enum step_kind { STEP_CREATE, STEP_UPDATE, STEP_REPLACE, STEP_DELETE };

/* Why a field differs; WHY_DIFFERS when there is no earlier deployment to compare with. */
enum why { WHY_DIFFERS, WHY_FILE, WHY_DRIFT, WHY_REFERENCE };

/* Where a change comes from, beside a commit (base.h). */
enum origin {
    ORIGIN_UNKNOWN, /* nobody asked */
    ORIGIN_SINCE,   /* written since */
    ORIGIN_BEFORE,  /* the commit says so, too */
    ORIGIN_BOTH,    /* the commit would change it already, and what was written since as well */
    ORIGIN_DRIFT,   /* no file changed: what runs did */
};

struct difference {
    struct change change; /* one row a top-level field; NULL field for tags */
    enum why why;
    enum origin origin;
    bool replaces; /* this one cannot change in place */
    bool loses_data;
    struct mark mark; /* of the property in the stack file; line 0 if it is not there */
};

struct step {
    enum step_kind kind;
    const struct resource_type *type;
    const char *id;
    const struct resource *resource; /* NULL for deletes */
    const struct found *found;       /* NULL for creates */
    struct value *want;              /* filled; references resolved as far as known now */
    struct difference *differences;
    size_t difference_count;
    const char *was;     /* its former id: it is renamed; NULL: it is not */
    const char *reason;  /* one sentence */
    bool loses_data;     /* consent by name needed */
    bool drift;          /* every difference is drift */
    const char *blocked; /* cannot be done as things are: what to do instead; NULL: it can */
    int generation;      /* that a create or replace makes */
    struct mark mark;
    enum origin origin;
};

/* What others know of the plan as a whole (its cost): told before the summary. */
struct plan_section {
    const char *key;             /* its member in JSON */
    const struct value *value;   /* NULL: not in JSON */
    const char *text, *markdown; /* whole lines; NULL: not told */
};

struct plan {
    struct arena *arena;
    struct target *target;
    const struct resource_list *wanted;
    struct found_list found;
    const struct found **current; /* by index of `wanted`: what stands for it; NULL: nothing */
    struct step *steps;           /* in the order of the file, deletes last */
    size_t step_count;
    int unchanged;
    bool down;
    const char *ledger; /* where deployments are recorded; NULL: not known */
    bool makes_ledger;  /* it does not exist yet: applying makes it */
    const struct plan_section *sections;
    size_t section_count;
    const char *base;        /* the revision that `origin` is about; NULL: none */
    const char *fingerprint; /* sha256 of all that was observed and wanted: a saved plan's guard */
};

struct plan_options {
    /* Properties of the last deployment by id, as the file or the expansion had them, with the
     * stack's own tags ({"vpc": {"cidr": .., "tags": {..}}}), to tell "you changed it" from "it
     * drifted"; NULL if there was none. References may be resolved or not. */
    const struct value *last_applied;
    bool down; /* everything goes */
    /* Only these (KIND.ID or ID), what they need, and what refers to one that is replaced; of what
     * goes: these, and what stands on them. Ends with NULL. */
    const char *const *targets;
};

/* Pure: nothing is called. ERR_INPUT for unknown references, cycles, ids that appear twice. */
int plan_make(struct arena *arena, struct target *target, const struct resource_list *wanted,
              const struct found_list *found, const struct plan_options *options, struct plan **out,
              struct error *error);

/* Reports every reference of the wanted resources that is malformed or leads nowhere, and returns
 * their number. Pure. */
int plan_check_references(struct arena *arena, const struct resource_list *wanted,
                          fault_report *report, void *data);

void plan_add_section(struct plan *plan, struct plan_section section);

/* What diff's exit code says. */
struct plan_summary {
    int creates, updates, replaces, deletes, unchanged, blocked;
    bool drift_only, loses_data;
};
struct plan_summary plan_summarize(const struct plan *plan);

/* -- printing -- */
struct plan_style {
    bool colour;
    bool verbose; /* all properties of creates */
};
void plan_print_text(struct buffer *out, const struct plan *plan, const struct plan_style *style);
void plan_print_markdown(struct buffer *out, const struct plan *plan, size_t maximum_bytes);
/* {"schema": 1, "steps": [...], "notes": [...], "summary": {...}}, and a member a section */
struct value *plan_to_value(struct arena *arena, const struct plan *plan);

#endif
