/* The ledger of one stack and environment: a lease lock, the history of deployments, artifacts.
 *
 * A store is a table over small objects with conditional writes: an S3 bucket, or a folder. Time is
 * the store's own (S3's Date header), so the clocks of the machines that share it may differ. All
 * keys are relative to the stack and environment. */
#ifndef RAGSTACK_LEDGER_LEDGER_H
#define RAGSTACK_LEDGER_LEDGER_H

#include "pkg/aws/client.h"
#include "pkg/value/value.h"

enum { LEDGER_VERSION_BYTES = 128, LEDGER_NUMBER_MAXIMUM = 99999999 };

struct ledger_object {
    const char *bytes; /* NUL-terminated */
    size_t length;
    char version[LEDGER_VERSION_BYTES]; /* another one after every write */
    int64_t age_ms;                     /* since it was written, by the store's clock */
};

/* What must stand there for a write to happen. */
#define LEDGER_ANY NULL
#define LEDGER_ABSENT "*"

struct ledger {
    const char *place; /* "s3://ragstack-123456789012-eu-west-1-1a2b3c4d/acme/dev": for people */
    struct clock *clock;
    int64_t skew_ms; /* the store's clock minus ours, as last seen */
    bool missing;    /* there is no ledger at all, as last seen */
    int newest;      /* number of the newest deployment, as last seen; 0: it has to be looked up */

    /* ERR_NOT_FOUND: no such object, or no ledger at all. */
    int (*get)(struct task *task, struct ledger *ledger, struct arena *arena, const char *key,
               struct ledger_object *out, struct error *error);
    /* `condition` is LEDGER_ANY, LEDGER_ABSENT or a version; `version` gets the new one.
     * ERR_EXISTS: wanted absent, and is there. ERR_CONFLICT: another version stands there, or
     * nothing. ERR_NOT_FOUND: there is no ledger. ERR_LOST_REPLY: not known: read what stands
     * there. */
    int (*put)(struct task *task, struct ledger *ledger, const char *key, const char *bytes,
               size_t length, const char *condition, char version[LEDGER_VERSION_BYTES],
               struct error *error);
    /* Gone already is success. ERR_CONFLICT: another version. */
    int (*remove)(struct task *task, struct ledger *ledger, const char *key, const char *version,
                  struct error *error);
    /* The first `most` keys with this prefix, in the order of their bytes. No ledger: none. */
    int (*list)(struct task *task, struct ledger *ledger, struct arena *arena, const char *prefix,
                size_t most, const char ***keys, size_t *count, struct error *error);
    /* Makes the bucket or the folder; there already is success. */
    int (*create)(struct task *task, struct ledger *ledger, struct error *error);
    void (*close)(struct ledger *ledger);
};

void ledger_close(struct ledger *ledger); /* NULL is allowed */
/* The store's time. */
int64_t ledger_wall_ms(const struct ledger *ledger);

struct ledger_s3_options {
    struct aws_client *client; /* without a guard: its own writes keep the lease. Borrowed */
    struct clock *clock;
    const char *partition, *account;
    const char *stack, *environment; /* "" for none */
};
/* One bucket an account and region; every call carries the expected owner. Nothing is called. */
struct ledger *ledger_s3_new(const struct ledger_s3_options *options);
/* "ragstack-<account>-<region>-<hash>": where ledger_s3_new looks. */
const char *ledger_bucket_name(struct arena *arena, const char *partition, const char *account,
                               const char *region);

/* A folder on this machine; times are those of `clock`. */
struct ledger *ledger_folder_new(struct clock *clock, const char *folder, const char *stack,
                                 const char *environment);

/* -- the lock -- */

enum { LEASE_MS = 120000, HEARTBEAT_MS = 15000, LEASE_GRACE_MS = 10000 };

/* Who wants it; for people. */
struct ledger_claim {
    const char *owner;   /* "ann@laptop" */
    const char *command; /* "up" */
    int pid;
    const char *process; /* process_mark(); NULL: what it leaves behind runs out, and no sooner */
};

