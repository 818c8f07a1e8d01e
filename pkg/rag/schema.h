/* The database's schema `rag`: tables documents, passages, units, jobs, migrations, settings. Keys
 * are natural (document, place in it): no sequences, which would pin a proxied connection. */
#ifndef RAGSTACK_RAG_SCHEMA_H
#define RAGSTACK_RAG_SCHEMA_H

#include "pkg/pg/pg.h"

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
    int64_t characters;   /* bytes of text behind the vectors */
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

#endif
