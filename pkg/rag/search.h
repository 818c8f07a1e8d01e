/* The passages that fit a question: by meaning, with a little for the same words. */
#ifndef RAGSTACK_RAG_SEARCH_H
#define RAGSTACK_RAG_SEARCH_H

#include "pkg/pg/pg.h"
#include "pkg/value/value.h"

struct search_options {
    const char *question;
    const float *vector; /* NULL: full text only */
    int dimensions;
    int top_k;
    const struct value *filter; /* of metadata: a map that must be contained; NULL: none */
};
struct hit {
    const char *document, *title, *source, *heading;
    size_t start, end; /* bytes of the document's text */
    const char *text;  /* the passage, neighbours merged */
    double similarity; /* cosine of its best unit; -1 without a vector */
    double lexical;    /* share of the question's words (stemmed, without stop words) in it */
    double score;      /* what it was ordered by */
};
struct hit_list {
    struct hit *items;
    size_t count, capacity;
};
/* The best passages, best first; passages that touch are merged into one. One statement. */
int store_search(struct task *task, struct pg *pg, struct arena *arena,
                 const struct search_options *options, struct hit_list *out, struct error *error);

#endif
