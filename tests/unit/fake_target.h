/* A target of a few invented kinds, in memory and under the virtual clock, for tests of the engine.
 *
 * It refuses what a cloud would refuse: names that are in use, references to what is not there (or
 * not ready, where the field says so), the removal of what others refer to. It keeps a log of its
 * changing calls, and fails them as the test wants.
 *
 * fake.network   cidr (replaces), dns (AFTER), label, zones (unordered)
 * fake.group     named; network, title (replace); rules (LATE, BLOCKS, by id; may refer to groups)
 * fake.database  named, holds data; ten minutes until ready, five until gone; class, version (at
 *                least), size (grows), encryption (loses data), groups, zone (sticky), password
 *                (write-only); endpoint is known when it is ready
 * fake.proxy     named; database (READY); healthy two minutes after it is connected (LATE `groups`)
 * fake.function  named; code, environment, calls (COMPLETE), permissions (LATE); arn by name
 * fake.gateway   delete first; network, address (replace); one minute until ready and until gone
 * fake.log       named, no tags, no update; days */
#ifndef RAGSTACK_TESTS_FAKE_TARGET_H
#define RAGSTACK_TESTS_FAKE_TARGET_H

#include "pkg/apply/apply.h"
#include "pkg/base/buffer.h"
#include "pkg/base/vector.h"
#include "pkg/plan/plan.h"

enum { FAKE_CALL_MS = 300 };

extern const struct resource_type fake_network, fake_group, fake_database, fake_proxy,
    fake_function, fake_gateway, fake_log;

/* Something that exists. */
struct thing {
    const struct resource_type *type;
    const char *physical_id, *name;
    struct value *props, *tags; /* tags NULL: somebody else's */
    int64_t born_ms, ready_ms, complete_ms;
    int64_t gone_ms; /* 0: it stays */
    bool broken;     /* never becomes ready */
};

/* The next `times` calls of the verb ("create", "update", "remove", "retag", "observe") on the id
 * (for observe: the kind) fail. */
struct fault {
    const char *verb, *id;
    int times;
    int code;
    bool after; /* the call takes effect, and then its reply is lost */
};

struct fake {
    struct target target;
    struct identity identity;
    struct virtual_clock clock;
    struct loop *loop;
    struct arena *arena;
    VECTOR(struct thing *) things;
    VECTOR(struct fault) faults;
    struct buffer log;        /* "<ms> <verb> <id>", one a line; changing calls only */
    struct buffer violations; /* what the engine must never do */
    int calls;                /* changing calls so far */
    int dies_at;              /* from this changing call on, everything fails; 0: never */
    bool last_takes_effect;   /* that call itself is still done */
    int shows_late_ms;        /* what is new is observed so much later */
    int looks_before_faults;  /* looks at a kind that do not fail yet */
    int next_number;

    /* Of the last fake_up: */
    struct plan *plan;
    struct apply_result result;
    struct error error;
};

struct fake *fake_new(void);
/* Fails the test if there were violations. */
void fake_free(struct fake *fake);

/* A stack as YAML, one resource a key: "net: {kind: fake.network, cidr: 10.0.0.0/16}"; `kind`,
 * `was` and `tags` are not properties. */
struct resource_list fake_stack(struct fake *fake, const char *yaml);
/* Observes and plans; the error is in fake->error. */
int fake_plan(struct fake *fake, const char *yaml, const struct plan_options *options);
/* Observes, plans and applies; data loss of everything is allowed unless options say otherwise. */
int fake_up(struct fake *fake, const char *yaml);
int fake_apply(struct fake *fake, const char *yaml, const struct plan_options *planning,
               const struct apply_options *applying);
int fake_down(struct fake *fake, const char *yaml);
/* Up must succeed, and then there is nothing to do. */
void fake_must_up(struct fake *fake, const char *yaml);
void fake_must_down(struct fake *fake, const char *yaml);

/* "create net; replace sub" ... of the last plan, in its order. */
const char *fake_steps(struct fake *fake);
/* The log since the last call, without times: "create net, update net". */
const char *fake_calls(struct fake *fake);
/* The time of a line of the log ("create net"), in ms; fails the test if it is not there once. */
int64_t fake_time_of(struct fake *fake, const char *line);
/* Alive, by the id in its tags (or its name, for a thing without tags); NULL if none; the newest.
 */
struct thing *fake_find(struct fake *fake, const char *id);
const char *fake_text(struct fake *fake, const char *id, const char *path);
int fake_count(struct fake *fake); /* alive, foreign ones included */
/* Puts something there behind the engine's back. */
struct thing *fake_add_foreign(struct fake *fake, const struct resource_type *type,
                               const char *name);
void fake_fail(struct fake *fake, const char *call, const char *id, int times, int code,
               bool after);

#endif
