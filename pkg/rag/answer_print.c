/* An answer as the API's reply, and as a line in the log. */
#include <string.h>

#include "pkg/rag/answer.h"

enum { NEAREST = 3 };

static const char *outcome_word(enum answer_outcome outcome)
{
    static const char *const words[] = {
        [ANSWERED] = "answered",
        [NO_ANSWER] = "no_answer",
        [PASSAGES_ONLY] = "passages_only",
        [THROTTLED] = "throttled",
    };
    return words[outcome];
}

static double rounded(double number, double steps)
{
    return (double)(int64_t)(number * steps + 0.5) / steps;
}

static struct value *real(struct arena *arena, double number, double steps)
{
    return value_real(arena, rounded(number, steps));
}

/* -- the reply -- */

/* The passage around the quote, for whoever wants to read on. */
static void add_passage(struct arena *arena, struct value *row, const struct hit_list *hits,
                        const struct citation *citation)
{
    for (size_t i = 0; i < hits->count; i++) {
        const struct hit *hit = &hits->items[i];
        if (strcmp(hit->document, citation->document) != 0 || citation->start < hit->start ||
            citation->end > hit->end)
            continue;
        value_set_text(arena, row, "heading", hit->heading);
        value_set_text(arena, row, "passage", hit->text);
        value_set_int(arena, row, "passage_start", (int64_t)hit->start);
        return;
    }
}

static struct value *citation_value(struct arena *arena, const struct hit_list *hits,
                                    const struct citation *citation)
{
    struct value *row = value_map(arena);
    value_set_int(arena, row, "number", citation->number);
    value_set_text(arena, row, "document", citation->document);
    value_set_text(arena, row, "title", citation->title);
    if (citation->source)
        value_set_text(arena, row, "source", citation->source);
    value_set_text(arena, row, "quote", citation->quote);
    value_set_int(arena, row, "start", (int64_t)citation->start);
    value_set_int(arena, row, "end", (int64_t)citation->end);
    add_passage(arena, row, hits, citation);
    return row;
}

static struct value *hit_value(struct arena *arena, const struct hit *hit, bool with_text)
{
    struct value *row = value_map(arena);
    value_set_text(arena, row, "document", hit->document);
    value_set_text(arena, row, "title", hit->title);
    if (hit->source)
        value_set_text(arena, row, "source", hit->source);
    value_set_text(arena, row, "heading", hit->heading);
    value_set(arena, row, "similarity", real(arena, hit->similarity, 1e4));
    if (!with_text)
        return row;
    value_set_text(arena, row, "text", hit->text);
    value_set_int(arena, row, "start", (int64_t)hit->start);
    return value_set_int(arena, row, "end", (int64_t)hit->end);
}

static struct value *hits_value(struct arena *arena, const struct hit_list *hits, size_t most,
                                bool with_text)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < hits->count && i < most; i++)
        value_push(arena, list, hit_value(arena, &hits->items[i], with_text));
    return list;
}

static struct value *times_value(struct arena *arena, const struct answer *answer)
{
    struct value *times = value_map(arena);
    value_set(arena, times, "embed", real(arena, answer->times.embed_ms, 100));
    value_set(arena, times, "search", real(arena, answer->times.search_ms, 100));
    value_set(arena, times, "generate", real(arena, answer->times.generate_ms, 100));
    return value_set(arena, times, "total", real(arena, answer->times.total_ms, 100));
}

/* Dollars of both models; -1 when one of them is not in the price table. */
static double dollars(const struct answer *answer)
{
    double embed = answer->embed_usage.dollars, generate = answer->generate_usage.dollars;
    return embed < 0 || generate < 0 ? -1 : embed + generate;
}

