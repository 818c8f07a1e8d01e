/* The lease lock: one document, taken by a write that wants it absent, kept and given up by writes
 * that want the version which we wrote last.
 *
 * How old a lease is, the store's clock says. How long ours still holds, our own clocks say,
 * counted from before the request that renewed it: never longer than others believe. */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/hex.h"
#include "pkg/base/log.h"
#include "pkg/base/panic.h"
#include "pkg/ledger/ledger.h"
#include "pkg/ledger/process.h"
#include "pkg/value/json.h"

#define LOCK_KEY "lock.json"

enum {
    ATTEMPTS = 8,
    RETRY_MS = 500,
    LATE_RETRY_MS = 5000,
    CLOCK_STEP_MS = 1000, /* times in headers count whole seconds */
    ID_BYTES = 16,
};

struct lease {
    struct arena *arena;
    struct ledger *ledger;
    const char *id, *owner, *command, *process;
    int pid;
    int64_t since_wall_ms;
    int renewals;
    struct semaphore one_renewal;
    char version[LEDGER_VERSION_BYTES];
    /* Whichever of our clocks comes first: the monotonic one stands still in a suspended machine.
     */
    int64_t until_ms, until_wall_ms;
    struct clock *clock;
    char *notice;
    int64_t quiet_ms;
    char *lost; /* why it is not ours any more; NULL: it is */
    struct task *heart;
    bool ended;
    struct signal stop;
};

/* -- the document -- */

static const char *new_id(struct arena *arena)
{
    unsigned char bytes[ID_BYTES];
    require(RAND_bytes(bytes, sizeof bytes) == 1);
    return hex_text(arena, bytes, sizeof bytes);
}

static void set_time(struct arena *arena, struct value *map, const char *key, int64_t wall_ms)
{
    char text[32];
    clock_format_iso(wall_ms, text, sizeof text);
    value_set_text(arena, map, key, text);
}

