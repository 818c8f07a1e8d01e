#include "pkg/watch/price_table.h"

#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/value/json.h"

enum { MILLION = 1000000, THOUSAND = 1000 };

/* Usage types as the Price List API has them, found by GetProducts with CONTAINS. */
const struct price_row price_rows[] = {
    {"alarm.high_resolution", "AmazonCloudWatch", "CW:HighResAlarmMonitorUsage", NULL, 1},
    {"alarm.month", "AmazonCloudWatch", "CW:AlarmMonitorUsage", NULL, 1},
    {"api.million_requests", "AmazonApiGateway", "ApiGatewayHttpApi", NULL, MILLION},
    {"dashboard.month", "AmazonCloudWatch", "DashboardsUsageHour", NULL, 1},
    {"endpoint.gb", "AmazonVPC", "VpcEndpoint-Bytes", NULL, 1},
    {"endpoint.hour", "AmazonVPC", "VpcEndpoint-Hours", NULL, 1},
    {"ipv4.hour", "AmazonVPC", "PublicIPv4:InUseAddress", NULL, 1},
    {"lambda.million_gb_seconds.arm64", "AWSLambda", "Lambda-GB-Second-ARM", NULL, MILLION},
    {"lambda.million_gb_seconds.x86_64", "AWSLambda", "Lambda-GB-Second", NULL, MILLION},
    {"lambda.million_requests", "AWSLambda", "Request", NULL, MILLION},
    {"logs.ingested_gb", "AmazonCloudWatch", "DataProcessing-Bytes", NULL, 1},
    {"logs.stored_gb", "AmazonCloudWatch", "TimedStorage-ByteHrs", NULL, 1},
    {"metric.month", "AmazonCloudWatch", "CW:MetricMonitorUsage", NULL, 1},
    {"nat.gb", "AmazonEC2", "NatGateway-Bytes", NULL, 1},
    {"nat.hour", "AmazonEC2", "NatGateway-Hours", NULL, 1},
    {"rds.backup", "AmazonRDS", "RDS:ChargedBackupUsage", NULL, 1},
    {"rds.instance.", "AmazonRDS", "InstanceUsage:", "PostgreSQL", 1},
    {"rds.multi_az.", "AmazonRDS", "Multi-AZUsage:", "PostgreSQL", 1},
    {"rds.proxy", "AmazonRDS", "RDS:ProxyUsage", NULL, 1},
    {"rds.storage.gp2", "AmazonRDS", "RDS:GP2-Storage", NULL, 1},
    {"rds.storage.gp3", "AmazonRDS", "RDS:GP3-Storage", NULL, 1},
    {"rds.storage_multi_az.gp2", "AmazonRDS", "RDS:Multi-AZ-GP2-Storage", NULL, 1},
    {"rds.storage_multi_az.gp3", "AmazonRDS", "RDS:Multi-AZ-GP3-Storage", NULL, 1},
    {"s3.stored_gb", "AmazonS3", "TimedStorage-ByteHrs", NULL, 1},
    {"sns.thousand_emails", "AmazonSNS", "DeliveryAttempts-SMTP", NULL, THOUSAND},
    {0},
};

/* The assembler takes the file in, and ends it like a string. */
__asm__(".pushsection .rodata\n"
        "watch_prices:\n"
        ".incbin \"pkg/watch/prices.json\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char prices_built_in[] __asm__("watch_prices");

static bool are_prices(const struct value *prices)
{
    for (size_t i = 0; i < value_count(prices); i++) {
        const struct value *price = value_entry(prices, i)->value;
        bool number = value_is(price, VALUE_INT) || value_is(price, VALUE_REAL);
        if (!number || value_as_real(price, -1) < 0)
            return false;
    }
    return value_is(prices, VALUE_MAP);
}

static int check_table(const char *name, const struct value *table, struct error *error)
{
    const struct value *regions = value_get(table, "regions");
    if (value_int_at(table, "schema", 0) != 1 || !value_is(regions, VALUE_MAP))
        return error_set(error, ERR_INPUT,
                         "%s is no table of prices: it wants \"schema\": 1, and \"regions\"", name);
    for (size_t i = 0; i < value_count(regions); i++) {
        const struct value_entry *region = value_entry(regions, i);
        if (!value_text(region->value, "date") || !are_prices(value_get(region->value, "prices")))
            return error_set_at(error, ERR_INPUT, region->mark,
                                "%s: %s wants a \"date\", and \"prices\" that are numbers", name,
                                region->key);
    }
    return 0;
}

int price_table_parse(struct arena *arena, const char *text, size_t length, const char *name,
                      struct value **out, struct error *error)
{
    int result = json_parse(arena, text, length, name, out, error);
    return result == 0 ? check_table(name, *out, error) : result;
}

struct value *price_table_built_in(struct arena *arena)
{
    struct value *table;
    struct error error = {0};
    if (price_table_parse(arena, prices_built_in, strlen(prices_built_in), "prices.json", &table,
                          &error) < 0)
        panic("the program's own prices: %s", error.message);
    return table;
}

struct prices price_table_region(const struct value *table, const char *region)
{
    const struct value *row = value_get(value_get(table, "regions"), region);
    return (struct prices){.region = region,
                           .date = value_text(row, "date"),
                           .source = value_text(row, "source"),
                           .about = value_bool_at(row, "about", false),
                           .prices = value_get(row, "prices")};
}

double price_of(const struct prices *prices, const char *key)
{
    return value_as_real(value_get(prices->prices, key), -1);
}
