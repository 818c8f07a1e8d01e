#include "pkg/rag/given.h"

#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/base/vector.h"

/* Bytes of base64 that hold so many floats: as many as the text has, else NULL. */
static const float *read_vector(struct arena *arena, const struct value *text, int dimensions)
{
    size_t bytes = (size_t)dimensions * sizeof(float), encoded = (bytes + 2) / 3 * 4;
    if (!value_is(text, VALUE_STRING) || text->string.length != encoded)
        return NULL;
    unsigned char *decoded = arena_alloc(arena, encoded);
    float *vector = arena_array(arena, (size_t)dimensions, sizeof *vector);
    if (EVP_DecodeBlock(decoded, (const unsigned char *)text->string.text, (int)encoded) < 0)
        return NULL;
    memcpy(vector, decoded, bytes); /* both of Lambda's processors are little-endian */
    double sum = 0;
    for (int i = 0; i < dimensions; i++)
        sum += (double)vector[i] * vector[i];
    return sum > 0 && isfinite(sum) ? vector : NULL;
}

static bool is_boundary(const struct document *document, int64_t at)
{
    size_t place = (size_t)at;
    return place == document->length || ((unsigned char)document->text[place] & 0xc0) != 0x80;
}

static int add_piece(struct arena *arena, const struct document *document,
                     const struct value *piece, struct passage_list *list, struct error *error)
{
    size_t before = list->count ? list->items[list->count - 1].units[0].end : 0;
    int64_t start = value_int_at(piece, "start", -1), end = value_int_at(piece, "end", -1);
    if (start < (int64_t)before || end <= start || end > (int64_t)document->length ||
        !is_boundary(document, start) || !is_boundary(document, end))
        return error_set(error, ERR_INPUT,
                         "given.pieces[%zu]: start and end are no part of the text after the one "
                         "before",
                         list->count);
    struct unit *unit = arena_new_of(arena, struct unit);
    *unit = (struct unit){(size_t)start, (size_t)end};
    if (list->count)
        list->items[list->count - 1].end = unit->start;
    struct passage passage = {list->count ? unit->start : 0, document->length, "", unit, 1};
    vector_push(arena, list, passage);
    return 0;
}

static bool is_same_model(const struct value *given, const struct models *models)
{
    const char *embedder = value_text(given, "embedder");
    return models->embed && embedder && strcmp(embedder, models->embedder) == 0;
}

int given_read(struct arena *arena, const struct document *document, const struct models *models,
               struct given *out, struct error *error)
{
    const struct value *pieces = value_get(document->given, "pieces");
    struct value *piece;
    *out = (struct given){.vectors = NULL};
    if (!value_is(pieces, VALUE_LIST) || !is_same_model(document->given, models))
        return 0;
    struct given given = {.vectors =
                              arena_array(arena, value_count(pieces) + 1, sizeof *given.vectors)};
    value_each(piece, pieces)
    {
        const float *vector = read_vector(arena, value_get(piece, "vector"), models->dimensions);
        if (!vector)
            return 0; /* another length, or no direction: like a document without */
        given.vectors[given.passages.count] = vector;
        int result = add_piece(arena, document, piece, &given.passages, error);
        if (result < 0)
            return result;
    }
    *out = given;
    return 0;
}

void given_fill(const struct given *given, struct stored_units *units)
{
    require(!given->passages.count || given->passages.count == units->count);
    for (size_t i = 0; i < given->passages.count; i++) {
        units->missing -= units->vectors[i] == NULL;
        if (!units->vectors[i])
            units->vectors[i] = given->vectors[i];
    }
}
