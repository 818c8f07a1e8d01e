/* An answer without a language model: sentences of the passages, nearest to the question first. */
#ifndef RAGSTACK_SERVE_EXTRACT_H
#define RAGSTACK_SERVE_EXTRACT_H

#include "pkg/base/arena.h"
#include "pkg/encoder/encoder.h"

/* `prompt` is what pkg/rag/prompt.c makes: passages and question between tags. NO_ANSWER when there
 * is none to quote. */
const char *extract_answer(struct arena *arena, const struct encoder *encoder, const char *prompt);

#endif
