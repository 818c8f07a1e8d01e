#include "tests/unit/fake_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/value/json.h"
#include "pkg/value/yaml.h"

/* -- things -- */

static int64_t now_ms(const struct fake *fake)
{
    return fake->clock.now_ms;
}

static bool alive(const struct fake *fake, const struct thing *thing)
{
    return !thing->gone_ms || thing->gone_ms > now_ms(fake);
}

static const char *id_of(const struct thing *thing)
{
    const char *id = value_text(thing->tags, TAG_ID);
    return id ? id : thing->name;
}

static struct thing *by_physical_id(struct fake *fake, const char *physical_id)
{
    for (size_t i = 0; i < fake->things.count; i++) {
        struct thing *thing = fake->things.items[i];
        if (alive(fake, thing) && strcmp(thing->physical_id, physical_id) == 0)
            return thing;
    }
    return NULL;
}

static void violate(struct fake *fake, const char *what, const char *id)
{
    buffer_printf(&fake->violations, "%lld %s %s\n", (long long)now_ms(fake), what, id);
}

/* Everything has an id like "group-000012", and nothing else looks like one. */
static bool looks_like_id(const char *text)
{
    size_t length = strlen(text);
    return length > 7 && text[length - 7] == '-' && strspn(text + length - 6, "0123456789") == 6;
}

typedef int text_visitor(struct fake *fake, const struct field *field, const char *text,
                         void *data);

static int visit_texts(struct fake *fake, const struct field *field, const struct value *value,
                       text_visitor *visitor, void *data)
{
    int result = 0;
    if (value_is(value, VALUE_STRING))
        return visitor(fake, field, value->string.text, data);
    for (size_t i = 0; value_is(value, VALUE_LIST) && i < value_count(value) && result == 0; i++)
        result = visit_texts(fake, field, value_item(value, i), visitor, data);
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value_count(value) && result == 0; i++)
        result = visit_texts(fake, field, value_entry(value, i)->value, visitor, data);
    return result;
}

/* -- what a cloud would refuse -- */

static bool is_ready(const struct fake *fake, const struct thing *thing)
{
    return !thing->broken && thing->ready_ms <= now_ms(fake);
}

static int check_reference(struct fake *fake, const struct field *field, const char *text,
                           void *data)
{
    struct error *error = data;
    if (!looks_like_id(text))
        return 0;
    const struct thing *thing = by_physical_id(fake, text);
    if (!thing) {
        violate(fake, "refers to what is not there:", text);
        return error_set(error, ERR_NOT_FOUND, "there is no %s", text);
    }
    bool complete = is_ready(fake, thing) && thing->complete_ms <= now_ms(fake);
    if (((field->flags & READY) && !is_ready(fake, thing)) ||
        ((field->flags & COMPLETE) && !complete)) {
        violate(fake, "refers too early to", text);
        return error_set(error, ERR_CONFLICT, "%s is not ready", text);
    }
    return 0;
}

static int check_references(struct fake *fake, const struct resource_type *type,
                            const struct value *props, struct error *error)
{
    int result = 0;
    for (const struct field *field = type->fields; field->name && result == 0; field++) {
        if (!(field->flags & COMPUTED))
            result =
                visit_texts(fake, field, value_get(props, field->name), check_reference, error);
    }
    return result;
}

static int check_name(struct fake *fake, const struct resource_type *type, const char *name,
                      struct error *error)
{
    for (size_t i = 0; i < fake->things.count && (type->flags & NAMED); i++) {
        const struct thing *thing = fake->things.items[i];
        if (alive(fake, thing) && thing->type == type && strcmp(thing->name, name) == 0)
            return error_set(error, ERR_EXISTS, "%s exists", name);
    }
    return 0;
}

static int is_same_text(struct fake *fake, const struct field *field, const char *text, void *data)
{
    (void)fake, (void)field;
    return strcmp(text, data) == 0;
}

static int check_unused(struct fake *fake, const struct thing *goes, struct error *error)
{
    for (size_t i = 0; i < fake->things.count; i++) {
        const struct thing *thing = fake->things.items[i];
        if (!alive(fake, thing) || thing == goes)
            continue;
        for (const struct field *field = thing->type->fields; field->name; field++) {
            bool holds =
                !(field->flags & COMPUTED) && (!(field->flags & LATE) || (field->flags & BLOCKS));
            if (!holds || !visit_texts(fake, field, value_get(thing->props, field->name),
                                       is_same_text, (void *)goes->physical_id))
                continue;
            violate(fake, "removes what is in use:", id_of(goes));
            return error_set(error, ERR_CONFLICT, "%s is in use by %s", id_of(goes), id_of(thing));
        }
    }
    return 0;
}

