#include "pkg/base/map.h"

#include <string.h>

static uint64_t hash_of(const char *key)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    return hash;
}

struct map map_in(struct arena *arena)
{
    return (struct map){.arena = arena};
}

/* The slot that holds the key, or the free slot where it would go. */
static size_t find_slot(const struct map *map, const char *key, uint64_t hash)
{
    size_t slot = hash & (map->slot_count - 1);
    while (map->slots[slot]) {
        const struct map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            break;
        slot = (slot + 1) & (map->slot_count - 1);
    }
    return slot;
}

void *map_get(const struct map *map, const char *key)
{
    if (!map->count)
        return NULL;
    uint32_t index = map->slots[find_slot(map, key, hash_of(key))];
    return index ? map->entries[index - 1].value : NULL;
}

static void rehash(struct map *map)
{
    map->slot_count = map->slot_count ? map->slot_count * 2 : 16;
    map->slots = arena_array(map->arena, map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++)
        map->slots[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)i + 1;
}

void map_put(struct map *map, const char *key, void *value)
{
    if ((map->count + 1) * 4 > map->slot_count * 3)
        rehash(map);
    uint64_t hash = hash_of(key);
    size_t slot = find_slot(map, key, hash);
    if (map->slots[slot]) {
        map->entries[map->slots[slot] - 1].value = value;
        return;
    }
    if (map->count == map->capacity) {
        size_t capacity = map->capacity ? map->capacity * 2 : 8;
        map->entries = arena_grow(map->arena, map->entries, map->count * sizeof *map->entries,
                                  capacity * sizeof *map->entries);
        map->capacity = capacity;
    }
    map->entries[map->count++] = (struct map_entry){key, value, hash};
    map->slots[slot] = (uint32_t)map->count;
}
