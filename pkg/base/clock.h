/* Time as a table, so that tests run under a clock that jumps.
 *
 * monotonic_ms never goes back; wall_ms is milliseconds since 1970-01-01 UTC. A virtual clock has
 * `advance`: when nothing can run, the task loop jumps to the next timer with it instead of
 * sleeping. */
#ifndef RAGSTACK_BASE_CLOCK_H
#define RAGSTACK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*monotonic_ms)(struct clock *clock);
    int64_t (*wall_ms)(struct clock *clock);
    void (*advance)(struct clock *clock, int64_t to_monotonic_ms); /* NULL: time passes by itself */
};

struct clock *clock_system(void);

struct virtual_clock {
    struct clock clock; /* pass &virtual.clock */
    int64_t now_ms, wall_start_ms;
};
void clock_virtual(struct virtual_clock *clock, int64_t wall_start_ms);

/* "20260131T235959Z" in UTC; `out` holds at least 17 bytes. */
void clock_format_basic(int64_t wall_ms, char *out, size_t size);
/* "2026-01-31T23:59:59Z" in UTC; `out` holds at least 21 bytes. */
void clock_format_iso(int64_t wall_ms, char *out, size_t size);
/* Reads ISO 8601 ("2026-01-31T23:59:59[.123](Z|+00:00)") or an HTTP date
 * ("Wed, 21 Oct 2015 07:28:00 GMT"); -1 if it is neither. */
int64_t clock_parse(const char *text);

#endif
