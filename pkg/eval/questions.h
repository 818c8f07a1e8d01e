/* A file of questions whose answers are known.
 *
 *   answered:                        # the documents answer these
 *     - question: How many days of vacation do we have?
 *       document: people/vacation.md # where; or `documents`, a list: a citation of one will do
 *       words: ["27"]                # must all be in the answer, or in a quote
 *       kind: keyword                # a group of its own in the report
 *   unanswered:                      # "not in the documents"
 *     - question: What is the capital of Australia?
 *       near: people/travel.md       # a document that comes close
 *
 * Only `question` and, where it is answered, `document` or `documents` are required; `filter` is
 * sent along. */
#ifndef RAGSTACK_EVAL_QUESTIONS_H
#define RAGSTACK_EVAL_QUESTIONS_H

#include "pkg/value/value.h"

enum { QUESTIONS_MAXIMUM = 10000 };

struct question {
    const char *text, *kind; /* kind: "" for none */
    bool answerable;
    const struct value *documents; /* a list of ids; empty unless answerable */
    const struct value *words;     /* a list of texts; may be empty */
    const char *near;              /* NULL: none */
    const struct value *filter;    /* NULL: none */
    struct mark mark;
};
struct question_list {
    struct question *items;
    size_t count, capacity;
};

/* Reads the file; ERR_INPUT at the first fault, and how many there are. */
int questions_read(struct arena *arena, const char *path, struct question_list *out,
                   struct error *error);
/* The same from a tree. */
int questions_from_value(struct arena *arena, const struct value *tree, const char *name,
                         struct question_list *out, struct error *error);

#endif
