/* Pacing of calls, so that AWS's token buckets are not overrun: a bucket of our own that starts
 * full, holds `burst` calls and refills by `calls_per_s`. Callers wait in the order in which they
 * ask. */
#ifndef RAGSTACK_AWS_PACE_H
#define RAGSTACK_AWS_PACE_H

#include <stdint.h>

struct pace {
    int calls_per_s, burst; /* calls_per_s 0: no pacing */
    int64_t full_at_us;     /* when the bucket is full again, if nobody asks */
};

/* Takes one call; how long to wait before it is made. */
int64_t pace_take_ms(struct pace *pace, int64_t now_ms);
/* AWS says that its bucket is empty: so is ours. */
void pace_empty(struct pace *pace, int64_t now_ms);

#endif
