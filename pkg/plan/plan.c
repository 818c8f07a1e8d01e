/* The pure part: from wanted and found to steps. */
#include "pkg/plan/plan.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/hex.h"
#include "pkg/plan/internal.h"
#include "pkg/value/json.h"

/* -- who is who -- */

static int index_wanted(struct planning *planning, const struct resource_list *wanted,
                        struct error *error)
{
    planning->entries = arena_array(planning->arena, wanted->count + 1, sizeof *planning->entries);
    planning->by_id = map_in(planning->arena);
    planning->by_former_id = map_in(planning->arena);
    for (size_t i = 0; i < wanted->count; i++) {
        struct resource *resource = &wanted->items[i];
        struct entry *entry = &planning->entries[planning->count++];
        entry->resource = resource;
        if (strcmp(resource->id, STACK_REFERENCE) == 0)
            return error_set_at(error, ERR_INPUT, resource->mark,
                                "the id \"" STACK_REFERENCE "\" is taken: ${stack.account} and its "
                                "like stand for the stack itself");
        const struct entry *other = map_get(&planning->by_id, resource->id);
        if (other)
            return error_set_at(error, ERR_INPUT, resource->mark,
                                "two resources have the id \"%s\" (%s and %s): ids are unique in a "
                                "stack",
                                resource->id, other->resource->type->kind, resource->type->kind);
        map_put(&planning->by_id, resource->id, entry);
        if (resource->was)
            map_put(&planning->by_former_id, resource->was, entry);
        int result = resource_references(planning->arena, resource, &entry->references, error);
        if (result < 0)
            return result;
    }
    return 0;
}

/* -- references that lead nowhere -- */

struct reference_checker {
    struct arena *arena;
    struct map by_id; /* id -> const struct resource * */
    fault_report *report;
    void *data;
    int faults;
};

static void unknown_id(struct reference_checker *checker, const struct reference *reference)
{
    const char **names = arena_array(checker->arena, checker->by_id.count + 1, sizeof *names);
    for (size_t i = 0; i < checker->by_id.count; i++)
        names[i] = checker->by_id.entries[i].key;
    const char *nearest = nearest_name(reference->id, names);
    checker->faults++;
    checker->report(checker->data, reference->mark,
                    arena_printf(checker->arena, "${%s.%s}: there is no resource \"%s\"%s%s%s",
                                 reference->id, reference->attribute, reference->id,
                                 nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                                 nearest ? "\"?" : ""));
}

