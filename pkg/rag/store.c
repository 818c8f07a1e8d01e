/* Documents in and out. */
#include "pkg/rag/store.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/value/json.h"

enum { HASH_BYTES = 32, HASHES_AT_ONCE = 60 };

/* -- hashes -- */

static void hash_text(const char *text, size_t length, unsigned char out[HASH_BYTES])
{
    require(EVP_Digest(text, length, out, NULL, EVP_sha256(), NULL) == 1);
}

static struct pg_value bytes(const void *data, size_t length)
{
    return (struct pg_value){.kind = PG_BYTES, .data = data, .length = length};
}

/* Of all that is stored of a document: the same hash means that nothing has to be done. */
static void hash_document(const struct document *document, const struct passage_list *passages,
                          unsigned char out[HASH_BYTES])
{
    struct buffer all = BUFFER(BUFFER_LARGE);
    buffer_printf(&all, "%s%c%s%c", document->title, '\0', document->source ? document->source : "",
                  '\0');
    if (document->metadata)
        json_print_canonical(&all, document->metadata);
    for (size_t i = 0; i < passages->count; i++)
        buffer_printf(&all, "%c%zu %zu %zu", '\0', passages->items[i].start, passages->items[i].end,
                      passages->items[i].unit_count);
    buffer_char(&all, '\0');
    buffer_append(&all, document->text, document->length);
    hash_text(buffer_string(&all), all.length, out);
    buffer_free(&all);
}

/* -- looking -- */

static size_t count_units(const struct passage_list *passages)
{
    size_t count = 0;
    for (size_t i = 0; i < passages->count; i++)
        count += passages->items[i].unit_count;
    return count;
}

/* "[0.25,-1,...]" to floats; NULL when it has another length. */
static const float *parse_vector(struct arena *arena, const char *text, int dimensions)
{
    float *vector = arena_array(arena, (size_t)dimensions, sizeof *vector);
    const char *at = text + 1;
    for (int i = 0; i < dimensions; i++) {
        char *end;
        vector[i] = strtof(at, &end);
        if (end == at || (*end != ',' && *end != ']'))
            return NULL;
        at = end + 1;
    }
    return vector;
}

static int check_embedder(struct task *task, struct pg *pg, struct arena *arena,
                          const char *embedder, struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(task, pg, arena, "SELECT value FROM rag.settings WHERE key = 'embedder'",
                        NULL, 0, &rows, error);
    if (result < 0)
        return result;
    if (rows.count && strcmp(pg_cell(&rows, 0, 0), embedder) != 0)
        return error_set(error, ERR_CONFLICT,
                         "the stored vectors are of %s, not of %s: `ragstack up` embeds again",
                         pg_cell(&rows, 0, 0), embedder);
    return 0;
}

static int is_same_document(struct task *task, struct pg *pg, struct arena *arena,
                            const struct document *document, const struct passage_list *passages,
                            bool *same, struct error *error)
{
    struct pg_rows rows;
    unsigned char hash[HASH_BYTES];
    hash_document(document, passages, hash);
    int result =
        pg_run(task, pg, arena, "SELECT 1 FROM rag.documents WHERE id = $1 AND hash = $2::bytea",
               PG_VALUES(pg_text(document->id), bytes(hash, sizeof hash)), &rows, error);
    *same = result == 0 && rows.count > 0;
    return result;
}

/* A few units at a time: their hashes, and where their vectors go. */
struct look {
    struct pg_value hashes[HASHES_AT_ONCE];
    size_t places[HASHES_AT_ONCE];
    size_t count;
};

static const char *hash_list(struct arena *arena, size_t count)
{
    struct buffer sql = BUFFER(PG_STATEMENT_MAXIMUM);
    buffer_text(&sql,
                "SELECT DISTINCT ON (hash) encode(hash, 'hex'), embedding::text FROM rag.units"
                " WHERE hash IN (");
    for (size_t i = 1; i <= count; i++)
        buffer_printf(&sql, "%s$%zu::bytea", i > 1 ? ", " : "", i);
    buffer_char(&sql, ')');
    const char *copy = arena_strdup(arena, buffer_string(&sql));
    buffer_free(&sql);
    return copy;
}

