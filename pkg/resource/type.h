/* THE table: what a kind of resource is, for both targets and the fake one in the tests.
 *
 * One file a kind, one `const struct resource_type`, one line in the target's registry. The engine
 * (pkg/plan, pkg/apply) knows nothing of any kind but what stands here: validation, diff,
 * redaction, `explain`, the JSON Schema and the reference page all come from `fields`. No kind has
 * diff, retry, polling or waiting code. */
#ifndef RAGSTACK_RESOURCE_TYPE_H
#define RAGSTACK_RESOURCE_TYPE_H

#include <stdbool.h>

#include "pkg/resource/identity.h"
#include "pkg/task/task.h"
#include "pkg/value/value.h"

enum field_type {
    FIELD_STRING,
    FIELD_INT,
    FIELD_REAL,
    FIELD_BOOL,
    FIELD_LIST,     /* of what `item` says, or of maps described by `fields` */
    FIELD_MAP,      /* described by `fields`; free keys with string values when NULL */
    FIELD_DOCUMENT, /* JSON as a tree or as text; compared by canonical form */
};

enum field_flag {
    REQUIRED = 1 << 0,   /* must be said */
    REPLACE = 1 << 1,    /* cannot change in place */
    COMPUTED = 1 << 2,   /* found, never wanted: for references, waiting and status */
    WRITE_ONLY = 1 << 3, /* steers a verb; cannot be observed, and is not compared */
    UNORDERED = 1 << 4,  /* a list whose order means nothing (see `key`, too) */
    AT_LEAST = 1 << 5,   /* a version: found "17.4" satisfies wanted "17", never a downgrade */
    DATA = 1 << 6,       /* changing it loses data */
    STICKY = 1 << 7,     /* when the file leaves it open, what exists is kept */
    AFTER = 1 << 8,      /* create does not take it: update sets it in the same step, right after,
                            when it differs from `unset` (what AWS makes) */
    LATE = 1 << 9,       /* set by update in a step of its own, once all it refers to exists: breaks
                            cycles (rules between groups, permissions, notifications); taken away
                            first when the resource is deleted */
    COMPLETE = 1 << 10,  /* what it refers to must be complete (LATE fields set, health good) */
    READY = 1 << 11,     /* what it refers to must be ready, not only made; on a COMPUTED field:
                            it is known only then (a database's endpoint) */
    GROWS = 1 << 12,     /* a number that can only grow in place; shrinking needs replacement */
    CASELESS = 1 << 13,  /* compared without regard to case */
    BLOCKS = 1 << 14,    /* LATE: what it refers to cannot be deleted while it stands */
    POLICY = 1 << 15,    /* DOCUMENT: an IAM policy, in which the order of lists means nothing and
                            a list of one equals its item */
};

struct field {
    const char *name;  /* in the stack file, and in found properties */
    const char *wire;  /* member in requests; NULL: the verbs encode it themselves */
    const char *reply; /* path in replies; NULL: the same as wire */
    enum field_type type;
    unsigned flags;
    const char *unset;   /* JSON of the value that it has when nobody says one; NULL: null. What the
                            file stops saying goes back to this. */
    const char *allowed; /* "a|b|c" for strings, "1..65535" for numbers (also items); NULL: any */
    const char *key;     /* list items are the same thing when this member is equal */
    enum field_type item;       /* of a list without `fields` */
    const struct field *fields; /* of a map, or of the maps in a list; ends with a NULL name */
    const char *summary;        /* one line for `explain` */
};

/* Waiting as data: poll by observing until `field` is `wanted`. */
struct wait {
    const char *field;   /* a COMPUTED field of the found properties; NULL: nothing to wait for */
    const char *wanted;  /* "available" */
    const char *failing; /* "failed|incompatible-network": never gets there; NULL: none */
    const char *reason;  /* field whose text explains a failure or a long wait; NULL: none */
    int typical_s, longest_s;
    int poll_s; /* 0: from typical_s */
};

enum wait_state { WAIT_PENDING, WAIT_REACHED, WAIT_FAILED };
/* Judges properties by a row that has a field; `seen` becomes what they say in words ("available",
 * "failed: no route"). */
enum wait_state wait_judge(struct arena *arena, const struct wait *wait, const struct value *props,
                           const char **seen);

/* A refusal that passes by itself (IAM propagation, interfaces that linger): the call is repeated
 * while error code and message match. */
struct patience {
    const char *code;    /* AWS error code; ends the table when NULL */
    const char *message; /* part of the message; NULL: any */
    const char *what;    /* for people: "the role is not known everywhere yet" */
    int longest_s;
    int poll_s;
};

struct resource_type;

/* One resource that exists, as observed. */
struct found {
    const struct resource_type *type;
    const char *id;          /* ours: the tag ragstack:id */
    int generation;          /* 1, or more after replacements: the tag ragstack:generation */
    const char *physical_id; /* the cloud's: "vpc-0a1", an ARN or a name */
    const char *name;        /* the cloud's name, where it has one; else the physical id */
    struct value *props;     /* by field name, COMPUTED ones included; unset values filled in */
    struct value *tags; /* all tags, ours included; a map of strings; NULL if the kind has none */
    bool foreign;       /* bears our name, but not our identity: never touched */
    /* What would be lost with its data, in words; "": nothing; NULL: not known, or not looked at.
     */
    const char *contents;
};

/* Its properties, with its name and physical id beside them where the kind has no fields of that
 * name: what references to it see. */
struct value *found_attributes(struct arena *arena, const struct found *found);

