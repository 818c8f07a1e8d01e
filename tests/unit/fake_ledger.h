/* A world with a ledger in a folder or in a fake S3, and many machines that share it. */
#ifndef RAGSTACK_TESTS_FAKE_LEDGER_H
#define RAGSTACK_TESTS_FAKE_LEDGER_H

#include "pkg/ledger/ledger.h"
#include "tests/unit/fake_s3.h"

#define LEDGER_ACCOUNT "123456789012"
/* 2026-01-31T12:00:00Z */
#define LEDGER_START_MS INT64_C(1769860800000)

enum { MACHINES = 24 };

/* A clock whose wall time is off. */
struct wrong_clock {
    struct clock clock;
    struct clock *right;
    int64_t off_ms;
};

/* A machine's view of the ledger. */
struct machine {
    struct wrong_clock clock;
    struct aws_client *client; /* NULL with the folder */
    struct ledger *ledger;
    struct ledger_claim claim; /* "user-<n>@host" */
    /* What its writes to the ledger come to; steps through. */
    enum ledger_fault { PUT_WELL, PUT_FAILS, PUT_LOST_BEFORE, PUT_LOST_AFTER } faults[8];
    size_t fault_count, next_fault;
    int (*real_put)(struct task *task, struct ledger *ledger, const char *key, const char *bytes,
                    size_t length, const char *condition, char version[LEDGER_VERSION_BYTES],
                    struct error *error);
};

struct world {
    struct virtual_clock clock;
    struct loop *loop;
    struct arena *arena;
    struct fake_s3 *s3; /* NULL: the folder below the fake home */
    struct machine machines[MACHINES];
    bool failing; /* every write to the ledger fails */
    bool losing;  /* ... is lost without a trace */
};

/* For cmocka's state: which store. */
extern bool world_in_folder, world_in_s3;

/* Sets up the world and makes the ledger. */
int world_begin(void **state);
int world_end(void **state);
extern struct world world;

/* Runs the tasks together to the end; each gets its machine. */
void world_run(task_function *const *functions, size_t count);
/* From a machine's ledger to the machine. */
struct machine *machine_of(struct ledger *ledger);

#endif
