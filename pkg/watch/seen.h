/* Which events were told already: a set of ids with their times, of bounded size.
 *
 * When it is full, the older half is forgotten, and `floor_ms` rises to the oldest time from which
 * it still knows everything: whoever asks for nothing older is never told anything twice. */
#ifndef RAGSTACK_WATCH_SEEN_H
#define RAGSTACK_WATCH_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen_entry {
    int64_t time_ms;
    uint64_t key[2]; /* of the id's hash; both 0: free */
};

struct seen {
    struct seen_entry *slots; /* a power of two of them, at least half of them free */
    size_t slot_count, count, maximum;
    int64_t floor_ms;
};

/* At most `maximum` ids. */
void seen_begin(struct seen *seen, size_t maximum);
void seen_end(struct seen *seen);
/* True when it was not there. */
bool seen_add(struct seen *seen, const char *source, const char *id, int64_t time_ms);
/* Forgets what is older. */
void seen_forget(struct seen *seen, int64_t before_ms);

#endif