static void unknown_attribute(struct reference_checker *checker, const struct reference *reference,
                              const struct resource_type *type)
{
    size_t count = 0;
    while (type->fields[count].name)
        count++;
    const char **names = arena_array(checker->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = type->fields[i].name;
    const char *nearest = nearest_name(reference->attribute, names);
    checker->faults++;
    checker->report(checker->data, reference->mark,
                    arena_printf(checker->arena, "${%s.%s}: %s has no attribute \"%s\"%s%s%s",
                                 reference->id, reference->attribute, type->kind,
                                 reference->attribute, nearest ? "; did you mean \"" : "",
                                 nearest ? nearest : "",
                                 nearest ? "\"?" : "; see `ragstack explain`"));
}

static void check_reference(struct reference_checker *checker, const struct reference *reference)
{
    const struct resource *to = map_get(&checker->by_id, reference->id);
    bool common =
        strcmp(reference->attribute, "id") == 0 || strcmp(reference->attribute, "name") == 0;
    if (strcmp(reference->id, STACK_REFERENCE) == 0)
        return;
    if (!to)
        unknown_id(checker, reference);
    else if (!common && !type_field(to->type, reference->attribute))
        unknown_attribute(checker, reference, to->type);
}

int plan_check_references(struct arena *arena, const struct resource_list *wanted,
                          fault_report *report, void *data)
{
    struct reference_checker checker = {
        .arena = arena, .by_id = map_in(arena), .report = report, .data = data};
    for (size_t i = 0; i < wanted->count; i++)
        map_put(&checker.by_id, wanted->items[i].id, &wanted->items[i]);
    for (size_t i = 0; i < wanted->count; i++) {
        struct reference_list list = {0};
        struct error error = {0};
        const struct resource *resource = &wanted->items[i];
        if (resource_references(arena, resource, &list, &error) < 0) {
            struct mark mark = {resource->mark.file, error.line, error.column};
            report(data, error.line ? mark : resource->mark, arena_strdup(arena, error.message));
            checker.faults++;
        }
        for (size_t j = 0; j < list.count; j++)
            check_reference(&checker, &list.items[j]);
    }
    return checker.faults;
}

/* Keeps the first. */
static void keep_fault(void *data, struct mark mark, const char *message)
{
    struct error *error = data;
    if (!error->code)
        error_set_at(error, ERR_INPUT, mark, "%s", message);
}

static int check_references(struct arena *arena, const struct resource_list *wanted,
                            struct error *error)
{
    struct error first = {0};
    if (!plan_check_references(arena, wanted, keep_fault, &first))
        return 0;
    if (error)
        *error = first;
    return ERR_INPUT;
}

static struct entry *entry_in(const struct map *entries, const struct found *found)
{
    struct entry *entry = map_get(entries, found->id);
    return entry && entry->resource->type == found->type ? entry : NULL;
}

static bool mentions(const struct value *value, const char *text)
{
    if (value_is(value, VALUE_STRING))
        return strcmp(value->string.text, text) == 0;
    for (size_t i = 0; i < value_count(value); i++) {
        if (mentions(value_is(value, VALUE_MAP) ? value_entry(value, i)->value
                                                : value_item(value, i),
                     text))
            return true;
    }
    return false;
}

static int referrers(const struct found_list *all, const struct found *to)
{
    int count = 0;
    for (size_t i = 0; to->physical_id && i < all->count; i++)
        count += &all->items[i] != to && mentions(all->items[i].props, to->physical_id);
    return count;
}

/* The highest generation is the current one; what it superseded is left over from a replacement
 * that did not come to its end. Of two of one generation (the cloud told of the first too late, and
 * it was made again) that one stays which the others stand on. */
static void take_found(struct planning *planning, struct entry *entry, const struct found *found,
                       const struct found_list *all)
{
    const struct found *superseded = found;
    if (!entry->found || entry->found->generation < found->generation ||
        (entry->found->generation == found->generation &&
         referrers(all, found) > referrers(all, entry->found))) {
        superseded = entry->found;
        entry->found = found;
    }
    if (superseded)
        vector_push(planning->arena, &planning->leftover, superseded);
}

/* What stands under a former id is taken only when nothing stands under the new one. */
static void match_found(struct planning *planning, const struct found_list *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct found *one = &found->items[i];
        struct entry *entry = entry_in(&planning->by_id, one);
        if (entry && one->foreign)
            entry->foreign = one;
        else if (entry)
            take_found(planning, entry, one, found);
    }
    for (size_t i = 0; i < found->count; i++) {
        const struct found *one = &found->items[i];
        struct entry *entry = entry_in(&planning->by_former_id, one);
        if (one->foreign || entry_in(&planning->by_id, one))
            continue;
        if (entry && !(entry->found && entry_in(&planning->by_id, entry->found)))
            take_found(planning, entry, one, found);
        else
            vector_push(planning->arena, &planning->leftover, one);
    }
}

/* -- the order in which things become known -- */

/* One that is being looked at, and which of its references comes next. */
struct visited {
    struct entry *entry;
    size_t next;
};

/* The next resource that has to be known first; NULL: none. */
static struct entry *next_needed(struct planning *planning, struct visited *visited)
{
    const struct reference_list *references = &visited->entry->references;
    while (visited->next < references->count) {
        const struct reference *reference = &references->items[visited->next++];
        struct entry *to = map_get(&planning->by_id, reference->id);
        if (to && to->visit != VISITED && !(reference->field && (reference->field->flags & LATE)))
            return to;
    }
    return NULL;
}

