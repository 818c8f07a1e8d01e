/* A typed growing array in an arena: `VECTOR(struct step *) steps = {0};`.
 *
 * Items may move when it grows, so nothing keeps a pointer into `items` across a push. */
#ifndef RAGSTACK_BASE_VECTOR_H
#define RAGSTACK_BASE_VECTOR_H

#include <stddef.h>

#include "pkg/base/arena.h"

#define VECTOR(type)            \
    struct {                    \
        type *items;            \
        size_t count, capacity; \
    }

/* Makes room for one more and returns nothing: use vector_push. */
#define vector_reserve(arena, vector)                                                           \
    do {                                                                                        \
        if ((vector)->count == (vector)->capacity) {                                            \
            size_t wanted_ = (vector)->capacity ? (vector)->capacity * 2 : 8;                   \
            (vector)->items =                                                                   \
                arena_grow((arena), (vector)->items, (vector)->count * sizeof *(vector)->items, \
                           wanted_ * sizeof *(vector)->items);                                  \
            (vector)->capacity = wanted_;                                                       \
        }                                                                                       \
    } while (0)

#define vector_push(arena, vector, item)             \
    do {                                             \
        vector_reserve((arena), (vector));           \
        (vector)->items[(vector)->count++] = (item); \
    } while (0)

#endif
