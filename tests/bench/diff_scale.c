/* The diff's own cost, without a network: milliseconds for stacks of 100, 1,000 and 10,000
 * resources that exist as wanted. Each has a list, a map, a policy and a reference to an earlier
 * one. */
#include <stdio.h>
#include <time.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/plan/plan.h"
#include "pkg/value/json.h"

static const struct field fields[] = {
    {.name = "label", .type = FIELD_STRING},
    {.name = "size", .type = FIELD_INT, .unset = "1"},
    {.name = "members",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]"},
    {.name = "settings", .type = FIELD_MAP, .unset = "{}"},
    {.name = "policy", .type = FIELD_DOCUMENT, .flags = POLICY},
    {.name = "parent", .type = FIELD_STRING},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED},
    {0},
};
static const struct resource_type kind = {.kind = "bench.thing", .fields = fields};
static const struct resource_type *const kinds[] = {&kind, NULL};

static struct value *props(struct arena *arena, const char *parent)
{
    static const char text[] =
        "{\"label\": \"a label\", \"size\": 3, \"members\": [\"one\", \"two\", \"three\"],"
        " \"settings\": {\"HOST\": \"db.example\", \"NAME\": \"rag\"},"
        " \"policy\": {\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\","
        " \"Action\": [\"logs:PutLogEvents\", \"logs:CreateLogStream\"], \"Resource\": [\"*\"]}]}}";
    struct value *value;
    struct error error;
    require(json_parse(arena, text, sizeof text - 1, "bench", &value, &error) == 0);
    return value_set_text(arena, value, "parent", parent);
}

static void add(struct arena *arena, const struct target *target, int n,
                struct resource_list *wanted, struct found_list *found)
{
    const char *id = arena_printf(arena, "thing-%d", n),
               *arn = arena_printf(arena, "arn:thing/%d", n);
    int parent = n / 2;
    struct resource resource = {.type = &kind, .id = id};
    resource.props = props(arena, n ? arena_printf(arena, "${thing-%d.arn}", parent) : "none");
    struct found one = {.type = &kind, .id = id, .generation = 1, .physical_id = arn, .name = id};
    one.props = props(arena, n ? arena_printf(arena, "arn:thing/%d", parent) : "none");
    value_set_text(arena, one.props, "arn", arn);
    one.tags = identity_tags(arena, target->identity, id, 1, NULL);
    vector_push(arena, wanted, resource);
    vector_push(arena, found, one);
}

static double now_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void measure(int count)
{
    struct arena *arena = arena_new();
    struct identity identity = {"aws", "aws", "123456789012", "us-east-1", "bench", ""};
    struct target target = {.name = "aws", .types = kinds, .identity = &identity};
    struct resource_list wanted = {0};
    struct found_list found = {0};
    struct error error = {0};
    struct plan *plan;
    for (int n = 0; n < count; n++)
        add(arena, &target, n, &wanted, &found);
    size_t before = arena_used_bytes(arena);
    double started_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    if (plan_make(arena, &target, &wanted, &found, &(struct plan_options){0}, &plan, &error) < 0)
        panic("%s", error.message);
    double took_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - started_ms;
    require(plan->step_count == 0 && plan->unchanged == count);
    printf("| %d | %.2f | %.2f | %.1f |\n", count, took_ms, took_ms * 1000 / count,
           (double)(arena_used_bytes(arena) - before) / 1e6);
    arena_free(arena);
}

int main(void)
{
    puts("| resources | diff ms | us a resource | MB |\n|---|---|---|---|");
    for (int count = 100; count <= 10000; count *= 10)
        measure(count);
}