static struct value *usage_value(struct arena *arena, const struct answer *answer)
{
    struct value *usage = value_map(arena);
    value_set_int(arena, usage, "input_tokens", answer->generate_usage.input_tokens);
    value_set_int(arena, usage, "output_tokens", answer->generate_usage.output_tokens);
    value_set_int(arena, usage, "embed_tokens", answer->embed_usage.input_tokens);
    value_set(arena, usage, "usd",
              dollars(answer) < 0 ? value_null(arena) : value_real(arena, dollars(answer)));
    value_set_text(arena, usage, "prices", price_table_version);
    if (answer->generate_usage.model)
        value_set_text(arena, usage, "model", answer->generate_usage.model);
    return usage;
}

struct value *answer_to_value(struct arena *arena, const struct answer *answer)
{
    struct value *reply = value_map(arena), *citations = value_list(arena);
    for (size_t i = 0; i < answer->citation_count; i++)
        value_push(arena, citations, citation_value(arena, &answer->hits, &answer->citations[i]));
    value_set_text(arena, reply, "outcome", outcome_word(answer->outcome));
    value_set_text(arena, reply, "answer", answer->text);
    value_set_bool(arena, reply, "no_answer", answer->outcome == NO_ANSWER);
    if (answer->reason[0])
        value_set_text(arena, reply, "reason", answer->reason);
    value_set(arena, reply, "citations", citations);
    if (answer->outcome == NO_ANSWER)
        value_set(arena, reply, "nearest", hits_value(arena, &answer->hits, NEAREST, false));
    if (answer->outcome == PASSAGES_ONLY)
        value_set(arena, reply, "passages",
                  hits_value(arena, &answer->hits, answer->hits.count, true));
    value_set(arena, reply, "timings_ms", times_value(arena, answer));
    value_set(arena, reply, "usage", usage_value(arena, answer));
    return value_set_text(arena, reply, "prompt", answer->prompt_hash);
}

struct value *answer_explain_value(struct arena *arena, const struct answer *answer)
{
    struct value *explain = value_map(arena), *hits = value_list(arena);
    bool by_floor = answer->embedder != NULL;
    value_set_int(arena, explain, "top_k", answer->top_k);
    value_set(arena, explain, "floor",
              by_floor ? value_real(arena, answer->floor) : value_null(arena));
    value_set(arena, explain, "best",
              by_floor ? real(arena, answer->best, 1e4) : value_null(arena));
    value_set(arena, explain, "embedder", value_string(arena, answer->embedder));
    for (size_t i = 0; i < answer->hits.count; i++) {
        const struct hit *hit = &answer->hits.items[i];
        struct value *row = hit_value(arena, hit, false);
        value_set_int(arena, row, "start", (int64_t)hit->start);
        value_set_int(arena, row, "end", (int64_t)hit->end);
        value_set(arena, row, "lexical", real(arena, hit->lexical, 1e4));
        value_set(arena, row, "score", real(arena, hit->score, 1e4));
        value_push(arena, hits, row);
    }
    return value_set(arena, explain, "hits", hits);
}

/* -- the log line -- */

struct metric {
    const char *name, *unit;
    double number;
};

/* CloudWatch reads metrics out of a line that carries this description of itself.
 * Source: "Embedded metric format specification", Amazon CloudWatch User Guide. */
static struct value *metric_description(struct arena *arena, const struct metric *metrics,
                                        size_t count)
{
    struct value *list = value_list(arena), *directive = value_map(arena),
                 *about = value_map(arena);
    for (size_t i = 0; i < count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "Name", metrics[i].name);
        value_set_text(arena, row, "Unit", metrics[i].unit);
        value_push(arena, list, row);
    }
    value_set_text(arena, directive, "Namespace", "ragstack");
    value_set(
        arena, directive, "Dimensions",
        value_push(arena, value_list(arena), value_push_text(arena, value_list(arena), "Stack")));
    value_set(arena, directive, "Metrics", list);
    value_set_int(arena, about, "Timestamp", task_wall_ms(NULL));
    return value_set(arena, about, "CloudWatchMetrics",
                     value_push(arena, value_list(arena), directive));
}

