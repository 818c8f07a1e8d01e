/* Searches a local stack's database as the ask function does, and prints what is found.
 *
 *   retrieval DATABASE_URL_FILE ENCODER_FILE TOP_K < questions
 *
 * One question a line in, one JSON list of hits a line out, best first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/encoder/encoder.h"
#include "pkg/rag/schema.h"
#include "pkg/rag/search.h"
#include "pkg/rag/store.h"
#include "pkg/value/json.h"

static int fail(const struct error *error)
{
    fprintf(stderr, "retrieval: %s\n", error->message);
    return 1;
}

static const char *read_line(struct arena *arena, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = getline(&line, &capacity, file);
    while (length > 0 && line[length - 1] == '\n')
        line[--length] = '\0';
    const char *copy = length >= 0 ? arena_strndup(arena, line, (size_t)length) : NULL;
    free(line);
    return copy;
}

static void print_hits(struct arena *arena, const struct hit_list *hits)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < hits->count; i++) {
        const struct hit *hit = &hits->items[i];
        struct value *row = value_map(arena);
        value_set_text(arena, row, "document", hit->document);
        value_set(arena, row, "similarity", value_real(arena, hit->similarity));
        value_set(arena, row, "lexical", value_real(arena, hit->lexical));
        value_set(arena, row, "score", value_real(arena, hit->score));
        value_set_text(arena, row, "text", hit->text);
        value_push(arena, list, row);
    }
    puts(json_text(arena, list));
}

static int search(struct pg *pg, const struct encoder *encoder, const char *question, int top_k,
                  struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    float vector[ENCODER_DIMENSIONS];
    struct hit_list hits;
    struct search_options options = {
        .question = question, .vector = vector, .dimensions = ENCODER_DIMENSIONS, .top_k = top_k};
    encoder_embed(encoder, question, strlen(question), vector);
    int result = store_search(NULL, pg, arena, &options, &hits, error);
    if (result == 0)
        print_hits(arena, &hits);
    return result;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error error = {0};
    struct encoder *encoder;
    struct pg *pg;
    const char *question;
    FILE *file = argc == 4 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fputs("usage: retrieval DATABASE_URL_FILE ENCODER_FILE TOP_K < questions\n", stderr);
        return 64;
    }
    const char *url = read_line(arena, file);
    fclose(file);
    if (pg_open(NULL, &(struct pg_options){.url = url}, &pg, &error) < 0 ||
        encoder_open(argv[2], &encoder, &error) < 0)
        return fail(&error);
    while ((question = read_line(arena, stdin))) {
        if (search(pg, encoder, question, (int)strtol(argv[3], NULL, 10), &error) < 0)
            return fail(&error);
    }
    pg_close(pg);
    encoder_close(encoder);
    return 0;
}
