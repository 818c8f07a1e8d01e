#include "pkg/rag/embedder.h"

#include <string.h>

#include "pkg/base/attributes.h"

static const struct embedder embedders[] = {
    /* it takes 8,192 tokens; neither number has been measured on it yet */
    {"amazon.titan-embed-text-v2", 1200, 0.25},
    /* it reads 128 pieces, some 450 characters; the floor is the highest that loses no more than
     * one in ten answers: tests/bench/README.md */
    {"ragstack.use-lite", 400, 0.38},
};
static const struct embedder unknown = {"", 1200, 0};

const struct embedder *embedder_of(const char *model)
{
    for (size_t i = 0; i < COUNT_OF(embedders); i++) {
        if (strncmp(model, embedders[i].prefix, strlen(embedders[i].prefix)) == 0)
            return &embedders[i];
    }
    return &unknown;
}
