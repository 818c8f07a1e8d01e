/* What is known of embedding models: each has its own cosines and its own taste in text. */
#ifndef RAGSTACK_RAG_EMBEDDER_H
#define RAGSTACK_RAG_EMBEDDER_H

#include <stddef.h>

struct embedder {
    const char *prefix;  /* of the model's id */
    size_t unit_maximum; /* bytes of text that it takes well: chunk_sizes.unit_maximum */
    double floor;        /* below this similarity a passage has nothing to do with a question */
};

/* Never NULL: of a model that nothing is known of, careful values. */
const struct embedder *embedder_of(const char *model);

/* The floor that a stack file says for this model: "auto", "0.4" (of any model), or "0.4@MODEL" for
 * one or several of them, separated by spaces. < 0: the model's own. */
double embedder_floor(const char *said, const char *model);

#endif
