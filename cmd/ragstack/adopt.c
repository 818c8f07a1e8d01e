/* Takes something that exists into the stack: its identity is its tags, so it gets those. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/deployment.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"

struct adoption {
    struct session *session;
    const char *whole;               /* KIND.ID, as it was said */
    const char *called;              /* CLOUD-ID, as it was said */
    const struct resource *resource; /* what it is to be */
    struct found_list found;         /* what there is of the stack */
    struct found *have;              /* what it is now */
    struct found *taken;             /* the same with the stack's tags */
    bool tagged;                     /* it bears them already */
};

/* -- what it is to be -- */

static int find_wanted(struct adoption *adoption, struct error *error)
{
    struct session *session = adoption->session;
    const char *dot = strrchr(adoption->whole, '.');
    const char **names = arena_array(session->arena, session->wanted.count + 1, sizeof *names);
    for (size_t i = 0; i < session->wanted.count; i++) {
        const struct resource *resource = &session->wanted.items[i];
        names[i] = arena_printf(session->arena, "%s.%s", resource->type->kind, resource->id);
        if (strcmp(names[i], adoption->whole) == 0)
            adoption->resource = resource;
        else if (dot && strcmp(resource->id, dot + 1) == 0)
            return error_set(error, ERR_USAGE, "%s: \"%s\" is of the kind %s in the stack file",
                             adoption->whole, resource->id, resource->type->kind);
    }
    const char *nearest = nearest_name(adoption->whole, names);
    if (!adoption->resource)
        return error_set(error, ERR_USAGE, "%s: the stack file has no such resource%s%s%s",
                         adoption->whole, nearest ? "; did you mean \"" : "",
                         nearest ? nearest : "",
                         nearest ? "\"?" : "; `ragstack diff --expand` lists them");
    if (adoption->resource->type->flags & NO_TAGS)
        return error_set(error, ERR_USAGE,
                         "%s: a %s takes no tags, by which a stack knows what is its own: it "
                         "cannot be taken in",
                         adoption->whole, adoption->resource->type->kind);
    return 0;
}

/* -- what it is now -- */

static int look(struct task *task, struct adoption *adoption, const struct resource_type *type,
                struct found **out, struct error *error)
{
    struct session *session = adoption->session;
    struct found known = {.type = type, .id = adoption->resource->id, .generation = 1};
    *out = NULL;
    int result = cloud_address(session->arena, session->cloud, adoption->called, &known, error);
    if (result == 0)
        result = observe_any(task, session->arena, session->target, &known, out, error);
    if (result == ERR_FAILED && error->http_status == 400) { /* an id that this kind cannot have */
        error_clear(error);
        result = 0;
    }
    return result;
}

/* Of the ARN that was said, where the kind has one. */
static bool is_meant(const struct adoption *adoption, const struct found *found)
{
    const char *arn = value_text(found->props, "arn");
    bool whole = strncmp(adoption->called, "arn:", 4) == 0 && arn;
    return !whole || strncmp(adoption->called, arn, strlen(arn)) == 0;
}

/* It is none of this kind: perhaps one of another. */
static int tell_missing(struct task *task, struct adoption *adoption, struct error *error)
{
    const struct resource_type *type = adoption->resource->type;
    const struct resource_type *const *other = adoption->session->target->types;
    for (; *other; other++) {
        struct found *found = NULL;
        struct error ignored = {0};
        if (*other != type && look(task, adoption, *other, &found, &ignored) == 0 && found &&
            found->tags && is_meant(adoption, found))
            return error_set(error, ERR_NOT_FOUND, "%s is of the kind %s, not %s", adoption->called,
                             (*other)->kind, type->kind);
    }
    return error_set(error, ERR_NOT_FOUND, "there is no %s %s in %s", type->kind, adoption->called,
                     adoption->session->target->identity->region);
}

static bool is_going(const struct found *found)
{
    const char *state =
        found->type->ready.field ? value_text(found->props, found->type->ready.field) : NULL;
    return state && strncasecmp(state, "delet", 5) == 0;
}