static const char *write_document(struct arena *arena, const struct lease *lease)
{
    struct value *document = value_map(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_text(arena, document, "id", lease->id);
    value_set_text(arena, document, "owner", lease->owner);
    value_set_int(arena, document, "pid", lease->pid);
    value_set_text(arena, document, "command", lease->command);
    value_set(arena, document, "process", value_string(arena, lease->process));
    set_time(arena, document, "since", lease->since_wall_ms);
    set_time(arena, document, "expires", ledger_wall_ms(lease->ledger) + LEASE_MS);
    value_set_int(arena, document, "renewals", lease->renewals);
    return json_text(arena, document);
}

static const char *describe(struct arena *arena, const struct value *document)
{
    const char *owner = value_text(document, "owner"), *command = value_text(document, "command");
    const char *since = value_text(document, "since");
    return arena_printf(arena, "%.80s (process %lld, `ragstack %.20s`), since %.20s",
                        owner ? owner : "somebody", (long long)value_int_at(document, "pid", 0),
                        command ? command : "?", since ? since : "an unknown time");
}

int ledger_look_at_lock(struct task *task, struct ledger *ledger, struct arena *arena, bool *held,
                        struct ledger_holder *out, struct error *error)
{
    struct ledger_object object;
    struct value *document;
    *held = false;
    int result = ledger->get(task, ledger, arena, LOCK_KEY, &object, error);
    if (result == ERR_NOT_FOUND)
        return 0;
    if (result < 0)
        return result;
    if (json_parse(arena, object.bytes, object.length, LOCK_KEY, &document, NULL) < 0)
        document = value_map(arena); /* unreadable, and held all the same until it runs out */
    *held = true;
    *out = (struct ledger_holder){.words = describe(arena, document),
                                  .document = document,
                                  .age_ms = object.age_ms,
                                  .expired = object.age_ms > LEASE_MS + LEASE_GRACE_MS ||
                                             process_is_gone(value_text(document, "process"))};
    memcpy(out->version, object.version, sizeof out->version);
    return 0;
}

int ledger_break_lock(struct task *task, struct ledger *ledger, const struct ledger_holder *holder,
                      struct error *error)
{
    return ledger->remove(task, ledger, LOCK_KEY, holder->version, error);
}

/* -- taking it -- */

static bool is_ours(const struct lease *lease, const struct ledger_holder *holder)
{
    return value_is_text(value_get(holder->document, "id"), lease->id);
}

/* From before the request that made it so. */
static void hold_from(struct lease *lease, int64_t now_ms, int64_t wall_ms)
{
    lease->until_ms = now_ms + LEASE_MS;
    lease->until_wall_ms = wall_ms + LEASE_MS;
}

static int write_lock(struct task *task, struct lease *lease, const char *condition,
                      struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = write_document(arena, lease);
    int64_t now_ms = lease->clock->monotonic_ms(lease->clock);
    int64_t wall_ms = lease->clock->wall_ms(lease->clock);
    int result = lease->ledger->put(task, lease->ledger, LOCK_KEY, text, strlen(text), condition,
                                    lease->version, error);
    if (result == 0)
        hold_from(lease, now_ms, wall_ms);
    return result;
}

static int locked_by(const struct ledger *ledger, const struct ledger_holder *holder,
                     struct error *error)
{
    const char *expires = value_text(holder->document, "expires");
    return error_set(error, ERR_LOCKED,
                     "%s is locked by %s; its lease ends at %.20s unless it is renewed. Wait for "
                     "it; or, when that process is surely gone, run `ragstack unlock`",
                     ledger->place, holder->words, expires ? expires : "an unknown time");
}

/* The reply to our own write was lost: it holds from when it was written. */
static int keep_own(struct lease *lease, const struct ledger_holder *holder, int64_t now_ms,
                    int64_t wall_ms)
{
    int64_t age_ms = holder->age_ms + CLOCK_STEP_MS;
    memcpy(lease->version, holder->version, sizeof lease->version);
    hold_from(lease, now_ms - age_ms, wall_ms - age_ms);
    return 0;
}

static int take_over(struct task *task, struct lease *lease, const struct ledger_holder *holder,
                     struct error *error)
{
    int result = write_lock(task, lease, holder->version, error);
    if (result < 0)
        return result;
    lease->notice = arena_printf(lease->arena, "the lock was left behind by %s; it is taken over",
                                 holder->words);
    /* It lived for a heartbeat more, or it would have been heard of. */
    lease->quiet_ms = holder->age_ms > HEARTBEAT_MS ? holder->age_ms - HEARTBEAT_MS : 0;
    return 0;
}

/* 1: others were faster, or it is not known what stands there. */
static int look_and_take(struct task *task, struct lease *lease, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct ledger_holder holder;
    bool held;
    int64_t now_ms = lease->clock->monotonic_ms(lease->clock);
    int64_t wall_ms = lease->clock->wall_ms(lease->clock);
    int result = ledger_look_at_lock(task, lease->ledger, arena, &held, &holder, error);
    if (result < 0)
        return result;
    if (lease->ledger->missing)
        return error_set(error, ERR_NOT_FOUND, "there is no ledger yet (%s)", lease->ledger->place);
    if (held && is_ours(lease, &holder))
        return keep_own(lease, &holder, now_ms, wall_ms);
    if (held && !holder.expired)
        return locked_by(lease->ledger, &holder, error);
    result = held ? take_over(task, lease, &holder, error)
                  : write_lock(task, lease, LEDGER_ABSENT, error);
    bool again = result == ERR_EXISTS || result == ERR_CONFLICT || result == ERR_LOST_REPLY;
    return again ? 1 : result;
}

/* It is free most of the time: writing takes it, or changes nothing. */
static int take(struct task *task, struct lease *lease, struct error *error)
{
    int first = write_lock(task, lease, LEDGER_ABSENT, error);
    if (first != ERR_EXISTS && first != ERR_CONFLICT && first != ERR_LOST_REPLY &&
        first != ERR_NOT_FOUND)
        return first;
    error_clear(error);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int result = look_and_take(task, lease, error);
        if (result <= 0)
            return result;
        result = task_sleep(task, RETRY_MS, error);
        if (result < 0)
            return result;
    }
    return error_set(error, ERR_LOCKED, "%s: others take the lock again and again: run it again",
                     lease->ledger->place);
}

/* -- keeping it -- */

static void lose(struct lease *lease, const struct ledger_holder *holder)
{
    lease->lost = holder ? arena_printf(lease->arena, "it was taken over by %s", holder->words)
                         : arena_strdup(lease->arena, "it was released by `ragstack unlock`");
}

/* After a write whose fate is not known: is what stands there ours, and is it that write? */
static int settle(struct task *task, struct lease *lease, int64_t now_ms, int64_t wall_ms,
                  struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct ledger_holder holder;
    bool held;
    int result = ledger_look_at_lock(task, lease->ledger, arena, &held, &holder, error);
    if (result < 0)
        return result;
    if (!held || !is_ours(lease, &holder)) {
        lose(lease, held ? &holder : NULL);
        return 0;
    }
    memcpy(lease->version, holder.version, sizeof lease->version);
    if (value_int_at(holder.document, "renewals", -1) != lease->renewals)
        return ERR_LOST_REPLY;
    hold_from(lease, now_ms, wall_ms);
    return 0;
}

static int renew_once(struct task *task, struct lease *lease, struct error *error)
{
    int64_t now_ms = lease->clock->monotonic_ms(lease->clock);
    int64_t wall_ms = lease->clock->wall_ms(lease->clock);
    lease->renewals++;
    char condition[LEDGER_VERSION_BYTES];
    memcpy(condition, lease->version, sizeof condition);
    int result = write_lock(task, lease, condition, error);
    if (result == ERR_CONFLICT || result == ERR_LOST_REPLY)
        result = settle(task, lease, now_ms, wall_ms, error);
    return result;
}

