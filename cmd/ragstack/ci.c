/* The step of a pipeline: tells what would change, and changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/ragstack/annotation.h"
#include "cmd/ragstack/base.h"
#include "cmd/ragstack/eval.h"
#include "cmd/ragstack/session.h"
#include "cmd/ragstack/template.h"
#include "pkg/base/file.h"
#include "pkg/value/json.h"

static const struct option_row options[] = {
    {"fail-on", 0, "WHAT", true, "changes|drift|data-loss",
     "exit code 2, 3 or 4 when there is such; else 0"},
    {"out", 'o', "FILE", false, NULL,
     "the Markdown goes there (default: the job's summary, or stdout)"},
    {"annotate", 0, "FOR", false, "github|gitlab|none",
     "annotations at the file's lines (default: by where it runs)"},
    {"report", 0, "FILE", false, NULL,
     "GitLab's code quality report (default: gl-code-quality-report.json)"},
    {"base", 0, "REVISION", false, NULL,
     "tell what is of the request (default: by the branch that it is to be merged into)"},
    {"eval", 0, "QUESTIONS", false, NULL, "judge what runs by these, too: see `ragstack eval`"},
    {"against", 0, "RUN", false, NULL, "with --eval: compare with this run"},
    OPTIONS_GATE,
    OPTION_API,
    {"write", 0, "FOR", false, "github|gitlab", "write the step's file into the repository"},
    {0},
};

enum {
    SUMMARY_MAXIMUM_BYTES = 1 << 20, /* of a step, on GitHub */
    COMMENT_MAXIMUM_BYTES = 65536,   /* of a comment, on GitHub */
};

enum platform { PLATFORM_NONE, PLATFORM_GITHUB, PLATFORM_GITLAB };

static bool is_true(const char *name)
{
    const char *text = getenv(name);
    return text && strcmp(text, "true") == 0;
}

static enum platform platform_of(const struct session *session)
{
    const char *said = option_text(&session->options, "annotate");
    if (said)
        return strcmp(said, "github") == 0   ? PLATFORM_GITHUB
               : strcmp(said, "gitlab") == 0 ? PLATFORM_GITLAB
                                             : PLATFORM_NONE;
    return is_true("GITHUB_ACTIONS") ? PLATFORM_GITHUB
           : is_true("GITLAB_CI")    ? PLATFORM_GITLAB
                                     : PLATFORM_NONE;
}

/* The stack file, from the repository's root. */
static const char *file_in_repository(const struct session *session)
{
    const char *root = getenv("GITHUB_WORKSPACE");
    return annotation_path(session->arena, session->file, root ? root : getenv("CI_PROJECT_DIR"));
}

/* -- annotations -- */

static int give_annotations(struct session *session, const struct annotation_list *list,
                            struct error *error)
{
    const char *path = option_text(&session->options, "report");
    enum platform platform = platform_of(session);
    CLEANUP(buffer_free) struct buffer out = BUFFER(BUFFER_LARGE);
    if (platform == PLATFORM_NONE)
        return 0;
    if (platform == PLATFORM_GITLAB) {
        json_print_pretty(&out, annotations_to_code_quality(session->arena, list));
        return file_write(session->arena, path ? path : "gl-code-quality-report.json",
                          buffer_string(&out), out.length, error);
    }
    annotations_print_github(session->arena, &out, list);
    /* the log is read for them on both streams; stdout is the plan's when it is JSON */
    fputs(buffer_string(&out), session->json ? stderr : stdout);
    return 0;
}

/* -- the Markdown -- */

static size_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
}

/* `judged` stands below the plan. */
static int give_markdown(struct session *session, const struct plan *plan, const char *judged,
                         struct error *error)
{
    const char *out = option_text(&session->options, "out");
    const char *summary = getenv("GITHUB_STEP_SUMMARY");
    bool to_summary = !out && summary && *summary;
    size_t used = (to_summary ? size_of(summary) : 0) + strlen(judged);
    size_t maximum = to_summary ? SUMMARY_MAXIMUM_BYTES : COMMENT_MAXIMUM_BYTES;
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    plan_print_markdown(&text, plan, maximum > used ? maximum - used : 0);
    used -= strlen(judged);
    buffer_text(&text, judged);
    if (text.length + used > maximum) {
        fputs("warning: the job's summary is full; the plan is not in it\n", stderr);
        return 0;
    }
    if (out)
        return file_write(session->arena, out, buffer_string(&text), text.length, error);
    if (to_summary)
        return file_append(summary, buffer_string(&text), text.length, error);
    fwrite(buffer_string(&text), 1, text.length, stdout);
    return 0;
}

/* -- the exit code -- */

static bool fails_on(const struct session *session, const char *what)
{
    const char *const *said = option_texts(session->arena, &session->options, "fail-on");
    size_t length = strlen(what);
    for (; *said; said++) {
        for (const char *word = *said; word;
             word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
            if (strcspn(word, ",") == length && strncmp(word, what, length) == 0)
                return true;
        }
    }
    return false;
}

static int exit_code(const struct session *session, const struct plan *plan)
{
    struct plan_summary summary = plan_summarize(plan);
    bool drift = false;
    for (size_t i = 0; i < plan->step_count; i++)
        drift = drift || plan->steps[i].drift;
    if (summary.loses_data && fails_on(session, "data-loss"))
        return EXIT_DATA_LOSS;
    if (plan->step_count && !summary.drift_only && fails_on(session, "changes"))
        return EXIT_CHANGES;
    return drift && fails_on(session, "drift") ? EXIT_DRIFT : EXIT_DONE;
}