static int find_thing(struct task *task, struct adoption *adoption, struct error *error)
{
    int result = look(task, adoption, adoption->resource->type, &adoption->have, error);
    if (result < 0)
        return result;
    if (!adoption->have || !is_meant(adoption, adoption->have))
        return tell_missing(task, adoption, error);
    if (is_going(adoption->have))
        return error_set(error, ERR_CONFLICT, "%s is being deleted", adoption->have->physical_id);
    return 0;
}

/* -- may it be taken? -- */

static int check_owner(struct adoption *adoption, struct error *error)
{
    const struct found *have = adoption->have;
    const char *id = NULL, *owner = value_text(have->tags, TAG_STACK);
    if (!have->tags)
        return error_set(error, ERR_DENIED,
                         "%s belongs to another account, or is in another region",
                         have->physical_id);
    if (!identity_owns(adoption->session->target->identity, have->tags, &id, NULL)) {
        const char *environment = value_text(have->tags, TAG_ENVIRONMENT);
        bool has = environment && strcmp(environment, "-") != 0;
        return !owner ? 0
                      : error_set(error, ERR_EXISTS,
                                  "%s belongs to the stack \"%s\"%s%s: it is not taken from there",
                                  have->physical_id, owner, has ? ", environment " : "",
                                  has ? environment : "");
    }
    adoption->tagged = strcmp(id, adoption->resource->id) == 0;
    if (adoption->tagged)
        return 0;
    return error_set(error, ERR_EXISTS,
                     "%s belongs to this stack already, as %s.%s; `was: %s` gives it another id",
                     have->physical_id, have->type->kind, id, id);
}

/* Only one thing can be this resource. */
static int check_place(const struct adoption *adoption, struct error *error)
{
    for (size_t i = 0; i < adoption->found.count; i++) {
        const struct found *other = &adoption->found.items[i];
        if (other->foreign || strcmp(other->id, adoption->resource->id) != 0 ||
            (other->type == adoption->have->type &&
             strcmp(other->physical_id, adoption->have->physical_id) == 0))
            continue;
        return error_set(error, ERR_EXISTS,
                         "%s exists already: it is %s. Give %s another id in the stack file, or "
                         "take %s away first",
                         adoption->whole, other->physical_id, adoption->have->physical_id,
                         other->physical_id);
    }
    return 0;
}

static const char *name_of_generation(const struct adoption *adoption, int generation)
{
    const struct resource *resource = adoption->resource;
    return type_name(adoption->session->arena, resource->type, adoption->session->target->identity,
                     resource->id, resource->props, generation);
}

/* The next `up` has to find it again. */
static int check_findable(const struct adoption *adoption, struct error *error)
{
    const struct resource_type *type = adoption->resource->type;
    const struct found *have = adoption->have;
    if (!(type->flags & UNLISTED) || strcmp(have->name, name_of_generation(adoption, 1)) == 0)
        return 0;
    if (adoption->session->stack && value_get(adoption->session->stack->tree, "resources") &&
        value_at(adoption->session->stack->tree,
                 arena_printf(adoption->session->arena, "resources.%s", adoption->resource->id)))
        return error_set_at(error, ERR_INPUT, adoption->resource->mark,
                            "AWS finds no %s by its tags: say `name: %s` of \"%s\" in the stack "
                            "file first",
                            type->kind, have->name, adoption->resource->id);
    return error_set(error, ERR_INPUT,
                     "AWS finds no %s by its tags, and %s bears a name that the next run would not "
                     "look for (%s is made by the stack itself, and has a name of its own)",
                     type->kind, have->name, adoption->whole);
}

/* -- what would become of it -- */

/* A name that a replacement made ends with its generation. */
static int generation_of(const struct adoption *adoption)
{
    enum { HIGHEST = 99 };
    for (int generation = 2; generation <= HIGHEST; generation++) {
        if (strcmp(adoption->have->name, name_of_generation(adoption, generation)) == 0)
            return generation;
    }
    return 1;
}

