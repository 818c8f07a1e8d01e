/* The database's schema as a resource: what both targets say of it, and ask the schema function. */
#ifndef RAGSTACK_CLOUD_RAG_SCHEMA_H
#define RAGSTACK_CLOUD_RAG_SCHEMA_H

#include "pkg/resource/type.h"

/* The fields that both have. */
#define SCHEMA_FIELDS                                                                         \
    {.name = "migrations",                                                                    \
     .type = FIELD_INT,                                                                       \
     .flags = REQUIRED,                                                                       \
     .summary = "applied up to this one"},                                                    \
        {.name = "embedder",                                                                  \
         .type = FIELD_STRING,                                                                \
         .flags = REQUIRED | DATA,                                                            \
         .summary = "model of the vectors; another one drops them, and "                      \
                    "everything has to be ingested again"},                                   \
        {.name = "dimensions",                                                                \
         .type = FIELD_INT,                                                                   \
         .flags = REQUIRED | DATA,                                                            \
         .summary = "length of the vectors"},                                                 \
    {                                                                                         \
        .name = "warning", .type = FIELD_STRING, .flags = COMPUTED, .summary = "what to know" \
    }

/* The event that the schema function takes (cmd/rag-handler/schema.c): `what` is to be done, with
 * what `props` say of it. */
struct value *schema_event(struct arena *arena, const char *what, const struct value *props);
/* What a change of model would lose, in words, with what it costs to make it again by `embedder`:
 * "" when nothing is stored. `report` is the function's answer. */
const char *schema_contents(struct arena *arena, const struct value *report, const char *embedder);

#endif
