#include "pkg/eval/run.h"

#include <math.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/vector.h"
#include "pkg/value/utf8.h"

static const char *const outcome_words[EVAL_OUTCOMES] = {
    [EVAL_NOT_ASKED] = "not_asked", [EVAL_ANSWERED] = "answered", [EVAL_REFUSED] = "refused",
    [EVAL_FOUND] = "found",         [EVAL_LATE] = "late",         [EVAL_FAILED] = "failed",
};

struct eval_row *eval_rows(struct arena *arena, const struct question_list *questions)
{
    struct eval_row *rows = arena_array(arena, questions->count + 1, sizeof *rows);
    for (size_t i = 0; i < questions->count; i++)
        rows[i] = (struct eval_row){.question = questions->items[i], .reason = "", .best = NAN};
    return rows;
}

static bool has_text(const struct value *list, const char *text)
{
    const struct value *item;
    value_each(item, list)
    {
        if (text && value_is_text(item, text))
            return true;
    }
    return false;
}

/* -- a reply -- */

const char *eval_harmless(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text ? text : "");
    utf8_blank_controls(copy, '?');
    return copy;
}

/* Runs of white space count as one space, as they do for a reader. */
static const char *flat(struct arena *arena, const char *text)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    for (; *text; text++) {
        bool space = strchr(" \t\r\n", *text) != NULL;
        if (!space || (out.length && out.data[out.length - 1] != ' '))
            buffer_char(&out, space ? ' ' : *text);
    }
    const char *copy = arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static bool all_words_said(struct arena *arena, const struct eval_row *row,
                           const struct value *reply)
{
    const struct value *citation, *word;
    const char *all = value_text(reply, "answer");
    value_each(citation, value_get(reply, "citations"))
    {
        const char *quote = value_text(citation, "quote");
        if (has_text(row->question.documents, value_text(citation, "document")))
            all = arena_printf(arena, "%s\n%s", all ? all : "", quote ? quote : "");
    }
    all = flat(arena, all ? all : "");
    value_each(word, row->question.words)
    {
        if (!strcasestr(all, flat(arena, word->string.text)))
            return false;
    }
    return true;
}

static enum eval_outcome outcome_of(const struct value *reply)
{
    const char *said = value_text(reply, "outcome"), *reason = value_text(reply, "reason");
    if (said && strcmp(said, "answered") == 0)
        return EVAL_ANSWERED;
    if (said && strcmp(said, "no_answer") == 0)
        return EVAL_REFUSED;
    return reason && strcmp(reason, "search_only") == 0 ? EVAL_FOUND : EVAL_LATE;
}

static const struct value *documents_found(struct arena *arena, const struct value *hits)
{
    struct value *list = value_list(arena), *hit;
    value_each(hit, hits)
    {
        const char *document = value_text(hit, "document");
        if (document && !has_text(list, document))
            value_push_text(arena, list, eval_harmless(arena, document));
    }
    return list;
}

static double number_at(const struct value *value, const char *path)
{
    return value_as_real(value_at(value, path), NAN);
}

/* A fallback may answer in the model's place; the rest is the stack's. A refusal tells no prompt.
 */
static bool is_same_stack(const struct eval_settings *before, const struct eval_settings *now)
{
    bool same_floor = before->floor == now->floor || (isnan(before->floor) && isnan(now->floor));
    bool same_prompt =
        !*before->prompt || !*now->prompt || strcmp(before->prompt, now->prompt) == 0;
    return before->top_k == now->top_k && same_floor && same_prompt &&
           strcmp(before->embedder, now->embedder) == 0;
}

static int take_settings(struct arena *arena, struct eval_run *run, const struct value *reply,
                         struct error *error)
{
    struct eval_settings now = run->settings;
    const struct value *explain = value_get(reply, "explain");
    const char *embedder = value_text(explain, "embedder");
    const char *model = value_text_at(reply, "usage.model"), *prompt = value_text(reply, "prompt");
    now.top_k = (int)value_int_at(explain, "top_k", 0);
    now.floor = number_at(explain, "floor");
    now.embedder = eval_harmless(arena, embedder);
    if (model && *model)
        now.model = eval_harmless(arena, model);
    if (prompt && *prompt)
        now.prompt = eval_harmless(arena, prompt);
    if (run->settings.top_k && !is_same_stack(&run->settings, &now))
        return error_set(error, ERR_INPUT,
                         "the stack is not set as it was for the first questions (top_k, floor, "
                         "embedding model or prompt): begin a run of its own");
    run->settings = now;
    return 0;
}