static void take(struct adoption *adoption)
{
    struct arena *arena = adoption->session->arena;
    struct found *taken = arena_new_of(arena, struct found);
    *taken = *adoption->have;
    adoption->taken = taken;
    if (adoption->tagged)
        return;
    taken->id = adoption->resource->id;
    taken->foreign = false;
    taken->generation = generation_of(adoption);
    struct value *others = value_copy(arena, adoption->have->tags);
    value_remove(others, TAG_GENERATION);
    taken->tags = identity_tags(arena, adoption->session->target->identity, taken->id,
                                taken->generation, others);
}

/* What `up` would then do with it, and with nothing else. */
static int plan_taken(struct adoption *adoption, struct plan **out, struct error *error)
{
    struct session *session = adoption->session;
    struct found_list found = {0};
    for (size_t i = 0; i < adoption->found.count; i++) {
        const struct found *one = &adoption->found.items[i];
        if (strcmp(one->id, adoption->resource->id) != 0)
            vector_push(session->arena, &found, *one);
    }
    vector_push(session->arena, &found, *adoption->taken);
    struct plan_options options = {.targets = (const char *const[]){adoption->whole, NULL}};
    int result =
        plan_make(session->arena, session->target, &session->wanted, &found, &options, out, error);
    if (result < 0)
        return result;
    size_t kept = 0;
    for (size_t i = 0; i < (*out)->step_count; i++) {
        if (strcmp((*out)->steps[i].id, adoption->resource->id) == 0)
            (*out)->steps[kept++] = (*out)->steps[i];
    }
    (*out)->step_count = kept;
    (*out)->wanted = arena_new_of(session->arena, struct resource_list); /* no notes of others */
    return 0;
}

static bool waits_for_others(const struct step *step)
{
    for (size_t i = 0; i < step->difference_count; i++) {
        if (step->differences[i].replaces && step->differences[i].why == WHY_REFERENCE)
            return true;
    }
    return false;
}

static void show(const struct adoption *adoption, const struct plan *plan)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    struct plan_style style = {.colour = adoption->session->colour_err};
    const struct step *step = plan->step_count ? &plan->steps[0] : NULL;
    if (!step) {
        fprintf(stderr, "%s is as the file says %s is to be: `up` would change nothing about it.\n",
                adoption->have->physical_id, adoption->whole);
        return;
    }
    fprintf(stderr, "As %s, the next `up` would change this about %s:\n\n", adoption->whole,
            adoption->have->physical_id);
    plan_print_text(&out, plan, &style);
    fputs(buffer_string(&out), stderr);
    buffer_free(&out);
    if (step->kind == STEP_REPLACE)
        fprintf(stderr, "It would not stay: another would take its place%s.\n",
                step->loses_data ? ", and its data would be LOST" : "");
    if (waits_for_others(step))
        fputs("It refers to what the stack does not have yet: take that in first.\n", stderr);
}

/* -- doing it -- */

static bool is_found(const struct adoption *adoption, const struct found_list *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct found *one = &found->items[i];
        if (!one->foreign && one->type == adoption->taken->type &&
            strcmp(one->id, adoption->taken->id) == 0 &&
            strcmp(one->physical_id, adoption->taken->physical_id) == 0)
            return true;
    }
    return false;
}

/* AWS's list of what bears tags lags: until it names the thing, an `up` would make another. */
static int wait_until_found(struct task *task, struct adoption *adoption, struct error *error)
{
    enum { FIRST_MS = 500, LONGEST_PAUSE_MS = 10000, LONGEST_MS = 300000 };
    struct session *session = adoption->session;
    int64_t started_ms = task_now_ms(task), pause_ms = FIRST_MS;
    for (;;) {
        struct found_list found = {0};
        int result =
            observe_all(task, session->arena, session->target, &session->wanted, &found, error);
        if (result < 0 || is_found(adoption, &found))
            return result;
        if (task_now_ms(task) - started_ms > LONGEST_MS)
            return error_set(error, ERR_TIMEOUT,
                             "%s bears the stack's tags, but AWS does not find it by them yet: run "
                             "`ragstack diff` until it knows %s, and `up` only then",
                             adoption->taken->physical_id, adoption->whole);
        if (pause_ms == FIRST_MS)
            fputs("Waiting until AWS finds it by its tags ...\n", stderr);
        result = task_sleep(task, pause_ms, error);
        if (result < 0)
            return result;
        pause_ms = 2 * pause_ms < LONGEST_PAUSE_MS ? 2 * pause_ms : LONGEST_PAUSE_MS;
    }
}

