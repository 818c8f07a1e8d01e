/* References in an answer, checked against what was sent. Pure. */
#ifndef RAGSTACK_RAG_CITATION_H
#define RAGSTACK_RAG_CITATION_H

#include "pkg/rag/answer.h"

/* Reads the marks [n] and [n, m] of answer->text. A mark that names none of the first `sent` hits
 * is taken out and counted in dropped_citations; each other one becomes a citation with the
 * sentence of the passage that fits best what was said. */
void citations_check(struct arena *arena, struct answer *answer, size_t sent);

#endif
