/* From documents to passages. */
#include "cmd/rag-handler/handler.h"

static const struct setting settings[] = {
    {"RAG_STACK", false},       {"RAG_DB_HOST", false},
    {"RAG_DB_NAME", false},     {"RAG_DB_USER", false},
    {"RAG_EMBED_MODEL", false}, {"RAG_EMBED_DIMENSIONS", false},
    {"RAG_BUCKET", true},       {0},
};

const struct handler handler_ingest = {.name = "ingest", .settings = settings};
