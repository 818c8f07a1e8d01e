/* Pieces to a vector: two transformer layers, the mean, and one layer more. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/encoder/internal.h"

/* The loops below are compiled for several processors, and the fitting one is chosen at start. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FOR_EACH_PROCESSOR \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

/* Rows that are worked on for all pieces at once. */
struct work {
    float x[ENCODER_PIECES_MAXIMUM * WIDTH];
    float y[ENCODER_PIECES_MAXIMUM * WIDTH];
    float attended[ENCODER_PIECES_MAXIMUM * WIDTH];
    float
        wide[ENCODER_PIECES_MAXIMUM * 3 * WIDTH]; /* queries, keys and values; or the inner layer */
};

/* Sixteen floats, in one register or several, as the processor has them. */
typedef float lane __attribute__((vector_size(64), aligned(4)));
enum { LANE = 16, LANES = 4, ROWS_AT_ONCE = 4, COLUMNS_AT_ONCE = LANE * LANES };

/* A tile of y = x W + bias: a few rows by COLUMNS_AT_ONCE columns, summed up in registers, so that
 * each weight is read once for all these rows, and y written once. */
static inline __attribute__((always_inline)) void
multiply_tile(float *restrict y, const float *restrict x, const float *restrict weights,
              const float *restrict bias, int rows, int in, int out)
{
    lane sums[ROWS_AT_ONCE][LANES];
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < LANES; c++)
            sums[r][c] = *(const lane *)(bias + c * LANE);
    for (int i = 0; i < in; i++) {
        const float *restrict w = weights + (size_t)i * out;
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < LANES; c++)
                sums[r][c] += x[(size_t)r * in + i] * *(const lane *)(w + c * LANE);
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < LANES; c++)
            *(lane *)(y + (size_t)r * out + c * LANE) = sums[r][c];
}

/* y = x W + bias. All widths of the model are multiples of COLUMNS_AT_ONCE. */
FOR_EACH_PROCESSOR
static void multiply(float *restrict y, const float *restrict x, const float *restrict weights,
                     const float *restrict bias, int rows, int in, int out)
{
    for (int column = 0; column < out; column += COLUMNS_AT_ONCE) {
        int row = 0;
        for (; row + ROWS_AT_ONCE <= rows; row += ROWS_AT_ONCE)
            multiply_tile(y + (size_t)row * out + column, x + (size_t)row * in, weights + column,
                          bias + column, ROWS_AT_ONCE, in, out);
        for (; row < rows; row++)
            multiply_tile(y + (size_t)row * out + column, x + (size_t)row * in, weights + column,
                          bias + column, 1, in, out);
    }
}

static void normalize_rows(float *y, const float *x, const float *scale, const float *bias,
                           int rows, int width)
{
    for (int row = 0; row < rows; row++, x += width, y += width) {
        double mean = 0, variance = 0;
        for (int i = 0; i < width; i++)
            mean += x[i];
        mean /= width;
        for (int i = 0; i < width; i++)
            variance += (x[i] - mean) * (x[i] - mean);
        double factor = 1 / sqrt(variance / width + 1e-6);
        for (int i = 0; i < width; i++)
            y[i] = (float)((x[i] - mean) * factor) * scale[i] + bias[i];
    }
}

