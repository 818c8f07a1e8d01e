/* The one tree for YAML, JSON and AWS's requests and replies.
 *
 * A value lives in an arena, knows where in a file it stands (mark), and is not changed once it is
 * shared. Every reader takes NULL for "absent", so paths into replies need no checks in between.
 * VALUE_UNKNOWN stands for an attribute of a thing not made yet: it equals nothing, itself
 * included, and prints as "(known after create)". */
#ifndef RAGSTACK_VALUE_VALUE_H
#define RAGSTACK_VALUE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/base/map.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_UNKNOWN,
};

struct value;

struct value_entry {
    const char *key;
    struct mark mark; /* of the key */
    struct value *value;
};

struct value {
    enum value_kind kind;
    struct mark mark;
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct {
            const char *text; /* NUL-terminated; may hold NUL bytes inside */
            size_t length;
        } string;
        struct {
            struct value **items;
            size_t count, capacity;
        } list;
        struct {
            struct value_entry *entries; /* insertion order */
            size_t count, capacity;
            struct map index; /* key -> entry number + 1, kept from a handful of entries on */
        } map;
    };
};

/* -- making -- */
struct value *value_null(struct arena *arena);
struct value *value_bool(struct arena *arena, bool boolean);
struct value *value_int(struct arena *arena, int64_t integer);
struct value *value_real(struct arena *arena, double real);
struct value *value_string(struct arena *arena, const char *text); /* copies; NULL gives null */
struct value *value_string_n(struct arena *arena, const char *text, size_t length);
struct value *value_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
struct value *value_list(struct arena *arena);
struct value *value_map(struct arena *arena);
struct value *value_unknown(struct arena *arena);

/* Adds or replaces; the key is copied. Returns `map`, for chaining. NULL item removes nothing and
 * adds nothing, so optional parts need no if. */
struct value *value_set(struct arena *arena, struct value *map, const char *key,
                        struct value *item);
struct value *value_set_text(struct arena *arena, struct value *map, const char *key,
                             const char *text);
struct value *value_set_int(struct arena *arena, struct value *map, const char *key,
                            int64_t integer);
struct value *value_set_bool(struct arena *arena, struct value *map, const char *key, bool boolean);
/* Takes the key out, if it is there. */
void value_remove(struct value *map, const char *key);
struct value *value_push(struct arena *arena, struct value *list, struct value *item);
struct value *value_push_text(struct arena *arena, struct value *list, const char *text);
/* {"key": item}: the wire's habit of wrapping. A NULL item gives an empty map. */
struct value *value_wrap(struct arena *arena, const char *key, struct value *item);

/* A deep copy, marks included. */
struct value *value_copy(struct arena *arena, const struct value *value);
/* `over` laid on `base`: maps merge key by key, anything else is replaced. Neither is changed. */
struct value *value_merge(struct arena *arena, const struct value *base, const struct value *over);

/* -- reading (NULL is absent everywhere) -- */
struct value *value_get(const struct value *map, const char *key);
/* A dotted path of keys, and [n] into lists: "Endpoint.Port", "items[0].id". */
struct value *value_at(const struct value *value, const char *path);
/* The string at the key, or NULL if it is absent or no string. */
const char *value_text(const struct value *map, const char *key);
const char *value_text_at(const struct value *value, const char *path);
/* The value itself as text: strings as they are, numbers and booleans printed; NULL otherwise. */
const char *value_as_text(struct arena *arena, const struct value *value);
/* Numbers and booleans also from strings ("5432", "true"), as XML replies have them. */
int64_t value_as_int(const struct value *value, int64_t otherwise);
bool value_as_bool(const struct value *value, bool otherwise);
double value_as_real(const struct value *value, double otherwise);
int64_t value_int_at(const struct value *value, const char *path, int64_t otherwise);
bool value_bool_at(const struct value *value, const char *path, bool otherwise);

bool value_is(const struct value *value, enum value_kind kind);
bool value_is_text(const struct value *value, const char *text);
const char *value_kind_name(enum value_kind kind); /* "a string", "a list" */

/* Items of a list, entries of a map; 0 for anything else. */
size_t value_count(const struct value *value);
/* XML cannot tell a single element from a list of one, so anything that is neither absent, null
 * nor a list (a map too) counts as a list of one here and in value_each. NULL past the end. */
size_t value_item_count(const struct value *value);
struct value *value_item(const struct value *value, size_t index);
const struct value_entry *value_entry(const struct value *map, size_t index);
/* The first item whose `key` is this text; NULL if none. */
struct value *value_find(const struct value *list, const char *key, const char *text);

/* for (size_t i...) with an item; `list` may be NULL. */
#define value_each(item, list)                                                         \
    for (size_t item##_index = 0; ((item) = value_item((list), item##_index)) != NULL; \
         item##_index++)

/* Deep equality by kind and content; maps regardless of order; 1 and 1.0 are equal. */
bool value_equal(const struct value *a, const struct value *b);
/* True when VALUE_UNKNOWN stands anywhere in it. */
bool value_has_unknown(const struct value *value);

#endif
