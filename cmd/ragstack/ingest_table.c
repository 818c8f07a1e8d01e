/* The documents of another PostgreSQL, by COPY: rows with the same id become one document. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "cmd/ragstack/ingest.h"
#include "pkg/pg/pg.h"
#include "pkg/value/json.h"

enum { IDENTIFIER_MAXIMUM = 63, TEXT_MAXIMUM = 64 << 20 };

struct reading {
    struct pg *pg;
    struct arena *arena; /* of the row read ahead */
    struct value *ahead; /* the first row of the next document; NULL: none */
    bool begun, ended;
    const char *sql, *prefix, *embedder;
    struct semaphore one_reads;
};

/* -- the statement -- */

static void put_identifier(struct buffer *out, const char *name, size_t length)
{
    buffer_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '"')
            buffer_char(out, '"');
        buffer_char(out, name[i]);
    }
    buffer_char(out, '"');
}

/* "schema.table"; names are taken as they are written, capitals too. */
static int check_name(const char *option, const char *name, struct error *error)
{
    if (!name || (*name && strlen(name) <= 2 * IDENTIFIER_MAXIMUM + 1))
        return 0;
    return error_set(error, ERR_USAGE, "--%s: \"%s\" is no name in a database", option, name);
}

static void put_table(struct buffer *out, const char *name)
{
    const char *dot = strchr(name, '.');
    if (dot)
        put_identifier(out, name, (size_t)(dot - name));
    if (dot)
        buffer_char(out, '.');
    put_identifier(out, dot ? dot + 1 : name, strlen(dot ? dot + 1 : name));
}

static void put_column(struct buffer *out, const char *key, const char *column, const char *cast)
{
    if (!column)
        return;
    buffer_printf(out, ", '%s', ", key);
    put_identifier(out, column, strlen(column));
    buffer_text(out, cast);
}

/* One column of JSON: nothing to guess about types and escapes. */
static const char *copy_statement(struct arena *arena, const struct ingest_table *table)
{
    CLEANUP(buffer_free) struct buffer sql = BUFFER(PG_STATEMENT_MAXIMUM);
    buffer_text(&sql, "COPY (SELECT json_build_object('id', ");
    put_identifier(&sql, table->id, strlen(table->id));
    buffer_text(&sql, "::text");
    put_column(&sql, "text", table->text, "::text");
    put_column(&sql, "title", table->title, "::text");
    put_column(&sql, "source", table->source, "::text");
    put_column(&sql, "metadata", table->metadata, "::jsonb");
    put_column(&sql, "embedding", table->embedding, "::text");
    buffer_text(&sql, ")::text FROM ");
    put_table(&sql, table->table);
    buffer_text(&sql, " ORDER BY ");
    put_identifier(&sql, table->id, strlen(table->id));
    if (table->order) {
        buffer_text(&sql, ", ");
        put_identifier(&sql, table->order, strlen(table->order));
    }
    buffer_text(&sql, ") TO STDOUT");
    return arena_strdup(arena, buffer_string(&sql));
}

static int count_documents(struct task *task, struct pg *pg, struct arena *arena,
                           const struct ingest_table *table, size_t *out, struct error *error)
{
    CLEANUP(buffer_free) struct buffer sql = BUFFER(PG_STATEMENT_MAXIMUM);
    struct pg_rows rows;
    buffer_text(&sql, "SELECT count(DISTINCT ");
    put_identifier(&sql, table->id, strlen(table->id));
    buffer_text(&sql, ") FROM ");
    put_table(&sql, table->table);
    int result = pg_run(task, pg, arena, buffer_string(&sql), NULL, 0, &rows, error);
    *out = result == 0 ? (size_t)pg_cell_int(&rows, 0, 0) : 0;
    return result;
}

/* -- rows -- */

/* COPY's text form: of the escapes only \\ and \n, \t ... can stand in JSON, which has none of the
 * latter raw. */
static struct value *row_value(struct arena *arena, const char *row, size_t length,
                               struct error *error)
{
    char *text = arena_alloc(arena, length + 1);
    struct value *value = NULL;
    size_t used = 0;
    while (length && (row[length - 1] == '\n' || row[length - 1] == '\r'))
        length--;
    for (size_t i = 0; i < length; i++) {
        if (row[i] == '\\' && i + 1 < length)
            i++;
        text[used++] = row[i];
    }
    json_parse(arena, text, used, "a row", &value, error);
    return value;
}

static int read_row(struct task *task, struct reading *reading, struct error *error)
{
    const char *row;
    size_t length;
    arena_free(reading->arena);
    reading->arena = arena_new();
    reading->ahead = NULL;
    int result = pg_copy_receive(task, reading->pg, reading->arena, &row, &length, error);
    if (result < 0 || !row) {
        reading->ended = true;
        return result;
    }
    reading->ahead = row_value(reading->arena, row, length, error);
    return reading->ahead ? 0 : ERR_FAILED;
}

static const char *copy_of(struct arena *arena, const struct value *row, const char *key)
{
    const char *text = value_text(row, key);
    return text && *text ? arena_strdup(arena, text) : NULL;
}

/* "[0.25,-1,...]", as pgvector prints it, as the API takes it; NULL when it is none. */
static const char *encode_vector(struct arena *arena, const char *text)
{
    VECTOR(float) numbers = {0};
    for (const char *at = text && *text == '[' ? text + 1 : ""; *at && *at != ']';) {
        char *end;
        float number = strtof(at, &end);
        if (end == at)
            return NULL;
        vector_push(arena, &numbers, number);
        at = end + (*end == ',');
    }
    if (!numbers.count)
        return NULL;
    size_t bytes = numbers.count * sizeof *numbers.items;
    unsigned char *encoded = arena_alloc(arena, bytes / 3 * 4 + 8);
    EVP_EncodeBlock(encoded, (const unsigned char *)numbers.items, (int)bytes);
    return (const char *)encoded;
}