/* -- the step's file -- */

static int write_step(struct session *session, const char *platform, struct error *error)
{
    const char *env = option_text(&session->options, "env");
    bool github = strcmp(platform, "github") == 0;
    const char *path = github ? ".github/workflows/ragstack.yml" : ".gitlab/ragstack.yml";
    const char *text = template_fill(
        session->arena, github ? "ci/github.yml" : "ci/gitlab.yml", "FILE", session->file, "ENV",
        env ? arena_printf(session->arena, " --env %s", env) : "", "SELF", path, NULL);
    int result = file_create(session->arena, path, text, error);
    if (result < 0)
        return result;
    printf("Wrote %s. Its first lines say what is to be set up once.\n", path);
    return EXIT_DONE;
}

/* -- beside the branch that it is to be merged into -- */

static const char *base_of(const struct session *session)
{
    const char *github = getenv("GITHUB_BASE_REF"),
               *gitlab = getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA");
    if (github && *github)
        return arena_printf(session->arena, "origin/%s", github);
    return gitlab && *gitlab ? gitlab : NULL;
}

/* One that nobody named may be missing in a shallow clone: that is told, and the rest goes on. */
static int compare(struct session *session, struct plan *plan, struct error *error)
{
    const char *said = option_text(&session->options, "base");
    const char *base = said ? said : base_of(session);
    int result = base ? base_compare(session, plan, base, error) : 0;
    if (result == 0 || said)
        return result;
    fprintf(stderr, "warning: not compared with %s: %s\n", base, error->message);
    error_clear(error);
    return 0;
}

/* -- the answers -- */

/* What runs is judged, not what would: the figures of the change itself come after it. */
struct judgement {
    struct report report; /* .run is NULL: nothing was asked */
    const char *markdown;
    int result; /* an error code when it could not be done, or a gate was missed */
    struct error error;
};

static void judge(struct task *task, struct session *session, struct judgement *out)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    struct eval_options eval;
    const char *questions = option_text(&session->options, "eval");
    *out = (struct judgement){.markdown = ""};
    if (!questions)
        return;
    out->result = eval_options_default(session, questions, &eval, &out->error);
    eval.against = option_text(&session->options, "against");
    if (out->result == 0)
        out->result = eval_run_all(task, session, &eval, &out->report, &out->error);
    buffer_text(&text, "\n");
    if (out->report.run)
        report_print_markdown(&text, &out->report);
    if (out->result == 0)
        out->result = eval_check_gates(session->arena, &eval.gates, &out->error);
    else
        buffer_printf(&text, "The answers could not be judged: %s\n", out->error.message);
    out->markdown = arena_strdup(session->arena, buffer_string(&text));
}

/* -- running -- */

static int tell_faults(struct session *session, const struct fault_list *faults,
                       struct error *error)
{
    struct annotation_list list = {0};
    annotations_of_faults(session->arena, faults, file_in_repository(session), &list);
    session_print_faults(session, faults);
    int result = give_annotations(session, &list, error);
    return result < 0 ? result
                      : error_set(error, ERR_INPUT, "%s has %zu error%s", session->file,
                                  faults->count, faults->count == 1 ? "" : "s");
}

static int tell_plan(struct session *session, const struct plan *plan,
                     const struct judgement *judged, struct error *error)
{
    struct value *document = NULL;
    struct annotation_list list = {0};
    annotations_of_plan(session->arena, plan, file_in_repository(session), &list);
    if (session->json)
        document = plan_to_value(session->arena, plan);
    if (document && judged->report.run)
        value_set(session->arena, document, "eval",
                  report_to_value(session->arena, &judged->report));
    if (document)
        print_json(document);
    int result = session->json && !option_said(&session->options, "out")
                     ? 0
                     : give_markdown(session, plan, judged->markdown, error);
    if (result == 0)
        result = give_annotations(session, &list, error);
    if (result == 0 && judged->result < 0) {
        *error = judged->error;
        return judged->result;
    }
    return result < 0 ? result : exit_code(session, plan);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    const char *write = option_text(&session->options, "write");
    struct fault_list faults = {0};
    struct plan_options plan_options = {0};
    struct plan *plan = NULL;
    if (write)
        return write_step(session, write, error);
    int result = session_load(session, option_text(&session->options, "env"), &faults, error);
    if (result == ERR_INPUT && faults.count)
        return tell_faults(session, &faults, error);
    if (result == 0)
        result = session_open_target(session, error);
    if (result == 0)
        result = session_plan(task, session, &plan_options, &plan, error);
    if (result == 0)
        result = compare(session, plan, error);
    if (result != 0)
        return result;
    struct judgement judged;
    judge(task, session, &judged);
    return tell_plan(session, plan, &judged, error);
}

const struct command command_ci = {
    .name = "ci",
    .arguments = "",
    .summary = "Tell a pipeline what would change",
    .details = "The plan as Markdown in the job's summary on GitHub, else on stdout; notes at the "
               "lines of the\nstack file, as GitHub's annotations or GitLab's code quality report. "
               "It changes nothing, and\nsucceeds whatever the plan says, unless --fail-on says "
               "otherwise. With --eval it asks what runs\nnow these questions, and tells the "
               "figures below the plan.",
    .examples = "ragstack ci\nragstack ci --fail-on=data-loss,drift\nragstack ci --eval "
                "questions.yaml --fail-under recall@5=0.8\nragstack ci --write github --env prod",
    .options = options,
    .needs = NEED_HANDLER | NEED_LEDGER,
    .run = run,
};
