#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/base.h"
#include "cmd/ragstack/expanded.h"
#include "cmd/ragstack/plan_file.h"
#include "cmd/ragstack/session.h"

static const struct option_row options[] = {
    {"markdown", 0, NULL, false, NULL, "print Markdown"},
    {"expand", 0, NULL, false, NULL, "print the resources that the file stands for; asks nobody"},
    {"out", 'o', "PLAN", false, NULL, "save the plan for `ragstack up PLAN`"},
    {"target", 't', "KIND.ID", true, NULL, "only this resource, and what it needs"},
    {"base", 0, "REVISION", false, NULL,
     "tell what was written since this commit from what it says already"},
    {0},
};

static int exit_code(const struct plan *plan)
{
    struct plan_summary summary = plan_summarize(plan);
    if (plan->step_count == 0)
        return EXIT_DONE;
    if (summary.loses_data)
        return EXIT_DATA_LOSS;
    return summary.drift_only ? EXIT_DRIFT : EXIT_CHANGES;
}

static void print_plan(const struct session *session, const struct plan *plan)
{
    if (session->json) {
        print_json(plan_to_value(session->arena, plan));
        return;
    }
    struct buffer out = BUFFER(BUFFER_LARGE);
    struct plan_style style = {.colour = session->colour_out,
                               .verbose = option_said(&session->options, "verbose")};
    if (option_said(&session->options, "markdown"))
        plan_print_markdown(&out, plan, BUFFER_LARGE);
    else
        plan_print_text(&out, plan, &style);
    fwrite(buffer_string(&out), 1, out.length, stdout);
    buffer_free(&out);
}

static int compare(struct session *session, struct plan *plan, struct error *error)
{
    const char *base = option_text(&session->options, "base");
    if (base && option_said(&session->options, "target"))
        return error_set(error, ERR_USAGE, "--base looks at the whole stack: leave --target out");
    return base ? base_compare(session, plan, base, error) : 0;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct plan *plan;
    struct plan_options plan_options = {
        .targets = option_texts(session->arena, &session->options, "target")};
    if (option_said(&session->options, "expand"))
        return expanded_print(session, error);
    int result = session_plan(task, session, &plan_options, &plan, error);
    if (result == 0)
        result = compare(session, plan, error);
    if (result < 0)
        return result;
    const char *path = option_text(&session->options, "out");
    if (path)
        result = plan_file_write(session->arena, plan, plan_options.targets, path, error);
    if (result < 0)
        return result;
    print_plan(session, plan);
    return exit_code(plan);
}

const struct command command_diff = {
    .name = "diff",
    .arguments = "",
    .summary = "Show what `up` would do, and why",
    .details =
        "Observes what exists, compares it with the file, and changes nothing. Exit code 0: "
        "nothing to do;\n2: changes; 3: drift only; 4: data would be lost. With --base three "
        "sides are compared: the file, the\nfile (and its prompt) as a commit has it, and what "
        "runs.",
    .examples = "ragstack diff\nragstack diff --env prod --out plan.json\nragstack diff --expand\n"
                "ragstack diff --base main",
    .options = options,
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER | NEED_HANDLER,
    .run = run,
};
