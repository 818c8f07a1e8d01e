#include "pkg/watch/price_list.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/value/json.h"

enum { AT_ONCE = 8, FARTHEST_OFF = 3 };

/* -- what a product says -- */

/* "RDS:ProxyUsage", or the same after a region's mark: "USE2-RDS:ProxyUsage". */
static bool is_usage(const char *type, const char *wanted)
{
    size_t length = strlen(type), tail = strlen(wanted);
    if (length < tail || strcmp(type + length - tail, wanted) != 0)
        return false;
    if (length == tail)
        return true;
    for (size_t i = 0; i + 1 < length - tail; i++) {
        if (!isupper((unsigned char)type[i]) && !isdigit((unsigned char)type[i]))
            return false;
    }
    return length - tail > 1 && type[length - tail - 1] == '-';
}

/* The first tier's, on demand; < 0: none. */
static double on_demand(const struct value *product)
{
    const struct value *terms = value_at(product, "terms.OnDemand");
    double found = -1;
    for (size_t i = 0; i < value_count(terms); i++) {
        const struct value *dimensions = value_get(value_entry(terms, i)->value, "priceDimensions");
        for (size_t j = 0; j < value_count(dimensions); j++) {
            const struct value *dimension = value_entry(dimensions, j)->value;
            const char *from = value_text(dimension, "beginRange");
            if (!from || strcmp(from, "0") == 0)
                found = value_as_real(value_at(dimension, "pricePerUnit.USD"), -1);
        }
    }
    return found;
}

/* Ours before any engine's, and that before another's. */
static int rank_of(const struct value *product)
{
    const char *engine = value_text_at(product, "product.attributes.databaseEngine");
    return engine && strcmp(engine, "PostgreSQL") == 0 ? 2
           : !engine || strcmp(engine, "Any") == 0     ? 1
                                                       : 0;
}

static const struct value *parse_product(struct arena *arena, const struct value *text)
{
    struct value *product = NULL;
    struct error ignored = {0};
    if (!value_is(text, VALUE_STRING))
        return NULL;
    return json_parse(arena, text->string.text, text->string.length, "a product", &product,
                      &ignored) == 0
               ? product
               : NULL;
}

static const char *usage_of(struct arena *arena, const struct price_row *row, const char *class)
{
    return class ? arena_printf(arena, "%s%s", row->usage, class) : row->usage;
}

double price_list_pick(struct arena *arena, const struct price_row *row, const char *class,
                       const struct value *products, const char **why)
{
    const char *usage = usage_of(arena, row, class);
    double best = -1;
    int best_rank = -1;
    bool differ = false;
    struct value *text;
    value_each(text, products)
    {
        const struct value *product = parse_product(arena, text);
        const char *type = value_text_at(product, "product.attributes.usagetype");
        double price = on_demand(product);
        int rank = rank_of(product);
        if (!type || !is_usage(type, usage) || price <= 0 || rank < best_rank)
            continue;
        differ = rank == best_rank && (differ || fabs(price - best) > best * 1e-9);
        best = price;
        best_rank = rank;
    }
    *why = best < 0 ? "AWS lists none" : differ ? "AWS lists several that differ" : NULL;
    return *why ? -1 : best * row->scale;
}

/* -- asking -- */

struct asked {
    struct aws_client *client;
    struct arena *arena;
    const char *region, *key, *class;
    const struct price_row *row;
    double usd;
    const char *why;
};

static void add_filter(struct arena *arena, struct value *filters, const char *type,
                       const char *field, const char *text)
{
    struct value *filter = value_map(arena);
    value_set_text(arena, filter, "Type", type);
    value_set_text(arena, filter, "Field", field);
    value_set_text(arena, filter, "Value", text);
    value_push(arena, filters, filter);
}

static int ask(struct task *task, void *argument, struct error *error)
{
    struct asked *asked = argument;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *parameters = value_map(arena), *filters = value_list(arena), *products;
    add_filter(arena, filters, "TERM_MATCH", "regionCode", asked->region);
    add_filter(arena, filters, "CONTAINS", "usagetype", usage_of(arena, asked->row, asked->class));
    if (asked->row->engine)
        add_filter(arena, filters, "TERM_MATCH", "databaseEngine", asked->row->engine);
    value_set_text(arena, parameters, "ServiceCode", asked->row->service);
    value_set(arena, parameters, "Filters", filters);
    value_set_text(arena, parameters, "FormatVersion", "aws_v1");
    int result = aws_list(task, asked->client, arena, &aws_pricing, "GetProducts", parameters,
                          &products, error);
    if (result == 0)
        asked->usd = price_list_pick(arena, asked->row, asked->class, products, &asked->why);
    return result;
}

struct asked_list {
    struct asked *items;
    size_t count, capacity;
};

static struct asked_list questions(struct arena *arena, struct aws_client *client,
                                   const struct price_list_options *options)
{
    struct asked_list list = {0};
    static const char *const none[] = {"", NULL};
    for (const struct price_row *row = price_rows; row->key; row++) {
        bool by_class = row->key[strlen(row->key) - 1] == '.';
        for (const char *const *class = by_class ? options->classes : none; *class; class ++)
            vector_push(arena, &list,
                        ((struct asked){.client = client,
                                        .arena = arena,
                                        .region = options->region,
                                        .key = arena_printf(arena, "%s%s", row->key, *class),
                                        .class = by_class ? *class : NULL,
                                        .row = row}));
    }
    return list;
}

/* -- the table -- */

/* What is far from what was known is rather another thing of a like name than a new price. */
static void take_price(struct asked *asked, struct value *prices, struct price_news_list *news)
{
    double before = value_as_real(value_get(prices, asked->key), -1);
    bool far = asked->usd >= 0 && before > 0 &&
               (asked->usd > before * FARTHEST_OFF || asked->usd * FARTHEST_OFF < before);
    struct price_news row = {asked->key, before, asked->usd, asked->why};
    if (far)
        row.kept = arena_printf(asked->arena, "AWS lists $%.6g, too far from it to be believed",
                                asked->usd);
    if (!row.kept)
        value_set(asked->arena, prices, asked->key, value_real(asked->arena, asked->usd));
    vector_push(asked->arena, news, row);
}

int price_list_refresh(struct task *task, struct aws_client *client, struct arena *arena,
                       const struct value *table, const struct price_list_options *options,
                       struct value **out, struct price_news_list *news, struct error *error)
{
    struct asked_list list = questions(arena, client, options);
    int result =
        task_each(task, "prices", ask, list.items, sizeof *list.items, list.count, AT_ONCE, error);
    if (result < 0)
        return result;
    *out = value_copy(arena, table);
    struct value *regions = value_get(*out, "regions"), *region = value_map(arena);
    struct value *old = value_at(value_get(regions, options->region), "prices");
    struct value *prices = old ? old : value_map(arena);
    size_t kept = 0;
    for (size_t i = 0; i < list.count; i++) {
        take_price(&list.items[i], prices, news);
        kept += news->items[i].kept != NULL;
    }
    if (kept == list.count)
        return error_set(error, ERR_FAILED,
                         "the Price List API tells no price of %s that fits the table; it stays as "
                         "it was",
                         options->region);
    value_set_text(arena, region, "date", options->date);
    value_set_bool(arena, region, "about", kept > 0);
    value_set_text(arena, region, "source",
                   kept ? arena_printf(arena, "AWS Price List API, but for %zu prices", kept)
                        : "AWS Price List API");
    value_set(arena, region, "prices", prices);
    value_set(arena, regions, options->region, region);
    return 0;
}
