/* A question to an answer with proof, or an honest "not in these documents".
 *
 * question -> vector -> search -> floor -> prompt -> model -> citations checked against what was
 * sent. Passages and question are data: they are fenced in the prompt, and nothing in them is
 * followed. */
#ifndef RAGSTACK_RAG_ANSWER_H
#define RAGSTACK_RAG_ANSWER_H

#include "pkg/rag/model.h"
#include "pkg/rag/search.h"

enum answer_outcome {
    ANSWERED,
    NO_ANSWER,     /* nothing suits: by the floor (model not called), or the model says so */
    PASSAGES_ONLY, /* the model was late, or was not to be asked: passages with a reason */
    THROTTLED,     /* all models are: try again after retry_after_s */
};

struct citation {
    int number; /* [1] in the answer */
    const char *document, *title, *source;
    const char *quote; /* text that stands in the document at start..end */
    size_t start, end; /* bytes of the stored text */
};

struct phase_times {
    double embed_ms, search_ms, generate_ms, total_ms;
};

struct answer {
    enum answer_outcome outcome;
    const char *text;   /* with [n] marks; "" without an answer */
    const char *reason; /* "floor", "model", "unproved", "late", "search_only", "throttled"; "" when
                           answered */
    struct citation *citations;
    size_t citation_count;
    int dropped_citations; /* marks that named no passage that was sent */
    struct hit_list hits;  /* what was found; of a NO_ANSWER: the nearest */
    struct phase_times times;
    struct model_usage embed_usage, generate_usage;
    const char *prompt_hash; /* first 12 hexadecimal digits of the template's SHA-256 */
    int retry_after_s;
    const char *failed; /* of an error: the phase in which it came ("embed" ...); NULL: none */
    /* Why it was refused, or not: by `best` >= `floor`. */
    int top_k;
    double floor;         /* that was in force */
    double best;          /* the highest floor that the question would have passed */
    const char *embedder; /* NULL: search was by words alone, and floor and best mean nothing */
};

/* What passages may take of a prompt where nobody says. */
enum { ANSWER_CONTEXT_TOKENS = 3000 };

struct answer_options {
    int top_k, max_tokens;
    double floor;              /* least similarity; < 0: the embedder's own */
    int context_tokens;        /* budget for passages; 0: ANSWER_CONTEXT_TOKENS */
    const char *template_text; /* NULL: the built-in prompt */
    int64_t deadline_ms;       /* monotonic; 0: 25 s from now */
    const struct value *filter;
    bool search_only; /* no model is asked: PASSAGES_ONLY, or NO_ANSWER by the floor */
};

int answer_question(struct task *task, struct arena *arena, struct pg *pg, struct models *models,
                    const char *question, const struct answer_options *options, struct answer *out,
                    struct error *error);

/* The reply of POST /ask: {"outcome", "answer", "no_answer", "citations", "passages"|"nearest",
 * "timings_ms", ...}. A citation brings the passage that it stands in, and where that begins in the
 * text. */
struct value *answer_to_value(struct arena *arena, const struct answer *answer);
/* What the answer hangs on, for judging search and floor: {"top_k", "floor", "best", "embedder",
 * "hits": best first, with similarity, lexical and score}. */
struct value *answer_explain_value(struct arena *arena, const struct answer *answer);
/* -- one structured line a question, with CloudWatch's embedded metrics -- */

struct answer_log {
    const char *stack, *request_id;
    const char *question;            /* NULL: its text is not logged */
    bool cold_start;                 /* the first question of this process */
    double connect_ms;               /* spent before: models and database made ready */
    const struct phase_times *times; /* of a failure: up to it; may be NULL */
};
enum { ANSWER_METRICS = 12 }; /* that a question's line carries; each is paid for */
struct value *answer_log_value(struct arena *arena, const struct answer *answer,
                               const struct answer_log *log);
/* The line of a question that ended with an error, told by its cause: the database, a model, or
 * something else. `phase` is where (answer->failed, or "connect"); NULL: not known. */
struct value *answer_failure_value(struct arena *arena, const char *phase,
                                   const struct answer_log *log, const struct error *error);

#endif
