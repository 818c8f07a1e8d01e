/* Many questions added up: what they cost by model, the slowest, what went wrong; from log lines,
 * or from what CloudWatch Logs Insights has added up already. */
#ifndef RAGSTACK_WATCH_QUESTIONS_H
#define RAGSTACK_WATCH_QUESTIONS_H

#include <stdint.h>

#include "pkg/base/buffer.h"
#include "pkg/watch/request_line.h"

enum { SLOWEST_MOST = 100, WRONG_MOST = 50, MODELS_MOST = 32 };

struct model_total {
    const char *model; /* "": no model was asked */
    int64_t questions, input_tokens, output_tokens;
    double usd;
};

struct slow_question {
    int64_t time_ms; /* wall */
    const char *request_id, *outcome;
    double total_ms, connect_ms, embed_ms, search_ms, generate_ms;
};

/* One way of going wrong. */
struct wrong {
    const char *source; /* "ask", "api" */
    const char *what;   /* "the database failed", "timeout", "answered with 502" */
    int64_t count, last_ms;
    const char *last_request, *last_words; /* of the last one */
};

/* What lines may be taken for: those that two filters let through come twice. */
enum { QUESTIONS_COST = 1, QUESTIONS_SLOW = 2, QUESTIONS_WRONG = 4, QUESTIONS_ALL = 7 };

struct questions {
    struct arena *arena;
    struct model_total models[MODELS_MOST];
    size_t model_count;
    struct slow_question slowest[SLOWEST_MOST]; /* the slowest first */
    size_t slow_count, slow_wanted;
    struct wrong wrongs[WRONG_MOST];
    size_t wrong_count;
    int64_t wrongs_left_out; /* of ways beyond WRONG_MOST */
};

void questions_begin(struct questions *questions, struct arena *arena, size_t slow_wanted);
/* Any line; what tells nothing of these parts (QUESTIONS_COST | ..) is passed. */
void questions_take(struct questions *questions, int parts, const char *source, int64_t time_ms,
                    const char *message);
/* A model's total from elsewhere, added to what is there. */
void questions_add_model(struct questions *questions, const struct model_total *total);

void questions_print_cost(struct buffer *out, const struct questions *questions);
void questions_print_slow(struct buffer *out, const struct questions *questions);
void questions_print_wrong(struct buffer *out, const struct questions *questions);
struct value *questions_cost_value(struct arena *arena, const struct questions *questions);
struct value *questions_slow_value(struct arena *arena, const struct questions *questions);
struct value *questions_wrong_value(struct arena *arena, const struct questions *questions);

#endif
