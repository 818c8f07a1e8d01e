/* The two models behind a table: texts to vectors, and passages to an answer.
 *
 * On AWS both are Bedrock by signed calls; on the local target the same calls go to the local
 * models endpoint (AWS_ENDPOINT_URL_BEDROCK_RUNTIME). Tests put in fakes. Source: InvokeModel
 * (Titan Text Embeddings V2) and Converse, Amazon Bedrock API Reference. */
#ifndef RAGSTACK_RAG_MODEL_H
#define RAGSTACK_RAG_MODEL_H

#include "pkg/aws/client.h"

struct model_usage {
    int input_tokens, output_tokens;
    double dollars;    /* by the price table; -1 when the model is not in it */
    const char *model; /* the one that answered: a fallback, perhaps */
};

struct generation_request {
    const char *system; /* instructions */
    const char *user;   /* passages and question, marked as data */
    int max_tokens;
    int64_t deadline_ms; /* monotonic: no answer by then is ERR_TIMEOUT */
};
struct generation {
    const char *text;
    const char *stop_reason; /* "end_turn", "max_tokens" ... */
    struct model_usage usage;
};

struct models {
    const char *embedder; /* model id: stored beside each vector, never mixed */
    int dimensions;
    size_t unit_maximum; /* bytes of text that it takes well: chunk_sizes.unit_maximum */
    /* `count` texts to count x dimensions floats of length 1, at the rate that the quota allows.
     * NULL: there is no embedding model ("none"), and search is by words alone. */
    int (*embed)(struct task *task, struct models *models, struct arena *arena,
                 const char *const *texts, size_t count, float *out, struct model_usage *usage,
                 struct error *error);
    /* The first model, then its fallbacks when throttled: ERR_THROTTLED when all are. */
    int (*generate)(struct task *task, struct models *models, struct arena *arena,
                    const struct generation_request *request, struct generation *out,
                    struct error *error);
    void *data;
};

struct bedrock_options {
    struct aws_client *client;
    const char *embed_model;
    int dimensions;
    const char *generate_model;
    const char *const *fallback; /* ends with NULL; may be NULL */
    int embed_at_once;           /* 0: 8 */
};
struct models *bedrock_models(struct arena *arena, const struct bedrock_options *options);

/* -- prices (pkg/rag/price.c holds the table, with the date it was read) -- */
extern const char price_table_version[]; /* "2026-11" */
/* Dollars for these tokens; -1 when the model is not in the table. Inference profiles count as the
 * model behind them. */
double price_of_tokens(const char *model, int input_tokens, int output_tokens);

#endif
