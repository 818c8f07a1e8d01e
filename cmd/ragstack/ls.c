#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/session.h"
#include "pkg/base/vector.h"

/* Resources of one stack and environment, as the tagging API lists them. */
struct group {
    const char *stack, *environment;
    int resources;
    struct value *kinds; /* {"rds:db": 1, ...} */
};

struct listing {
    struct arena *arena;
    VECTOR(struct group) groups;
};

/* AWS's own words for what an ARN names: "ec2:vpc", "rds:db", "s3". */
static const char *arn_kind(struct arena *arena, const char *arn)
{
    enum { SERVICE = 2, RESOURCE = 5 };
    const char *parts[RESOURCE + 1] = {arn};
    for (int i = 1; i <= RESOURCE; i++) {
        const char *colon = strchr(parts[i - 1], ':');
        if (!colon)
            return "unknown";
        parts[i] = colon + 1;
    }
    int service = (int)strcspn(parts[SERVICE], ":");
    const char *rest = parts[RESOURCE] + (parts[RESOURCE][0] == '/');
    size_t length = strcspn(rest, ":/");
    if (!rest[length]) /* the name alone: buckets, topics */
        return arena_printf(arena, "%.*s", service, parts[SERVICE]);
    return arena_printf(arena, "%.*s:%.*s", service, parts[SERVICE], (int)length, rest);
}

static struct group *group_of(struct listing *listing, const char *stack, const char *environment)
{
    for (size_t i = 0; i < listing->groups.count; i++) {
        struct group *group = &listing->groups.items[i];
        if (strcmp(group->stack, stack) == 0 && strcmp(group->environment, environment) == 0)
            return group;
    }
    vector_push(listing->arena, &listing->groups,
                ((struct group){stack, environment, 0, value_map(listing->arena)}));
    return &listing->groups.items[listing->groups.count - 1];
}

static const char *tag(const struct value *mapping, const char *key)
{
    return value_text(value_find(value_get(mapping, "Tags"), "Key", key), "Value");
}

static void add(struct listing *listing, const struct value *mapping)
{
    const char *arn = value_text(mapping, "ResourceARN"), *stack = tag(mapping, TAG_STACK);
    const char *environment = tag(mapping, TAG_ENVIRONMENT);
    if (!arn || !stack)
        return;
    bool none = !environment || strcmp(environment, "-") == 0;
    struct group *group = group_of(listing, stack, none ? "" : environment);
    const char *kind = arn_kind(listing->arena, arn);
    group->resources++;
    value_set_int(listing->arena, group->kinds, kind,
                  value_as_int(value_get(group->kinds, kind), 0) + 1);
}

static int by_name(const void *a, const void *b)
{
    const struct group *first = a, *second = b;
    int order = strcmp(first->stack, second->stack);
    return order ? order : strcmp(first->environment, second->environment);
}

static void give_json(const struct listing *listing, const char *region)
{
    struct arena *arena = listing->arena;
    struct value *document = value_map(arena), *list = value_list(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "region", region);
    for (size_t i = 0; i < listing->groups.count; i++) {
        const struct group *group = &listing->groups.items[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "stack", group->stack);
        value_set_text(arena, row, "environment", group->environment);
        value_set_int(arena, row, "resources", group->resources);
        value_push(arena, list, value_set(arena, row, "kinds", group->kinds));
    }
    print_json(value_set(arena, document, "stacks", list));
}

static void print_group(const struct session *session, const struct group *group)
{
    const char *bold = session->colour_out ? "\033[1m" : "";
    const char *plain = session->colour_out ? "\033[0m" : "";
    printf("%s%s%s%s%s  %d resource%s\n ", bold, group->stack, group->environment[0] ? " " : "",
           group->environment, plain, group->resources, group->resources == 1 ? "" : "s");
    for (size_t i = 0; i < value_count(group->kinds); i++) {
        const struct value_entry *entry = value_entry(group->kinds, i);
        printf(" %s %lld%s", entry->key, (long long)entry->value->integer,
               i + 1 < value_count(group->kinds) ? "," : "\n");
    }
}

static int list_tagged(struct task *task, struct session *session, struct listing *listing,
                       struct error *error)
{
    struct arena *arena = session->arena;
    struct value *filter = value_map(arena), *filters = value_list(arena), *items, *item;
    value_push(arena, filters, value_set_text(arena, filter, "Key", TAG_STACK));
    int result = aws_list(task, session->client, arena, &aws_tagging, "GetResources",
                          value_wrap(arena, "TagFilters", filters), &items, error);
    if (result < 0)
        return result;
    value_each(item, items) add(listing, item);
    if (listing->groups.count)
        qsort(listing->groups.items, listing->groups.count, sizeof *listing->groups.items, by_name);
    return 0;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct listing listing = {.arena = session->arena};
    const char *region = aws_client_region(session->client);
    int result = list_tagged(task, session, &listing, error);
    if (result < 0)
        return result;
    if (session->json) {
        give_json(&listing, region);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < listing.groups.count; i++)
        print_group(session, &listing.groups.items[i]);
    if (!listing.groups.count)
        fprintf(stderr, "No stack in %s.\n", region);
    return EXIT_DONE;
}

const struct command command_ls = {
    .name = "ls",
    .arguments = "",
    .summary = "List all stacks of the account and region",
    .details = "By the tags of their resources, as AWS's tagging API lists them: IAM roles are not "
               "among them,\nand what was just made or deleted may show late. Needs no stack file; "
               "the region is that of\nAWS_REGION or the profile.",
    .examples = "ragstack ls\nAWS_REGION=eu-central-1 ragstack ls --json",
    .needs = NEED_REGION,
    .run = run,
};
