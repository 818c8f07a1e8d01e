/* One document: from text to passages, vectors and rows. */
#include <string.h>

#include "cmd/rag-handler/ingest.h"
#include "cmd/rag-handler/runtime.h"
#include "pkg/rag/given.h"

enum {
    ID_MAXIMUM = 1024,
    SLICE = 256, /* texts that are embedded between two words of progress */
};

int ingest_read_document(const struct value *row, struct document *out, struct error *error)
{
    const struct value *text = value_get(row, "text"), *metadata = value_get(row, "metadata");
    const char *id = value_text(row, "id"), *title = value_text(row, "title");
    if (!id || !*id || strlen(id) > ID_MAXIMUM)
        return error_set(error, ERR_INPUT, "documents[].id: a text of 1 to 1,024 bytes");
    if (!value_is(text, VALUE_STRING) || text->string.length > DOCUMENT_MAXIMUM)
        return error_set(error, ERR_INPUT, "document %s: text is missing, or larger than 5 MB", id);
    if (strlen(text->string.text) < text->string.length)
        return error_set(error, ERR_INPUT, "document %s: text with NUL bytes cannot be stored", id);
    if (metadata && metadata->kind != VALUE_NULL && !value_is(metadata, VALUE_MAP))
        return error_set(error, ERR_INPUT, "document %s: metadata is to be an object", id);
    *out = (struct document){.id = id,
                             .title = title && *title ? title : id,
                             .source = value_text(row, "source"),
                             .text = text->string.text,
                             .length = text->string.length,
                             .metadata = value_is(metadata, VALUE_MAP) ? metadata : NULL,
                             .given = value_get(row, "given")};
    return 0;
}

/* Who waits for a large document hears how far it is. */
static int embed_in_slices(struct task *task, struct ingesting *ingesting, const char **texts,
                           size_t count, float *vectors, struct error *error)
{
    size_t dimensions = (size_t)ingesting->models->dimensions;
    int result = 0;
    for (size_t done = 0, slice; done < count && result == 0; done += slice) {
        struct model_usage usage = {0};
        slice = count - done < SLICE ? count - done : SLICE;
        if (ingesting->progress)
            result = ingesting->progress(task, ingesting, done, count, error);
        if (result == 0)
            result = ingesting->models->embed(task, ingesting->models, ingesting->invocation->arena,
                                              texts + done, slice, vectors + done * dimensions,
                                              &usage, error);
        ingesting->usage.input_tokens += usage.input_tokens;
        ingesting->usage.dollars += usage.dollars > 0 ? usage.dollars : 0;
    }
    return result;
}

/* Vectors for the units that have none yet. */
static int embed_missing(struct task *task, struct ingesting *ingesting,
                         const struct document *document, const struct passage_list *passages,
                         struct stored_units *units, struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    size_t dimensions = (size_t)ingesting->models->dimensions, at = 0, missing = 0;
    const char **texts = arena_array(arena, units->missing + 1, sizeof *texts);
    float *vectors = arena_array(arena, (units->missing + 1) * dimensions, sizeof *vectors);
    for (size_t i = 0; i < passages->count; i++) {
        for (size_t j = 0; j < passages->items[i].unit_count; j++, at++) {
            const struct unit *unit = &passages->items[i].units[j];
            if (units->vectors[at])
                continue;
            texts[missing] =
                arena_strndup(arena, document->text + unit->start, unit->end - unit->start);
            units->vectors[at] = vectors + missing++ * dimensions;
        }
    }
    return missing && ingesting->models->embed
               ? embed_in_slices(task, ingesting, texts, missing, vectors, error)
               : 0;
}

static void add_outcome(struct ingesting *ingesting, const struct document *document,
                        const struct passage_list *passages, const struct stored_units *units)
{
    struct arena *arena = ingesting->invocation->arena;
    struct value *row = value_map(arena);
    value_set_text(arena, row, "id", document->id);
    value_set_text(arena, row, "status", units->same_document ? "unchanged" : "stored");
    value_set_int(arena, row, "passages", (int64_t)passages->count);
    value_set_int(arena, row, "units", (int64_t)units->count);
    value_set_int(arena, row, "embedded", (int64_t)(units->same_document ? 0 : units->missing));
    value_push(arena, ingesting->outcomes, row);
}

/* Without an embedding model there are no units: search is by words alone. */
static void drop_units(struct passage_list *passages)
{
    for (size_t i = 0; i < passages->count; i++)
        passages->items[i].unit_count = 0;
}

int ingest_document(struct task *task, struct ingesting *ingesting, const struct document *document,
                    struct error *error)
{
    struct arena *arena = ingesting->invocation->arena;
    struct models *models = ingesting->models;
    struct chunk_sizes sizes = {.unit_maximum = models->unit_maximum};
    struct given given;
    struct stored_units units;
    int result = given_read(arena, document, models, &given, error);
    struct passage_list passages = given.passages;
    if (!passages.count)
        chunk_document(arena, document->text, document->length, &sizes, &passages);
    if (!models->embed)
        drop_units(&passages);
    if (result == 0)
        result = store_look(task, ingesting->pg, arena, document, &passages, models->embedder,
                            models->dimensions, &units, error);
    if (result == 0)
        given_fill(&given, &units);
    if (result == 0 && !units.same_document)
        result = embed_missing(task, ingesting, document, &passages, &units, error);
    if (result == 0 && !units.same_document)
        result = store_put(task, ingesting->pg, arena, document, &passages, &units,
                           models->dimensions, error);
    if (result == 0)
        add_outcome(ingesting, document, &passages, &units);
    return result < 0 ? error_wrap(error, "document %s", document->id) : 0;
}

int ingest_open(struct task *task, struct ingesting *ingesting, struct error *error)
{
    int result = runtime_models(ingesting->invocation->arena, &ingesting->models, error);
    return result < 0 ? result : runtime_database(task, &ingesting->pg, error);
}
