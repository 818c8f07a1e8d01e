#include "cmd/ragstack/base.h"

#include "pkg/plan/base.h"

/* NULL in *stack: the commit has nothing of it. */
static int load(struct session *session, const char *revision, struct stack **stack,
                const char **commit, struct error *error)
{
    struct fault_list faults = {0};
    struct stack_options options = {.file = session->file,
                                    .environment = option_text(&session->options, "env"),
                                    .types = cloud_types,
                                    .revision = revision};
    int result = stack_load(session->arena, &options, stack, &faults, error);
    *commit = (*stack)->git.commit;
    bool absent = result == ERR_NOT_FOUND || (result == ERR_USAGE && (*stack)->environments);
    if (absent) {
        error_clear(error);
        *stack = NULL;
        return 0;
    }
    if (result == ERR_INPUT)
        return error_set(error, result, "%s:%s was not valid: line %d: %s", revision, session->file,
                         error->line, arena_strdup(session->arena, error->message));
    return result;
}

int base_compare(struct session *session, struct plan *plan, const char *revision,
                 struct error *error)
{
    struct stack *stack = NULL;
    struct plan *own = NULL;
    struct resource_list *wanted = arena_new_of(session->arena, struct resource_list);
    struct base base = {.revision = revision};
    struct plan_options options = {.last_applied = session->applied.resolved};
    int result = load(session, revision, &stack, &base.commit, error);
    if (result == 0 && stack)
        result = session_expand_stack(session, stack, wanted, error);
    if (result == 0)
        result =
            plan_make(session->arena, session->target, wanted, &plan->found, &options, &own, error);
    if (result < 0)
        return result;
    base.plan = own;
    plan_compare_base(session->arena, plan, &base);
    return 0;
}
