/* Back to what an earlier deployment said, for everything that holds no data. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/deploy.h"
#include "cmd/ragstack/deployment.h"
#include "cmd/ragstack/refusal.h"
#include "pkg/base/vector.h"

struct rollback {
    struct session *session;
    int number;
    struct value *document;          /* of the deployment to go back to */
    VECTOR(const char *) code_files; /* fetched; removed at the end */
};

/* -- what that deployment said -- */

static int read_deployment(struct task *task, struct rollback *rollback, struct error *error)
{
    struct session *session = rollback->session;
    int result = option_parse_number(session->options.arguments[0], LEDGER_NUMBER_MAXIMUM,
                                     "number of a deployment", &rollback->number, error);
    if (result == 0)
        result = ledger_deployment(task, session->ledger, session->arena, rollback->number,
                                   &rollback->document, error);
    if (result < 0)
        return result;
    if (!value_is_text(value_get(rollback->document, "command"), "down"))
        return 0;
    return error_set(error, ERR_USAGE,
                     "deployment %d took the stack down: there is nothing to go back to",
                     rollback->number);
}

/* Places in a document of the ledger are no places for people. */
static void drop_marks(struct value *value)
{
    struct value *item;
    value->mark = (struct mark){0};
    if (value_is(value, VALUE_LIST)) {
        value_each(item, value) drop_marks(item);
    }
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value->map.count; i++) {
        value->map.entries[i].mark = (struct mark){0};
        drop_marks(value->map.entries[i].value);
    }
}

static int want_resources(struct rollback *rollback, struct error *error)
{
    struct session *session = rollback->session;
    const struct value *resources = value_get(rollback->document, "resources");
    session->wanted = (struct resource_list){0};
    for (size_t i = 0; i < value_count(resources); i++) {
        const struct value_entry *entry = value_entry(resources, i);
        const char *kind = value_text(entry->value, "kind");
        const struct resource_type *type = kind ? target_type(session->target, kind) : NULL;
        struct value *props = value_get(entry->value, "props");
        if (!type || !value_is(props, VALUE_MAP))
            return error_set(error, ERR_INPUT,
                             "deployment %d has a resource %s of the kind \"%s\", which this "
                             "version of ragstack (%s) does not know; it was made by %s",
                             rollback->number, entry->key, kind ? kind : "", RAGSTACK_VERSION,
                             value_text(rollback->document, "ragstack"));
        drop_marks(props);
        vector_push(session->arena, &session->wanted,
                    ((struct resource){.type = type,
                                       .id = entry->key,
                                       .props = props,
                                       .tags = value_get(entry->value, "tags")}));
    }
    return 0;
}

/* The plan compares with a deployment, not with the file. */
static void give_reason(const struct rollback *rollback, struct step *step)
{
    static const char *const words[] = {
        [STEP_CREATE] = "had it",
        [STEP_UPDATE] = "had it otherwise",
        [STEP_REPLACE] = "had it otherwise, and that cannot change in place",
        [STEP_DELETE] = "did not have it",
    };
    step->reason = arena_printf(rollback->session->arena, "deployment %d %s", rollback->number,
                                words[step->kind]);
}

static int make_plan(struct task *task, struct rollback *rollback, struct plan **plan,
                     struct error *error)
{
    struct session *session = rollback->session;
    struct found_list found = {0};
    int result = read_deployment(task, rollback, error);
    if (result == 0)
        result = want_resources(rollback, error);
    if (result == 0)
        result = session_observe_and_read(task, session, &found, error);
    if (result == 0)
        result =
            plan_make(session->arena, session->target, &session->wanted, &found, NULL, plan, error);
    if (result != 0)
        return result;
    (*plan)->ledger = session->ledger->place;
    for (size_t i = 0; i < (*plan)->step_count; i++)
        give_reason(rollback, &(*plan)->steps[i]);
    return 0;
}

/* -- the functions' code -- */

static int write_code(struct rollback *rollback, const char *bytes, size_t length,
                      const char **path, struct error *error)
{
    struct arena *arena = rollback->session->arena;
    const char *folder = getenv("TMPDIR");
    char *name =
        arena_printf(arena, "%s/ragstack-code-XXXXXX", folder && *folder ? folder : "/tmp");
    int descriptor = mkstemp(name);
    if (descriptor < 0)
        return error_set(error, ERR_FAILED, "cannot write %s: %s", name, strerror(errno));
    vector_push(arena, &rollback->code_files, name);
    FILE *file = fdopen(descriptor, "wb");
    bool good = file && fwrite(bytes, 1, length, file) == length;
    if ((file ? fclose(file) : close(descriptor)) != 0 || !good)
        return error_set(error, ERR_FAILED, "cannot write %s: %s", name, strerror(errno));
    *path = name;
    return 0;
}

