/* Removing what network interfaces may still hold: networks, subnets and security groups.
 *
 * Lambda releases the interfaces of its functions minutes after they are deleted, RDS and endpoints
 * after they are gone; those are waited for. An interface that nobody of AWS manages never goes by
 * itself: it is named at once.
 * Source: Amazon EC2 API Reference, DescribeNetworkInterfaces; Lambda Developer Guide, "Giving
 * Lambda functions access to resources in an Amazon VPC". */
#include <string.h>

#include "pkg/cloud/ec2.h"

enum {
    INTERFACES_S = 45 * 60, /* how long Lambda may take */
    OTHERS_S = 5 * 60,      /* rules and the like that refer to it */
    POLL_MS = 10000,
};

struct holders {
    size_t count;
    const char *first;    /* in words */
    const char *stranger; /* one that does not go by itself; NULL: none */
};

/* Does AWS take it away by itself? */
static bool is_managed(const struct value *interface)
{
    const char *type = value_text(interface, "interfaceType");
    const char *description = value_text(interface, "description");
    return value_bool_at(interface, "requesterManaged", false) ||
           (type && strcmp(type, "interface") != 0) ||
           (description && strncmp(description, "AWS Lambda VPC ENI", 18) == 0);
}

static int look(struct task *task, struct action *action, const char *filter,
                struct holders *holders, struct error *error)
{
    struct cloud *cloud = action->target;
    struct value *parameters = value_map(action->arena), *items = NULL, *item;
    ec2_add_filter(action->arena, parameters, filter, action->have->physical_id);
    int result = aws_list(task, cloud->client, action->arena, &aws_ec2, "DescribeNetworkInterfaces",
                          parameters, &items, error);
    *holders = (struct holders){.count = value_item_count(items)};
    value_each(item, items)
    {
        const char *id = value_text(item, "networkInterfaceId");
        const char *description = value_text(item, "description");
        const char *words = arena_printf(action->arena, "%s (%s)", id ? id : "an interface",
                                         description ? description : "no description");
        if (!holders->first)
            holders->first = words;
        if (!holders->stranger && !is_managed(item))
            holders->stranger = words;
    }
    return result;
}

static const char *reason(struct arena *arena, const struct holders *holders)
{
    if (!holders->count)
        return "something still refers to it";
    return arena_printf(arena,
                        "held by %zu network interface%s, %s; Lambda releases those of its "
                        "functions within 45 minutes",
                        holders->count, holders->count == 1 ? "" : "s", holders->first);
}

/* After a refusal: 0 when it is worth another try. */
static int wait_for_holders(struct task *task, struct action *action, const char *filter,
                            int64_t waited_ms, struct error *error)
{
    struct holders holders;
    struct error ignored;
    if (look(task, action, filter, &holders, &ignored) < 0)
        holders = (struct holders){0};
    const char *words = reason(action->arena, &holders);
    if (holders.stranger)
        return error_wrap(error, "%s is in use by %s, which is none of the stack's: take it away",
                          action->have->physical_id, holders.stranger);
    int64_t longest_ms = (int64_t)(holders.count ? INTERFACES_S : OTHERS_S) * 1000;
    if (waited_ms >= longest_ms)
        return error_wrap(error, "waited %d min (%s)", (int)(waited_ms / 60000), words);
    int result = action->waiting ? action->waiting(action->waiting_data, words, error) : 0;
    return result == 0 ? task_sleep(task, POLL_MS, error) : result;
}

int ec2_remove_held(struct task *task, struct action *action, const char *operation,
                    const struct value *parameters, const char *filter, struct error *error)
{
    int64_t started_ms = task_now_ms(task);
    struct error local;
    error = error ? error : &local;
    for (;;) {
        int result = cloud_remove(task, action, &aws_ec2, operation, parameters, error);
        if (result == 0 || strcmp(error->aws_code, "DependencyViolation") != 0)
            return result;
        result = wait_for_holders(task, action, filter, task_now_ms(task) - started_ms, error);
        if (result < 0)
            return result;
    }
}
