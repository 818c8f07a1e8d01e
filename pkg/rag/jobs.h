/* What became of what came from the documents bucket: a row an object, the last time that counts.
 * (Small texts by the API need none: their caller hears it.) */
#ifndef RAGSTACK_RAG_JOBS_H
#define RAGSTACK_RAG_JOBS_H

#include "pkg/pg/pg.h"
#include "pkg/value/value.h"

struct job {
    const char *id;     /* of the document */
    const char *source; /* "s3://bucket/key" */
    const char *state;  /* "running", "stored", "deleted" or "failed" */
    int done, total;    /* texts that have their vectors */
    const char *error;  /* why it failed; NULL */
};
int job_write(struct task *task, struct pg *pg, struct arena *arena, const struct job *job,
              struct error *error);
/* [{"id","source","state","done","total","error","updated"}], the newest first. */
int job_list(struct task *task, struct pg *pg, struct arena *arena, int limit, struct value **out,
             struct error *error);

#endif
