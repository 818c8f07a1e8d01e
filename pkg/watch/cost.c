#include "pkg/watch/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/rag/answer.h"
#include "pkg/rag/prompt.h"

/* What a question is taken to be, where no setting of the stack says. */
enum {
    QUESTION_TOKENS = 25,
    PASSAGE_TOKENS = 400,  /* pkg/rag/chunk.h: a passage is 1600 bytes at most */
    BYTES_A_TOKEN = 4,     /* as pkg/rag/prompt.h counts */
    TOKENS_A_SECOND = 100, /* that a small model writes */
    OTHER_SECONDS = 1,     /* vector, search */
    LOG_BYTES = 3000,      /* the answer's line, the function's and the API's */
    VECTOR_BYTES = 6000,   /* the embedding model's reply */
    LEAST_PROXY_VCPUS = 2,
    CENT = 100,                /* what months are rounded to, a dollar */
    HUNDREDTH_OF_CENT = 10000, /* what questions are rounded to */
};
static const double BYTES_A_GB = 1e9;

struct counting {
    struct arena *arena;
    const struct prices *prices;
    const struct cost_item_list *items;
    struct cost *out;
};

static double rounded(double usd, int parts)
{
    return floor(usd * parts + 0.5 + 1e-6) / parts;
}

/* Adds `quantity` of what costs `key` each; without a quantity it is a price by use. */
static void add(struct counting *counting, enum cost_part part, const char *what, const char *key,
                double quantity, const char *detail)
{
    double price = price_of(counting->prices, key);
    struct cost_line line = {part, what, detail, key, -1};
    if (price < 0)
        counting->out->unpriced += part != COST_BY_USE;
    else if (part == COST_BY_USE)
        line.usd = price * quantity;
    else
        line.usd = rounded(price * quantity, part == COST_MONTH ? CENT : HUNDREDTH_OF_CENT);
    if (part == COST_MONTH && line.usd > 0)
        counting->out->month_usd += line.usd;
    if (part == COST_BY_QUESTION && line.usd > 0)
        counting->out->questions_usd += line.usd;
    vector_push(counting->arena, counting->out, line);
}

static const char *dollars(struct arena *arena, const struct prices *prices, const char *key)
{
    double price = price_of(prices, key);
    return price < 0 ? "?" : arena_printf(arena, "$%.6g", price);
}

static bool is_kind(const struct cost_item *item, const char *kind)
{
    return strcmp(item->kind, kind) == 0;
}

static size_t count_kind(const struct counting *counting, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < counting->items->count; i++)
        count += is_kind(&counting->items->items[i], kind);
    return count;
}

static const char *text_or(const struct value *props, const char *key, const char *otherwise)
{
    const char *text = value_text(props, key);
    return text ? text : otherwise;
}

/* -- the database -- */

/* "db.m7g.2xlarge" has 8: all below xlarge have two, as far as the proxy counts. */
static int vcpus_of(const char *class)
{
    const char *size = class ? strrchr(class, '.') : NULL;
    long times = size ? strtol(size + 1, NULL, 10) : 0;
    bool large = size && strstr(size, "xlarge");
    return large ? (int)(times > 0 ? times : 1) * 4 : LEAST_PROXY_VCPUS;
}

static void add_instance(struct counting *counting, const struct cost_item *item)
{
    struct arena *arena = counting->arena;
    bool twice = value_bool_at(item->props, "multi_az", false);
    const char *class = text_or(item->props, "class", "?");
    const char *storage = text_or(item->props, "storage_type", "gp3");
    int gb = (int)value_int_at(item->props, "storage_gb", 0);
    const char *key = arena_printf(arena, "rds.%s.%s", twice ? "multi_az" : "instance", class);
    add(counting, COST_MONTH, arena_printf(arena, "%s: instance", item->id), key,
        COST_HOURS_A_MONTH,
        arena_printf(arena, "%s%s, %d h x %s", class, twice ? " in two zones" : "",
                     COST_HOURS_A_MONTH, dollars(arena, counting->prices, key)));
    key = arena_printf(arena, "rds.storage%s.%s", twice ? "_multi_az" : "", storage);
    add(counting, COST_MONTH, arena_printf(arena, "%s: storage", item->id), key, gb,
        arena_printf(arena, "%d GB %s x %s", gb, storage, dollars(arena, counting->prices, key)));
    int64_t most = value_int_at(item->props, "max_storage_gb", 0);
    if (most > gb)
        add(counting, COST_BY_USE, arena_printf(arena, "%s: more storage", item->id), key, 1,
            arena_printf(arena, "a GB and month, up to %lld GB", (long long)most));
    if (value_int_at(item->props, "backup_days", 0) > 0)
        add(counting, COST_BY_USE, arena_printf(arena, "%s: backups", item->id), "rds.backup", 1,
            arena_printf(arena, "a GB and month beyond the first %d GB", gb));
}

