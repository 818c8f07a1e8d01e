/* A run: what became of each question, and under which settings. Saved as JSON, and read back to be
 * compared with, or gone on with. */
#ifndef RAGSTACK_EVAL_RUN_H
#define RAGSTACK_EVAL_RUN_H

#include "pkg/eval/questions.h"

enum { RUN_VERSION = 1 };

enum eval_outcome {
    EVAL_NOT_ASKED,
    EVAL_ANSWERED,
    EVAL_REFUSED, /* "not in the documents": by the floor, or by the model */
    EVAL_FOUND,   /* search only: the question passed the floor */
    EVAL_LATE,    /* the model did not answer in time */
    EVAL_FAILED,  /* no reply: `reason` says why */
    EVAL_OUTCOMES,
};

struct eval_row {
    struct question question;
    enum eval_outcome outcome;
    const char *reason;        /* "" for none */
    const struct value *found; /* ids of the documents that were found, best first, each once */
    double best;               /* the highest floor that it passes; NAN: no floor is in use */
    int citations, right_citations; /* of the documents in which the answer stands */
    bool words_said;                /* all of question.words, in the answer or a quote */
    double took_ms, embed_ms, search_ms, generate_ms;
    double usd; /* NAN: a model has no price in the table */
};

struct eval_settings {
    int top_k;
    double floor; /* NAN: no embedding model */
    bool search_only;
    const char *embedder, *model, *prompt; /* "" when not known: search only */
};

struct eval_run {
    const char *stack, *target, *questions; /* "acme-docs", "aws", the file's name */
    const char *at;                         /* "2026-11-24T16:50:00Z" */
    struct eval_settings settings;
    struct eval_row *rows;
    size_t count;
};

/* All rows EVAL_NOT_ASKED. */
struct eval_row *eval_rows(struct arena *arena, const struct question_list *questions);
/* Reads the API's reply to this row's question (with "explain") into the row, and what it tells of
 * the settings. ERR_INPUT when it explains nothing (an older handler), or tells of other settings
 * than the replies before: figures of both would be of neither. */
int eval_take_reply(struct arena *arena, struct eval_run *run, struct eval_row *row,
                    const struct value *reply, struct error *error);

/* Was it asked, and did a reply come? */
bool eval_has_reply(const struct eval_row *row);
/* Place of the first right document among those that were found, from 1; 0: none was. */
int eval_rank(const struct eval_row *row);
/* The share of the right documents that are among the first `most`; 0: among all. */
double eval_recall(const struct eval_row *row, int most);
size_t eval_asked(const struct eval_run *run);
/* Those of them that got a reply. */
size_t eval_replied(const struct eval_run *run);

struct value *eval_run_to_value(struct arena *arena, const struct eval_run *run);
/* ERR_INPUT for what is no saved run of this version. */
int eval_run_from_value(struct arena *arena, const struct value *value, const char *name,
                        struct eval_run *out, struct error *error);

/* NAN is null. */
struct value *real_or_null(struct arena *arena, double number);

/* Text of the API's, kept for reports: nothing in it can steer a terminal. */
const char *eval_harmless(struct arena *arena, const char *text);

#endif
