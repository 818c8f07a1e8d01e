/* What would do for less. */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/watch/cost.h"

static const double WORTH_SAYING_USD = 1;

struct advising {
    struct arena *arena;
    const struct prices *prices;
    const struct cost_item_list *items;
    struct cost cost; /* of the items */
    struct cost_advice_list *out;
};

static void advise(struct advising *advising, double saves_usd, const char *text)
{
    if (saves_usd >= WORTH_SAYING_USD)
        vector_push(advising->arena, advising->out, ((struct cost_advice){text, saves_usd}));
}

/* The line of a resource, or of all of a kind; NULL: there is none, or it has no price. */
static const struct cost_line *line_of(const struct advising *advising, const char *what)
{
    for (size_t i = 0; i < advising->cost.count; i++) {
        const struct cost_line *line = &advising->cost.items[i];
        if (line->part == COST_MONTH && line->usd >= 0 && strcmp(line->what, what) == 0)
            return line;
    }
    return NULL;
}

static void advise_proxy(struct advising *advising, const struct cost_item *proxy,
                         const struct cost_item *instance)
{
    struct arena *arena = advising->arena;
    const struct cost_line *own = line_of(advising, proxy->id);
    const struct cost_line *other =
        line_of(advising, arena_printf(arena, "%s: instance", instance->id));
    if (own && other && own->usd > other->usd)
        advise(advising, own->usd,
               arena_printf(arena,
                            "%s costs more than the instance behind it ($%.2f and $%.2f a month): "
                            "without it (database: {proxy: false}) the functions connect by "
                            "themselves, which is enough unless many ask at once",
                            proxy->id, own->usd, other->usd));
}

/* The same size of a family that costs less for the same. */
static void advise_class(struct advising *advising, const struct cost_item *instance)
{
    static const struct {
        const char *family, *better;
    } rows[] = {{"db.t3.", "db.t4g."}, {"db.m6i.", "db.m7g."}, {"db.m5.", "db.m7g."}};
    struct arena *arena = advising->arena;
    const char *class = value_text(instance->props, "class");
    bool twice = value_bool_at(instance->props, "multi_az", false);
    const struct cost_line *line =
        line_of(advising, arena_printf(arena, "%s: instance", instance->id));
    for (size_t i = 0; i < COUNT_OF(rows) && class && line; i++) {
        size_t length = strlen(rows[i].family);
        if (strncmp(class, rows[i].family, length) != 0)
            continue;
        const char *better = arena_printf(arena, "%s%s", rows[i].better, class + length);
        double price =
            price_of(advising->prices,
                     arena_printf(arena, "rds.%s.%s", twice ? "multi_az" : "instance", better));
        if (price >= 0)
            advise(advising, line->usd - price * COST_HOURS_A_MONTH,
                   arena_printf(arena, "%s: %s has as much processor and memory as %s, for less",
                                instance->id, better, class));
    }
}

/* -- the ways out of the network -- */

struct ways {
    size_t gateways, zones; /* zones: of the functions */
    double nat_usd, endpoints_usd, one_nat_usd, one_endpoint_usd;
    bool has_models; /* an endpoint for them */
};

static void count_way(struct ways *ways, const struct advising *advising,
                      const struct cost_item *item)
{
    size_t subnets = value_count(value_get(item->props, "subnets"));
    const char *service = value_text(item->props, "service");
    const struct cost_line *line = line_of(advising, item->id);
    if (strcmp(item->kind, "ec2.nat_gateway") == 0)
        ways->gateways++;
    if (strcmp(item->kind, "lambda.function") == 0 && subnets > ways->zones)
        ways->zones = subnets;
    if (strcmp(item->kind, "ec2.vpc_endpoint") != 0 || !line)
        return;
    ways->endpoints_usd += line->usd;
    ways->has_models = ways->has_models || (service && strstr(service, "bedrock-runtime"));
}

static void advise_nat(struct advising *advising, const struct ways *ways)
{
    struct arena *arena = advising->arena;
    double instead = ways->has_models ? 0 : ways->one_endpoint_usd;
    advise(advising, ways->nat_usd - instead,
           arena_printf(arena,
                        "NAT costs $%.2f a month; endpoints for s3 (free) and bedrock-runtime "
                        "($%.2f%s) are all that asking and ingesting need: network: {nat: none}, "
                        "unless functions of your own need the internet",
                        ways->nat_usd, ways->one_endpoint_usd,
                        ways->has_models ? ", there already" : ""));
    if (ways->gateways > 1)
        advise(advising, ways->nat_usd - ways->one_nat_usd,
               "one NAT gateway serves all zones (network: {nat: single}), as long as its own "
               "zone stands");
}

static void advise_network(struct advising *advising)
{
    const struct prices *prices = advising->prices;
    struct ways ways = {0};
    double nat = price_of(prices, "nat.hour"), address = price_of(prices, "ipv4.hour");
    double endpoint = price_of(prices, "endpoint.hour");
    if (nat < 0 || address < 0 || endpoint < 0)
        return;
    for (size_t i = 0; i < advising->items->count; i++)
        count_way(&ways, advising, &advising->items->items[i]);
    ways.one_nat_usd = (nat + address) * COST_HOURS_A_MONTH;
    ways.nat_usd = ways.one_nat_usd * (double)ways.gateways;
    ways.one_endpoint_usd = endpoint * (double)ways.zones * COST_HOURS_A_MONTH;
    if (ways.gateways)
        advise_nat(advising, &ways);
    else
        advise(advising, ways.endpoints_usd - ways.one_nat_usd,
               arena_printf(advising->arena,
                            "the interface endpoints cost $%.2f a month; one NAT gateway "
                            "(network: {nat: single}, endpoints: [s3]) reaches the same services "
                            "for $%.2f, and a price a GB",
                            ways.endpoints_usd, ways.one_nat_usd));
}

static int by_saving(const void *a, const void *b)
{
    const struct cost_advice *first = a, *second = b;
    return (first->saves_usd < second->saves_usd) - (first->saves_usd > second->saves_usd);
}

struct cost_advice_list cost_advise(struct arena *arena, const struct prices *prices,
                                    const struct cost_item_list *items)
{
    struct cost_advice_list list = {0};
    struct advising advising = {arena, prices, items, cost_of(arena, prices, items), &list};
    for (size_t i = 0; i < items->count; i++) {
        const struct cost_item *item = &items->items[i];
        const struct cost_item *behind = cost_instance_of(arena, items, item);
        if (strcmp(item->kind, "rds.proxy") == 0 && behind)
            advise_proxy(&advising, item, behind);
        if (strcmp(item->kind, "rds.instance") == 0)
            advise_class(&advising, item);
    }
    advise_network(&advising);
    if (list.count)
        qsort(list.items, list.count, sizeof *list.items, by_saving);
    return list;
}