/* -- faults -- */

static struct fault *fault_of(struct fake *fake, const char *call, const char *id)
{
    for (size_t i = 0; i < fake->faults.count; i++) {
        struct fault *fault = &fake->faults.items[i];
        if (fault->times > 0 && strcmp(fault->verb, call) == 0 && strcmp(fault->id, id) == 0)
            return fault;
    }
    return NULL;
}

/* Begins a changing call: logs it, lets its time pass, and says whether it is to be done at all. */
static int begin_call(struct task *task, struct fake *fake, const char *call, const char *id,
                      struct error *error)
{
    struct fault *fault = fault_of(fake, call, id);
    fake->calls++;
    if (fake->dies_at && fake->calls >= fake->dies_at + fake->last_takes_effect)
        return error_set(error, ERR_FAILED, "the process died");
    buffer_printf(&fake->log, "%lld %s %s\n", (long long)now_ms(fake), call, id);
    if (task_sleep(task, FAKE_CALL_MS, error) < 0)
        return ERR_CANCELLED;
    if (!fault || fault->after)
        return 0;
    fault->times--;
    return error_set(error, fault->code, "%s of %s fails as wanted", call, id);
}

/* Ends a call that was done: is its reply lost? */
static int end_call(struct fake *fake, const char *call, const char *id, struct error *error)
{
    struct fault *fault = fault_of(fake, call, id);
    if (fake->dies_at && fake->calls >= fake->dies_at)
        return error_set(error, ERR_FAILED, "the process died");
    if (!fault || !fault->after)
        return 0;
    fault->times--;
    return error_set(error, fault->code, "the reply of %s %s is lost as wanted", call, id);
}

/* -- the verbs, the same for every kind -- */

static void compute(struct fake *fake, const struct thing *thing, struct value *props)
{
    const struct wait *ready = &thing->type->ready, *complete = &thing->type->complete;
    value_set_text(fake->arena, props, "id", thing->physical_id);
    if (ready->field)
        value_set_text(fake->arena, props, ready->field,
                       thing->gone_ms          ? "deleting"
                       : thing->broken         ? "failed"
                       : is_ready(fake, thing) ? ready->wanted
                                               : "creating");
    if (ready->reason && thing->broken)
        value_set_text(fake->arena, props, ready->reason, "no capacity");
    if (complete->field)
        value_set_text(fake->arena, props, complete->field,
                       thing->complete_ms <= now_ms(fake) ? complete->wanted : "connecting");
    if (thing->type == &fake_database && is_ready(fake, thing))
        value_set_text(fake->arena, props, "endpoint",
                       arena_printf(fake->arena, "%s.fake", thing->physical_id));
    if (thing->type == &fake_function)
        value_set_text(fake->arena, props, "arn",
                       arena_printf(fake->arena, "arn:fake:r1:1:%s", thing->name));
}

static const struct wanted_name *wanted_name(const struct observation *observation,
                                             const char *name)
{
    for (size_t i = 0; i < observation->wanted_count; i++) {
        if (strcmp(observation->wanted[i].name, name) == 0)
            return &observation->wanted[i];
    }
    return NULL;
}

static void show(struct observation *observation, const struct thing *thing)
{
    struct fake *fake = observation->target;
    struct found found = {.physical_id = thing->physical_id,
                          .name = thing->name,
                          .props = value_copy(fake->arena, thing->props),
                          .tags = thing->type->flags & NO_TAGS ? NULL : thing->tags,
                          .generation = 1};
    const struct wanted_name *name = wanted_name(observation, thing->name);
    if (identity_owns(&fake->identity, thing->tags, &found.id, &found.generation)) {
        compute(fake, thing, found.props);
        observation->add(observation, &found);
    } else if (name && (thing->type->flags & NAMED)) {
        found.id = name->id;
        found.generation = name->generation;
        found.foreign = true;
        compute(fake, thing, found.props);
        observation->add(observation, &found);
    }
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct fake *fake = observation->target;
    struct fault *fault = fault_of(fake, "observe", observation->type->kind);
    if (task_yield(task, error) < 0)
        return ERR_CANCELLED;
    if (fault && fake->looks_before_faults-- <= 0) {
        fault->times--;
        return error_set(error, fault->code, "no look at %s as wanted", observation->type->kind);
    }
    for (size_t i = 0; i < fake->things.count; i++) {
        const struct thing *thing = fake->things.items[i];
        if (thing->type == observation->type && alive(fake, thing) &&
            thing->born_ms + fake->shows_late_ms <= now_ms(fake))
            show(observation, thing);
    }
    return 0;
}