static int fetch_code(struct task *task, struct rollback *rollback, const struct step *step,
                      const char *sum, struct error *error)
{
    struct session *session = rollback->session;
    const char *bytes, *path = NULL;
    size_t length;
    int result = ledger_fetch(task, session->ledger, session->arena, sum, &bytes, &length, error);
    if (result == ERR_NOT_FOUND)
        return error_set(error, ERR_NOT_FOUND,
                         "the code of %s %s in deployment %d was not kept in the ledger; nothing "
                         "was changed. Check out its commit, and run `ragstack up`",
                         step->type->kind, step->id, rollback->number);
    if (result == 0)
        result = write_code(rollback, bytes, length, &path, error);
    if (result == 0)
        value_set_text(session->arena, step->resource->props, "code", path);
    return result;
}

static int fetch_all_code(struct task *task, struct rollback *rollback, const struct plan *plan,
                          struct error *error)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < plan->step_count; i++) {
        const char *sum = deployment_code_of(rollback->session->arena, &plan->steps[i]);
        if (sum)
            result = fetch_code(task, rollback, &plan->steps[i], sum, error);
    }
    return result;
}

static void remove_code(const struct rollback *rollback)
{
    for (size_t i = 0; i < rollback->code_files.count; i++)
        unlink(rollback->code_files.items[i]);
}

/* -- applying -- */

static void show_plan(const struct session *session, const struct plan *plan,
                      const struct refusal_list *refusals)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    struct plan_style style = {.colour = session->colour_err};
    plan_print_text(&out, plan, &style);
    fputs(buffer_string(&out), stderr);
    buffer_free(&out);
    refusals_print(stderr, refusals);
}

/* The file is not rolled back: the next `up` would go forward again. */
static void say_what_is_next(const struct rollback *rollback)
{
    const char *commit = value_text_at(rollback->document, "git.commit");
    fprintf(stderr, "%s still says what it said: `ragstack up` goes forward again",
            rollback->session->file);
    if (commit)
        fprintf(stderr, ". That deployment's file: git checkout %.12s -- %s", commit,
                rollback->session->file);
    fputs(".\n", stderr);
}

static int apply(struct task *task, struct rollback *rollback, struct deployment *deployment,
                 const struct plan *plan, struct error *error)
{
    struct session *session = rollback->session;
    struct apply_options options = {0};
    struct apply_result applied = {0};
    deployment->partial = true;
    deployment->more = value_set_int(session->arena, value_map(session->arena), "rolled_back_to",
                                     rollback->number);
    int result = deployment_begin(task, session, deployment, plan, error);
    if (result < 0)
        return result;
    result = deploy_run(task, session, plan, &options, &applied, error);
    result = deployment_end(task, session, deployment, plan, &applied, result, error);
    if (result < 0)
        return result;
    say_what_is_next(rollback);
    outputs_give(session, outputs_from(session->arena, applied.attributes));
    return EXIT_DONE;
}

static int run_locked(struct task *task, struct rollback *rollback, struct deployment *deployment,
                      struct error *error)
{
    struct plan *plan;
    struct refusal_list refusals = {0};
    int result = make_plan(task, rollback, &plan, error);
    if (result < 0)
        return result;
    plan_refuse_data(rollback->session->arena, plan, &refusals);
    show_plan(rollback->session, plan, &refusals);
    if (plan->step_count == 0)
        return EXIT_DONE;
    result = apply_check(plan, NULL, error);
    if (result == 0)
        result = fetch_all_code(task, rollback, plan, error);
    if (result == 0)
        result = consent_ask(task, rollback->session, "Go back to this?", NULL, error);
    return result == 0 ? apply(task, rollback, deployment, plan, error) : result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct rollback rollback = {.session = session};
    struct deployment deployment;
    int result = deployment_lock(task, session, &deployment, error);
    if (result == 0)
        result = run_locked(task, &rollback, &deployment, error);
    remove_code(&rollback);
    return deployment_unlock(task, session, &deployment, result);
}

const struct command command_rollback = {
    .name = "rollback",
    .arguments = "N",
    .summary = "Go back to what deployment N said",
    .details =
        "Plans again with the resources as deployment N had them, functions' code included, and "
        "applies\nthat for everything that holds no data. What would touch a database or a bucket "
        "is "
        "listed and\nstays as it is. `ragstack history` has the numbers.",
    .examples = "ragstack rollback 11\nragstack rollback 11 --yes --env prod",
    .least_arguments = 1,
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER,
    .run = run,
};
