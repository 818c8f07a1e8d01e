#include "cmd/ragstack/remarks.h"

#include <stdio.h>
#include <string.h>

static bool makes(const struct plan *plan, const char *id, bool new_only)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        if (strcmp(step->id, id) == 0 && step->kind != STEP_DELETE &&
            (step->kind == STEP_CREATE || !new_only))
            return true;
    }
    return false;
}

PRINTF_LIKE(3, 4)
static void say(const struct session *session, const char *path, const char *format, ...)
{
    const struct value *value = value_at(session->stack->tree, path);
    const char *yellow = session->colour_err ? "\033[1;33m" : "";
    va_list arguments;
    fprintf(stderr, "%snote%s: ", yellow, session->colour_err ? "\033[0m" : "");
    if (value && value->mark.line)
        fprintf(stderr, "%s:%d: ", session->file, value->mark.line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void open_api(const struct session *session, const struct plan *plan)
{
    const struct value *tree = session->stack->tree;
    if (!value_is_text(value_at(tree, "api.auth"), "none") || !makes(plan, "api", false))
        return;
    say(session, "api.auth",
        "api.auth is none: whoever knows the API's URL may ask, and you pay for it (at most %g "
        "questions a second)",
        value_as_real(value_at(tree, "api.throttle.rate"), 0));
}

/* Charged by the virtual processor, with a minimum of two. */
static void proxy_costs(const struct session *session, const struct plan *plan)
{
    const char *class = value_text_at(session->stack->tree, "database.class");
    if (!makes(plan, "proxy", true) || !class ||
        !(strstr(class, ".micro") || strstr(class, ".small")))
        return;
    say(session, "database.proxy",
        "RDS Proxy costs more than the %s behind it; database.proxy: false does without", class);
}

void remarks_print(const struct session *session, const struct plan *plan)
{
    if (plan->down)
        return;
    open_api(session, plan);
    proxy_costs(session, plan);
}