/* As the cloud makes it: AFTER and LATE fields at their unset values, sticky ones chosen. */
static struct value *props_at_first(struct fake *fake, const struct resource_type *type,
                                    const struct value *want)
{
    struct value *props = value_copy(fake->arena, want);
    for (const struct field *field = type->fields; field->name; field++) {
        if (field->flags & (AFTER | LATE))
            value_set(fake->arena, props, field->name, field_unset(fake->arena, field));
        if (field->flags & WRITE_ONLY)
            value_remove(props, field->name);
        if ((field->flags & STICKY) && !value_get(props, field->name))
            value_set_text(fake->arena, props, field->name, "chosen");
    }
    return props;
}

static struct thing *add_thing(struct fake *fake, const struct resource_type *type,
                               const char *name)
{
    struct thing *thing = arena_new_of(fake->arena, struct thing);
    const char *word = strchr(type->kind, '.') + 1;
    thing->type = type;
    thing->physical_id = arena_printf(fake->arena, "%s-%06d", word, ++fake->next_number);
    thing->name = name ? arena_strdup(fake->arena, name) : thing->physical_id;
    thing->born_ms = now_ms(fake);
    thing->ready_ms = thing->born_ms + (int64_t)type->ready.typical_s * 1000;
    thing->complete_ms = thing->ready_ms + (int64_t)type->complete.typical_s * 1000;
    vector_push(fake->arena, &fake->things, thing);
    return thing;
}

static void check_no_twin(struct fake *fake, const struct action *action)
{
    for (size_t i = 0; i < fake->things.count; i++) {
        const struct thing *thing = fake->things.items[i];
        const char *id;
        int generation;
        if (alive(fake, thing) && thing->type == action->type &&
            identity_owns(&fake->identity, thing->tags, &id, &generation) &&
            strcmp(id, action->id) == 0 && generation == action->generation)
            violate(fake, "makes a second", action->id);
    }
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct fake *fake = action->target;
    int result = begin_call(task, fake, "create", action->id, error);
    if (result == 0)
        result = check_name(fake, action->type, action->name, error);
    struct value *props = props_at_first(fake, action->type, action->want);
    if (result == 0)
        result = check_references(fake, action->type, props, error);
    if (result < 0)
        return result;
    check_no_twin(fake, action);
    struct thing *thing =
        add_thing(fake, action->type, action->type->flags & NAMED ? action->name : NULL);
    thing->props = props;
    thing->tags = value_copy(fake->arena, action->tags); /* seen only where the kind has tags */
    result = end_call(fake, "create", action->id, error);
    if (result < 0)
        return result;
    action->physical_id = thing->physical_id;
    value_set_text(fake->arena, action->made, "id", thing->physical_id);
    return 0;
}

static struct thing *ours(struct fake *fake, const struct action *action, struct error *error)
{
    struct thing *thing = by_physical_id(fake, action->have->physical_id);
    if (!thing)
        error_set(error, ERR_NOT_FOUND, "there is no %s", action->have->physical_id);
    else if (!identity_owns(&fake->identity, thing->tags, NULL, NULL))
        violate(fake, "touches somebody else's", thing->name);
    return thing;
}

static int update(struct task *task, struct action *action, struct error *error)
{
    struct fake *fake = action->target;
    int result = begin_call(task, fake, "update", action->id, error);
    struct thing *thing = result == 0 ? ours(fake, action, error) : NULL;
    if (!thing)
        return result < 0 ? result : ERR_NOT_FOUND;
    struct value *props = value_copy(fake->arena, thing->props);
    for (size_t i = 0; i < action->change_count; i++) {
        const struct change *change = &action->changes[i];
        if (change->field->flags & (COMPUTED | REPLACE))
            violate(fake, "updates what cannot be:", change->field->name);
        value_set(fake->arena, props, change->field->name, value_copy(fake->arena, change->after));
        if (change->field->flags & LATE)
            thing->complete_ms = now_ms(fake) + (int64_t)thing->type->complete.typical_s * 1000;
    }
    result = check_references(fake, action->type, props, error);
    if (result < 0)
        return result;
    thing->props = props;
    return end_call(fake, "update", action->id, error);
}

