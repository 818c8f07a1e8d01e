/* Vectors that come along with a document: of a RAG of before, whose embedding model is the
 * stack's. */
#ifndef RAGSTACK_RAG_GIVEN_H
#define RAGSTACK_RAG_GIVEN_H

#include "pkg/rag/chunk.h"
#include "pkg/rag/model.h"
#include "pkg/rag/store.h"

/* Pieces of a document's text with their vectors: each is a passage of one unit, and the text
 * between two belongs to the one before. */
struct given {
    struct passage_list passages;
    const float **vectors; /* one a passage */
};

/* document->given: {"embedder": MODEL, "pieces": [{"start", "end", "vector"}]}: bytes of the text,
 * in order; the vector's numbers as little-endian 32-bit floats in base64. No passages when there
 * is nothing, or when model or length are not those of `models`: then the text is cut and embedded
 * like any other. ERR_INPUT for what has another form. */
int given_read(struct arena *arena, const struct document *document, const struct models *models,
               struct given *out, struct error *error);
/* Fills in what store_look has not found. */
void given_fill(const struct given *given, struct stored_units *units);

#endif
