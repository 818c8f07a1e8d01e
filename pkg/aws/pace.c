#include "pkg/aws/pace.h"

enum { US_PER_S = 1000000, US_PER_MS = 1000 };

int64_t pace_take_ms(struct pace *pace, int64_t now_ms)
{
    if (pace->calls_per_s == 0)
        return 0;
    int64_t now = now_ms * US_PER_MS, one = US_PER_S / pace->calls_per_s;
    if (pace->full_at_us < now)
        pace->full_at_us = now;
    pace->full_at_us += one;
    int64_t wait = pace->full_at_us - now - one * pace->burst;
    return wait > 0 ? (wait + US_PER_MS - 1) / US_PER_MS : 0;
}

void pace_empty(struct pace *pace, int64_t now_ms)
{
    if (pace->calls_per_s == 0)
        return;
    int64_t empty = now_ms * US_PER_MS + (int64_t)US_PER_S / pace->calls_per_s * pace->burst;
    if (pace->full_at_us < empty)
        pace->full_at_us = empty;
}
