#include <stdio.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/deploy.h"
#include "cmd/ragstack/deployment.h"

static const struct option_row options[] = {
    OPTION_ALLOW_DATA_LOSS,
    OPTION_TARGET,
    {"detach", 0, NULL, false, NULL, "do not wait for what takes long; `down` again goes on"},
    {0},
};

static int ask(struct task *task, struct session *session, const struct plan *plan,
               struct error *error)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    struct plan_style style = {.colour = session->colour_err};
    plan_print_text(&out, plan, &style);
    fputs(buffer_string(&out), stderr);
    buffer_free(&out);
    return consent_ask(task, session, "Delete all of this?", session->stack->name, error);
}

/* What is stopped and kept is not gone, and must not be thought so. */
static void tell_kept_data(const struct session *session)
{
    const char *data = session->local ? local_kept_data(session->local, session->arena) : NULL;
    if (data)
        fprintf(stderr,
                "The database's data stay in %s: `ragstack up --local` goes on with them, and "
                "`down --local --allow-data-loss=database` after that loses them.\n",
                data);
}

/* Looks again: nothing of the stack may be left. */
static int prove_gone(struct task *task, struct session *session, struct error *error)
{
    struct plan *plan;
    struct plan_options plan_options = {.down = true};
    int result = session_plan(task, session, &plan_options, &plan, error);
    if (result < 0)
        return result;
    if (plan->step_count)
        return error_set(error, ERR_PARTIAL,
                         "%zu resources are still there, %s %s first: run it again",
                         plan->step_count, plan->steps[0].type->kind, plan->steps[0].id);
    fputs("Nothing of the stack is left.\n", stderr);
    tell_kept_data(session);
    return EXIT_DONE;
}

static int run_locked(struct task *task, struct session *session, struct deployment *deployment,
                      struct error *error)
{
    struct plan *plan;
    struct apply_result applied = {0};
    struct plan_options plan_options = {
        .down = true, .targets = option_texts(session->arena, &session->options, "target")};
    int result = session_plan(task, session, &plan_options, &plan, error);
    if (result < 0)
        return result;
    if (plan->step_count == 0) {
        fputs("Nothing of the stack exists.\n", stderr);
        tell_kept_data(session);
        return EXIT_DONE;
    }
    deployment->partial = plan_options.targets[0] != NULL;
    result = ask(task, session, plan, error);
    if (result == 0)
        result = deployment_begin(task, session, deployment, plan, error);
    if (result < 0)
        return result;
    bool detach = option_said(&session->options, "detach");
    struct apply_options apply_options = {
        .detach = detach,
        .allow_data_loss = option_texts(session->arena, &session->options, "allow-data-loss")};
    result = deploy_run(task, session, plan, &apply_options, &applied, error);
    result = deployment_end(task, session, deployment, plan, &applied, result, error);
    if (result < 0 || detach || plan_options.targets[0])
        return result;
    return prove_gone(task, session, error);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct deployment deployment;
    int result = deployment_lock(task, session, &deployment, error);
    if (result == 0)
        result = run_locked(task, session, &deployment, error);
    return deployment_unlock(task, session, &deployment, result);
}

const struct command command_down = {
    .name = "down",
    .arguments = "",
    .summary = "Delete everything that belongs to the stack",
    .details =
        "A database gets a last snapshot, and a bucket with objects stays, unless "
        "--allow-data-loss names\nthem. Ends by looking again: nothing that the stack owns is "
        "left.",
    .examples = "ragstack down\nragstack down --yes --allow-data-loss=documents",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER,
    .run = run,
};
