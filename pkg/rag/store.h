/* Documents, passages and vectors in PostgreSQL. A document is replaced in one transaction; vectors
 * of different models never meet: the model is in the settings, and checked on every put. */
#ifndef RAGSTACK_RAG_STORE_H
#define RAGSTACK_RAG_STORE_H

#include "pkg/pg/pg.h"
#include "pkg/rag/chunk.h"
#include "pkg/value/value.h"

struct document {
    const char *id, *title, *source; /* source: where it came from, or NULL */
    const char *text;
    size_t length;
    const struct value *metadata; /* a map, or NULL */
    const struct value *given;    /* vectors that came along (given.h), or NULL */
};

/* What is already stored of a document's units, so that only the rest is embedded. */
struct stored_units {
    bool same_document;    /* nothing to do at all */
    size_t count;          /* of units, in document order */
    const float **vectors; /* NULL: has to be embedded */
    size_t missing;
};
/* ERR_CONFLICT when the stored vectors are of another model. */
int store_look(struct task *task, struct pg *pg, struct arena *arena,
               const struct document *document, const struct passage_list *passages,
               const char *embedder, int dimensions, struct stored_units *out, struct error *error);
/* Puts the document, replacing an earlier one with its id, in one transaction; every unit has its
 * vector by now. */
int store_put(struct task *task, struct pg *pg, struct arena *arena,
              const struct document *document, const struct passage_list *passages,
              const struct stored_units *units, int dimensions, struct error *error);
/* ERR_NOT_FOUND when there is no such document. */
int store_delete(struct task *task, struct pg *pg, struct arena *arena, const char *id,
                 struct error *error);
/* [{"id","title","source","bytes","passages","updated"}], after `after` by id, at most `limit`. Up
 * to a limit of STORE_LIST_SUMMED with "sha256" of each text as it is stored, which reads all of
 * it. */
enum { STORE_LIST_SUMMED = 100 };
int store_list(struct task *task, struct pg *pg, struct arena *arena, const char *after, int limit,
               struct value **out, struct error *error);

#endif