/* What the row added to the text, with its vector. One row without a vector, and all are made anew.
 */
static void add_piece(struct arena *arena, const struct reading *reading, struct value **pieces,
                      size_t start, size_t end)
{
    const char *vector = *pieces && end > start
                             ? encode_vector(arena, value_text(reading->ahead, "embedding"))
                             : NULL;
    if (!vector)
        *pieces = NULL;
    if (!*pieces)
        return;
    struct value *piece = value_map(arena);
    value_set_int(arena, piece, "start", (int64_t)start);
    value_set_int(arena, piece, "end", (int64_t)end);
    value_push(arena, *pieces, value_set_text(arena, piece, "vector", vector));
}

static const struct value *given_value(struct arena *arena, const struct reading *reading,
                                       struct value *pieces)
{
    if (!pieces)
        return NULL;
    struct value *given = value_map(arena);
    value_set_text(arena, given, "embedder", reading->embedder);
    return value_set(arena, given, "pieces", pieces);
}

/* The rows with the id of the first, joined by blank lines. */
static int read_document(struct task *task, struct reading *reading, struct arena *arena,
                         struct ingest_item *out, struct error *error)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(TEXT_MAXIMUM);
    const char *id = copy_of(arena, reading->ahead, "id"), *title, *piece;
    int result = 0;
    id = id ? id : "";
    title = copy_of(arena, reading->ahead, "title");
    *out = (struct ingest_item){
        .id = arena_printf(arena, "%s%s", *id ? reading->prefix : "", id),
        .title = title ? title : id,
        .source = copy_of(arena, reading->ahead, "source"),
        .weight = 1,
    };
    const struct value *metadata = value_get(reading->ahead, "metadata");
    struct value *pieces = reading->embedder ? value_list(arena) : NULL;
    if (value_is(metadata, VALUE_MAP))
        out->metadata = value_copy(arena, metadata);
    do {
        piece = value_text(reading->ahead, "text");
        buffer_text(&text, text.length && piece ? "\n\n" : "");
        size_t start = text.length;
        buffer_text(&text, piece ? piece : "");
        add_piece(arena, reading, &pieces, start, text.length);
        result = read_row(task, reading, error);
    } while (result == 0 && reading->ahead && value_text(reading->ahead, "id") &&
             strcmp(value_text(reading->ahead, "id"), id) == 0);
    out->text = arena_strdup(arena, buffer_string(&text));
    out->length = text.length;
    out->given = given_value(arena, reading, pieces);
    return result;
}

static int next_document(struct task *task, struct ingest_source *source, struct arena *arena,
                         struct ingest_item *out, struct error *error)
{
    struct reading *reading = source->data;
    int result = semaphore_acquire(task, &reading->one_reads, error);
    if (result < 0)
        return result;
    if (!reading->begun && !reading->ended) {
        reading->begun = true;
        result = pg_copy_begin(task, reading->pg, reading->sql, error);
        if (result == 0)
            result = read_row(task, reading, error);
    }
    int next = INGEST_END;
    if (result == 0 && reading->ahead) {
        result = read_document(task, reading, arena, out, error);
        next = INGEST_ITEM;
    }
    semaphore_release(&reading->one_reads);
    if (result < 0)
        return error_wrap(error, "reading the table");
    if (next == INGEST_ITEM && !out->text[strspn(out->text, " \t\r\n")]) {
        error_set(error, ERR_INPUT, "it holds no text");
        return INGEST_UNREADABLE;
    }
    return next;
}

static void close_table(struct task *task, struct ingest_source *source)
{
    struct reading *reading = source->data;
    (void)task;
    pg_close(reading->pg);
    arena_free(reading->arena);
}

int ingest_table_open(struct task *task, struct arena *arena, const struct ingest_table *table,
                      struct ingest_source **out, struct error *error)
{
    const struct {
        const char *option, *name;
    } names[] = {{"table", table->table},   {"id", table->id},
                 {"text", table->text},     {"title", table->title},
                 {"source", table->source}, {"metadata-column", table->metadata},
                 {"order", table->order},   {"embedding", table->embedding}};
    struct pg *pg;
    struct ingest_source *source = arena_new_of(arena, struct ingest_source);
    struct reading *reading = arena_new_of(arena, struct reading);
    int result = 0;
    for (size_t i = 0; i < COUNT_OF(names) && result == 0; i++)
        result = check_name(names[i].option, names[i].name, error);
    if (result < 0)
        return result;
    result =
        pg_open(task, &(struct pg_options){.url = table->url, .application = "ragstack ingest"},
                &pg, error);
    if (result < 0)
        return error_wrap(error, "--from");
    *reading = (struct reading){.pg = pg,
                                .sql = copy_statement(arena, table),
                                .prefix = table->prefix,
                                .embedder = table->embedder,
                                .one_reads = {.places = 1}};
    *source = (struct ingest_source){.next = next_document, .close = close_table, .data = reading};
    result = count_documents(task, pg, arena, table, &source->count, error);
    source->weight = source->count;
    *out = source;
    if (result < 0)
        pg_close(pg);
    return result < 0 ? error_wrap(error, "--from") : 0;
}