static bool is_hex_of(const char *hex, const unsigned char *hash)
{
    char text[2 * HASH_BYTES + 1];
    hex_encode(hash, HASH_BYTES, text);
    return strcmp(hex, text) == 0;
}

static int look_up(struct task *task, struct pg *pg, struct arena *arena, struct look *look,
                   int dimensions, struct stored_units *out, struct error *error)
{
    struct pg_rows rows;
    if (!look->count)
        return 0;
    int result = pg_run(task, pg, arena, hash_list(arena, look->count), look->hashes, look->count,
                        &rows, error);
    for (size_t row = 0; result == 0 && row < rows.count; row++) {
        const float *vector = parse_vector(arena, pg_cell(&rows, row, 1), dimensions);
        for (size_t i = 0; vector && i < look->count; i++) {
            if (is_hex_of(pg_cell(&rows, row, 0), look->hashes[i].data))
                out->vectors[look->places[i]] = vector;
        }
    }
    look->count = 0;
    return result;
}

static int look_at_units(struct task *task, struct pg *pg, struct arena *arena,
                         const struct document *document, const struct passage_list *passages,
                         int dimensions, struct stored_units *out, struct error *error)
{
    struct look look = {.count = 0};
    size_t place = 0;
    int result = 0;
    for (size_t i = 0; i < passages->count; i++) {
        const struct passage *passage = &passages->items[i];
        for (size_t j = 0; j < passage->unit_count && result == 0; j++, place++) {
            unsigned char *hash = arena_alloc(arena, HASH_BYTES);
            hash_text(document->text + passage->units[j].start,
                      passage->units[j].end - passage->units[j].start, hash);
            look.hashes[look.count] = bytes(hash, HASH_BYTES);
            look.places[look.count++] = place;
            if (look.count == HASHES_AT_ONCE)
                result = look_up(task, pg, arena, &look, dimensions, out, error);
        }
    }
    return result == 0 ? look_up(task, pg, arena, &look, dimensions, out, error) : result;
}

int store_look(struct task *task, struct pg *pg, struct arena *arena,
               const struct document *document, const struct passage_list *passages,
               const char *embedder, int dimensions, struct stored_units *out, struct error *error)
{
    *out = (struct stored_units){.count = count_units(passages)};
    out->vectors = arena_array(arena, out->count + 1, sizeof *out->vectors);
    int result = check_embedder(task, pg, arena, embedder, error);
    if (result == 0)
        result = is_same_document(task, pg, arena, document, passages, &out->same_document, error);
    if (result == 0 && !out->same_document)
        result = look_at_units(task, pg, arena, document, passages, dimensions, out, error);
    for (size_t i = 0; i < out->count && !out->same_document; i++)
        out->missing += out->vectors[i] == NULL;
    return result;
}

/* -- putting -- */

struct putting {
    struct arena *arena;
    const struct document *document;
    const struct passage_list *passages;
    const struct stored_units *units;
    int dimensions;
};

/* An INSERT of a few rows, while it is put together. */
struct batch {
    struct buffer sql;
    struct pg_value values[PG_PARAMETERS_MAXIMUM];
    size_t value_count, rows;
};

static void batch_begin(struct batch *batch, const char *insert)
{
    *batch = (struct batch){.sql = BUFFER(PG_STATEMENT_MAXIMUM)};
    buffer_text(&batch->sql, insert);
}

static int batch_flush(struct task *task, struct pg *pg, struct arena *arena, struct batch *batch,
                       struct error *error)
{
    int result = batch->rows ? pg_run(task, pg, arena, buffer_string(&batch->sql), batch->values,
                                      batch->value_count, NULL, error)
                             : 0;
    buffer_free(&batch->sql);
    return result;
}