static int retag(struct task *task, struct action *action, struct error *error)
{
    struct fake *fake = action->target;
    int result = begin_call(task, fake, "retag", action->id, error);
    struct thing *thing = result == 0 ? ours(fake, action, error) : NULL;
    if (!thing)
        return result < 0 ? result : ERR_NOT_FOUND;
    struct value *tags = value_copy(fake->arena, action->tags);
    for (size_t i = 0; i < value_count(thing->tags); i++) {
        const struct value_entry *entry = value_entry(thing->tags, i);
        if (strncmp(entry->key, "aws:", 4) == 0)
            value_set(fake->arena, tags, entry->key, entry->value);
    }
    thing->tags = tags;
    return end_call(fake, "retag", action->id, error);
}

static int remove_thing(struct task *task, struct action *action, struct error *error)
{
    struct fake *fake = action->target;
    int result = begin_call(task, fake, "remove", action->id, error);
    struct thing *thing = result == 0 ? ours(fake, action, error) : NULL;
    if (!thing)
        return result;
    result = thing->gone_ms ? 0 : check_unused(fake, thing, error);
    if (result < 0)
        return result;
    if (action->type->flags & HOLDS_DATA)
        buffer_printf(&fake->log, "%lld %s %s\n", (long long)now_ms(fake),
                      action->keep_data ? "snapshot" : "discard", action->id);
    if (!thing->gone_ms)
        thing->gone_ms = now_ms(fake) + (int64_t)thing->type->gone.typical_s * 1000;
    return end_call(fake, "remove", action->id, error);
}

/* -- the kinds -- */

#define ID                                                    \
    {                                                         \
        .name = "id", .type = FIELD_STRING, .flags = COMPUTED \
    }

static const struct field network_fields[] = {
    ID,
    {.name = "cidr", .type = FIELD_STRING, .flags = REQUIRED | REPLACE},
    {.name = "dns", .type = FIELD_BOOL, .flags = AFTER, .unset = "false"},
    {.name = "label", .type = FIELD_STRING},
    {.name = "zones", .type = FIELD_LIST, .flags = UNORDERED, .unset = "[]"},
    {0},
};
const struct resource_type fake_network = {.kind = "fake.network",
                                           .fields = network_fields,
                                           .observe = observe,
                                           .create = create,
                                           .update = update,
                                           .remove = remove_thing,
                                           .retag = retag};

static const struct field rule_fields[] = {
    {.name = "id", .type = FIELD_STRING, .flags = REQUIRED},
    {.name = "port", .type = FIELD_INT, .unset = "443"},
    {.name = "peer", .type = FIELD_STRING},
    {0},
};
static const struct field group_fields[] = {
    ID,
    {.name = "network", .type = FIELD_STRING, .flags = REPLACE},
    {.name = "title", .type = FIELD_STRING, .flags = REPLACE, .unset = "\"\""},
    {.name = "rules",
     .type = FIELD_LIST,
     .flags = LATE | BLOCKS,
     .key = "id",
     .fields = rule_fields,
     .unset = "[]"},
    {0},
};
const struct resource_type fake_group = {.kind = "fake.group",
                                         .flags = NAMED,
                                         .fields = group_fields,
                                         .observe = observe,
                                         .create = create,
                                         .update = update,
                                         .remove = remove_thing,
                                         .retag = retag};

