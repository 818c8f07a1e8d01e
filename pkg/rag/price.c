/* What models cost, in dollars for a million tokens, on demand, in US regions.
 * Source: "Amazon Bedrock pricing", as of the version's month. */
#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/rag/model.h"

const char price_table_version[] = "2026-11";

/* The longest part of the model's id that fits counts, so that new dates of a model keep its price.
 */
static const struct price {
    const char *model;
    double input, output;
} prices[] = {
    {"amazon.titan-embed-text-v2", 0.02, 0},
    {"amazon.titan-embed-text-v1", 0.10, 0},
    {"cohere.embed-english-v3", 0.10, 0},
    {"cohere.embed-multilingual-v3", 0.10, 0},
    {"anthropic.claude-haiku-4-5", 1.00, 5.00},
    {"anthropic.claude-sonnet-4-5", 3.00, 15.00},
    {"anthropic.claude-sonnet-4", 3.00, 15.00},
    {"anthropic.claude-opus-4-5", 5.00, 25.00},
    {"anthropic.claude-3-5-haiku", 0.80, 4.00},
    {"anthropic.claude-3-haiku", 0.25, 1.25},
    {"amazon.nova-micro", 0.035, 0.14},
    {"amazon.nova-lite", 0.06, 0.24},
    {"amazon.nova-pro", 0.80, 3.20},
    {"ragstack.", 0, 0}, /* models of the local target */
};

double price_of_tokens(const char *model, int input_tokens, int output_tokens)
{
    const struct price *best = NULL;
    for (size_t i = 0; i < COUNT_OF(prices); i++) {
        const struct price *price = &prices[i];
        if (strstr(model, price->model) && (!best || strlen(price->model) > strlen(best->model)))
            best = price;
    }
    if (!best)
        return -1;
    return (best->input * input_tokens + best->output * output_tokens) / 1e6;
}
