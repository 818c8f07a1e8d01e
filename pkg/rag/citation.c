#include "pkg/rag/citation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/vector.h"

enum { QUOTE_MAXIMUM = 400, WORD_LEAST = 3, NUMBER_DIGITS = 4, ANSWER_MAXIMUM = 1 << 20 };

struct checking {
    struct arena *arena;
    struct answer *answer;
    size_t sent;
    VECTOR(struct citation) citations;
    struct buffer text; /* the answer with its good marks */
};

/* -- the quote -- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* How many of the statement's words stand in the sentence. */
static int shared_words(const char *statement, size_t statement_length, const char *sentence,
                        size_t length)
{
    int shared = 0;
    for (size_t at = 0; at < statement_length;) {
        size_t end = at;
        while (end < statement_length && is_word(statement[end]))
            end++;
        size_t size = end - at;
        for (size_t i = 0; size >= WORD_LEAST && i + size <= length; i++) {
            bool starts = i == 0 || !is_word(sentence[i - 1]);
            if (starts && strncasecmp(sentence + i, statement + at, size) == 0) {
                shared++;
                break;
            }
        }
        at = end + 1;
    }
    return shared;
}

static size_t sentence_length(const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        if (text[i] == '\n' && text[i + 1] == '\n')
            return i;
        if (strchr(".!?", text[i]) && (isspace((unsigned char)text[i + 1]) || !text[i + 1]))
            return i + 1;
    }
    return strlen(text);
}

static size_t cut_quote(const char *text, size_t length)
{
    if (length > QUOTE_MAXIMUM)
        length = QUOTE_MAXIMUM;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* The sentence of the passage that shares most words with the statement; its own text, so that the
 * quote stands in the document. */
static void find_quote(struct arena *arena, const struct hit *hit, const char *statement,
                       size_t statement_length, struct citation *out)
{
    const char *best = hit->text;
    size_t best_length = 0;
    int most = -1;
    for (const char *at = hit->text; *at;) {
        at += strspn(at, " \t\r\n");
        size_t length = sentence_length(at);
        int shared = shared_words(statement, statement_length, at, length);
        if (length && shared > most) {
            best = at;
            best_length = length;
            most = shared;
        }
        at += length;
    }
    best_length = cut_quote(best, best_length);
    out->quote = arena_strndup(arena, best, best_length);
    out->start = hit->start + (size_t)(best - hit->text);
    out->end = out->start + best_length;
}

/* -- the marks -- */

/* The statement that a mark at `at` stands behind: back to the end of the sentence before. */
static const char *statement_before(const char *text, const char *at)
{
    const char *start = at;
    while (start > text && (isspace((unsigned char)start[-1]) || strchr("\"')*_", start[-1])))
        start--;
    if (start > text && strchr(".!?]", start[-1]))
        start--;
    while (start > text && !strchr(".!?\n]", start[-1]))
        start--;
    return start;
}

static bool is_cited(const struct checking *checking, size_t number, const char *quote)
{
    for (size_t i = 0; i < checking->citations.count; i++) {
        const struct citation *one = &checking->citations.items[i];
        if ((size_t)one->number == number && strcmp(one->quote, quote) == 0)
            return true;
    }
    return false;
}

static void cite(struct checking *checking, size_t number, const char *statement, size_t length)
{
    const struct hit *hit = &checking->answer->hits.items[number - 1];
    struct citation citation = {.number = (int)number,
                                .document = hit->document,
                                .title = hit->title,
                                .source = hit->source};
    find_quote(checking->arena, hit, statement, length, &citation);
    if (!is_cited(checking, number, citation.quote))
        vector_push(checking->arena, &checking->citations, citation);
}

/* "[1]", "[1, 2]", "[1][2]": the length of one pair of brackets with nothing but numbers; 0
 * otherwise. */
static size_t mark_length(const char *text)
{
    size_t length = 1 + strspn(text + 1, "0123456789, ");
    bool digits = strcspn(text + 1, "0123456789") < length - 1;
    return digits && text[length] == ']' ? length + 1 : 0;
}

static void take_mark(struct checking *checking, const char *at, size_t length)
{
    const char *statement = statement_before(checking->answer->text, at);
    const char *end = at + length;
    for (const char *digit = at; digit < end;) {
        size_t digits = strspn(digit, "0123456789");
        unsigned long number = digits && digits <= NUMBER_DIGITS ? strtoul(digit, NULL, 10) : 0;
        if (digits && number >= 1 && number <= checking->sent) {
            buffer_printf(&checking->text, "[%lu]", number);
            cite(checking, number, statement, (size_t)(at - statement));
        } else if (digits) {
            checking->answer->dropped_citations++;
        }
        digit += digits ? digits : 1;
    }
}

void citations_check(struct arena *arena, struct answer *answer, size_t sent)
{
    struct checking checking = {
        .arena = arena, .answer = answer, .sent = sent, .text = BUFFER(ANSWER_MAXIMUM)};
    for (const char *at = answer->text; *at;) {
        size_t length = *at == '[' ? mark_length(at) : 0;
        if (length)
            take_mark(&checking, at, length);
        else
            buffer_char(&checking.text, *at);
        at += length ? length : 1;
    }
    answer->text = arena_strdup(arena, buffer_string(&checking.text));
    buffer_free(&checking.text);
    answer->citations = checking.citations.items;
    answer->citation_count = checking.citations.count;
}
