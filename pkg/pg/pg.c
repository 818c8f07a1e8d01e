#include "pkg/pg/pg.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/log.h"
#include "pkg/base/panic.h"
#include "pkg/pg/half.h"

struct pg {
    PGconn *connection;
};

enum { CONNECT_TIMEOUT_S = 5 };

/* -- errors -- */

static int code_of(const char *state)
{
    static const struct {
        const char *prefix;
        int code;
    } table[] = {
        {"28", ERR_DENIED},       {"42501", ERR_DENIED},    {"3D", ERR_NOT_FOUND},
        {"42P01", ERR_NOT_FOUND}, {"42704", ERR_NOT_FOUND}, {"23505", ERR_EXISTS},
        {"42P07", ERR_EXISTS},    {"42710", ERR_EXISTS},    {"40", ERR_CONFLICT},
        {"55P03", ERR_CONFLICT},  {"57", ERR_TIMEOUT},      {"53", ERR_TIMEOUT},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].code;
    }
    return ERR_FAILED;
}

/* PostgreSQL's messages end with a newline. */
static int set_failure(struct error *error, int code, const char *state, const char *message)
{
    size_t length = strcspn(message, "\n");
    int result = error_set(error, code, "PostgreSQL: %.*s", (int)length, message);
    if (error && state)
        snprintf(error->aws_code, sizeof error->aws_code, "SQLSTATE %s", state);
    return result;
}

static int result_failure(const struct pg *pg, const PGresult *result, struct error *error)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state && PQstatus(pg->connection) == CONNECTION_BAD)
        return set_failure(error, ERR_LOST_REPLY, NULL, PQerrorMessage(pg->connection));
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return set_failure(error, state ? code_of(state) : ERR_FAILED, state,
                       message ? message : PQerrorMessage(pg->connection));
}

/* -- connecting -- */

struct pairs {
    const char *keys[16], *values[16];
    int count;
};

static void add_pair(struct pairs *pairs, const char *key, const char *value)
{
    if (!value)
        return;
    pairs->keys[pairs->count] = key;
    pairs->values[pairs->count++] = value;
}

static void fill_pairs(struct pairs *pairs, const struct pg_options *options, const char *port,
                       const char *timeout, const struct secret *password)
{
    *pairs = (struct pairs){0};
    add_pair(pairs, "dbname", options->url ? options->url : options->database);
    add_pair(pairs, "connect_timeout", timeout);
    add_pair(pairs, "application_name", options->application);
    add_pair(pairs, "client_encoding", "UTF8");
    add_pair(pairs, "gssencmode", "disable");
    if (!options->url) {
        add_pair(pairs, "host", options->host);
        add_pair(pairs, "hostaddr", options->address);
        add_pair(pairs, "port", port);
        add_pair(pairs, "user", options->user);
        add_pair(pairs, "sslmode", options->ca_file ? "verify-full" : "disable");
        add_pair(pairs, "sslrootcert", options->ca_file);
    }
    if (!secret_empty(password))
        add_pair(pairs, "password", secret_reveal(password));
}

static int check_connection(struct pg *pg, struct error *error)
{
    if (PQstatus(pg->connection) == CONNECTION_OK)
        return 0;
    const char *message = PQerrorMessage(pg->connection);
    bool denied =
        strstr(message, "authentication failed") || strstr(message, "no pg_hba.conf entry");
    bool absent = strstr(message, "does not exist") != NULL;
    return set_failure(error,
                       denied   ? ERR_DENIED
                       : absent ? ERR_NOT_FOUND
                                : ERR_FAILED,
                       NULL, message);
}

static void trace_notice(void *data, const char *message)
{
    (void)data;
    log_debug("PostgreSQL: %.*s", (int)strcspn(message, "\n"), message);
}

int pg_open(struct task *task, const struct pg_options *options, struct pg **out,
            struct error *error)
{
    char port[16], timeout[16];
    struct secret password = {0};
    struct pairs pairs;
    int result = options->password ? options->password(options->data, &password, error) : 0;
    if (result < 0)
        return result;
    snprintf(port, sizeof port, "%d", options->port ? options->port : 5432);
    snprintf(timeout, sizeof timeout, "%d",
             options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S);
    fill_pairs(&pairs, options, port, timeout, &password);
    struct pg *pg = calloc(1, sizeof *pg);
    require(pg);
    task_block_begin(task);
    pg->connection = PQconnectdbParams(pairs.keys, pairs.values, 1);
    task_block_end(task);
    secret_clear(&password);
    PQsetNoticeProcessor(pg->connection, trace_notice, NULL);
    result = check_connection(pg, error);
    if (result < 0)
        pg_close(pg);
    else
        *out = pg;
    return result;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->connection);
    free(pg);
}

bool pg_usable(const struct pg *pg)
{
    return pg && PQstatus(pg->connection) == CONNECTION_OK;
}

/* -- values -- */

struct pg_value pg_text_or_null(const char *string)
{
    return string ? pg_text(string) : (struct pg_value){.kind = PG_NULL};
}

/* What PQexecParams wants, one row a value. */
struct bound {
    const char *values[PG_PARAMETERS_MAXIMUM];
    int lengths[PG_PARAMETERS_MAXIMUM], formats[PG_PARAMETERS_MAXIMUM];
};

static void bind_binary(struct bound *bound, size_t i, const void *bytes, size_t length)
{
    bound->values[i] = bytes;
    bound->lengths[i] = (int)length;
    bound->formats[i] = 1;
}