static void batch_value(struct batch *batch, const char *format, struct pg_value value)
{
    batch->values[batch->value_count++] = value;
    buffer_printf(&batch->sql, "$%zu%s", batch->value_count, format);
}

/* What is searched by words: title, headings and text. */
static void add_passage(struct batch *batch, const struct putting *putting, size_t place)
{
    const struct passage *passage = &putting->passages->items[place];
    const char *text = arena_strndup(putting->arena, putting->document->text + passage->start,
                                     passage->end - passage->start);
    const char *all = arena_printf(putting->arena, "%s\n%s\n%s", putting->document->title,
                                   passage->heading, text);
    buffer_text(&batch->sql, batch->rows++ ? ", (" : "(");
    batch_value(batch, ", ", pg_text(putting->document->id));
    batch_value(batch, "::int, ", pg_int((int64_t)place));
    batch_value(batch, "::int, ", pg_int((int64_t)passage->start));
    batch_value(batch, "::int, ", pg_int((int64_t)passage->end));
    batch_value(batch, ", ", pg_text(passage->heading));
    batch_value(batch, ", to_tsvector('english', ", pg_text(text));
    batch_value(batch, "))", pg_text(all));
}

enum { PASSAGE_ROWS = 9, UNIT_ROWS = 9 }; /* seven values each */

static int put_passages(struct task *task, struct pg *pg, const struct putting *putting,
                        struct error *error)
{
    int result = 0;
    for (size_t at = 0; at < putting->passages->count && result == 0;) {
        struct batch batch;
        batch_begin(&batch,
                    "INSERT INTO rag.passages (document, place, start_byte, end_byte, heading,"
                    " text, words) VALUES ");
        while (at < putting->passages->count && batch.rows < PASSAGE_ROWS)
            add_passage(&batch, putting, at++);
        result = batch_flush(task, pg, putting->arena, &batch, error);
    }
    return result;
}

static void add_unit(struct batch *batch, const struct putting *putting, size_t passage,
                     size_t place, const float *vector)
{
    const struct unit *unit = &putting->passages->items[passage].units[place];
    unsigned char *hash = arena_alloc(putting->arena, HASH_BYTES);
    hash_text(putting->document->text + unit->start, unit->end - unit->start, hash);
    buffer_text(&batch->sql, batch->rows++ ? ", (" : "(");
    batch_value(batch, ", ", pg_text(putting->document->id));
    batch_value(batch, "::int, ", pg_int((int64_t)passage));
    batch_value(batch, "::int, ", pg_int((int64_t)place));
    batch_value(batch, "::int, ", pg_int((int64_t)unit->start));
    batch_value(batch, "::int, ", pg_int((int64_t)unit->end));
    batch_value(batch, "::bytea, ", bytes(hash, HASH_BYTES));
    batch_value(batch, "::halfvec)", pg_vector(vector, (size_t)putting->dimensions));
}

static int put_units(struct task *task, struct pg *pg, const struct putting *putting,
                     struct error *error)
{
    struct batch batch = {.rows = 0};
    size_t at = 0;
    int result = 0;
    for (size_t i = 0; i < putting->passages->count; i++) {
        for (size_t j = 0; j < putting->passages->items[i].unit_count && result == 0; j++, at++) {
            if (batch.rows == 0)
                batch_begin(&batch, "INSERT INTO rag.units (document, passage, place, start_byte,"
                                    " end_byte, hash, embedding) VALUES ");
            add_unit(&batch, putting, i, j, putting->units->vectors[at]);
            if (batch.rows < UNIT_ROWS)
                continue;
            result = batch_flush(task, pg, putting->arena, &batch, error);
            batch.rows = 0;
        }
    }
    if (result == 0 && batch.rows)
        result = batch_flush(task, pg, putting->arena, &batch, error);
    return result;
}

