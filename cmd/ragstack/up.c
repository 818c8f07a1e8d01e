#include <stdio.h>

#include "cmd/ragstack/api.h"
#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/deploy.h"
#include "cmd/ragstack/deployment.h"
#include "cmd/ragstack/plan_file.h"
#include "cmd/ragstack/release.h"
#include "pkg/base/vector.h"

static const struct option_row options[] = {
    OPTION_ALLOW_DATA_LOSS,
    OPTION_TARGET,
    OPTION_API,
    {0},
};

/* The targets of a saved plan are part of it. */
static const char *const *plan_targets(struct session *session, const struct value *saved)
{
    if (!saved)
        return option_texts(session->arena, &session->options, "target");
    struct value *item, *list = value_get(saved, "targets");
    const char **names = arena_array(session->arena, value_count(list) + 1, sizeof *names);
    size_t count = 0;
    value_each(item, list) names[count++] = item->string.text;
    return names;
}

static void show_plan(const struct session *session, const struct plan *plan)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    struct plan_style style = {.colour = session->colour_err};
    plan_print_text(&out, plan, &style);
    fputs(buffer_string(&out), stderr);
    buffer_free(&out);
}

static int give_outputs(struct session *session, const struct value *attributes)
{
    outputs_give(session, outputs_from(session->arena, attributes));
    return EXIT_DONE;
}

static int make_plan(struct task *task, struct session *session, struct deployment *deployment,
                     struct plan **plan, struct error *error)
{
    struct value *saved = NULL;
    int result = 0;
    if (session->options.argument_count)
        result = plan_file_read(session->arena, session->options.arguments[0], &saved, error);
    struct plan_options plan_options = {.targets = plan_targets(session, saved)};
    deployment->partial = plan_options.targets[0] != NULL;
    if (result == 0)
        result = session_plan(task, session, &plan_options, plan, error);
    return result == 0 && saved ? plan_file_check(saved, *plan, error) : result;
}

static int run_locked(struct task *task, struct session *session, struct deployment *deployment,
                      struct error *error)
{
    struct plan *plan;
    struct apply_result applied = {0};
    int result = make_plan(task, session, deployment, &plan, error);
    if (result < 0)
        return result;
    struct apply_options apply_options = {
        .allow_data_loss = option_texts(session->arena, &session->options, "allow-data-loss")};
    show_plan(session, plan);
    release_tell(session, plan);
    if (plan->step_count == 0)
        return give_outputs(session, attributes_of(session->arena, &plan->found));
    result = apply_check(plan, apply_options.allow_data_loss, error); /* before anybody is asked */
    if (result == 0)
        result = consent_ask(task, session, "Make these changes?", NULL, error);
    if (result == 0)
        result = deployment_begin(task, session, deployment, plan, error);
    if (result < 0)
        return result;
    release_prepare(session);
    result = deploy_run(task, session, plan, &apply_options, &applied, error);
    struct value *tried = NULL;
    if (result == 0)
        result = release_try(task, session, plan, &applied, &tried, error);
    if (deployment->document && tried)
        value_set(session->arena, deployment->document, "release", tried);
    result = deployment_end(task, session, deployment, plan, &applied, result, error);
    return result < 0 ? result : give_outputs(session, applied.attributes);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct deployment deployment;
    int result = deployment_lock(task, session, &deployment, error);
    if (result == 0)
        result = run_locked(task, session, &deployment, error);
    return deployment_unlock(task, session, &deployment, result);
}

const struct command command_up = {
    .name = "up",
    .arguments = "[PLAN]",
    .summary = "Make the infrastructure as the file says",
    .details =
        "Shows the diff, asks, and applies it. With PLAN (from `diff --out`) it does exactly "
        "what was\nreviewed, or refuses when the world has moved since. Interrupted or killed, "
        "run it again:\nit goes on from what exists.",
    .examples = "ragstack up\nragstack up --yes --env prod\nragstack up plan.json",
    .options = options,
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD | NEED_HANDLER | NEED_LEDGER,
    .run = run,
};
