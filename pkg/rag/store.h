/* Documents, passages and vectors in PostgreSQL: schema, putting, deleting, searching.
 *
 * Schema `rag`; tables documents, passages, units, jobs, migrations, settings. Keys are natural
 * (document, place in it): no sequences, which would pin a proxied connection. A document is
 * replaced in one transaction. Vectors of different models never meet: the model is in `settings`,
 * checked on every put. */
#ifndef RAGSTACK_RAG_STORE_H
#define RAGSTACK_RAG_STORE_H

#include "pkg/pg/pg.h"
#include "pkg/rag/chunk.h"
#include "pkg/value/value.h"

/* -- the schema -- */
struct schema_options {
    const char *embedder;
    int dimensions;
    const char *app_user; /* created for IAM login (rds_iam) where that role exists; NULL: none */
    bool iam;
    bool reembed; /* consent to drop vectors of another model or length */
};
struct schema_report {
    int from, to; /* migrations applied before and after */
    const char *vector_version;
    int64_t documents, passages, units;
    bool hnsw;            /* there is an index */
    const char *embedder; /* of the vectors that are stored; "" if none */
    int dimensions;
    const char *warning; /* "" or what to know: the index outgrows memory ... */
    int pending_units;   /* of another model: would have to be embedded again */
};
/* Brings the database up to date: extension (>= 0.8), numbered migrations with checksums
 * (ERR_CONFLICT when an applied one changed), the user, its settings, and the HNSW index once there
 * are some ten thousand units. Repeating changes nothing. */
int schema_migrate(struct task *task, struct pg *pg, struct arena *arena,
                   const struct schema_options *options, struct schema_report *report,
                   struct error *error);
/* The same look without a change. */
int schema_look(struct task *task, struct pg *pg, struct arena *arena,
                const struct schema_options *options, struct schema_report *report,
                struct error *error);
/* Migrations in the program: the newest number. */
int schema_newest(void);

/* -- documents -- */
struct document {
    const char *id, *title, *source; /* source: where it came from, or NULL */
    const char *text;
    size_t length;
    const struct value *metadata; /* a map, or NULL */
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
/* [{"id","title","source","bytes","passages","updated"}], after `after` by id, at most `limit`. */
int store_list(struct task *task, struct pg *pg, struct arena *arena, const char *after, int limit,
               struct value **out, struct error *error);

/* -- searching -- */
struct search_options {
    const char *question;
    const float *vector; /* NULL: full text only */
    int dimensions;
    int top_k;
    const struct value *filter; /* of metadata: a map that must be contained; NULL: none */
    double lexical_bonus;       /* 0: 0.1 of the best rank */
};
struct hit {
    const char *document, *title, *source, *heading;
    int passage;       /* its place in the document */
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