static int renew(struct task *task, struct lease *lease, struct error *error)
{
    int result = semaphore_acquire(task, &lease->one_renewal, error);
    if (result < 0)
        return result;
    result = renew_once(task, lease, error);
    semaphore_release(&lease->one_renewal);
    return result;
}

static int beat(struct task *task, void *argument, struct error *error)
{
    struct lease *lease = argument;
    int64_t next_ms = task_now_ms(task) + HEARTBEAT_MS;
    while (!lease->ended && !lease->lost) {
        int result = task_wait(task, &lease->stop, next_ms, "the next heartbeat", error);
        if (result != ERR_TIMEOUT)
            break;
        int64_t before_ms = task_now_ms(task);
        result = renew(task, lease, error);
        if (result == ERR_CANCELLED)
            break;
        if (result < 0)
            log_debug("lock: not renewed: %s", error->message);
        next_ms = before_ms + (result < 0 ? LATE_RETRY_MS : HEARTBEAT_MS);
    }
    return 0;
}

int lease_check(void *data, struct error *error)
{
    const struct lease *lease = data;
    int64_t now_ms = lease->clock->monotonic_ms(lease->clock);
    int64_t wall_ms = lease->clock->wall_ms(lease->clock);
    if (lease->lost)
        return error_set(error, ERR_LOCKED,
                         "the lock on %s is lost: %s. Nothing more is changed; run it again when "
                         "the other is done",
                         lease->ledger->place, lease->lost);
    if (now_ms < lease->until_ms && wall_ms < lease->until_wall_ms)
        return 0;
    return error_set(error, ERR_LOCKED,
                     "the lock on %s could not be renewed for %d s, and may be another's by now. "
                     "Nothing more is changed; run it again",
                     lease->ledger->place, LEASE_MS / 1000);
}

int lease_confirm(struct task *task, struct lease *lease, struct error *error)
{
    int result = 0;
    for (int attempt = 0; attempt < ATTEMPTS && !lease->lost; attempt++) {
        result = renew(task, lease, error);
        if (result == 0 || result == ERR_CANCELLED)
            break;
        int slept = task_sleep(task, RETRY_MS, error);
        if (slept < 0)
            return slept;
    }
    return result < 0 ? result : lease_check(lease, error);
}

const char *lease_notice(const struct lease *lease)
{
    return lease->notice;
}

int64_t lease_quiet_ms(const struct lease *lease)
{
    return lease->quiet_ms;
}

int ledger_lock(struct task *task, struct ledger *ledger, const struct ledger_claim *claim,
                struct lease **out, struct error *error)
{
    struct arena *arena = arena_new();
    struct lease *lease = arena_new_of(arena, struct lease);
    *lease = (struct lease){.arena = arena,
                            .ledger = ledger,
                            .id = new_id(arena),
                            .owner = arena_strdup(arena, claim->owner),
                            .command = arena_strdup(arena, claim->command),
                            .process = arena_strdup(arena, claim->process),
                            .pid = claim->pid,
                            .since_wall_ms = ledger_wall_ms(ledger),
                            .one_renewal = {.places = 1},
                            .quiet_ms = INT64_MAX,
                            .clock = ledger->clock};
    *out = NULL;
    int result = take(task, lease, error);
    if (result < 0) {
        arena_free(arena);
        return result;
    }
    lease->heart = task_start(task_loop(task), "lock heartbeat", beat, lease);
    *out = lease;
    return 0;
}

/* -- giving it up -- */

static int stop_heart(struct task *task, struct lease *lease)
{
    struct error ignored = {0};
    lease->ended = true;
    signal_all(&lease->stop);
    task_cancel(lease->heart);
    return task_join(task, lease->heart, &ignored);
}

/* A renewal that was cut off may have changed the version. */
static int remove_own(struct task *task, struct lease *lease, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct ledger_holder holder;
    bool held;
    int result = lease->ledger->remove(task, lease->ledger, LOCK_KEY, lease->version, error);
    if (result != ERR_CONFLICT)
        return result;
    result = ledger_look_at_lock(task, lease->ledger, arena, &held, &holder, error);
    if (result < 0 || !held || !is_ours(lease, &holder))
        return result;
    return ledger_break_lock(task, lease->ledger, &holder, error);
}

int lease_release(struct task *task, struct lease *lease, struct error *error)
{
    if (!lease)
        return 0;
    task_mask_cancel(task, true);
    stop_heart(task, lease);
    int result = lease->lost ? 0 : remove_own(task, lease, error);
    task_mask_cancel(task, false);
    arena_free(lease->arena);
    return result;
}
