/* Taking documents in: what the API and the documents bucket share. */
#ifndef RAGSTACK_CMD_RAG_HANDLER_INGEST_H
#define RAGSTACK_CMD_RAG_HANDLER_INGEST_H

#include "pkg/lambda/lambda.h"
#include "pkg/rag/model.h"
#include "pkg/rag/store.h"

enum { DOCUMENT_MAXIMUM = 5 << 20 }; /* bytes of text */

/* One event's work. */
struct ingesting {
    const struct invocation *invocation;
    const struct value *event; /* the body, or the bucket's records */
    struct models *models;
    struct pg *pg;
    struct value *outcomes; /* a row a document */
    struct model_usage usage;
    /* Told how many of a document's texts have their vectors; NULL: nobody asks. */
    int (*progress)(struct task *task, struct ingesting *ingesting, size_t done, size_t total,
                    struct error *error);
    void *data; /* of progress */
};

/* Models and database. */
int ingest_open(struct task *task, struct ingesting *ingesting, struct error *error);
/* {"id", "title", "text", "source", "metadata"}, checked. The document borrows from the row. */
int ingest_read_document(const struct value *row, struct document *out, struct error *error);
/* Split, embedded as far as that is missing, stored; its row goes to the outcomes. */
int ingest_document(struct task *task, struct ingesting *ingesting, const struct document *document,
                    struct error *error);

/* -- the documents bucket (ingest_bucket.c) -- */
bool is_bucket_event(const struct value *event);
/* Every object that the event names, as it is now. An error when one failed: Lambda then tries the
 * event again, and sends it to the failure destination in the end. */
int ingest_bucket(const struct invocation *invocation, struct value **answer, struct error *error);

#endif
