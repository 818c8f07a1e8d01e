/* What the parts of `ragstack ingest` share: where documents come from, and sending them. */
#ifndef RAGSTACK_CMD_INGEST_H
#define RAGSTACK_CMD_INGEST_H

#include <stdint.h>

#include "cmd/ragstack/api.h"
#include "pkg/base/map.h"
#include "pkg/base/vector.h"

/* -- where they come from -- */

struct ingest_item {
    const char *id, *title, *text; /* the text may be long: it goes with the arena */
    size_t length;
    const char *source;           /* shown in citations; NULL: none */
    const struct value *metadata; /* a map, or NULL */
    const struct value *given;    /* vectors that go along, as the API takes them; NULL: none */
    uint64_t weight;              /* its share of source.weight */
};

enum ingest_next {
    INGEST_END = 0,
    INGEST_ITEM = 1,
    INGEST_UNREADABLE = 2, /* out->id is set; the error says why it cannot be had */
};

struct ingest_source {
    /* The next document, in `arena`: an ingest_next, or an error that ends it all. */
    int (*next)(struct task *task, struct ingest_source *source, struct arena *arena,
                struct ingest_item *out, struct error *error);
    void (*close)(struct task *task, struct ingest_source *source); /* may be NULL */
    size_t count;                                                   /* documents in all */
    uint64_t weight;                                                /* of all, for progress */
    void *data;
};

/* -- files -- */

struct ingest_file {
    const char *path, *id, *source;
    uint64_t bytes;
};
struct ingest_files {
    VECTOR(struct ingest_file) items;
    VECTOR(const char *) roots; /* what the sources of a folder's documents begin with */
    size_t skipped;             /* of kinds that are not known */
    size_t at;                  /* the next to be taken */
};
struct ingest_naming {
    const char *prefix; /* before ids; "" for none */
    const char *url;    /* before ids in sources, in place of the path; NULL: the path */
};
/* Folders (without hidden files), files and patterns. ERR_USAGE: not there, or two with one id. */
int ingest_files_find(struct task *task, struct arena *arena, const char *const *arguments,
                      const struct ingest_naming *naming, struct ingest_files *out,
                      struct error *error);
struct ingest_source *ingest_files_source(struct arena *arena, struct ingest_files *files);

/* -- a table of another PostgreSQL -- */

struct ingest_table {
    const char *url;                       /* postgres://... */
    const char *table, *id, *text;         /* as in SQL: "schema.table", columns */
    const char *title, *source, *metadata; /* columns; NULL: none */
    const char *order;                     /* of rows with one id, which become one document */
    const char *embedding, *embedder;      /* a vector's column, and its model; NULL: none */
    const char *prefix;
};
/* Connects, and counts. */
int ingest_table_open(struct task *task, struct arena *arena, const struct ingest_table *table,
                      struct ingest_source **out, struct error *error);

/* -- sending -- */

struct ingest_failure {
    const char *id, *why;
};
struct ingest_report {
    struct arena *arena; /* of what is kept here */
    size_t stored, unchanged;
    int64_t passages, embedded;
    double usd;
    uint64_t weight; /* done so far */
    VECTOR(struct ingest_failure) failures;
    struct value *rows; /* what became of each; NULL: not kept */
    struct map *sums;   /* id to the text's SHA-256 in hexadecimal digits; NULL: not kept */
};
size_t ingest_done(const struct ingest_report *report);
void ingest_fail(struct ingest_report *report, const char *id, const char *why);

struct ingest_options {
    const struct api *api;
    const struct value *metadata; /* of every document, under its own; NULL: none */
    int at_once;                  /* requests under way */
    int timeout_ms;               /* of one; 0: as the API itself has it */
};
/* Sends all in batches. What is wrong with one document is in the report; an error ends it all:
 * nobody answers, or nobody may. */
int ingest_send(struct task *task, const struct ingest_options *options,
                struct ingest_source *source, struct ingest_report *report, struct error *error);

/* All documents of the stack, page by page; nonzero from `each` ends it. `summed`: with the
 * "sha256" of each text, in smaller pages. */
int ingest_list(struct task *task, const struct api *api, bool summed,
                int (*each)(void *data, const struct value *document), void *data,
                struct error *error);
int ingest_delete(struct task *task, const struct api *api, const char *id, struct error *error);

/* -- the view -- */

struct ingest_view;
/* A bar on a terminal, a line now and then elsewhere; on stderr. */
struct ingest_view *ingest_view_begin(struct session *session, const struct ingest_source *source,
                                      const struct ingest_report *report);
void ingest_view_end(struct task *task, struct ingest_view *view);

#endif