struct lease;

/* Takes the lock, and keeps it by a task of its own until it is released. A lease that ran out is
 * taken over, and so is that of a process of this machine which is gone. ERR_LOCKED says who holds
 * it and since when; ERR_NOT_FOUND: there is no ledger yet.
 */
int ledger_lock(struct task *task, struct ledger *ledger, const struct ledger_claim *claim,
                struct lease **out, struct error *error);
/* Whose lease was taken over, as a sentence; NULL if it was free. */
const char *lease_notice(const struct lease *lease);
/* For how long whose lease was taken over has surely done nothing; INT64_MAX if it was free. */
int64_t lease_quiet_ms(const struct lease *lease);
/* For aws_client_set_guard: ERR_LOCKED when the lease is lost, or could not be renewed in time. */
int lease_check(void *lease, struct error *error);
/* Renews it now: after a long wait (for a person's consent) somebody may have broken it. */
int lease_confirm(struct task *task, struct lease *lease, struct error *error);
/* Also in a cancelled task. Frees the lease whatever comes of it. NULL is allowed. */
int lease_release(struct task *task, struct lease *lease, struct error *error);

struct ledger_holder {
    const char *words;      /* "ann@laptop (pid 4711, up), since 2026-01-31T23:59:59Z" */
    struct value *document; /* {"id":, "owner":, "pid":, "command":, "since":, "expires":} */
    int64_t age_ms;         /* since it was taken or renewed */
    bool expired;           /* or its process is gone */
    char version[LEDGER_VERSION_BYTES];
};
/* *held is false when nobody holds it. */
int ledger_look_at_lock(struct task *task, struct ledger *ledger, struct arena *arena, bool *held,
                        struct ledger_holder *out, struct error *error);
/* Takes the lock away from this holder. ERR_CONFLICT: it has moved since it was looked at. */
int ledger_break_lock(struct task *task, struct ledger *ledger, const struct ledger_holder *holder,
                      struct error *error);

/* -- the history: one document a deployment, numbered from 1 -- */

/* Writes it under the next number, which it sets in *number and in the document ("number"). */
int ledger_begin(struct task *task, struct ledger *ledger, struct arena *arena,
                 struct value *deployment, int *number, struct error *error);
/* Writes it again, under the same number. */
int ledger_end(struct task *task, struct ledger *ledger, struct arena *arena,
               const struct value *deployment, struct error *error);
/* The newest `most`, newest first; an empty list when there is no ledger. */
int ledger_history(struct task *task, struct ledger *ledger, struct arena *arena, size_t most,
                   struct value **out, struct error *error);
/* ERR_NOT_FOUND says which numbers there are. */
int ledger_deployment(struct task *task, struct ledger *ledger, struct arena *arena, int number,
                      struct value **out, struct error *error);

/* What was last applied, over all deployments: as it was sent ({"ID": {properties}}, references
 * resolved), and as the file had it ({"ID": {"kind":, "props":, "tags":}}). Both NULL when nothing
 * was, or there is no ledger. */
struct ledger_applied {
    struct value *resolved, *resources;
};
int ledger_applied(struct task *task, struct ledger *ledger, struct arena *arena,
                   struct ledger_applied *out, struct error *error);
int ledger_set_applied(struct task *task, struct ledger *ledger, struct arena *arena,
                       const struct ledger_applied *applied, struct error *error);

/* -- artifacts, by the SHA-256 of their bytes (64 hexadecimal digits) -- */

/* Puts it there unless it is there. */
int ledger_keep(struct task *task, struct ledger *ledger, const char *sha256, const char *bytes,
                size_t length, struct error *error);
/* ERR_NOT_FOUND if it was never kept; the bytes are checked. */
int ledger_fetch(struct task *task, struct ledger *ledger, struct arena *arena, const char *sha256,
                 const char **bytes, size_t *length, struct error *error);

#endif