static const struct field database_fields[] = {
    ID,
    {.name = "class", .type = FIELD_STRING, .unset = "\"small\""},
    {.name = "version", .type = FIELD_STRING, .flags = AT_LEAST, .unset = "\"17\""},
    {.name = "size", .type = FIELD_INT, .flags = GROWS, .unset = "10"},
    {.name = "encryption", .type = FIELD_STRING, .flags = DATA, .unset = "\"on\""},
    {.name = "groups", .type = FIELD_LIST, .flags = UNORDERED, .unset = "[]"},
    {.name = "zone", .type = FIELD_STRING, .flags = STICKY},
    {.name = "password", .type = FIELD_STRING, .flags = WRITE_ONLY},
    {.name = "status", .type = FIELD_STRING, .flags = COMPUTED},
    {.name = "reason", .type = FIELD_STRING, .flags = COMPUTED},
    {.name = "endpoint", .type = FIELD_STRING, .flags = COMPUTED | READY},
    {0},
};
const struct resource_type fake_database = {.kind = "fake.database",
                                            .flags = NAMED | HOLDS_DATA,
                                            .fields = database_fields,
                                            .observe = observe,
                                            .create = create,
                                            .update = update,
                                            .remove = remove_thing,
                                            .retag = retag,
                                            .ready = {.field = "status",
                                                      .wanted = "available",
                                                      .failing = "failed|lost",
                                                      .reason = "reason",
                                                      .typical_s = 600,
                                                      .longest_s = 1800},
                                            .gone = {.typical_s = 300, .longest_s = 1200}};

static const struct field proxy_fields[] = {
    ID,
    {.name = "database", .type = FIELD_STRING, .flags = REPLACE | READY},
    {.name = "groups", .type = FIELD_LIST, .flags = LATE, .unset = "[]"},
    {.name = "health", .type = FIELD_STRING, .flags = COMPUTED},
    {0},
};
const struct resource_type fake_proxy = {
    .kind = "fake.proxy",
    .flags = NAMED,
    .fields = proxy_fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_thing,
    .retag = retag,
    .complete = {.field = "health", .wanted = "good", .typical_s = 120, .longest_s = 600}};

static const struct field permission_fields[] = {
    {.name = "id", .type = FIELD_STRING, .flags = REQUIRED},
    {.name = "source", .type = FIELD_STRING},
    {0},
};
static const struct field function_fields[] = {
    ID,
    {.name = "code", .type = FIELD_STRING, .flags = REQUIRED},
    {.name = "environment", .type = FIELD_MAP, .unset = "{}"},
    {.name = "calls", .type = FIELD_STRING, .flags = COMPLETE},
    {.name = "group", .type = FIELD_STRING},
    {.name = "permissions",
     .type = FIELD_LIST,
     .flags = LATE,
     .key = "id",
     .fields = permission_fields,
     .unset = "[]"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED},
    {0},
};
static const char *const function_computed[] = {"arn=arn:fake:{region}:{account}:{name}", NULL};
const struct resource_type fake_function = {.kind = "fake.function",
                                            .flags = NAMED,
                                            .fields = function_fields,
                                            .observe = observe,
                                            .create = create,
                                            .update = update,
                                            .remove = remove_thing,
                                            .retag = retag,
                                            .computed_by_name = function_computed};

static const struct field gateway_fields[] = {
    ID,
    {.name = "network", .type = FIELD_STRING, .flags = REPLACE},
    {.name = "address", .type = FIELD_STRING, .flags = REPLACE},
    {.name = "through", .type = FIELD_STRING},
    {.name = "state", .type = FIELD_STRING, .flags = COMPUTED},
    {0},
};
const struct resource_type fake_gateway = {
    .kind = "fake.gateway",
    .flags = DELETE_FIRST,
    .fields = gateway_fields,
    .observe = observe,
    .create = create,
    .update = update,
    .remove = remove_thing,
    .retag = retag,
    .ready = {.field = "state", .wanted = "up", .typical_s = 60, .longest_s = 300},
    .gone = {.typical_s = 60, .longest_s = 300}};

static const struct field log_fields[] = {
    ID,
    {.name = "days", .type = FIELD_INT, .unset = "14"},
    {0},
};
const struct resource_type fake_log = {.kind = "fake.log",
                                       .flags = NAMED | NO_TAGS,
                                       .fields = log_fields,
                                       .observe = observe,
                                       .create = create,
                                       .remove = remove_thing};

static const struct resource_type *const types[] = {
    &fake_network,  &fake_group,   &fake_database, &fake_proxy,
    &fake_function, &fake_gateway, &fake_log,      NULL,
};

/* -- the target -- */

