/* Below which similarity a passage has nothing to do with a question: one number an embedding
 * model, since their cosines are not alike. `ragstack eval` measures it on a user's own questions.
 */
#include <string.h>

#include "pkg/base/attributes.h"
#include "pkg/rag/answer.h"

static const struct {
    const char *embedder;
    double floor;
} floors[] = {
    {"amazon.titan-embed-text-v2", 0.25},
    {"ragstack.use-lite", 0.38}, /* the highest that loses no more than one in ten answers:
                                    tests/bench/README.md */
};

double floor_of_model(const char *embedder, int dimensions)
{
    (void)dimensions;
    for (size_t i = 0; i < COUNT_OF(floors); i++) {
        if (strncmp(embedder, floors[i].embedder, strlen(floors[i].embedder)) == 0)
            return floors[i].floor;
    }
    return 0;
}
