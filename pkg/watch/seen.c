#include "pkg/watch/seen.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"

enum { FIRST_SLOTS = 256 };

static struct seen_entry *new_slots(size_t count)
{
    require(count);
    struct seen_entry *slots = calloc(count, sizeof *slots);
    if (!slots)
        panic("out of memory");
    return slots;
}

void seen_begin(struct seen *seen, size_t maximum)
{
    *seen = (struct seen){.slots = new_slots(FIRST_SLOTS),
                          .slot_count = FIRST_SLOTS,
                          .maximum = maximum,
                          .floor_ms = INT64_MIN};
}

void seen_end(struct seen *seen)
{
    free(seen->slots);
    *seen = (struct seen){0};
}

/* 128 bits of SHA-256: two ids never meet. */
static struct seen_entry entry_of(const char *source, const char *id, int64_t time_ms)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct seen_entry entry = {.time_ms = time_ms};
    CLEANUP(buffer_free) struct buffer whole = BUFFER(BUFFER_LARGE);
    buffer_append(&whole, source, strlen(source) + 1);
    buffer_text(&whole, id);
    SHA256((const unsigned char *)whole.data, whole.length, digest);
    memcpy(entry.key, digest, sizeof entry.key);
    entry.key[0] |= 1; /* never looks free */
    return entry;
}

static bool is_free(const struct seen_entry *entry)
{
    return !entry->key[0] && !entry->key[1];
}

/* The slot of the key, or the free one where it belongs. */
static struct seen_entry *find(const struct seen *seen, const struct seen_entry *entry)
{
    size_t at = entry->key[1] & (seen->slot_count - 1);
    while (!is_free(&seen->slots[at]) &&
           memcmp(seen->slots[at].key, entry->key, sizeof entry->key) != 0)
        at = (at + 1) & (seen->slot_count - 1);
    return &seen->slots[at];
}

/* A table of `slot_count` slots with everything that is not older. */
static void rebuild(struct seen *seen, size_t slot_count, int64_t before_ms)
{
    struct seen_entry *old = seen->slots;
    size_t old_count = seen->slot_count;
    seen->slots = new_slots(slot_count);
    seen->slot_count = slot_count;
    seen->count = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (is_free(&old[i]) || old[i].time_ms < before_ms)
            continue;
        *find(seen, &old[i]) = old[i];
        seen->count++;
    }
    free(old);
}

static int by_time(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return first < second ? -1 : first > second;
}

static void forget_older_half(struct seen *seen)
{
    int64_t *times = malloc(seen->count * sizeof *times);
    if (!times)
        panic("out of memory");
    size_t count = 0;
    for (size_t i = 0; i < seen->slot_count; i++) {
        if (!is_free(&seen->slots[i]))
            times[count++] = seen->slots[i].time_ms;
    }
    qsort(times, count, sizeof *times, by_time);
    seen->floor_ms = times[count / 2] + 1;
    free(times);
    rebuild(seen, seen->slot_count, seen->floor_ms);
}

bool seen_add(struct seen *seen, const char *source, const char *id, int64_t time_ms)
{
    struct seen_entry entry = entry_of(source, id, time_ms);
    if (!is_free(find(seen, &entry)))
        return false;
    if (seen->count >= seen->maximum)
        forget_older_half(seen);
    if (2 * (seen->count + 1) > seen->slot_count)
        rebuild(seen, 2 * seen->slot_count, INT64_MIN);
    *find(seen, &entry) = entry;
    seen->count++;
    return true;
}

void seen_forget(struct seen *seen, int64_t before_ms)
{
    size_t old = 0;
    for (size_t i = 0; i < seen->slot_count; i++)
        old += !is_free(&seen->slots[i]) && seen->slots[i].time_ms < before_ms;
    if (old)
        rebuild(seen, seen->slot_count, before_ms);
}