static void take_citations(struct eval_row *row, const struct value *reply)
{
    const struct value *citation;
    row->citations = row->right_citations = 0;
    value_each(citation, value_get(reply, "citations"))
    {
        row->citations++;
        row->right_citations += has_text(row->question.documents, value_text(citation, "document"));
    }
}

int eval_take_reply(struct arena *arena, struct eval_run *run, struct eval_row *row,
                    const struct value *reply, struct error *error)
{
    const struct value *explain = value_get(reply, "explain");
    const char *reason = value_text(reply, "reason");
    if (!value_text(reply, "outcome") || !explain)
        return error_set(error, ERR_INPUT,
                         "the API does not explain its answers: its functions are older than this "
                         "program; `ragstack up` brings them up to date");
    int result = take_settings(arena, run, reply, error);
    if (result < 0)
        return result;
    row->outcome = outcome_of(reply);
    row->reason = eval_harmless(arena, reason);
    row->found = documents_found(arena, value_get(explain, "hits"));
    row->best = number_at(explain, "best");
    take_citations(row, reply);
    row->words_said = row->outcome == EVAL_ANSWERED && all_words_said(arena, row, reply);
    row->embed_ms = number_at(reply, "timings_ms.embed");
    row->search_ms = number_at(reply, "timings_ms.search");
    row->generate_ms = number_at(reply, "timings_ms.generate");
    row->usd = number_at(reply, "usage.usd");
    return 0;
}

/* -- what follows from a row -- */

int eval_rank(const struct eval_row *row)
{
    const struct value *document;
    value_each(document, row->found)
    {
        if (has_text(row->question.documents, document->string.text))
            return (int)document_index + 1;
    }
    return 0;
}

double eval_recall(const struct eval_row *row, int most)
{
    size_t wanted = value_count(row->question.documents), right = 0;
    const struct value *document;
    value_each(document, row->found)
    {
        if (most > 0 && document_index >= (size_t)most)
            break;
        right += has_text(row->question.documents, document->string.text);
    }
    return wanted ? (double)right / (double)wanted : NAN;
}

bool eval_has_reply(const struct eval_row *row)
{
    return row->outcome != EVAL_NOT_ASKED && row->outcome != EVAL_FAILED;
}

size_t eval_asked(const struct eval_run *run)
{
    size_t asked = 0;
    for (size_t i = 0; i < run->count; i++)
        asked += run->rows[i].outcome != EVAL_NOT_ASKED;
    return asked;
}

size_t eval_replied(const struct eval_run *run)
{
    size_t replied = 0;
    for (size_t i = 0; i < run->count; i++)
        replied += eval_has_reply(&run->rows[i]);
    return replied;
}

/* -- to JSON and back -- */

struct value *real_or_null(struct arena *arena, double number)
{
    return isnan(number) ? value_null(arena) : value_real(arena, number);
}

static struct value *row_to_value(struct arena *arena, const struct eval_row *row)
{
    const struct question *question = &row->question;
    struct value *map = value_map(arena);
    value_set_text(arena, map, "question", question->text);
    value_set_bool(arena, map, "answerable", question->answerable);
    if (*question->kind)
        value_set_text(arena, map, "kind", question->kind);
    if (question->answerable)
        value_set(arena, map, "documents", value_copy(arena, question->documents));
    if (question->near)
        value_set_text(arena, map, "near", question->near);
    if (value_count(question->words))
        value_set(arena, map, "words", value_copy(arena, question->words));
    value_set_text(arena, map, "outcome", outcome_words[row->outcome]);
    if (*row->reason)
        value_set_text(arena, map, "reason", row->reason);
    if (!eval_has_reply(row))
        return map;
    value_set(arena, map, "found", value_copy(arena, row->found));
    value_set(arena, map, "best", real_or_null(arena, row->best));
    value_set_int(arena, map, "citations", row->citations);
    value_set_int(arena, map, "right_citations", row->right_citations);
    value_set_bool(arena, map, "words_said", row->words_said);
    value_set(arena, map, "took_ms", real_or_null(arena, row->took_ms));
    value_set(arena, map, "embed_ms", real_or_null(arena, row->embed_ms));
    value_set(arena, map, "search_ms", real_or_null(arena, row->search_ms));
    value_set(arena, map, "generate_ms", real_or_null(arena, row->generate_ms));
    return value_set(arena, map, "usd", real_or_null(arena, row->usd));
}

