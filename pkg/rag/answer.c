#include "pkg/rag/answer.h"

#include <string.h>
#include <time.h>

#include "pkg/rag/citation.h"
#include "pkg/rag/embedder.h"
#include "pkg/rag/prompt.h"

enum {
    DEADLINE_MS = 25000,
    TOP_K = 6,
    MAX_TOKENS = 800,
    RETRY_AFTER_S = 10,
};

/* Words that the question and a passage share make up for some missing similarity, but not for all.
 */
static const double WORDS_ENOUGH = 0.6, WORDS_WORTH = 0.15;

struct asking {
    struct arena *arena;
    struct pg *pg;
    struct models *models;
    const char *question;
    struct answer_options options;
    struct answer *answer;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int failed_in(struct answer *answer, const char *phase, int result)
{
    if (result < 0)
        answer->failed = phase;
    return result;
}

/* -- search -- */

static int find_passages(struct task *task, struct asking *asking, struct error *error)
{
    struct answer *answer = asking->answer;
    const char *texts[] = {asking->question};
    float *vector = NULL;
    double started_ms = now_ms();
    int result = 0;
    if (asking->models->embed) {
        vector = arena_array(asking->arena, (size_t)asking->models->dimensions, sizeof *vector);
        result = asking->models->embed(task, asking->models, asking->arena, texts, 1, vector,
                                       &answer->embed_usage, error);
    }
    answer->times.embed_ms = now_ms() - started_ms;
    if (result < 0)
        return failed_in(answer, "embed", result);
    struct search_options search = {.question = asking->question,
                                    .vector = vector,
                                    .dimensions = asking->models->dimensions,
                                    .top_k = asking->options.top_k,
                                    .filter = asking->options.filter};
    started_ms = now_ms();
    result = store_search(task, asking->pg, asking->arena, &search, &answer->hits, error);
    answer->times.search_ms = now_ms() - started_ms;
    return failed_in(answer, "search", result);
}

/* Does anything that was found have to do with the question? */
static bool something_suits(struct asking *asking)
{
    struct answer *answer = asking->answer;
    bool by_words = false;
    answer->best = -1;
    for (size_t i = 0; i < answer->hits.count; i++) {
        const struct hit *hit = &answer->hits.items[i];
        bool enough = hit->lexical >= WORDS_ENOUGH;
        double passes = hit->similarity + (enough ? WORDS_WORTH : 0);
        answer->best = passes > answer->best ? passes : answer->best;
        by_words = by_words || enough;
    }
    return asking->models->embed ? answer->hits.count && answer->best >= answer->floor : by_words;
}

/* -- the model -- */

static int conclude(struct answer *answer, enum answer_outcome outcome, const char *reason)
{
    answer->outcome = outcome;
    answer->reason = reason;
    if (outcome != ANSWERED)
        answer->text = "";
    return 0;
}

static int judge(struct asking *asking, const struct generation *generation, size_t sent)
{
    struct answer *answer = asking->answer;
    answer->text = generation->text;
    if (strstr(generation->text, NO_ANSWER_TOKEN))
        return conclude(answer, NO_ANSWER, "model");
    citations_check(asking->arena, answer, sent);
    if (!answer->citation_count) /* what stands on no passage is no answer from these documents */
        return conclude(answer, NO_ANSWER, "unproved");
    return conclude(answer, ANSWERED, "");
}

static int generate(struct task *task, struct asking *asking, struct error *error)
{
    struct answer *answer = asking->answer;
    struct prompt prompt;
    struct generation generation = {0};
    int result = prompt_make(asking->arena, asking->options.template_text, asking->question,
                             &answer->hits, asking->options.context_tokens, &prompt, error);
    if (result < 0)
        return result;
    answer->prompt_hash = prompt.hash;
    struct generation_request request = {prompt.system, prompt.user, asking->options.max_tokens,
                                         asking->options.deadline_ms};
    double started_ms = now_ms();
    result =
        asking->models->generate(task, asking->models, asking->arena, &request, &generation, error);
    answer->times.generate_ms = now_ms() - started_ms;
    answer->generate_usage = generation.usage;
    if (result == ERR_TIMEOUT)
        return conclude(answer, PASSAGES_ONLY, "late");
    return result < 0 ? failed_in(answer, "generate", result)
                      : judge(asking, &generation, prompt.passages);
}

static int ask(struct task *task, struct asking *asking, struct error *error)
{
    int result = find_passages(task, asking, error);
    if (result < 0)
        return result;
    if (!something_suits(asking))
        return conclude(asking->answer, NO_ANSWER, "floor");
    if (asking->options.search_only)
        return conclude(asking->answer, PASSAGES_ONLY, "search_only");
    return generate(task, asking, error);
}

static struct answer_options with_defaults(struct task *task, const struct models *models,
                                           const struct answer_options *options)
{
    struct answer_options all = *options;
    if (all.top_k <= 0)
        all.top_k = TOP_K;
    if (all.max_tokens <= 0)
        all.max_tokens = MAX_TOKENS;
    if (all.context_tokens <= 0)
        all.context_tokens = ANSWER_CONTEXT_TOKENS;
    if (all.floor < 0)
        all.floor = embedder_of(models->embedder)->floor;
    if (all.deadline_ms == 0)
        all.deadline_ms = task_now_ms(task) + DEADLINE_MS;
    return all;
}

int answer_question(struct task *task, struct arena *arena, struct pg *pg, struct models *models,
                    const char *question, const struct answer_options *options, struct answer *out,
                    struct error *error)
{
    double started_ms = now_ms();
    struct asking asking = {arena, pg, models, question, with_defaults(task, models, options), out};
    *out = (struct answer){.text = "",
                           .reason = "",
                           .prompt_hash = "",
                           .top_k = asking.options.top_k,
                           .floor = asking.options.floor,
                           .embedder = models->embed ? models->embedder : NULL};
    int result = ask(task, &asking, error);
    out->times.total_ms = now_ms() - started_ms;
    if (result == ERR_THROTTLED) {
        out->retry_after_s = RETRY_AFTER_S;
        return conclude(out, THROTTLED, "throttled");
    }
    return result;
}