/* The proxy names its instance, or refers to its name. */
const struct cost_item *cost_instance_of(struct arena *arena, const struct cost_item_list *items,
                                         const struct cost_item *proxy)
{
    const char *target = text_or(proxy->props, "target", "");
    const struct cost_item *only = NULL;
    for (size_t i = 0; i < items->count; i++) {
        const struct cost_item *item = &items->items[i];
        if (!is_kind(item, "rds.instance"))
            continue;
        if ((item->name && strcmp(item->name, target) == 0) ||
            strcmp(target, arena_printf(arena, "${%s.name}", item->id)) == 0)
            return item;
        only = item;
    }
    return only;
}

static void add_proxy(struct counting *counting, const struct cost_item *item)
{
    const struct cost_item *instance = cost_instance_of(counting->arena, counting->items, item);
    int vcpus = vcpus_of(instance ? value_text(instance->props, "class") : NULL);
    add(counting, COST_MONTH, item->id, "rds.proxy", vcpus * COST_HOURS_A_MONTH,
        arena_printf(counting->arena, "%d vCPU, %d h x %s", vcpus, COST_HOURS_A_MONTH,
                     dollars(counting->arena, counting->prices, "rds.proxy")));
}

/* -- the network -- */

static bool is_interface(const struct cost_item *item)
{
    return is_kind(item, "ec2.vpc_endpoint") &&
           strcmp(text_or(item->props, "type", "interface"), "interface") == 0;
}

static void add_endpoint(struct counting *counting, const struct cost_item *item)
{
    size_t zones = value_count(value_get(item->props, "subnets"));
    if (is_interface(item))
        add(counting, COST_MONTH, item->id, "endpoint.hour", (double)zones * COST_HOURS_A_MONTH,
            arena_printf(counting->arena, "%zu zone%s, %d h x %s", zones, zones == 1 ? "" : "s",
                         COST_HOURS_A_MONTH,
                         dollars(counting->arena, counting->prices, "endpoint.hour")));
}

static void add_many(struct counting *counting, const char *what, size_t count, double each,
                     const char *key, const char *unit)
{
    if (count)
        add(counting, COST_MONTH, what, key, (double)count * each,
            arena_printf(counting->arena, "%zu%s x %s", count, unit,
                         dollars(counting->arena, counting->prices, key)));
}

static void add_nats(struct counting *counting)
{
    size_t gateways = count_kind(counting, "ec2.nat_gateway");
    add_many(counting, "NAT gateways", gateways, COST_HOURS_A_MONTH, "nat.hour", ", 730 h");
    add_many(counting, "public IPv4 addresses", count_kind(counting, "ec2.elastic_ip"),
             COST_HOURS_A_MONTH, "ipv4.hour", ", 730 h");
    if (gateways)
        add(counting, COST_BY_USE, "data through NAT", "nat.gb", 1, "a GB");
}

/* -- what watches, and what is stored -- */

static bool is_high_resolution(const struct cost_item *item)
{
    return is_kind(item, "cloudwatch.alarm") && value_int_at(item->props, "period_s", 60) < 60;
}

static bool mails(const struct cost_item *item)
{
    return is_kind(item, "sns.topic") && value_count(value_get(item->props, "subscriptions"));
}

static void add_watching(struct counting *counting)
{
    size_t alarms = count_kind(counting, "cloudwatch.alarm"), quick = 0, topics = 0;
    for (size_t i = 0; i < counting->items->count; i++) {
        quick += is_high_resolution(&counting->items->items[i]);
        topics += mails(&counting->items->items[i]);
    }
    add_many(counting, "alarms", alarms - quick, 1, "alarm.month", "");
    add_many(counting, "alarms of high resolution", quick, 1, "alarm.high_resolution", "");
    add_many(counting, "dashboards", count_kind(counting, "cloudwatch.dashboard"), 1,
             "dashboard.month", "");
    if (topics)
        add(counting, COST_BY_USE, "mails of alarms", "sns.thousand_emails", 1, "a thousand");
    if (count_kind(counting, "logs.group"))
        add(counting, COST_BY_USE, "logs that are kept", "logs.stored_gb", 1, "a GB and month");
    if (count_kind(counting, "s3.bucket"))
        add(counting, COST_BY_USE, "documents in buckets", "s3.stored_gb", 1, "a GB and month");
}

/* -- questions -- */

/* The function that asks a model. */
static const struct cost_item *asking(const struct cost_item_list *items)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct value *variables = value_get(items->items[i].props, "environment");
        if (is_kind(&items->items[i], "lambda.function") &&
            value_text(variables, "RAG_GENERATE_MODEL"))
            return &items->items[i];
    }
    return NULL;
}

static struct cost_question question_of(const struct value *variables)
{
    int top_k = (int)value_int_at(variables, "RAG_TOP_K", 6);
    int passages = top_k * PASSAGE_TOKENS;
    const char *prompt = text_or(variables, "RAG_PROMPT", prompt_built_in);
    struct cost_question question = {
        .question_tokens = QUESTION_TOKENS,
        .prompt_tokens = (int)(strlen(prompt) / BYTES_A_TOKEN),
        .passage_tokens = passages < ANSWER_CONTEXT_TOKENS ? passages : ANSWER_CONTEXT_TOKENS,
        .output_tokens = (int)value_int_at(variables, "RAG_MAX_TOKENS", 800),
        .model = value_text(variables, "RAG_GENERATE_MODEL"),
    };
    question.seconds = OTHER_SECONDS + (double)question.output_tokens / TOKENS_A_SECOND;
    return question;
}

