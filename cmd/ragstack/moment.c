#include "cmd/ragstack/moment.h"

#include <string.h>

#include "pkg/value/number.h"

static int64_t unit_ms(char unit)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (units[i].unit == unit)
            return units[i].ms;
    }
    return 0;
}

/* "15m" ago, "2026-01-31" or "2026-01-31T08:00:00Z"; -1 if it is none of these. */
static int64_t read_time(struct arena *arena, const char *text, int64_t now_ms)
{
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    if (digits && digits <= 9 && text[digits] && !text[digits + 1] && unit_ms(text[digits]) &&
        number_read_int(arena_strndup(arena, text, digits), &number))
        return now_ms - number * unit_ms(text[digits]);
    if (strlen(text) == strlen("2026-01-31"))
        text = arena_printf(arena, "%sT00:00:00Z", text);
    return clock_parse(text);
}

int moment_of_option(const struct session *session, struct task *task, const char *option,
                     const char *otherwise, int64_t *out, struct error *error)
{
    const char *text = option_text(&session->options, option);
    *out = 0;
    if (!text && !otherwise)
        return 0;
    *out = read_time(session->arena, text ? text : otherwise, task_wall_ms(task));
    if (*out < 0)
        return error_set(error, ERR_USAGE,
                         "--%s: \"%s\" is no time: say 90s, 15m, 2h or 3d (ago), 2026-01-31, or "
                         "2026-01-31T08:00:00Z",
                         option, text);
    return 0;
}