static struct value *line_of(struct arena *arena, const struct metric *metrics, size_t count,
                             const struct answer_log *log, const char *event)
{
    struct value *line = value_map(arena);
    value_set(arena, line, "_aws", metric_description(arena, metrics, count));
    value_set_text(arena, line, "Stack", log->stack);
    for (size_t i = 0; i < count; i++)
        value_set(arena, line, metrics[i].name, value_real(arena, metrics[i].number));
    value_set_text(arena, line, "event", event);
    value_set_text(arena, line, "requestId", log->request_id);
    value_set(arena, line, "connectMs", real(arena, log->connect_ms, 100));
    if (log->question)
        value_set_text(arena, line, "question", log->question);
    return line;
}

/* A metric is paid for by the hours in which it is sent: a cold start is told only when it is one.
 */
struct value *answer_log_value(struct arena *arena, const struct answer *answer,
                               const struct answer_log *log)
{
    const struct model_usage *embed = &answer->embed_usage, *generate = &answer->generate_usage;
    const struct metric metrics[] = {
        {"EmbedMs", "Milliseconds", rounded(answer->times.embed_ms, 100)},
        {"SearchMs", "Milliseconds", rounded(answer->times.search_ms, 100)},
        {"GenerateMs", "Milliseconds", rounded(answer->times.generate_ms, 100)},
        {"TotalMs", "Milliseconds", rounded(answer->times.total_ms, 100)},
        {"InputTokens", "Count", generate->input_tokens + embed->input_tokens},
        {"OutputTokens", "Count", generate->output_tokens},
        {"CostUSD", "None", dollars(answer) < 0 ? 0 : dollars(answer)},
        {"Questions", "Count", 1},
        {"NoAnswer", "Count", answer->outcome == NO_ANSWER},
        {"Throttled", "Count", answer->outcome == THROTTLED},
        {"Late", "Count", answer->outcome == PASSAGES_ONLY && strcmp(answer->reason, "late") == 0},
        {"ColdStarts", "Count", 1},
    };
    _Static_assert(COUNT_OF(metrics) == ANSWER_METRICS, "what they cost is told by their number");
    struct value *line =
        line_of(arena, metrics, COUNT_OF(metrics) - !log->cold_start, log, "question");
    value_set_text(arena, line, "outcome", outcome_word(answer->outcome));
    value_set_text(arena, line, "reason", answer->reason);
    value_set_int(arena, line, "citations", (int64_t)answer->citation_count);
    value_set_int(arena, line, "droppedCitations", answer->dropped_citations);
    value_set_text(arena, line, "prompt", answer->prompt_hash);
    value_set_text(arena, line, "model", generate->model);
    return value_set_text(arena, line, "prices", price_table_version);
}

struct value *answer_failure_value(struct arena *arena, const char *phase,
                                   const struct answer_log *log, const struct error *error)
{
    static const struct {
        const char *phase, *cause, *metric;
    } causes[] = {
        {"connect", "database", "FailedDatabase"},
        {"search", "database", "FailedDatabase"},
        {"embed", "models", "FailedModels"},
        {"generate", "models", "FailedModels"},
        {NULL, "other", "FailedOther"},
    };
    size_t i = 0;
    while (causes[i].phase && !(phase && strcmp(causes[i].phase, phase) == 0))
        i++;
    const struct metric metrics[] = {
        {"Questions", "Count", 1}, {causes[i].metric, "Count", 1}, {"ColdStarts", "Count", 1}};
    struct value *line =
        line_of(arena, metrics, COUNT_OF(metrics) - !log->cold_start, log, "failure");
    if (log->times) {
        value_set(arena, line, "EmbedMs", real(arena, log->times->embed_ms, 100));
        value_set(arena, line, "SearchMs", real(arena, log->times->search_ms, 100));
        value_set(arena, line, "GenerateMs", real(arena, log->times->generate_ms, 100));
        value_set(arena, line, "TotalMs", real(arena, log->times->total_ms, 100));
    }
    value_set_text(arena, line, "cause", causes[i].cause);
    value_set_text(arena, line, "phase", phase);
    value_set_text(arena, line, "error", error->message);
    return value_set_text(arena, line, "code", error->aws_code[0] ? error->aws_code : NULL);
}
