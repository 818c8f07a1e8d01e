/* Prices from AWS's Price List API, for a table of prices.
 * Source: AWS Price List Query API, GetProducts; "Reading an AWS price list file", AWS Billing User
 * Guide (terms, price dimensions). */
#ifndef RAGSTACK_WATCH_PRICE_LIST_H
#define RAGSTACK_WATCH_PRICE_LIST_H

#include "pkg/aws/client.h"
#include "pkg/watch/price_table.h"

/* What became of one price. */
struct price_news {
    const char *key;
    double before, after; /* < 0: none */
    const char *kept;     /* why it was not renewed; NULL: it was */
};
struct price_news_list {
    struct price_news *items;
    size_t count, capacity;
};

struct price_list_options {
    const char *region, *date;
    const char *const *classes; /* of instances, "db.t4g.micro"; ends with NULL */
};
/* A copy of the table, with the region's prices renewed. A price that AWS does not tell without
 * doubt (none, several that differ, one more than three times off) stays as it was, and the region
 * is "about" as long as there is one. ERR_DENIED without pricing:GetProducts; ERR_FAILED when none
 * is told. */
int price_list_refresh(struct task *task, struct aws_client *client, struct arena *arena,
                       const struct value *table, const struct price_list_options *options,
                       struct value **out, struct price_news_list *news, struct error *error);

/* The price of the row among products as GetProducts lists them (JSON texts); `class` may be NULL.
 * < 0 with the reason in *why. Pure. */
double price_list_pick(struct arena *arena, const struct price_row *row, const char *class,
                       const struct value *products, const char **why);

#endif