struct value *eval_run_to_value(struct arena *arena, const struct eval_run *run)
{
    struct value *map = value_map(arena), *settings = value_map(arena), *rows = value_list(arena);
    value_set_int(arena, map, "schema", RUN_VERSION);
    value_set_text(arena, map, "stack", run->stack);
    value_set_text(arena, map, "target", run->target);
    value_set_text(arena, map, "questions", run->questions);
    value_set_text(arena, map, "at", run->at);
    value_set_int(arena, settings, "top_k", run->settings.top_k);
    value_set(arena, settings, "floor", real_or_null(arena, run->settings.floor));
    value_set_bool(arena, settings, "search_only", run->settings.search_only);
    value_set_text(arena, settings, "embedder", run->settings.embedder);
    value_set_text(arena, settings, "model", run->settings.model);
    value_set_text(arena, settings, "prompt", run->settings.prompt);
    value_set(arena, map, "settings", settings);
    for (size_t i = 0; i < run->count; i++)
        value_push(arena, rows, row_to_value(arena, &run->rows[i]));
    return value_set(arena, map, "rows", rows);
}

static const char *text_or_none(const struct value *map, const char *key)
{
    const char *text = value_text(map, key);
    return text ? text : "";
}

static struct question question_from(struct arena *arena, const struct value *map)
{
    const struct value *documents = value_get(map, "documents");
    return (struct question){.text = value_text(map, "question"),
                             .kind = text_or_none(map, "kind"),
                             .answerable = value_bool_at(map, "answerable", false),
                             .documents = documents ? documents : value_list(arena),
                             .words = value_get(map, "words"),
                             .near = value_text(map, "near"),
                             .mark = map->mark};
}

static bool row_from_value(struct arena *arena, const struct value *map, struct eval_row *out)
{
    const char *outcome = value_text(map, "outcome");
    int number = 0;
    while (number < EVAL_OUTCOMES && !(outcome && strcmp(outcome, outcome_words[number]) == 0))
        number++;
    if (!value_text(map, "question") || number == EVAL_OUTCOMES)
        return false;
    *out = (struct eval_row){
        .question = question_from(arena, map),
        .outcome = (enum eval_outcome)number,
        .reason = text_or_none(map, "reason"),
        .found = value_get(map, "found"),
        .best = number_at(map, "best"),
        .citations = (int)value_int_at(map, "citations", 0),
        .right_citations = (int)value_int_at(map, "right_citations", 0),
        .words_said = value_bool_at(map, "words_said", false),
        .took_ms = number_at(map, "took_ms"),
        .embed_ms = number_at(map, "embed_ms"),
        .search_ms = number_at(map, "search_ms"),
        .generate_ms = number_at(map, "generate_ms"),
        .usd = number_at(map, "usd"),
    };
    return true;
}

static struct eval_settings settings_from(const struct value *map)
{
    return (struct eval_settings){.top_k = (int)value_int_at(map, "top_k", 0),
                                  .floor = number_at(map, "floor"),
                                  .search_only = value_bool_at(map, "search_only", false),
                                  .embedder = text_or_none(map, "embedder"),
                                  .model = text_or_none(map, "model"),
                                  .prompt = text_or_none(map, "prompt")};
}

int eval_run_from_value(struct arena *arena, const struct value *value, const char *name,
                        struct eval_run *out, struct error *error)
{
    const struct value *rows = value_get(value, "rows"), *row;
    size_t count = value_is(rows, VALUE_LIST) ? value_count(rows) : 0;
    if (value_int_at(value, "schema", 0) != RUN_VERSION || !count || count > QUESTIONS_MAXIMUM)
        return error_set(error, ERR_INPUT,
                         "%s is no run that `ragstack eval --out` of this version wrote", name);
    *out = (struct eval_run){.stack = text_or_none(value, "stack"),
                             .target = text_or_none(value, "target"),
                             .questions = text_or_none(value, "questions"),
                             .at = text_or_none(value, "at"),
                             .settings = settings_from(value_get(value, "settings")),
                             .rows = arena_array(arena, count, sizeof *out->rows)};
    value_each(row, rows)
    {
        if (!row_from_value(arena, row, &out->rows[out->count++]))
            return error_set(error, ERR_INPUT, "%s: row %zu has no question or no outcome", name,
                             row_index + 1);
    }
    return 0;
}