struct fake *fake_new(void)
{
    struct fake *fake = calloc(1, sizeof *fake);
    fake->arena = arena_new();
    clock_virtual(&fake->clock, 1700000000000);
    fake->loop = loop_new(&fake->clock.clock);
    fake->identity = (struct identity){.target = "fake",
                                       .partition = "fake",
                                       .account = "1",
                                       .region = "r1",
                                       .stack = "acme",
                                       .environment = "dev"};
    fake->target =
        (struct target){.name = "fake", .types = types, .data = fake, .identity = &fake->identity};
    fake->log = BUFFER(BUFFER_LARGE);
    fake->violations = BUFFER(BUFFER_LARGE);
    return fake;
}

void fake_free(struct fake *fake)
{
    if (fake->violations.length)
        fail_msg("violations:\n%s", buffer_string(&fake->violations));
    loop_free(fake->loop);
    buffer_free(&fake->log);
    buffer_free(&fake->violations);
    arena_free(fake->arena);
    free(fake);
}

void fake_fail(struct fake *fake, const char *call, const char *id, int times, int code, bool after)
{
    vector_push(fake->arena, &fake->faults, ((struct fault){call, id, times, code, after}));
}

struct thing *fake_add_foreign(struct fake *fake, const struct resource_type *type,
                               const char *name)
{
    struct thing *thing = add_thing(fake, type, name);
    thing->props = type_fill(fake->arena, type, NULL);
    return thing;
}

/* -- stacks -- */

static void add_resource(struct fake *fake, struct resource_list *list,
                         const struct value_entry *entry)
{
    struct resource resource = {.id = entry->key,
                                .type =
                                    target_type(&fake->target, value_text(entry->value, "kind")),
                                .was = value_text(entry->value, "was"),
                                .tags = value_get(entry->value, "tags"),
                                .props = value_copy(fake->arena, entry->value),
                                .mark = entry->mark};
    if (!resource.type)
        fail_msg("%s has no kind", entry->key);
    static const char *const others[] = {"kind", "was", "tags"};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        value_remove(resource.props, others[i]);
    vector_push(fake->arena, list, resource);
}

struct resource_list fake_stack(struct fake *fake, const char *yaml)
{
    struct resource_list list = {0};
    struct value *stack;
    struct error error;
    if (yaml_parse(fake->arena, yaml, strlen(yaml), "stack.yaml", &stack, &error) < 0)
        fail_msg("%s", error.message);
    for (size_t i = 0; i < value_count(stack); i++)
        add_resource(fake, &list, value_entry(stack, i));
    return list;
}

/* -- planning and applying -- */

struct deployment {
    struct fake *fake;
    const struct resource_list *wanted;
    const struct plan_options *planning;
    const struct apply_options *applying; /* NULL: only plan */
};

static int deploy(struct task *task, void *argument, struct error *error)
{
    struct deployment *deployment = argument;
    struct fake *fake = deployment->fake;
    struct found_list found = {0};
    int result = observe_all(task, fake->arena, &fake->target, deployment->wanted, &found, error);
    if (result == 0)
        result = plan_make(fake->arena, &fake->target, deployment->wanted, &found,
                           deployment->planning, &fake->plan, error);
    if (result == 0 && deployment->applying)
        result =
            apply_run(task, fake->arena, fake->plan, deployment->applying, &fake->result, error);
    return result;
}

static int run_deployment(struct fake *fake, const char *yaml, const struct plan_options *planning,
                          const struct apply_options *applying)
{
    struct resource_list *wanted = arena_new_of(fake->arena, struct resource_list);
    *wanted = fake_stack(fake, yaml);
    struct deployment deployment = {fake, wanted, planning, applying};
    fake->plan = NULL;
    fake->result = (struct apply_result){0};
    fake->error = (struct error){0};
    return loop_run_task(fake->loop, "up", deploy, &deployment, &fake->error);
}

int fake_plan(struct fake *fake, const char *yaml, const struct plan_options *options)
{
    return run_deployment(fake, yaml, options, NULL);
}

int fake_apply(struct fake *fake, const char *yaml, const struct plan_options *planning,
               const struct apply_options *applying)
{
    return run_deployment(fake, yaml, planning, applying);
}

