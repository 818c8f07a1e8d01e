#include "pkg/encoder/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/panic.h"
#include "pkg/encoder/internal.h"

enum { THREADS_MAXIMUM = 64 };

/* -- the weights, in the order of the file -- */

/* The next `count` floats of the weights; `weights` may be NULL, to count them. */
static const float *take(const float *weights, size_t *at, size_t count)
{
    const float *here = weights ? weights + *at : NULL;
    *at += count;
    return here;
}

static void lay_out_layer(struct layer *layer, int in, const float *weights, size_t *at)
{
    size_t width = (size_t)in;
    layer->in = in;
    layer->norm_scale = take(weights, at, width);
    layer->norm_bias = take(weights, at, width);
    layer->qkv = take(weights, at, width * 3 * width);
    layer->qkv_bias = take(weights, at, 3 * width);
    layer->attended = take(weights, at, width * WIDTH);
    layer->attended_bias = take(weights, at, WIDTH);
    if (in != WIDTH) {
        layer->widen = take(weights, at, width * WIDTH);
        layer->widen_bias = take(weights, at, WIDTH);
    }
    layer->inner_norm_scale = take(weights, at, WIDTH);
    layer->inner_norm_bias = take(weights, at, WIDTH);
    layer->inner = take(weights, at, (size_t)WIDTH * INNER_WIDTH);
    layer->inner_bias = take(weights, at, INNER_WIDTH);
    layer->outer = take(weights, at, (size_t)INNER_WIDTH * WIDTH);
    layer->outer_bias = take(weights, at, WIDTH);
}

static void lay_out(struct encoder *encoder, const float *weights, size_t *at)
{
    encoder->embeddings = take(weights, at, (size_t)EMBEDDING_ROWS * EMBEDDING_WIDTH);
    encoder->timescales = take(weights, at, TIMESCALES);
    for (int layer = 0; layer < LAYERS; layer++)
        lay_out_layer(&encoder->layers[layer], layer ? WIDTH : EMBEDDING_WIDTH, weights, at);
    encoder->head = take(weights, at, (size_t)WIDTH * WIDTH);
    encoder->head_bias = take(weights, at, WIDTH);
}

size_t model_float_count(void)
{
    struct encoder shape = {0};
    size_t count = 0;
    lay_out(&shape, NULL, &count);
    return count;
}

/* -- the vocabulary -- */

static size_t slot_of(const struct encoder *encoder, const char *text, size_t length)
{
    size_t at = piece_hash(text, length) & (encoder->slot_count - 1);
    while (encoder->slots[at].text)
        at = (at + 1) & (encoder->slot_count - 1);
    return at;
}

static int read_vocabulary(struct encoder *encoder, const char *bytes,
                           const struct model_header *header, struct error *error)
{
    const char *end = bytes + header->vocabulary_bytes;
    encoder->slot_count = 2;
    while (encoder->slot_count < 2 * (size_t)header->piece_count)
        encoder->slot_count *= 2;
    encoder->slots = calloc(encoder->slot_count, sizeof *encoder->slots);
    require(encoder->slots);
    for (uint32_t id = 0; id < header->piece_count; id++) {
        struct model_piece piece;
        if (end - bytes < (ptrdiff_t)sizeof piece)
            return error_set(error, ERR_INPUT, "the vocabulary is cut short");
        memcpy(&piece, bytes, sizeof piece);
        bytes += sizeof piece;
        if (end - bytes < piece.length)
            return error_set(error, ERR_INPUT, "the vocabulary is cut short");
        if (id >= RESERVED_PIECES && piece.length)
            encoder->slots[slot_of(encoder, bytes, piece.length)] =
                (struct piece){bytes, piece.length, (int32_t)id, piece.score};
        if (piece.length > encoder->longest_piece)
            encoder->longest_piece = piece.length;
        bytes += piece.length;
    }
    return 0;
}

/* -- the file -- */

static int map_file(struct encoder *encoder, const char *path, struct error *error)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        int code = errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED;
        error_set(error, code, "%s: %s", path, strerror(errno));
        return code;
    }
    if (fstat(file, &status) == 0 && status.st_size > (off_t)sizeof(struct model_header)) {
        encoder->file_size = (size_t)status.st_size;
        encoder->file = mmap(NULL, encoder->file_size, PROT_READ, MAP_PRIVATE, file, 0);
    }
    close(file);
    if (!encoder->file || encoder->file == MAP_FAILED) {
        encoder->file = NULL;
        error_set(error, ERR_INPUT, "%s is no encoder model", path);
        return ERR_INPUT;
    }
    return 0;
}

static int read_file(struct encoder *encoder, const char *path, struct error *error)
{
    const struct model_header *header = (const struct model_header *)encoder->file;
    size_t weights_bytes = model_float_count() * sizeof(float);
    if (memcmp(header->magic, MODEL_MAGIC, sizeof header->magic) != 0 ||
        header->float_count != model_float_count() || header->piece_count > EMBEDDING_ROWS ||
        encoder->file_size != sizeof *header + weights_bytes + header->vocabulary_bytes)
        return error_set(error, ERR_INPUT, "%s is no encoder model of this version", path);
    size_t at = 0;
    lay_out(encoder, (const float *)(const void *)(encoder->file + sizeof *header), &at);
    return read_vocabulary(encoder, encoder->file + sizeof *header + weights_bytes, header, error);
}

int encoder_open(const char *path, struct encoder **out, struct error *error)
{
    struct encoder *encoder = calloc(1, sizeof *encoder);
    require(encoder);
    int result = map_file(encoder, path, error);
    if (result == 0)
        result = read_file(encoder, path, error);
    if (result < 0)
        encoder_close(encoder);
    else
        *out = encoder;
    return result;
}

void encoder_close(struct encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->file)
        munmap(encoder->file, encoder->file_size);
    free(encoder->slots);
    free(encoder);
}

/* -- texts -- */

size_t encoder_embed(const struct encoder *encoder, const char *text, size_t length, float *out)
{
    int32_t ids[ENCODER_PIECES_MAXIMUM] = {UNKNOWN_PIECE};
    size_t pieces = tokenize(encoder, text, length, ids);
    size_t used = pieces < 1                        ? 1
                  : pieces < ENCODER_PIECES_MAXIMUM ? pieces
                                                    : ENCODER_PIECES_MAXIMUM;
    transform(encoder, ids, (int)used, out);
    return pieces;
}

struct batch {
    const struct encoder *encoder;
    struct encoder_text *texts;
    size_t count;
    atomic_size_t next;
    float *out;
};

static void *work_off(void *argument)
{
    struct batch *batch = argument;
    for (size_t i; (i = atomic_fetch_add(&batch->next, 1)) < batch->count;) {
        struct encoder_text *text = &batch->texts[i];
        text->pieces = encoder_embed(batch->encoder, text->text, text->length,
                                     batch->out + i * ENCODER_DIMENSIONS);
    }
    return NULL;
}

void encoder_embed_all(const struct encoder *encoder, struct encoder_text *texts, size_t count,
                       int threads, float *out)
{
    struct batch batch = {.encoder = encoder, .texts = texts, .count = count, .out = out};
    pthread_t others[THREADS_MAXIMUM];
    long processors = threads > 0 ? threads : sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors > THREADS_MAXIMUM ? THREADS_MAXIMUM : (size_t)processors,
           started = 0;
    for (; started + 1 < wanted && started + 1 < count; started++) {
        if (pthread_create(&others[started], NULL, work_off, &batch) != 0)
            break;
    }
    work_off(&batch);
    while (started > 0)
        pthread_join(others[--started], NULL);
}
