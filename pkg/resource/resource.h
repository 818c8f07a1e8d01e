/* One wanted resource, and the references between resources.
 *
 * A property may hold "${ID.ATTRIBUTE}", alone or inside a longer string; "$${" is a plain "${".
 * Alone, it takes the attribute's kind; inside a string it becomes text. */
#ifndef RAGSTACK_RESOURCE_RESOURCE_H
#define RAGSTACK_RESOURCE_RESOURCE_H

#include "pkg/resource/type.h"

struct resource {
    const struct resource_type *type;
    const char *id;      /* unique in its stack, over all kinds */
    const char *was;     /* its former id, or NULL */
    struct value *props; /* as the file or the expansion has them, references unresolved */
    struct value *tags;  /* the stack's own tags beside the identity's; a map, or NULL */
    struct mark mark;    /* where it comes from in the stack file */
    const char *note;    /* what every plan says aloud about it; NULL: nothing */
    struct mark note_mark;
};

/* What an observation of its type looks for by name: the wanted resources' ids and former ids. */
void observation_want(struct observation *observation, const struct identity *identity,
                      const struct resource_list *wanted);

/* A reference found in a property. */
struct reference {
    const char *id, *attribute;
    const struct field *field; /* the top-level field in which it stands */
    struct mark mark;
};
struct reference_list {
    struct reference *items;
    size_t count, capacity;
};
/* Collects the references of all properties. A malformed one is ERR_INPUT at its place. */
int resource_references(struct arena *arena, const struct resource *resource,
                        struct reference_list *out, struct error *error);

/* Gives the attribute's value; NULL: not known yet. The answer is borrowed. */
typedef const struct value *reference_lookup(void *data, const char *id, const char *attribute);
/* A copy with all references replaced; those that are not known yet become VALUE_UNKNOWN (the whole
 * string, when they stand inside one). */
struct value *reference_resolve(struct arena *arena, const struct value *value,
                                reference_lookup *lookup, void *data);

/* Text in which nothing is a reference: "${" becomes "$${". */
const char *reference_quote(struct arena *arena, const char *text);

/* Checks `props` against the fields: unknown keys (with a suggestion), missing required ones,
 * kinds, allowed values; references are taken for any kind. Every fault goes to `report`. `what`
 * names the place in messages ("ec2.vpc main"). Returns the number of faults. */
typedef void fault_report(void *data, struct mark mark, const char *message);
int fields_check(struct arena *arena, const struct field *fields, const struct value *props,
                 const char *what, struct mark mark, fault_report *report, void *data);
/* The nearest of the names (ends with NULL) to a misspelt word, or NULL. */
const char *nearest_name(const char *word, const char *const *names);
/* Is the word one of "a|b|c"? */
bool is_choice(const char *choices, const char *word, size_t length);

/* Is this field compared at all? What only steers a verb, is computed, or sticks to what exists
 * when the file leaves it open, is not. */
bool field_compared(const struct field *field, const struct value *wanted);
/* Compares one field by its rules (order, key, document, version). Equal: true. */
bool field_equal(struct arena *arena, const struct field *field, const struct value *wanted,
                 const struct value *found);

#endif