/* What observe looks for, and where it puts what it found. */
struct observation {
    void *target; /* struct cloud *, struct local * */
    struct arena *arena;
    const struct resource_type *type;
    /* Wanted resources of this kind (id and physical name); may be empty. */
    struct wanted_name {
        const char *id, *name;
        int generation;
    } * wanted;
    size_t wanted_count;
    /* Not NULL: look only for this one again (waiting, or after a lost reply). */
    const struct found *only;
    void (*add)(struct observation *observation, const struct found *found);
    void *sink;
};

struct change {
    const struct field *field;          /* NULL for tags */
    const char *path;                   /* "rules[https].port", "tags.team" */
    const struct value *before, *after; /* NULL: absent */
};

/* What a changing verb works on. */
struct action {
    void *target;
    struct arena *arena;
    const struct resource_type *type;
    const char *id;   /* ours */
    const char *name; /* the name to make it with (its generation included) */
    int generation;
    const struct value
        *want; /* every declared field, references resolved, unset values filled in */
    const struct found *have; /* NULL in create */
    const struct change
        *changes; /* update only: the fields that differ, one row a top-level field */
    size_t change_count;
    const struct value *tags; /* every tag that it must carry, as a map of strings */
    bool keep_data;           /* remove: make a last snapshot first, where the kind has such */
    bool consented;           /* the user named this one: its data may go */
    /* create: attributes known from the replies, by field name ("id", "arn", ...). Set as soon as
     * they are known, also when a later call of the verb fails. */
    struct value *made;
    const char *physical_id; /* create sets it */
    /* A verb that has to wait says what for; nonzero (interrupted): it gives up. May be NULL. */
    int (*waiting)(void *data, const char *what, struct error *error);
    void *waiting_data;
};
/* True if update has to act on this field. */
bool action_changes(const struct action *action, const char *field);

typedef int verb(struct task *task, struct action *action, struct error *error);

enum type_flag {
    HOLDS_DATA = 1 << 0,   /* deleting or replacing it loses data: consent, and a snapshot first */
    DELETE_FIRST = 1 << 1, /* old and new cannot stand side by side: a replacement deletes first */
    NAMED = 1 << 2,        /* addressed by a name that is unique while in use: replacements take the
                              next generation's name */
    NO_TAGS = 1 << 3,
    HIDDEN = 1 << 4,   /* not for the free `resources:` section */
    UNLISTED = 1 << 5, /* no list of AWS finds it by its tags: it is found by its own or the file's
                          name alone */
};

struct resource_type {
    const char *kind;    /* "ec2.vpc" */
    const char *summary; /* one line */
    unsigned flags;
    int name_maximum;           /* characters; 0: 63 */
    const char *name_format;    /* "/aws/lambda/%s"; NULL: "%s" */
    const struct field *fields; /* ends with a NULL name */

    /* Reads in bulk everything of this kind that may be the stack's, and nothing else. Never
     * modifies. A kind whose things are found by name looks for observation->wanted and for what
     * the target's inventory names. */
    int (*observe)(struct task *task, struct observation *observation, struct error *error);
    /* Makes it with identity tags in the very call that creates it, with all fields that are
     * neither AFTER nor LATE. Does not wait. */
    verb *create;
    /* Makes action->changes true. NULL: every change replaces. */
    verb *update;
    /* Starts its removal. Gone already is success. */
    verb *remove;
    /* Sets tags: action->tags are all it must carry, have->tags what it has. NULL with NO_TAGS. */
    verb *retag;

    struct wait ready;    /* after create and update, before LATE fields */
    struct wait complete; /* after LATE fields */
    struct wait gone; /* field NULL: gone when observe no longer finds it; only times are used */
    const struct patience *patience; /* NULL: none */
    const char *const
        *computed_by_name; /* fields known before it is made, as templates over
{partition} {region} {account} {path} {name}: "arn=arn:{partition}:sns:{region}:{account}:{name}";
ends with NULL. References to them print as text, not as (known after create). */
};

/* The row of a field; NULL if there is none. */
const struct field *type_field(const struct resource_type *type, const char *name);
/* The unset value of a field as a tree; null if there is none. */
struct value *field_unset(struct arena *arena, const struct field *field);
/* `props` with every declared, not COMPUTED field present: what is missing gets its unset value.
 * STICKY fields stay absent. Found properties are filled the same way. */
struct value *type_fill(struct arena *arena, const struct resource_type *type,
                        const struct value *props);

/* A target: the cloud, the local machine, or a fake. */
struct resource_list {
    struct resource *items;
    size_t count, capacity;
};
struct target {
    const char *name;                         /* "aws", "local" */
    const struct resource_type *const *types; /* ends with NULL: the registry */
    void *data;                               /* passed to the verbs as `target` */
    struct identity *identity;
    /* What all observes share (account, inventory by tags), once before them. May be NULL. */
    int (*prepare)(struct task *task, struct target *target, const struct resource_list *wanted,
                   struct error *error);
    /* Ids that the engine made in this run: a "not found" for one of them is only too early. */
    void (*made)(struct target *target, const char *physical_id);
};
const struct resource_type *target_type(const struct target *target, const char *kind);

/* The name that a resource of this type gets: identity_name within the type's limits and format. An
 * explicit `name` property wins. */
const char *type_name(struct arena *arena, const struct resource_type *type,
                      const struct identity *identity, const char *id, const struct value *props,
                      int generation);
/* An attribute known before the thing is made (name, and computed_by_name); NULL otherwise. */
const char *type_predict(struct arena *arena, const struct resource_type *type,
                         const struct identity *identity, const char *name, const char *attribute);

#endif