static void bind_value(struct arena *arena, struct bound *bound, size_t i,
                       const struct pg_value *value)
{
    bound->lengths[i] = 0;
    bound->formats[i] = 0;
    bound->values[i] = NULL;
    switch (value->kind) {
    case PG_NULL:
        break;
    case PG_TEXT:
        bound->values[i] = value->data;
        break;
    case PG_INT:
        bound->values[i] = arena_printf(arena, "%lld", (long long)value->integer);
        break;
    case PG_REAL:
        bound->values[i] = arena_printf(arena, "%.17g", value->real);
        break;
    case PG_BOOL:
        bound->values[i] = value->integer ? "t" : "f";
        break;
    case PG_BYTES:
        bind_binary(bound, i, value->data, value->length);
        break;
    case PG_HALF_VECTOR: {
        size_t length;
        const void *bytes = half_vector_wire(arena, value->data, value->length, &length);
        bind_binary(bound, i, bytes, length);
        break;
    }
    }
}

const char *pg_cell(const struct pg_rows *rows, size_t row, size_t column)
{
    require(row < rows->count && column < rows->columns);
    return rows->cells[row * rows->columns + column];
}

int64_t pg_cell_int(const struct pg_rows *rows, size_t row, size_t column)
{
    const char *text = pg_cell(rows, row, column);
    return text ? strtoll(text, NULL, 10) : 0;
}

double pg_cell_real(const struct pg_rows *rows, size_t row, size_t column)
{
    const char *text = pg_cell(rows, row, column);
    return text ? strtod(text, NULL) : 0;
}

static void take_rows(struct arena *arena, const PGresult *result, struct pg_rows *rows)
{
    rows->count = (size_t)PQntuples(result);
    rows->columns = (size_t)PQnfields(result);
    rows->affected = strtoll(PQcmdTuples((PGresult *)result), NULL, 10);
    rows->cells = arena_array(arena, rows->count * rows->columns + 1, sizeof *rows->cells);
    for (size_t row = 0; row < rows->count; row++) {
        for (size_t column = 0; column < rows->columns; column++) {
            int r = (int)row, c = (int)column;
            if (!PQgetisnull(result, r, c))
                rows->cells[row * rows->columns + column] = arena_strndup(
                    arena, PQgetvalue(result, r, c), (size_t)PQgetlength(result, r, c));
        }
    }
}

/* -- statements -- */

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

int pg_run(struct task *task, struct pg *pg, struct arena *arena, const char *sql,
           const struct pg_value *values, size_t count, struct pg_rows *rows, struct error *error)
{
    struct bound bound;
    require(count <= PG_PARAMETERS_MAXIMUM && strlen(sql) < PG_STATEMENT_MAXIMUM);
    for (size_t i = 0; i < count; i++)
        bind_value(arena, &bound, i, &values[i]);
    task_block_begin(task);
    CLEANUP(clear_result)
    PGresult *result = PQexecParams(pg->connection, sql, (int)count, NULL, bound.values,
                                    bound.lengths, bound.formats, 0);
    task_block_end(task);
    if (!succeeded(result))
        return result_failure(pg, result, error);
    if (rows)
        take_rows(arena, result, rows);
    return 0;
}

int pg_script(struct task *task, struct pg *pg, const char *sql, struct error *error)
{
    task_block_begin(task);
    CLEANUP(clear_result) PGresult *result = PQexec(pg->connection, sql);
    task_block_end(task);
    return succeeded(result) ? 0 : result_failure(pg, result, error);
}

int pg_transaction(struct task *task, struct pg *pg, pg_work *function, void *data,
                   struct error *error)
{
    int result = pg_script(task, pg, "BEGIN", error);
    if (result < 0)
        return result;
    result = function(task, pg, data, error);
    if (result == 0)
        return pg_script(task, pg, "COMMIT", error);
    if (pg_usable(pg)) {
        struct error ignored; /* the first failure is the one that counts */
        (void)pg_script(task, pg, "ROLLBACK", &ignored);
    }
    return result;
}

/* -- bulk -- */

int pg_copy_begin(struct task *task, struct pg *pg, const char *sql, struct error *error)
{
    task_block_begin(task);
    CLEANUP(clear_result) PGresult *result = PQexec(pg->connection, sql);
    task_block_end(task);
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_OUT ? 0 : result_failure(pg, result, error);
}

/* What the server says after the last row. */
static int copy_outcome(struct task *task, struct pg *pg, struct error *error)
{
    int outcome = 0;
    PGresult *result;
    for (;;) {
        task_block_begin(task);
        result = PQgetResult(pg->connection);
        task_block_end(task);
        if (!result)
            return outcome;
        if (!succeeded(result) && outcome == 0)
            outcome = result_failure(pg, result, error);
        PQclear(result);
    }
}

int pg_copy_receive(struct task *task, struct pg *pg, struct arena *arena, const char **row,
                    size_t *length, struct error *error)
{
    char *bytes = NULL;
    task_block_begin(task);
    int received = PQgetCopyData(pg->connection, &bytes, 0);
    task_block_end(task);
    *row = NULL;
    *length = 0;
    if (received <= 0)
        return copy_outcome(task, pg, error);
    *length = (size_t)received;
    *row = arena_strndup(arena, bytes, *length);
    PQfreemem(bytes);
    return 0;
}