static int ask_and_tag(struct task *task, struct adoption *adoption,
                       const struct deployment *deployment, struct error *error)
{
    struct session *session = adoption->session;
    const char *question = arena_printf(session->arena, "Take %s in as %s?",
                                        adoption->have->physical_id, adoption->whole);
    int result = consent_ask(task, session, question, NULL, error);
    if (result == 0 && deployment->lease && !option_said(&session->options, "yes"))
        result = lease_confirm(task, deployment->lease, error); /* a person took their time */
    if (result == 0)
        result = apply_adopt(task, session->arena, session->target, adoption->have,
                             adoption->taken->tags, error);
    return result;
}

static int give(const struct adoption *adoption, const struct plan *plan)
{
    struct arena *arena = adoption->session->arena;
    if (!adoption->session->json) {
        printf("%s is %s now.%s\n", adoption->taken->physical_id, adoption->whole,
               plan->step_count ? " `ragstack up` makes it as the file says." : "");
        return EXIT_DONE;
    }
    struct value *document = value_set_int(arena, value_map(arena), "schema", 1);
    value_set_text(arena, document, "kind", adoption->taken->type->kind);
    value_set_text(arena, document, "id", adoption->taken->id);
    value_set_text(arena, document, "physical_id", adoption->taken->physical_id);
    value_set(arena, document, "steps", value_get(plan_to_value(arena, plan), "steps"));
    print_json(document);
    return EXIT_DONE;
}

static int run_locked(struct task *task, struct adoption *adoption,
                      const struct deployment *deployment, struct error *error)
{
    struct plan *plan;
    int result = find_thing(task, adoption, error);
    if (result < 0)
        return result;
    require(adoption->have);
    result = check_owner(adoption, error);
    if (result == 0)
        result = check_place(adoption, error);
    if (result == 0)
        result = check_findable(adoption, error);
    if (result < 0)
        return result;
    take(adoption);
    result = plan_taken(adoption, &plan, error);
    if (result < 0)
        return result;
    show(adoption, plan);
    if (!adoption->tagged)
        result = ask_and_tag(task, adoption, deployment, error);
    if (result == 0)
        result = wait_until_found(task, adoption, error);
    return result < 0 ? result : give(adoption, plan);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct deployment deployment = {0};
    struct adoption adoption = {.session = session,
                                .whole = session->options.arguments[0],
                                .called = session->options.arguments[1]};
    int result = session_expand(session, error);
    if (result == 0)
        result = find_wanted(&adoption, error);
    if (result == 0)
        result = deployment_lock(task, session, &deployment, error);
    if (result == 0)
        result = observe_all(task, session->arena, session->target, &session->wanted,
                             &adoption.found, error);
    if (result == 0)
        result = run_locked(task, &adoption, &deployment, error);
    return deployment_unlock(task, session, &deployment, result);
}

const struct command command_adopt = {
    .name = "adopt",
    .arguments = "KIND.ID CLOUD-ID",
    .summary = "Take something that exists into the stack",
    .details =
        "Shows what the next `up` would change about it, asks, and gives it the stack's tags: from "
        "then on it\nis KIND.ID of the stack file. CLOUD-ID is its id, its name or its ARN. "
        "Nothing but its tags changes\nnow. What belongs to another stack is refused.",
    .examples = "ragstack adopt ec2.vpc.vpc vpc-0a1b2c3d4e5f60718\n"
                "ragstack adopt rds.instance.database acme-production\n"
                "ragstack adopt s3.bucket.documents arn:aws:s3:::acme-papers --env prod",
    .least_arguments = 2,
    .most_arguments = 2,
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER | NEED_HANDLER,
    .run = run,
};