/* A line of Bedrock, whose prices stand in a table of their own. */
static void add_model(struct counting *counting, const char *what, const char *model, int in,
                      int out)
{
    double price = price_of_tokens(model, in, out) * COST_QUESTIONS;
    struct cost_line line = {
        COST_BY_QUESTION, what,
        arena_printf(counting->arena, "%s, %d tokens in%s", model, in,
                     out ? arena_printf(counting->arena, ", at most %d out", out) : ""),
        "bedrock", price < 0 ? -1 : rounded(price, HUNDREDTH_OF_CENT)};
    counting->out->unpriced += price < 0;
    counting->out->questions_usd += price < 0 ? 0 : line.usd;
    vector_push(counting->arena, counting->out, line);
}

static void add_running(struct counting *counting, const struct cost_item *function,
                        const struct cost_question *question)
{
    struct arena *arena = counting->arena;
    int memory_mb = (int)value_int_at(function->props, "memory_mb", 128);
    const char *processor = text_or(function->props, "architecture", "x86_64");
    double gb_seconds = COST_QUESTIONS * question->seconds * memory_mb / 1024;
    add(counting, COST_BY_QUESTION, "function: calls", "lambda.million_requests",
        COST_QUESTIONS / 1e6, "one each");
    add(counting, COST_BY_QUESTION, "function: time",
        arena_printf(arena, "lambda.million_gb_seconds.%s", processor), gb_seconds / 1e6,
        arena_printf(arena, "%g s of %d MB, %s", question->seconds, memory_mb, processor));
    add(counting, COST_BY_QUESTION, "logs", "logs.ingested_gb",
        (double)COST_QUESTIONS * LOG_BYTES / BYTES_A_GB,
        arena_printf(arena, "%d bytes", LOG_BYTES));
    if (count_kind(counting, "apigateway.api"))
        add(counting, COST_BY_QUESTION, "API: requests", "api.million_requests",
            COST_QUESTIONS / 1e6, "one each");
}

/* The models are reached by their endpoint, or else by NAT. */
static void add_way(struct counting *counting, const struct cost_question *question)
{
    int tokens = 2 * question->question_tokens + question->prompt_tokens +
                 question->passage_tokens + question->output_tokens;
    int bytes = tokens * BYTES_A_TOKEN + VECTOR_BYTES;
    const char *key = count_kind(counting, "ec2.nat_gateway") ? "nat.gb" : NULL;
    for (size_t i = 0; i < counting->items->count; i++) {
        const struct cost_item *item = &counting->items->items[i];
        const char *service = text_or(item->props, "service", "");
        if (is_interface(item) && strstr(service, "bedrock-runtime"))
            key = "endpoint.gb";
    }
    if (key)
        add(counting, COST_BY_QUESTION, "data to the models", key,
            (double)COST_QUESTIONS * bytes / BYTES_A_GB,
            arena_printf(counting->arena, "%d bytes", bytes));
}

static void add_questions(struct counting *counting)
{
    const struct cost_item *function = asking(counting->items);
    if (!function)
        return;
    const struct value *variables = value_get(function->props, "environment");
    struct cost_question question = question_of(variables);
    const char *embedder = value_text(variables, "RAG_EMBED_MODEL");
    counting->out->question = question;
    add_model(counting, "models: answers", question.model,
              question.question_tokens + question.prompt_tokens + question.passage_tokens,
              question.output_tokens);
    if (embedder)
        add_model(counting, "models: vectors", embedder, question.question_tokens, 0);
    add_running(counting, function, &question);
    add_way(counting, &question);
    add(counting, COST_BY_USE, "metrics of questions", "metric.month", ANSWER_METRICS,
        arena_printf(counting->arena,
                     "a month with questions in every hour (%d metrics, by the hour)",
                     ANSWER_METRICS));
}

struct cost cost_of(struct arena *arena, const struct prices *prices,
                    const struct cost_item_list *items)
{
    struct cost cost = {0};
    struct counting counting = {arena, prices, items, &cost};
    for (size_t i = 0; i < items->count; i++) {
        const struct cost_item *item = &items->items[i];
        if (is_kind(item, "rds.instance"))
            add_instance(&counting, item);
        else if (is_kind(item, "rds.proxy"))
            add_proxy(&counting, item);
        else if (is_kind(item, "ec2.vpc_endpoint"))
            add_endpoint(&counting, item);
    }
    add_nats(&counting);
    add_watching(&counting);
    add_questions(&counting);
    cost.month_usd = rounded(cost.month_usd, CENT); /* sums of binary fractions drift */
    cost.questions_usd = rounded(cost.questions_usd, HUNDREDTH_OF_CENT);
    return cost;
}
