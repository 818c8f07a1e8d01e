/* Text to pieces: the most likely way to cut it, by a unigram language model. */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "pkg/base/panic.h"
#include "pkg/encoder/internal.h"

/* U+2581, which stands for the space before a word. */
#define WORD_START "\xe2\x96\x81"
enum { WORD_START_BYTES = 3, TEXT_MAXIMUM = 1 << 16 };

size_t piece_hash(const char *text, size_t length)
{
    uint32_t sum = 2166136261u;
    while (length--)
        sum = (sum ^ (unsigned char)*text++) * 16777619u;
    return sum;
}

static const struct piece *find_piece(const struct encoder *encoder, const char *text,
                                      size_t length)
{
    size_t mask = encoder->slot_count - 1;
    for (size_t at = piece_hash(text, length) & mask; encoder->slots[at].text;
         at = (at + 1) & mask) {
        const struct piece *piece = &encoder->slots[at];
        if (piece->length == length && memcmp(piece->text, text, length) == 0)
            return piece;
    }
    return NULL;
}

static size_t character_bytes(char first)
{
    unsigned char byte = (unsigned char)first;
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* -- the text, as the model saw texts -- */

/* Reads one character; what is no UTF-8 counts as U+FFFD, one byte of it at a time. */
static size_t read_character(const char *text, size_t length, utf8proc_int32_t *character)
{
    utf8proc_ssize_t bytes =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length, character);
    if (bytes > 0)
        return (size_t)bytes;
    *character = 0xfffd;
    return 1;
}

static char *valid_utf8(const char *text, size_t length, size_t *out_length)
{
    char *out = malloc(length * 3 + 1);
    require(out);
    *out_length = 0;
    for (size_t at = 0; at < length;) {
        utf8proc_int32_t character;
        at += read_character(text + at, length - at, &character);
        *out_length +=
            (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)out + *out_length);
    }
    return out;
}

/* NFKC, and each space as a word's start, with one more before all. NULL for an empty text. The
 * caller frees. */
static char *prepare(const char *text, size_t length, size_t *out_length)
{
    utf8proc_uint8_t *normal = NULL;
    size_t valid_length;
    char *valid = valid_utf8(text, length < TEXT_MAXIMUM ? length : TEXT_MAXIMUM, &valid_length);
    utf8proc_ssize_t bytes =
        utf8proc_map((utf8proc_uint8_t *)valid, (utf8proc_ssize_t)valid_length, &normal,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    free(valid);
    if (bytes <= 0) {
        free(normal);
        return NULL;
    }
    char *out = malloc(((size_t)bytes + 1) * WORD_START_BYTES + 1);
    require(out);
    memcpy(out, WORD_START, WORD_START_BYTES);
    *out_length = WORD_START_BYTES;
    for (utf8proc_ssize_t i = 0; i < bytes; i++) {
        bool space = normal[i] == ' ';
        memcpy(out + *out_length, space ? WORD_START : (char *)&normal[i],
               space ? WORD_START_BYTES : 1);
        *out_length += space ? WORD_START_BYTES : 1;
    }
    free(normal);
    return out;
}

/* -- the best way through it -- */

/* By byte offset: the best score of a cut that ends here, and its last piece. */
struct cut {
    float score;
    bool reached;
    uint32_t from;
    int32_t id;
};

static void extend(struct cut *cuts, size_t from, size_t to, float score, int32_t id)
{
    struct cut *cut = &cuts[to];
    /* a score of exactly 0 counts as none, and a tie goes to the later start */
    if (cut->reached && cut->score != 0 && score < cut->score)
        return;
    *cut = (struct cut){score, true, (uint32_t)from, id};
}

static void find_cuts(const struct encoder *encoder, const char *text, size_t length,
                      struct cut *cuts)
{
    cuts[0] = (struct cut){.reached = true};
    for (size_t at = 0; at < length; at += character_bytes(text[at])) {
        bool found = false;
        for (size_t end = at; end < length && end - at < encoder->longest_piece;) {
            end += character_bytes(text[end]);
            const struct piece *piece =
                end <= length ? find_piece(encoder, text + at, end - at) : NULL;
            if (!piece)
                continue;
            found = true;
            extend(cuts, at, end, cuts[at].score + piece->score, piece->id);
        }
        if (!found)
            extend(cuts, at, at + character_bytes(text[at]), cuts[at].score, UNKNOWN_PIECE);
    }
}

/* Follows the cuts back; a run of unknown pieces counts as one. Ids come last first. */
static size_t collect(const struct cut *cuts, size_t length, int32_t *backward)
{
    size_t count = 0;
    bool unknown = false;
    for (size_t at = length; at > 0; at = cuts[at].from) {
        if (!(unknown && cuts[at].id == UNKNOWN_PIECE))
            backward[count++] = cuts[at].id;
        unknown = cuts[at].id == UNKNOWN_PIECE;
    }
    return count;
}

size_t tokenize(const struct encoder *encoder, const char *text, size_t length, int32_t *ids)
{
    size_t prepared_length;
    char *prepared = prepare(text, length, &prepared_length);
    if (!prepared)
        return 0;
    struct cut *cuts = calloc(prepared_length + 1, sizeof *cuts);
    int32_t *backward = malloc((prepared_length + 1) * sizeof *backward);
    require(cuts && backward);
    find_cuts(encoder, prepared, prepared_length, cuts);
    size_t count = collect(cuts, prepared_length, backward);
    for (size_t i = 0; i < count && i < ENCODER_PIECES_MAXIMUM; i++)
        ids[i] = backward[count - 1 - i];
    free(backward);
    free(cuts);
    free(prepared);
    return count;
}
