/* A hash map from strings to pointers, in an arena. Keys are borrowed: they must live as long as
 * the map. Iteration order is insertion order. */
#ifndef RAGSTACK_BASE_MAP_H
#define RAGSTACK_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "pkg/base/arena.h"

struct map_entry {
    const char *key;
    void *value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* in insertion order */
    size_t count, capacity;
    uint32_t *slots; /* index into entries plus one; 0 is free */
    size_t slot_count;
    struct arena *arena;
};

struct map map_in(struct arena *arena);
/* NULL if the key is absent. */
void *map_get(const struct map *map, const char *key);
/* Adds, or replaces the value of a key that is there. */
void map_put(struct map *map, const char *key, void *value);

#endif
