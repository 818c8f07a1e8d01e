/* The prompt: a template, and passages and question put into it as data.
 *
 * The template has two parts with a line "---" between: instructions (the system prompt), and what
 * is asked, with {{passages}} and {{question}}. Without the line there are no instructions. What is
 * put in stands between tags that its own text cannot close. */
#ifndef RAGSTACK_RAG_PROMPT_H
#define RAGSTACK_RAG_PROMPT_H

#include "pkg/base/error.h"
#include "pkg/rag/search.h"

/* What the model says when the passages do not answer. */
#define NO_ANSWER_TOKEN "NO_ANSWER"

struct prompt {
    const char *system, *user;
    size_t passages;  /* the first so many hits fitted the budget, and were sent */
    const char *hash; /* of the template: first 12 hexadecimal digits of its SHA-256 */
};

/* `token_budget` is for the passages (about four bytes a token); at least one passage is sent, cut
 * if it must be. ERR_INPUT when the template lacks {{passages}} or {{question}}. NULL: the built-in
 * template. */
int prompt_make(struct arena *arena, const char *template_text, const char *question,
                const struct hit_list *hits, int token_budget, struct prompt *out,
                struct error *error);

extern const char prompt_built_in[];

#endif