/* The row of the document is locked first, so that two puts of one document come one after the
 * other. */
static int put_document(struct task *task, struct pg *pg, const struct putting *putting,
                        struct error *error)
{
    const struct document *document = putting->document;
    unsigned char hash[HASH_BYTES];
    const char *metadata =
        document->metadata ? json_text_canonical(putting->arena, document->metadata) : "{}";
    hash_document(document, putting->passages, hash);
    int result =
        pg_run(task, pg, putting->arena,
               "INSERT INTO rag.documents (id, title, source, text, hash, metadata)"
               " VALUES ($1, $2, $3, $4, $5::bytea, $6::jsonb) ON CONFLICT (id) DO UPDATE SET"
               " title = excluded.title, source = excluded.source, text = excluded.text,"
               " hash = excluded.hash, metadata = excluded.metadata, updated_at = now()",
               PG_VALUES(pg_text(document->id), pg_text(document->title),
                         pg_text_or_null(document->source),
                         pg_text(arena_strndup(putting->arena, document->text, document->length)),
                         bytes(hash, sizeof hash), pg_text(metadata)),
               NULL, error);
    if (result < 0)
        return result;
    return pg_run(task, pg, putting->arena, "DELETE FROM rag.passages WHERE document = $1",
                  PG_VALUES(pg_text(document->id)), NULL, error);
}

static int put_all(struct task *task, struct pg *pg, void *data, struct error *error)
{
    const struct putting *putting = data;
    int result = put_document(task, pg, putting, error);
    if (result == 0)
        result = put_passages(task, pg, putting, error);
    return result == 0 ? put_units(task, pg, putting, error) : result;
}

int store_put(struct task *task, struct pg *pg, struct arena *arena,
              const struct document *document, const struct passage_list *passages,
              const struct stored_units *units, int dimensions, struct error *error)
{
    struct putting putting = {arena, document, passages, units, dimensions};
    for (size_t i = 0; i < units->count; i++)
        require(units->vectors[i]);
    return pg_transaction(task, pg, put_all, &putting, error);
}

/* -- taking away, listing -- */

int store_delete(struct task *task, struct pg *pg, struct arena *arena, const char *id,
                 struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(task, pg, arena, "DELETE FROM rag.documents WHERE id = $1",
                        PG_VALUES(pg_text(id)), &rows, error);
    if (result == 0 && rows.affected == 0)
        return error_set(error, ERR_NOT_FOUND, "there is no document \"%s\"", id);
    return result;
}

int store_list(struct task *task, struct pg *pg, struct arena *arena, const char *after, int limit,
               struct value **out, struct error *error)
{
    struct pg_rows rows;
    int result = pg_run(
        task, pg, arena,
        "SELECT id, title, source, octet_length(text),"
        " (SELECT count(*) FROM rag.passages WHERE document = id),"
        " to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
        " CASE WHEN $3::bool THEN encode(sha256(convert_to(text, 'UTF8')), 'hex') END"
        " FROM rag.documents WHERE id > $1 ORDER BY id LIMIT $2::int",
        PG_VALUES(pg_text(after ? after : ""), pg_int(limit), pg_bool(limit <= STORE_LIST_SUMMED)),
        &rows, error);
    *out = value_list(arena);
    for (size_t i = 0; result == 0 && i < rows.count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "id", pg_cell(&rows, i, 0));
        value_set_text(arena, row, "title", pg_cell(&rows, i, 1));
        value_set_text(arena, row, "source", pg_cell(&rows, i, 2));
        value_set_int(arena, row, "bytes", pg_cell_int(&rows, i, 3));
        value_set_int(arena, row, "passages", pg_cell_int(&rows, i, 4));
        value_set_text(arena, row, "updated", pg_cell(&rows, i, 5));
        if (pg_cell(&rows, i, 6))
            value_set_text(arena, row, "sha256", pg_cell(&rows, i, 6));
        value_push(arena, *out, row);
    }
    return result;
}
