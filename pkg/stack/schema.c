/* The keys of a stack file, with their defaults: the one list. */
#include "pkg/stack/stack.h"

static const struct field network_fields[] = {
    {.name = "cidr",
     .type = FIELD_STRING,
     .unset = "\"10.20.0.0/16\"",
     .allowed = "^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+/(1[6-9]|2[0-4])$",
     .summary = "the network's addresses; /16 to /24"},
    {.name = "zones",
     .type = FIELD_INT,
     .unset = "2",
     .allowed = "2..6",
     .summary = "availability zones, each with a public and a private subnet; adding one renumbers "
                "nothing"},
    {.name = "nat",
     .type = FIELD_STRING,
     .unset = "\"none\"",
     .allowed = "none|single|per-zone",
     .summary = "NAT gateways; none is enough for a RAG system, and costs nothing"},
    {.name = "endpoints",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[\"s3\", \"bedrock-runtime\"]",
     .allowed = "^[a-z][a-z0-9.-]{1,30}$",
     .summary = "AWS services that are reached without leaving the network"},
    {0},
};

static const struct field database_fields[] = {
    {.name = "version",
     .type = FIELD_STRING,
     .unset = "\"17\"",
     .allowed = "^[0-9]+([.][0-9]+)*$",
     .summary = "PostgreSQL, at least this; never a downgrade"},
    {.name = "class",
     .type = FIELD_STRING,
     .unset = "\"db.t4g.micro\"",
     .allowed = "^db[.].+",
     .summary = "instance class"},
    {.name = "storage_gb",
     .type = FIELD_INT,
     .unset = "20",
     .allowed = "20..65536",
     .summary = "grows in place, never shrinks"},
    {.name = "max_storage_gb",
     .type = FIELD_INT,
     .allowed = "21..65536",
     .summary = "RDS may grow the storage up to this by itself"},
    {.name = "multi_az",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "a standby in a second zone; doubles the price"},
    {.name = "proxy",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "RDS Proxy, IAM end to end; costs more than a micro instance"},
    {.name = "deletion_protection",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "AWS refuses to delete the instance until this is off"},
    {.name = "backup_days",
     .type = FIELD_INT,
     .unset = "7",
     .allowed = "0..35",
     .summary = "automatic backups are kept for this long"},
    {.name = "name",
     .type = FIELD_STRING,
     .unset = "\"rag\"",
     .allowed = "^[a-z][a-z0-9_]{0,62}$",
     .summary = "name of the database inside the instance"},
    {.name = "performance_insights",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "query statistics, kept for seven days"},
    {.name = "was",
     .type = FIELD_STRING,
     .allowed = "^[a-z][a-z0-9-]{0,39}$",
     .summary = "id of the rds.instance under `resources:` that it takes over"},
    {0},
};

static const struct field embed_fields[] = {
    {.name = "id",
     .type = FIELD_STRING,
     .unset = "\"amazon.titan-embed-text-v2:0\"",
     .summary = "embedding model on Bedrock"},
    {.name = "dimensions",
     .type = FIELD_INT,
     .unset = "512",
     .allowed = "256|512|1024",
     .summary = "length of the vectors; changing it means embedding everything again"},
    {0},
};

static const struct field generate_fields[] = {
    {.name = "id",
     .type = FIELD_STRING,
     .unset = "\"global.anthropic.claude-haiku-4-5-20251001-v1:0\"",
     .summary = "model or inference profile on Bedrock; models die, so name yours"},
    {.name = "max_tokens",
     .type = FIELD_INT,
     .unset = "800",
     .allowed = "1..8192",
     .summary = "longest answer"},
    {.name = "fallback",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .unset = "[]",
     .summary = "models that are asked, in order, when the first is throttled"},
    {0},
};

static const struct field models_fields[] = {
    {.name = "embed",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = embed_fields,
     .summary = "texts to vectors"},
    {.name = "generate",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = generate_fields,
     .summary = "passages to answers"},
    {0},
};

#define FUNCTION_FIELDS(memory, timeout)                                       \
    {.name = "memory_mb",                                                      \
     .type = FIELD_INT,                                                        \
     .unset = memory,                                                          \
     .allowed = "128..10240",                                                  \
     .summary = "memory, and with it the share of a processor"},               \
        {.name = "timeout_s",                                                  \
         .type = FIELD_INT,                                                    \
         .unset = timeout,                                                     \
         .allowed = "1..900",                                                  \
         .summary = "longest run"},                                            \
        {.name = "concurrency",                                                \
         .type = FIELD_INT,                                                    \
         .allowed = "0..10000",                                                \
         .summary = "reserved concurrency; unset: the account's"},             \
        {.name = "environment",                                                \
         .type = FIELD_MAP,                                                    \
         .unset = "{}",                                                        \
         .summary = "further variables; no secrets: they are shown in plans"}, \
    {                                                                          \
        0                                                                      \
    }

static const struct field ask_fields[] = {FUNCTION_FIELDS("256", "29")};
static const struct field ingest_fields[] = {FUNCTION_FIELDS("512", "300")};
static const struct field schema_function_fields[] = {FUNCTION_FIELDS("256", "300")};

static const struct field functions_fields[] = {
    {.name = "architecture",
     .type = FIELD_STRING,
     .unset = "\"x86_64\"",
     .allowed = "x86_64|arm64",
     .summary = "processor of the functions"},
    {.name = "ask",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = ask_fields,
     .summary = "question to answer"},
    {.name = "ingest",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = ingest_fields,
     .summary = "documents to passages"},
    {.name = "schema",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = schema_function_fields,
     .summary = "brings the database's schema up to date"},
    {0},
};

static const struct field jwt_fields[] = {
    {.name = "issuer",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^https://.+",
     .summary = "who signs the tokens"},
    {.name = "audience",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = REQUIRED | UNORDERED,
     .summary = "for whom they are signed"},
    {0},
};

static const struct field throttle_fields[] = {
    {.name = "rate",
     .type = FIELD_REAL,
     .unset = "50",
     .allowed = "1..10000",
     .summary = "requests a second"},
    {.name = "burst",
     .type = FIELD_INT,
     .unset = "100",
     .allowed = "1..5000",
     .summary = "requests at once"},
    {0},
};

static const struct field cors_fields[] = {
    {.name = "origins",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .flags = UNORDERED,
     .unset = "[]",
     .summary = "pages that may call the API from a browser"},
    {0},
};

static const struct field api_fields[] = {
    {.name = "auth",
     .type = FIELD_STRING,
     .unset = "\"iam\"",
     .allowed = "iam|jwt|none",
     .summary = "who may ask: AWS signatures, tokens of an issuer, or anybody"},
    {.name = "jwt", .type = FIELD_MAP, .fields = jwt_fields, .summary = "with auth: jwt"},
    {.name = "throttle",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = throttle_fields,
     .summary = "limits of the whole API"},
    {.name = "cors",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = cors_fields,
     .summary = "access from browsers"},
    {0},
};

static const struct field documents_fields[] = {
    {.name = "bucket",
     .type = FIELD_BOOL,
     .unset = "true",
     .summary = "a bucket; objects put there are ingested"},
    {.name = "was",
     .type = FIELD_STRING,
     .allowed = "^[a-z][a-z0-9-]{0,39}$",
     .summary = "id of the s3.bucket under `resources:` that it takes over"},
    {0},
};

static const struct field retrieval_fields[] = {
    {.name = "top_k",
     .type = FIELD_INT,
     .unset = "6",
     .allowed = "1..50",
     .summary = "passages given to the model"},
    {.name = "floor",
     .type = FIELD_STRING,
     .unset = "\"auto\"",
     .allowed = "^(auto|(0|1|0?[.][0-9]+)(@[^ ]+( (0|1|0?[.][0-9]+)@[^ ]+)*)?)$",
     .summary = "least similarity, in quotes (\"0.4@MODEL\": of that model alone); auto: the "
                "embedding model's own"},
    {0},
};

static const struct field release_fields[] = {
    {.name = "smoke",
     .type = FIELD_LIST,
     .item = FIELD_STRING,
     .unset = "[]",
     .summary = "questions that are asked when functions have changed; one that fails takes `live` "
                "back"},
    {.name = "watch_s",
     .type = FIELD_INT,
     .unset = "0",
     .allowed = "0..900",
     .summary = "go on asking them for so long"},
    {.name = "latency_ms",
     .type = FIELD_INT,
     .unset = "29000",
     .allowed = "1..30000",
     .summary = "an answer that takes longer fails"},
    {.name = "canary",
     .type = FIELD_LIST,
     .item = FIELD_INT,
     .unset = "[]",
     .allowed = "1..99",
     .summary = "percent of the calls that are led to new functions, step by step, each watched; "
                "none: all at once"},
    {0},
};

static const struct field alarms_fields[] = {
    {.name = "errors",
     .type = FIELD_INT,
     .unset = "1",
     .allowed = "1..",
     .summary = "failed invocations of a function in five minutes"},
    {.name = "p95_latency_ms",
     .type = FIELD_INT,
     .unset = "3000",
     .allowed = "1..",
     .summary = "95th percentile of the API's latency over five minutes"},
    {.name = "bedrock_usd_per_day",
     .type = FIELD_REAL,
     .unset = "5",
     .allowed = "0..",
     .summary = "dollars spent on models in a day"},
    {.name = "database_cpu_percent",
     .type = FIELD_INT,
     .unset = "80",
     .allowed = "1..100",
     .summary = "average over fifteen minutes"},
    {.name = "database_free_gb",
     .type = FIELD_REAL,
     .unset = "2",
     .allowed = "0..",
     .summary = "least free storage"},
    {0},
};

static const struct field watch_fields[] = {
    {.name = "retention_days",
     .type = FIELD_INT,
     .unset = "14",
     .allowed =
         "1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1096|1827|2192|2557|2922|3288|3653",
     .summary = "logs are kept for this long"},
    {.name = "alarms",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = alarms_fields,
     .summary = "thresholds; null switches one off"},
    {.name = "dashboard", .type = FIELD_BOOL, .unset = "true", .summary = "a CloudWatch dashboard"},
    {.name = "notify",
     .type = FIELD_STRING,
     .allowed = "^[^@ ]+@[^@ ]+$",
     .summary = "mail address that alarms are sent to"},
    {.name = "log_questions",
     .type = FIELD_BOOL,
     .unset = "false",
     .summary = "write the text of questions into the log"},
    {0},
};

const struct field stack_fields[] = {
    {.name = "stack",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^[a-z][a-z0-9-]{1,20}$",
     .summary = "the stack's name, 2 to 21 lower-case letters, digits and -: part of what its "
                "resources are"},
    {.name = "region",
     .type = FIELD_STRING,
     .flags = REQUIRED,
     .allowed = "^[a-z]{2}(-[a-z]+)+-[0-9]$",
     .summary = "AWS region: us-east-1"},
    {.name = "tags", .type = FIELD_MAP, .unset = "{}", .summary = "tags on everything"},
    {.name = "network",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = network_fields,
     .summary = "VPC, subnets, endpoints"},
    {.name = "database",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = database_fields,
     .summary = "PostgreSQL with pgvector"},
    {.name = "models",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = models_fields,
     .summary = "models on Bedrock"},
    {.name = "functions",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = functions_fields,
     .summary = "the bundled handlers"},
    {.name = "api",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = api_fields,
     .summary = "the HTTP API"},
    {.name = "documents",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = documents_fields,
     .summary = "where documents come from"},
    {.name = "retrieval",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = retrieval_fields,
     .summary = "which passages are found"},
    {.name = "prompt", .type = FIELD_STRING, .summary = "file with the prompt's template"},
    {.name = "release",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = release_fields,
     .summary = "how new functions are tried"},
    {.name = "watch",
     .type = FIELD_MAP,
     .unset = "{}",
     .fields = watch_fields,
     .summary = "logs, alarms, dashboard"},
    {.name = "resources",
     .type = FIELD_MAP,
     .unset = "{}",
     .summary = "anything else: ID: {kind: KIND, ...}, with ${ID.ATTRIBUTE} references"},
    {.name = "environments",
     .type = FIELD_MAP,
     .unset = "{}",
     .summary = "NAME: keys that are merged over the above with --env NAME"},
    {0},
};
