/* What a model says and what documents hold goes into the prompt and comes out with proof: each
 * citation that is left is a passage that was sent, word for word. The input: the answer, the
 * question and passages, separated by NUL bytes. */
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/rag/citation.h"
#include "pkg/rag/prompt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HITS_MAXIMUM = 9, TOKENS = 200 };

static void add_hits(struct arena *arena, struct hit_list *hits, const char *at, const char *end)
{
    while (at < end && hits->count < HITS_MAXIMUM) {
        const struct hit hit = {.document = "a/document.md",
                                .title = at,
                                .heading = at,
                                .start = 17,
                                .end = 17 + strlen(at),
                                .text = at,
                                .similarity = 0.5};
        if (*at)
            vector_push(arena, hits, hit);
        at += strlen(at) + 1;
    }
}

static size_t count(const char *text, const char *what)
{
    size_t found = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        found++;
    return found;
}

/* No passage closes the tag that it stands in. */
static void check_prompt(struct arena *arena, const char *question, const struct hit_list *hits,
                         size_t *sent)
{
    struct prompt prompt, plain;
    struct error error = {0};
    struct hit one = {.document = "d", .title = "t", .heading = "", .text = "x"};
    struct hit_list ones = {&one, 1, 1};
    require(prompt_make(arena, NULL, question, hits, TOKENS, &prompt, &error) == 0);
    require(prompt_make(arena, NULL, "x", &ones, TOKENS, &plain, &error) == 0);
    require(prompt.passages >= 1 && prompt.passages <= hits->count);
    require(count(prompt.user, "</question>") == count(plain.user, "</question>"));
    require(count(prompt.user, "</passage>") == prompt.passages * count(plain.user, "</passage>"));
    *sent = prompt.passages;
}

static void check_citations(const struct answer *answer, size_t sent)
{
    for (size_t i = 0; i < answer->citation_count; i++) {
        const struct citation *citation = &answer->citations[i];
        require(citation->number >= 1 && (size_t)citation->number <= sent);
        const struct hit *hit = &answer->hits.items[citation->number - 1];
        size_t length = strlen(citation->quote);
        require(citation->start >= hit->start && citation->end <= hit->end);
        require(citation->end - citation->start == length);
        require(strncmp(hit->text + (citation->start - hit->start), citation->quote, length) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size), *end = text + size;
    const char *question = text + strlen(text) < end ? text + strlen(text) + 1 : end;
    const char *passages =
        question + strlen(question) < end ? question + strlen(question) + 1 : end;
    struct answer answer = {.text = text, .reason = ""};
    size_t sent;
    add_hits(arena, &answer.hits, passages, end);
    if (!answer.hits.count)
        return 0;
    check_prompt(arena, question, &answer.hits, &sent);
    citations_check(arena, &answer, sent);
    check_citations(&answer, sent);
    answer_to_value(arena, &answer);
    return 0;
}
