/* Shared by the files of this package: the model in memory. */
#ifndef RAGSTACK_ENCODER_INTERNAL_H
#define RAGSTACK_ENCODER_INTERNAL_H

#include <stdint.h>

#include "pkg/encoder/encoder.h"

enum {
    LAYERS = 2,
    HEADS = 4,
    WIDTH = 512,           /* of everything between the layers */
    EMBEDDING_WIDTH = 256, /* of a piece's own vector, and so of the first layer's input */
    INNER_WIDTH = 1536,    /* of the feed-forward layers */
    EMBEDDING_ROWS = 8002,
    TIMESCALES = EMBEDDING_WIDTH / 2,
    UNKNOWN_PIECE = 0,
    RESERVED_PIECES = 6, /* the first rows of the vocabulary stand for no text */
};

/* Weights, row-major: a matrix from `in` to `out` is in rows of `out` floats. */
struct layer {
    int in; /* EMBEDDING_WIDTH or WIDTH */
    const float *norm_scale, *norm_bias;
    const float *qkv, *qkv_bias;           /* in x 3 in */
    const float *attended, *attended_bias; /* in x WIDTH */
    const float *widen, *widen_bias; /* in x WIDTH, first layer only: the way past attention */
    const float *inner_norm_scale, *inner_norm_bias;
    const float *inner, *inner_bias; /* WIDTH x INNER_WIDTH */
    const float *outer, *outer_bias; /* INNER_WIDTH x WIDTH */
};

struct piece {
    const char *text; /* not NUL-terminated; NULL: a free slot */
    uint16_t length;
    int32_t id;
    float score;
};

struct encoder {
    char *file; /* mapped */
    size_t file_size;
    const float *embeddings, *timescales;
    struct layer layers[LAYERS];
    const float *head, *head_bias; /* WIDTH x WIDTH */
    struct piece *slots;           /* open hash by text */
    size_t slot_count;             /* a power of two */
    size_t longest_piece;          /* bytes */
};

/* What the file begins with; weights follow, then the vocabulary. */
struct model_header {
    char magic[8];
    uint32_t float_count, piece_count, vocabulary_bytes;
    uint32_t zero[3];
};
#define MODEL_MAGIC "RAGUSEL1"
/* Before the bytes of each piece in the file. */
struct model_piece {
    float score;
    uint16_t length;
} __attribute__((packed));

/* How many floats the weights have, by the sizes above. */
size_t model_float_count(void);

/* The hash by which the vocabulary is kept. */
size_t piece_hash(const char *text, size_t length);

/* Pieces of a text into ids[ENCODER_PIECES_MAXIMUM]; returns how many there are in all. */
size_t tokenize(const struct encoder *encoder, const char *text, size_t length, int32_t *ids);

/* The vector of `count` (1 to ENCODER_PIECES_MAXIMUM) pieces. */
void transform(const struct encoder *encoder, const int32_t *ids, int count, float *out);

#endif
