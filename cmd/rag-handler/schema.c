/* Brings the schema of the database up to date; its event names the database. */
#include "cmd/rag-handler/handler.h"

static const struct setting settings[] = {
    {"RAG_STACK", false},
    {"RAG_DB_NAME", false},
    {"RAG_DB_USER", false},
    {"RAG_EMBED_DIMENSIONS", false},
    {0},
};

const struct handler handler_schema = {.name = "schema", .settings = settings};