/* A policy may name what it stands at: what the name tells is known before the thing is made. */
static int check_self(const struct planning *planning, const struct reference *reference,
                      const struct entry *entry, struct error *error)
{
    if (type_predict(planning->arena, entry->resource->type, planning->target->identity, "",
                     reference->attribute))
        return 0;
    return error_set_at(
        error, ERR_INPUT, reference->mark,
        "${%s.%s}: \"%s\" refers to itself, and this is known only after it is made", reference->id,
        reference->attribute, reference->id);
}

/* Compares it after all that it needs. Without recursion: a chain may be long, and a stack is
 * small. */
static int visit(struct planning *planning, struct entry *first, struct visited *stack,
                 struct error *error)
{
    size_t depth = 0;
    first->visit = VISITING;
    stack[depth++] = (struct visited){first, 0};
    while (depth) {
        struct visited *top = &stack[depth - 1];
        struct entry *to = next_needed(planning, top);
        const struct reference *by = to ? &top->entry->references.items[top->next - 1] : NULL;
        if (to && to == top->entry) {
            int result = check_self(planning, by, to, error);
            if (result < 0)
                return result;
            continue;
        }
        if (to && to->visit == VISITING)
            return error_set_at(error, ERR_INPUT, by->mark,
                                "\"%s\" and \"%s\" need each other: neither can be made first",
                                top->entry->resource->id, to->resource->id);
        if (to) {
            to->visit = VISITING;
            stack[depth++] = (struct visited){to, 0};
            continue;
        }
        entry_compare(planning, top->entry, false);
        top->entry->visit = VISITED;
        depth--;
    }
    return 0;
}

static int compare_all(struct planning *planning, struct error *error)
{
    struct visited *stack = arena_array(planning->arena, planning->count + 1, sizeof *stack);
    for (size_t i = 0; i < planning->count; i++) {
        struct entry *entry = &planning->entries[i];
        int result = entry->visit == VISITED ? 0 : visit(planning, entry, stack, error);
        if (result < 0)
            return result;
    }
    for (size_t i = 0; i < planning->count; i++) {
        entry_compare(planning, &planning->entries[i], true);
        entry_compare_tags(planning, &planning->entries[i]);
    }
    return 0;
}

/* -- steps -- */

static const char *why_create(const struct planning *planning, const struct entry *entry,
                              bool *drift)
{
    *drift = planning->options &&
             value_get(planning->options->last_applied, entry->resource->id) != NULL;
    return *drift ? "it was deployed, and is gone" : "it does not exist yet";
}

static const char *why_replace(struct planning *planning, const struct entry *entry)
{
    for (size_t i = 0; i < entry->differences.count; i++) {
        const struct difference *difference = &entry->differences.items[i];
        if (difference->replaces)
            return arena_printf(planning->arena, "%s cannot change in place",
                                difference->change.path);
    }
    return "";
}

/* The id under which it stood; NULL when that is its own. */
static const char *former_id(const struct entry *entry)
{
    bool same = !entry->found || strcmp(entry->found->id, entry->resource->id) == 0;
    return same ? NULL : entry->found->id;
}

/* A new id alone shows in the tag that tells it. */
static bool only_id_differs(const struct entry *entry)
{
    const struct difference *first = &entry->differences.items[0];
    if (entry->differences.count != 1 || first->change.field)
        return false;
    size_t differing = 0;
    for (size_t i = 0; i < value_count(first->change.after); i++) {
        const struct value_entry *tag = value_entry(first->change.after, i);
        differing += !value_equal(tag->value, value_get(first->change.before, tag->key));
    }
    return differing == 1 && value_count(first->change.before) == value_count(first->change.after);
}

