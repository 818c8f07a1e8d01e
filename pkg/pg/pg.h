/* PostgreSQL connections (libpq), made so that RDS Proxy never pins them.
 *
 * A pinned connection cannot be shared, and the proxy pins for a session's SET, for named prepared
 * statements, for temporary tables and for statements of more than 16 KB. So every statement is run
 * once, unnamed, with its values bound apart (vectors in binary), session settings live in ALTER
 * ROLE, and a longer statement is a bug. Source: "Avoiding pinning an RDS Proxy", Amazon RDS User
 * Guide.
 *
 * A connection belongs to one task at a time; with a task, calls give the baton back while they
 * block. Errors: ERR_NOT_FOUND (no such database, table or row wanted), ERR_DENIED (login,
 * permission), ERR_EXISTS (unique), ERR_CONFLICT (serialization, lock), ERR_TIMEOUT (canceled,
 * server shutting down), ERR_LOST_REPLY (the connection broke while a statement ran), else
 * ERR_FAILED; the SQLSTATE stands in error->aws_code as "SQLSTATE 42P01". */
#ifndef RAGSTACK_PG_PG_H
#define RAGSTACK_PG_PG_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/base/secret.h"
#include "pkg/task/task.h"

enum { PG_STATEMENT_MAXIMUM = 16 << 10, PG_PARAMETERS_MAXIMUM = 64 };

struct pg_options {
    const char *url;     /* a whole connection URI; NULL: the members below */
    const char *host;    /* a name, an address, or the folder of a socket */
    int port;            /* 0: 5432 */
    const char *address; /* of the host, already resolved; NULL: libpq resolves */
    const char *database, *user;
    const char *ca_file; /* certificates that the server's is verified against (verify-full); NULL:
                            no TLS, which only a socket or loopback may be */
    const char *application; /* shown in pg_stat_activity */
    int connect_timeout_s;   /* 0: 5 */
    /* Asked at each connect for a password or token; NULL: none. */
    int (*password)(void *data, struct secret *out, struct error *error);
    void *data;
};

struct pg;

int pg_open(struct task *task, const struct pg_options *options, struct pg **out,
            struct error *error);
void pg_close(struct pg *pg);
/* False after a broken connection: open a new one. */
bool pg_usable(const struct pg *pg);

/* -- values -- */
enum pg_kind { PG_NULL, PG_TEXT, PG_INT, PG_REAL, PG_BOOL, PG_BYTES, PG_HALF_VECTOR };
struct pg_value {
    enum pg_kind kind;
    const void *data; /* text, bytes, floats */
    size_t length;    /* bytes; of a vector: floats */
    int64_t integer;  /* also a boolean */
    double real;
};
#define pg_text(string) ((struct pg_value){.kind = PG_TEXT, .data = (string)})
#define pg_int(number) ((struct pg_value){.kind = PG_INT, .integer = (number)})
#define pg_real(number) ((struct pg_value){.kind = PG_REAL, .real = (number)})
#define pg_bool(flag) ((struct pg_value){.kind = PG_BOOL, .integer = (flag)})
#define pg_vector(floats, count) \
    ((struct pg_value){.kind = PG_HALF_VECTOR, .data = (floats), .length = (count)})
/* NULL text is SQL's NULL. */
struct pg_value pg_text_or_null(const char *string);

/* Rows as text: NULL for SQL's NULL. */
struct pg_rows {
    size_t count, columns;
    const char **cells; /* count x columns */
    int64_t affected;   /* rows that a changing statement touched */
};
const char *pg_cell(const struct pg_rows *rows, size_t row, size_t column);
int64_t pg_cell_int(const struct pg_rows *rows, size_t row, size_t column);
double pg_cell_real(const struct pg_rows *rows, size_t row, size_t column);

/* -- statements -- */

/* One statement with its values. `rows` may be NULL. Write types out ($1::halfvec, $2::jsonb). */
int pg_run(struct task *task, struct pg *pg, struct arena *arena, const char *sql,
           const struct pg_value *values, size_t count, struct pg_rows *rows, struct error *error);
#define PG_VALUES(...)                        \
    ((const struct pg_value[]){__VA_ARGS__}), \
        (sizeof((const struct pg_value[]){__VA_ARGS__}) / sizeof(struct pg_value))

/* Several statements without values, in one round trip and one implicit transaction: for
 * migrations. */
int pg_script(struct task *task, struct pg *pg, const char *sql, struct error *error);

/* `function` between BEGIN and COMMIT; ROLLBACK when it fails. */
typedef int pg_work(struct task *task, struct pg *pg, void *data, struct error *error);
int pg_transaction(struct task *task, struct pg *pg, pg_work *function, void *data,
                   struct error *error);

/* -- bulk, for migrations from another database: not through the proxy -- */
/* Begins "COPY ... TO STDOUT" in text form. */
int pg_copy_begin(struct task *task, struct pg *pg, const char *sql, struct error *error);
/* The next row into the arena; *row NULL at the end. */
int pg_copy_receive(struct task *task, struct pg *pg, struct arena *arena, const char **row,
                    size_t *length, struct error *error);

#endif