/* Consent for everything in the stack and in the cloud. */
static const char *const *all_ids(struct fake *fake, const char *yaml)
{
    struct resource_list list = fake_stack(fake, yaml);
    const char **ids = arena_array(fake->arena, list.count + fake->things.count + 1, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        ids[count++] = list.items[i].id;
    for (size_t i = 0; i < fake->things.count; i++)
        ids[count++] = id_of(fake->things.items[i]);
    return ids;
}

int fake_up(struct fake *fake, const char *yaml)
{
    struct apply_options options = {.allow_data_loss = all_ids(fake, yaml)};
    return run_deployment(fake, yaml, NULL, &options);
}

int fake_down(struct fake *fake, const char *yaml)
{
    struct plan_options planning = {.down = true};
    struct apply_options options = {.allow_data_loss = all_ids(fake, yaml)};
    return run_deployment(fake, yaml, &planning, &options);
}

static void fail_with_failures(struct fake *fake, int result)
{
    for (size_t i = 0; i < fake->result.failure_count; i++)
        print_message("%s: %s\n", fake->result.failures[i].step->id,
                      fake->result.failures[i].error.message);
    fail_msg("%d: %s\n%s", result, fake->error.message, buffer_string(&fake->log));
}

void fake_must_up(struct fake *fake, const char *yaml)
{
    int result = fake_up(fake, yaml);
    if (result != 0)
        fail_with_failures(fake, result);
    struct plan *plan = fake->plan;
    struct apply_result applied = fake->result;
    result = fake_plan(fake, yaml, NULL);
    if (result != 0)
        fail_with_failures(fake, result);
    if (fake->plan->step_count)
        fail_msg("after up there is still to do: %s", fake_steps(fake));
    fake->plan = plan;
    fake->result = applied;
}

void fake_must_down(struct fake *fake, const char *yaml)
{
    int result = fake_down(fake, yaml);
    if (result != 0)
        fail_with_failures(fake, result);
    for (size_t i = 0; i < fake->things.count; i++) {
        const struct thing *thing = fake->things.items[i];
        if (alive(fake, thing) && identity_owns(&fake->identity, thing->tags, NULL, NULL))
            fail_msg("%s is left", id_of(thing));
    }
}

/* -- looking at what came of it -- */

const char *fake_steps(struct fake *fake)
{
    static const char *const words[] = {[STEP_CREATE] = "create",
                                        [STEP_UPDATE] = "update",
                                        [STEP_REPLACE] = "replace",
                                        [STEP_DELETE] = "delete"};
    struct buffer text = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < fake->plan->step_count; i++)
        buffer_printf(&text, "%s%s %s", i ? ", " : "", words[fake->plan->steps[i].kind],
                      fake->plan->steps[i].id);
    const char *result = arena_strdup(fake->arena, buffer_string(&text));
    buffer_free(&text);
    return result;
}

const char *fake_calls(struct fake *fake)
{
    struct buffer text = BUFFER(BUFFER_LARGE);
    char *lines = arena_strdup(fake->arena, buffer_string(&fake->log)), *save = NULL;
    for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        buffer_printf(&text, "%s%s", text.length ? ", " : "", strchr(line, ' ') + 1);
    const char *result = arena_strdup(fake->arena, buffer_string(&text));
    buffer_free(&text);
    buffer_reset(&fake->log);
    return result;
}

int64_t fake_time_of(struct fake *fake, const char *wanted)
{
    char *lines = arena_strdup(fake->arena, buffer_string(&fake->log)), *save = NULL;
    int64_t time_ms = -1;
    for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strcmp(strchr(line, ' ') + 1, wanted) != 0)
            continue;
        if (time_ms >= 0)
            fail_msg("\"%s\" is twice in\n%s", wanted, buffer_string(&fake->log));
        time_ms = strtoll(line, NULL, 10);
    }
    if (time_ms < 0)
        fail_msg("no \"%s\" in\n%s", wanted, buffer_string(&fake->log));
    return time_ms;
}

struct thing *fake_find(struct fake *fake, const char *id)
{
    for (size_t i = fake->things.count; i-- > 0;) {
        struct thing *thing = fake->things.items[i];
        if (alive(fake, thing) && strcmp(id_of(thing), id) == 0)
            return thing;
    }
    return NULL;
}

const char *fake_text(struct fake *fake, const char *id, const char *path)
{
    struct thing *thing = fake_find(fake, id);
    if (!thing)
        fail_msg("there is no %s", id);
    const struct value *value = value_at(thing->props, path);
    const char *text = value_as_text(fake->arena, value);
    return text ? text : value ? json_text(fake->arena, value) : "absent";
}

int fake_count(struct fake *fake)
{
    int count = 0;
    for (size_t i = 0; i < fake->things.count; i++)
        count += alive(fake, fake->things.items[i]);
    return count;
}