static const char *why_update(struct planning *planning, const struct entry *entry, bool drift)
{
    const struct difference *first = &entry->differences.items[0];
    const char *cause = drift                         ? "changed behind our back"
                        : first->why == WHY_FILE      ? "changed in the file"
                        : first->why == WHY_REFERENCE ? "follows what it refers to"
                                                      : "differs from the file";
    const char *was = former_id(entry);
    const char *renamed = was ? arena_printf(planning->arena, "renamed, it was \"%s\"", was) : "";
    if (was && only_id_differs(entry))
        return renamed;
    const char *and = was ? "; " : "";
    if (entry->differences.count == 1)
        return arena_printf(planning->arena, "%s%s%s %s", renamed, and, first->change.path, cause);
    return arena_printf(planning->arena, "%s%s%zu fields differ (%s %s)", renamed, and,
                        entry->differences.count, first->change.path, cause);
}

static bool all_drift(const struct entry *entry)
{
    for (size_t i = 0; i < entry->differences.count; i++) {
        if (entry->differences.items[i].why != WHY_DRIFT)
            return false;
    }
    return true;
}

static const char *blocked_by(struct planning *planning, const struct entry *entry)
{
    const struct resource *resource = entry->resource;
    const struct found *foreign = entry->foreign;
    if (!entry_is_new(entry) || !foreign)
        return NULL;
    const char *owner = value_text(foreign->tags, TAG_STACK);
    if (owner)
        return arena_printf(
            planning->arena,
            "%s belongs to the stack \"%s\", and is left alone: give \"%s\" another "
            "id",
            foreign->physical_id, owner, resource->id);
    const char *adopt =
        foreign->tags && !(resource->type->flags & NO_TAGS)
            ? arena_printf(planning->arena, "take it in with `ragstack adopt %s.%s %s`, ",
                           resource->type->kind, resource->id, foreign->physical_id)
            : "";
    return arena_printf(planning->arena,
                        "%s exists, but does not belong to this stack, and is left alone: %stake "
                        "it away, or give \"%s\" another id",
                        foreign->physical_id, adopt, resource->id);
}

static struct step step_of(struct planning *planning, struct entry *entry)
{
    struct step step = {
        .kind = STEP_UPDATE,
        .type = entry->resource->type,
        .id = entry->resource->id,
        .was = former_id(entry),
        .resource = entry->resource,
        .found = entry->found,
        .want = entry->want,
        .differences = entry->differences.items,
        .difference_count = entry->differences.count,
        .generation = entry_generation(entry),
        .mark = entry->resource->mark,
        .blocked = blocked_by(planning, entry),
    };
    for (size_t i = 0; i < step.difference_count; i++)
        step.loses_data = step.loses_data || step.differences[i].loses_data;
    if (!entry->found) {
        step.kind = STEP_CREATE;
        step.reason = why_create(planning, entry, &step.drift);
    } else if (entry_is_replaced(entry)) {
        step.kind = STEP_REPLACE;
        step.drift = all_drift(entry);
        step.reason = why_replace(planning, entry);
    } else {
        step.drift = all_drift(entry);
        step.reason = why_update(planning, entry, step.drift);
    }
    return step;
}

static struct step step_delete(struct planning *planning, const struct found *found, bool down)
{
    const struct entry *entry = entry_in(&planning->by_id, found);
    return (struct step){
        .kind = STEP_DELETE,
        .type = found->type,
        .id = found->id,
        .found = found,
        .generation = found->generation,
        .loses_data = !down && (found->type->flags & HOLDS_DATA),
        .reason = down    ? "the stack is taken down"
                  : entry ? "left over from a replacement"
                          : "the file no longer has it",
    };
}

static void fill_steps(struct planning *planning, struct plan *plan, bool down)
{
    plan->steps = arena_array(planning->arena, planning->count + planning->leftover.count + 1,
                              sizeof *plan->steps);
    for (size_t i = 0; i < planning->count && !down; i++) {
        struct entry *entry = &planning->entries[i];
        if (!entry->selected)
            continue;
        if (entry->found && entry->differences.count == 0)
            plan->unchanged++;
        else
            plan->steps[plan->step_count++] = step_of(planning, entry);
    }
    for (size_t i = 0; i < planning->leftover.count; i++) {
        const struct found *found = planning->leftover.items[i];
        if (planning->goes[i])
            plan->steps[plan->step_count++] = step_delete(planning, found, down);
    }
}

