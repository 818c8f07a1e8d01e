#include "pkg/base/clock.h"

#include <ctype.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic(struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall(struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

struct clock *clock_system(void)
{
    static struct clock clock = {system_monotonic, system_wall, NULL};
    return &clock;
}

static int64_t virtual_monotonic(struct clock *clock)
{
    return ((struct virtual_clock *)clock)->now_ms;
}

static int64_t virtual_wall(struct clock *clock)
{
    struct virtual_clock *virtual = (struct virtual_clock *)clock;
    return virtual->wall_start_ms + virtual->now_ms;
}

static void virtual_advance(struct clock *clock, int64_t to_monotonic_ms)
{
    struct virtual_clock *virtual = (struct virtual_clock *)clock;
    if (to_monotonic_ms > virtual->now_ms)
        virtual->now_ms = to_monotonic_ms;
}

void clock_virtual(struct virtual_clock *clock, int64_t wall_start_ms)
{
    *clock = (struct virtual_clock){
        .clock = {virtual_monotonic, virtual_wall, virtual_advance},
        .wall_start_ms = wall_start_ms,
    };
}

static struct tm utc_of(int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    return utc;
}

void clock_format_basic(int64_t wall_ms, char *out, size_t size)
{
    struct tm utc = utc_of(wall_ms);
    strftime(out, size, "%Y%m%dT%H%M%SZ", &utc);
}

void clock_format_iso(int64_t wall_ms, char *out, size_t size)
{
    struct tm utc = utc_of(wall_ms);
    strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static int64_t parse_iso(const char *text)
{
    struct tm utc = {0}, zone = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!rest)
        return -1;
    int fraction_ms = 0;
    if (*rest == '.')
        for (int scale = 100; isdigit((unsigned char)*++rest); scale /= 10)
            fraction_ms += (*rest - '0') * scale;
    rest = strptime(rest, "%z", &zone); /* Z, +00:00 or +0000 */
    if (!rest || *rest)
        return -1;
    return ((int64_t)timegm(&utc) - zone.tm_gmtoff) * 1000 + fraction_ms;
}

int64_t clock_parse(const char *text)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    if (rest)
        return *rest ? -1 : (int64_t)timegm(&utc) * 1000;
    return parse_iso(text);
}