static void add_rows(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* -- attention -- */

/* How much one piece looks at each of all: a softmax over `rows` scores. */
static void weigh(float *weights, const float *query, const float *keys, int rows, int stride,
                  int width)
{
    float scale = 1 / sqrtf((float)width), highest = -INFINITY, sum = 0;
    for (int row = 0; row < rows; row++) {
        const float *key = keys + (size_t)row * stride;
        float score = 0;
        for (int i = 0; i < width; i++)
            score += query[i] * key[i];
        weights[row] = score * scale;
        highest = fmaxf(highest, weights[row]);
    }
    for (int row = 0; row < rows; row++)
        sum += weights[row] = expf(weights[row] - highest);
    for (int row = 0; row < rows; row++)
        weights[row] /= sum;
}

/* `qkv` holds, a row a piece, queries, keys and values of `width` floats each. */
static void attend(float *out, const float *qkv, int rows, int width)
{
    int head_width = width / HEADS, stride = 3 * width;
    float weights[ENCODER_PIECES_MAXIMUM];
    memset(out, 0, (size_t)rows * width * sizeof *out);
    for (int head = 0; head < HEADS; head++) {
        const float *queries = qkv + head * head_width, *keys = queries + width,
                    *values = keys + width;
        for (int row = 0; row < rows; row++) {
            float *to = out + (size_t)row * width + head * head_width;
            weigh(weights, queries + (size_t)row * stride, keys, rows, stride, head_width);
            for (int other = 0; other < rows; other++) {
                const float *value = values + (size_t)other * stride;
                for (int i = 0; i < head_width; i++)
                    to[i] += weights[other] * value[i];
            }
        }
    }
}

/* -- the whole -- */

/* Each piece's own vector, twice over, with a wave of its place added. */
static void embed_pieces(const struct encoder *encoder, const int32_t *ids, int rows, float *x)
{
    for (int row = 0; row < rows; row++, x += EMBEDDING_WIDTH) {
        const float *own = encoder->embeddings + (size_t)ids[row] * EMBEDDING_WIDTH;
        for (int i = 0; i < TIMESCALES; i++) {
            float phase = (float)row * encoder->timescales[i];
            x[i] = 2 * own[i] + sinf(phase);
            x[i + TIMESCALES] = 2 * own[i + TIMESCALES] + cosf(phase);
        }
    }
}

static void run_layer(const struct layer *layer, struct work *work, int rows)
{
    size_t count = (size_t)rows * WIDTH;
    normalize_rows(work->y, work->x, layer->norm_scale, layer->norm_bias, rows, layer->in);
    multiply(work->wide, work->y, layer->qkv, layer->qkv_bias, rows, layer->in, 3 * layer->in);
    attend(work->y, work->wide, rows, layer->in);
    multiply(work->attended, work->y, layer->attended, layer->attended_bias, rows, layer->in,
             WIDTH);
    if (layer->widen) {
        multiply(work->y, work->x, layer->widen, layer->widen_bias, rows, layer->in, WIDTH);
        add_rows(work->attended, work->y, count);
    } else {
        add_rows(work->attended, work->x, count);
    }
    normalize_rows(work->y, work->attended, layer->inner_norm_scale, layer->inner_norm_bias, rows,
                   WIDTH);
    multiply(work->wide, work->y, layer->inner, layer->inner_bias, rows, WIDTH, INNER_WIDTH);
    for (size_t i = 0; i < (size_t)rows * INNER_WIDTH; i++)
        work->wide[i] = work->wide[i] > 0 ? work->wide[i] : 0;
    multiply(work->x, work->wide, layer->outer, layer->outer_bias, rows, INNER_WIDTH, WIDTH);
    add_rows(work->x, work->attended, count);
}

static void to_unit_length(float *vector)
{
    double sum = 0;
    for (int i = 0; i < WIDTH; i++)
        sum += (double)vector[i] * vector[i];
    float factor = (float)(1 / sqrt(sum > 1e-12 ? sum : 1e-12));
    for (int i = 0; i < WIDTH; i++)
        vector[i] *= factor;
}

void transform(const struct encoder *encoder, const int32_t *ids, int count, float *out)
{
    struct work *work = calloc(1, sizeof *work);
    float mean[WIDTH] = {0};
    require(work);
    embed_pieces(encoder, ids, count, work->x);
    for (int layer = 0; layer < LAYERS; layer++)
        run_layer(&encoder->layers[layer], work, count);
    for (int row = 0; row < count; row++)
        add_rows(mean, work->x + (size_t)row * WIDTH, WIDTH);
    for (int i = 0; i < WIDTH; i++)
        mean[i] /= (float)count;
    multiply(out, mean, encoder->head, encoder->head_bias, 1, WIDTH, WIDTH);
    for (int i = 0; i < WIDTH; i++)
        out[i] = tanhf(out[i]);
    to_unit_length(out);
    free(work);
}