static const struct found **current_of(const struct planning *planning)
{
    const struct found **current =
        arena_array(planning->arena, planning->count + 1, sizeof *current);
    for (size_t i = 0; i < planning->count; i++)
        current[i] = planning->entries[i].found;
    return current;
}

/* What is computed (an alarm's state, a target's health) moves by itself. */
static void print_settings(struct planning *planning, struct buffer *text,
                           const struct found *found)
{
    struct value *settings = value_map(planning->arena);
    for (const struct field *field = found->type->fields; field->name; field++) {
        if (!(field->flags & COMPUTED))
            value_set(planning->arena, settings, field->name, value_get(found->props, field->name));
    }
    json_print_canonical(text, settings);
}

static const char *fingerprint(struct planning *planning, const struct found_list *found)
{
    struct buffer text = BUFFER(BUFFER_LARGE);
    for (size_t i = 0; i < found->count; i++) {
        buffer_printf(&text, "\n%s %s %d%s ", found->items[i].type->kind,
                      found->items[i].physical_id, found->items[i].generation,
                      found->items[i].foreign ? " foreign" : "");
        print_settings(planning, &text, &found->items[i]);
        if (found->items[i].tags)
            json_print_canonical(&text, found->items[i].tags);
    }
    for (size_t i = 0; i < planning->count; i++) {
        const struct resource *resource = planning->entries[i].resource;
        buffer_printf(&text, "\n%s %s %s ", resource->type->kind, resource->id,
                      resource->was ? resource->was : "");
        json_print_canonical(&text, resource->props);
        if (resource->tags)
            json_print_canonical(&text, resource->tags);
    }
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)buffer_string(&text), text.length, digest);
    buffer_free(&text);
    return hex_text(planning->arena, digest, sizeof digest);
}

int plan_make(struct arena *arena, struct target *target, const struct resource_list *wanted,
              const struct found_list *found, const struct plan_options *options, struct plan **out,
              struct error *error)
{
    struct planning planning = {.arena = arena, .target = target, .options = options};
    bool down = options && options->down;
    int result = index_wanted(&planning, wanted, error);
    if (result == 0)
        result = check_references(arena, wanted, error);
    if (result == 0)
        result = check_targets(&planning, found, error);
    if (result < 0)
        return result;
    if (down) {
        for (size_t i = 0; i < found->count; i++) {
            if (!found->items[i].foreign)
                vector_push(arena, &planning.leftover, &found->items[i]);
        }
    } else {
        match_found(&planning, found);
        result = compare_all(&planning, error);
    }
    if (result < 0)
        return result;
    struct plan *plan = arena_new_of(arena, struct plan);
    *plan = (struct plan){
        .arena = arena, .target = target, .wanted = wanted, .found = *found, .down = down};
    select_steps(&planning);
    fill_steps(&planning, plan, down);
    plan->current = current_of(&planning);
    plan->fingerprint = fingerprint(&planning, found);
    *out = plan;
    return 0;
}

void plan_add_section(struct plan *plan, struct plan_section section)
{
    struct plan_section *sections =
        arena_array(plan->arena, plan->section_count + 1, sizeof *sections);
    for (size_t i = 0; i < plan->section_count; i++)
        sections[i] = plan->sections[i];
    sections[plan->section_count++] = section;
    plan->sections = sections;
}

struct plan_summary plan_summarize(const struct plan *plan)
{
    struct plan_summary summary = {.unchanged = plan->unchanged,
                                   .drift_only = plan->step_count > 0};
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct step *step = &plan->steps[i];
        int *counters[] = {[STEP_CREATE] = &summary.creates,
                           [STEP_UPDATE] = &summary.updates,
                           [STEP_REPLACE] = &summary.replaces,
                           [STEP_DELETE] = &summary.deletes};
        ++*counters[step->kind];
        summary.blocked += step->blocked != NULL;
        summary.drift_only = summary.drift_only && step->drift;
        summary.loses_data = summary.loses_data || step->loses_data;
    }
    return summary;
}
