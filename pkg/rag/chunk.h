/* A document cut into passages, and passages into units. Pure.
 *
 * A unit is what is embedded: one to a few sentences, as long as the embedding model takes well (it
 * is the model's property: 400 characters for the local encoder, more for Titan). A passage is what
 * the language model reads: the paragraphs around, under one heading, up to `passage_maximum`
 * bytes. All offsets are bytes into the document's text as it is stored, and never cut a UTF-8
 * character. */
#ifndef RAGSTACK_RAG_CHUNK_H
#define RAGSTACK_RAG_CHUNK_H

#include <stddef.h>

#include "pkg/base/arena.h"

struct chunk_sizes {
    size_t unit_maximum;    /* bytes; 0: 400 */
    size_t passage_maximum; /* bytes; 0: 1600 */
};

struct unit {
    size_t start, end; /* bytes of the document */
};
struct passage {
    size_t start, end;
    const char *heading; /* "Leave > Vacation": the headings that it stands under; "" if none */
    struct unit *units;
    size_t unit_count;
};
struct passage_list {
    struct passage *items;
    size_t count, capacity;
};

/* Markdown headings, paragraphs, lists, tables and code blocks are kept whole where they fit. */
void chunk_document(struct arena *arena, const char *text, size_t length,
                    const struct chunk_sizes *sizes, struct passage_list *out);

#endif
