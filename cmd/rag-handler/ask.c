/* From question to answer. */
#include "cmd/rag-handler/handler.h"

static const struct setting settings[] = {
    {"RAG_STACK", false},          {"RAG_DB_HOST", false},      {"RAG_DB_NAME", false},
    {"RAG_DB_USER", false},        {"RAG_EMBED_MODEL", false},  {"RAG_EMBED_DIMENSIONS", false},
    {"RAG_GENERATE_MODEL", false}, {"RAG_MAX_TOKENS", true},    {"RAG_TOP_K", true},
    {"RAG_FLOOR", true},           {"RAG_LOG_QUESTIONS", true}, {0},
};

const struct handler handler_ask = {.name = "ask", .settings = settings};
