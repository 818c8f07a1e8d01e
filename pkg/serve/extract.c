#include "pkg/serve/extract.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/rag/prompt.h"

enum { EXTRACTS = 3, SENTENCES_MAXIMUM = 200, SENTENCE_LEAST = 20, SENTENCE_MOST = 500 };

/* A further extract must be nearly as near as the first. */
static const float NEARLY = 0.85f;

struct sentence {
    const char *text;
    size_t length;
    long passage;
    float similarity;
};
struct sentence_list {
    struct sentence *items;
    size_t count, capacity;
};

static const char *after(const char *text, const char *mark)
{
    const char *at = text ? strstr(text, mark) : NULL;
    return at ? at + strlen(mark) : NULL;
}

/* To the end of the sentence, the line's end included. */
static size_t sentence_length(const char *text, const char *end)
{
    for (const char *at = text; at < end; at++) {
        bool stop = strchr(".!?", *at) && (at + 1 == end || isspace((unsigned char)at[1]));
        if (stop || (*at == '\n' && (at + 1 == end || at[1] == '\n' || strchr("#-*|", at[1]))))
            return (size_t)(at - text) + 1;
    }
    return (size_t)(end - text);
}

static void add_sentence(struct arena *arena, struct sentence_list *list, const char *text,
                         size_t length, long passage)
{
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    bool heading = length > 0 && *text == '#';
    if (length >= SENTENCE_LEAST && length <= SENTENCE_MOST && !heading &&
        list->count < SENTENCES_MAXIMUM)
        vector_push(arena, list, ((struct sentence){text, length, passage, 0}));
}

static struct sentence_list sentences_of(struct arena *arena, const char *prompt)
{
    struct sentence_list list = {0};
    const char *tag = prompt;
    while ((tag = after(tag, "<passage number=\""))) {
        const char *text = after(tag, ">\n"), *end = text ? strstr(text, "\n</passage>") : NULL;
        long number = strtol(tag, NULL, 10);
        while (end && text < end) {
            while (text < end && (isspace((unsigned char)*text) || strchr("-*|", *text)))
                text++;
            size_t length = sentence_length(text, end);
            add_sentence(arena, &list, text, length, number);
            text += length;
        }
    }
    return list;
}

static void rank(struct arena *arena, const struct encoder *encoder, const char *question,
                 size_t length, struct sentence_list *list)
{
    struct encoder_text *texts = arena_array(arena, list->count + 1, sizeof *texts);
    float *vectors = arena_array(arena, (list->count + 1) * ENCODER_DIMENSIONS, sizeof *vectors);
    texts[0] = (struct encoder_text){question, length, 0};
    for (size_t i = 0; i < list->count; i++)
        texts[i + 1] = (struct encoder_text){list->items[i].text, list->items[i].length, 0};
    encoder_embed_all(encoder, texts, list->count + 1, 0, vectors);
    for (size_t i = 0; i < list->count; i++) {
        const float *vector = vectors + (i + 1) * ENCODER_DIMENSIONS;
        for (int j = 0; j < ENCODER_DIMENSIONS; j++)
            list->items[i].similarity += vectors[j] * vector[j];
    }
}

static int by_similarity(const void *a, const void *b)
{
    const struct sentence *first = a, *second = b;
    return first->similarity > second->similarity ? -1 : first->similarity < second->similarity;
}

/* On one line, as it stands. */
static const char *on_one_line(struct arena *arena, const struct sentence *sentence)
{
    char *text = arena_strndup(arena, sentence->text, sentence->length);
    for (char *c = text; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    return text;
}

const char *extract_answer(struct arena *arena, const struct encoder *encoder, const char *prompt)
{
    struct sentence_list list = sentences_of(arena, prompt);
    const char *question = after(prompt, "<question>\n");
    const char *end = question ? strstr(question, "\n</question>") : NULL;
    if (!list.count || !end)
        return NO_ANSWER_TOKEN;
    if (encoder) {
        rank(arena, encoder, question, (size_t)(end - question), &list);
        qsort(list.items, list.count, sizeof *list.items, by_similarity);
    }
    const char *text = "Extracts (no language model is configured):";
    for (size_t i = 0; i < list.count && i < EXTRACTS; i++) {
        const struct sentence *one = &list.items[i];
        if (encoder && one->similarity < NEARLY * list.items[0].similarity)
            break;
        text = arena_printf(arena, "%s\n\"%s\" [%ld]", text, on_one_line(arena, one), one->passage);
    }
    return text;
}
