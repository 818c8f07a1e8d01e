#include "pkg/rag/embedder.h"

#include <stdbool.h>
#include <stdlib.h>
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

double embedder_floor(const char *said, const char *model)
{
    for (const char *at = said ? said : ""; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        const char *mark = memchr(at, '@', length);
        char *end;
        double floor = strtod(at, &end);
        bool here = !mark || (at + length - mark - 1 == (ptrdiff_t)strlen(model) &&
                              strncmp(mark + 1, model, strlen(model)) == 0);
        if (end > at && here)
            return floor;
        at += length;
    }
    return -1;
}
