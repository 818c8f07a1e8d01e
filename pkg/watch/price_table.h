/* What AWS charges, region by region: a dated table, as a file of the repository, and the program's
 * own copy of it (prices.json). Nothing is called here.
 *
 * {"schema": 1, "currency": "USD", "regions": {"us-east-1": {"date": "2026-11", "about": true,
 * "source": "..", "prices": {"nat.hour": 0.045, ..}}}}
 *
 * "about": written by hand, and not compared with AWS's Price List API since. What the models cost
 * stands in pkg/rag/price.c, since the handlers count by it. */
#ifndef RAGSTACK_WATCH_PRICE_TABLE_H
#define RAGSTACK_WATCH_PRICE_TABLE_H

#include "pkg/value/value.h"

/* One price: its key, and how the Price List API knows it. */
struct price_row {
    const char *key;     /* "nat.hour"; "rds.instance." is followed by an instance class */
    const char *service; /* "AmazonEC2" */
    const char *usage;   /* usage type, without the region's prefix; ends with ':' where the class
                            follows */
    const char *engine;  /* databaseEngine; NULL: any */
    double scale;        /* from the API's unit to ours: a million requests, 730 hours a month */
};
extern const struct price_row price_rows[]; /* ends with a NULL key */

/* The prices of one region, or none. */
struct prices {
    const char *region, *date, *source;
    bool about;
    const struct value *prices; /* NULL: the table has none for the region */
};

/* ERR_INPUT for what is no such table. */
int price_table_parse(struct arena *arena, const char *text, size_t length, const char *name,
                      struct value **out, struct error *error);
/* The table that the program was built with. */
struct value *price_table_built_in(struct arena *arena);
struct prices price_table_region(const struct value *table, const char *region);
/* In dollars; < 0: the table does not have it. */
double price_of(const struct prices *prices, const char *key);

#endif
