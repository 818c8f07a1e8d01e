/* The lease lock, the same tests over a folder and over a fake S3, under the virtual clock. Tasks
 * note what they see; the tests assert on it afterwards. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pkg/ledger/process.h"
#include "tests/unit/fake_ledger.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, LONG_MINUTES = 30 };

static struct seen {
    int taken, locked, other, inside, most_inside;
    int good_checks, lost_checks;
    char message[1536]; /* of the last error worth looking at */
    char notice[512];
    int64_t quiet_ms;
    int result;
} seen;

static int begin(void **state)
{
    seen = (struct seen){0};
    int result = world_begin(state);
    if (world.s3)
        world.s3->delay_ms = 150; /* so that others come between any two requests */
    return result;
}

static void note(int result, const struct error *error)
{
    seen.taken += result == 0;
    seen.locked += result == ERR_LOCKED;
    seen.other += result != 0 && result != ERR_LOCKED;
    if (result < 0)
        snprintf(seen.message, sizeof seen.message, "%s", error->message);
}

static void check(struct lease *lease)
{
    struct error error = {0};
    int result = lease_check(lease, &error);
    seen.good_checks += result == 0;
    seen.lost_checks += result == ERR_LOCKED;
    if (result < 0)
        snprintf(seen.message, sizeof seen.message, "%s", error.message);
}

/* -- taking -- */

static int take_for_a_minute(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
    note(result, error);
    if (result < 0)
        return 0;
    task_sleep(task, MINUTE_MS, error);
    return lease_release(task, lease, error);
}

static int take_later(struct task *task, void *argument, struct error *error)
{
    task_sleep(task, 2 * MINUTE_MS, error);
    return take_for_a_minute(task, argument, error);
}

static void one_of_many_gets_it(void **state)
{
    (void)state;
    task_function *tasks[MACHINES];
    for (size_t i = 0; i < MACHINES; i++)
        tasks[i] = i + 1 < MACHINES ? take_for_a_minute : take_later;
    world_run(tasks, MACHINES);
    assert_int_equal(seen.taken, 2); /* the first, and the one that came when it was free again */
    assert_int_equal(seen.locked, MACHINES - 2);
    assert_int_equal(seen.other, 0);
    assert_non_null(strstr(seen.message, "is locked by user-"));
    assert_non_null(strstr(seen.message, "`ragstack up`"));
    assert_non_null(strstr(seen.message, "since 2026-01-31T12:00:0"));
    assert_non_null(strstr(seen.message, "ragstack unlock"));
}

static int take_turns(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    for (int turns = 0; turns < 5;) {
        struct lease *lease;
        int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
        if (result == ERR_LOCKED) {
            task_sleep(task, 700 + machine->claim.pid, error);
            continue;
        }
        if (result < 0)
            return seen.other++, result;
        turns++;
        seen.taken++;
        seen.inside++;
        seen.most_inside = seen.inside > seen.most_inside ? seen.inside : seen.most_inside;
        task_sleep(task, 3 * SECOND_MS, error);
        check(lease);
        seen.inside--;
        lease_release(task, lease, error);
    }
    return 0;
}

static void nobody_is_ever_inside_with_another(void **state)
{
    (void)state;
    task_function *tasks[8];
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        tasks[i] = take_turns;
    world_run(tasks, COUNT_OF(tasks));
    assert_int_equal(seen.taken, 40);
    assert_int_equal(seen.most_inside, 1);
    assert_int_equal(seen.good_checks, 40);
    assert_int_equal(seen.other, 0);
}

static int take_without_a_ledger(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct ledger *other =
        world.s3 ? machine->ledger
                 : ledger_folder_new(&machine->clock.clock, "/nowhere/at/all", "acme", "");
    struct lease *lease;
    if (world.s3)
        world.s3->bucket = NULL;
    seen.result = ledger_lock(task, other, &machine->claim, &lease, error);
    snprintf(seen.message, sizeof seen.message, "%s", error->message);
    if (!world.s3)
        ledger_close(other);
    return 0;
}

static void without_a_ledger_it_says_so(void **state)
{
    (void)state;
    world_run((task_function *[]){take_without_a_ledger}, 1);
    assert_int_equal(seen.result, ERR_NOT_FOUND);
    assert_non_null(strstr(seen.message, "there is no ledger yet"));
}

/* -- keeping -- */

static int hold_for_long(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
    note(result, error);
    if (result < 0)
        return 0;
    for (int i = 0; i < LONG_MINUTES; i++) {
        task_sleep(task, MINUTE_MS, error);
        check(lease);
    }
    return lease_release(task, lease, error);
}

static int try_again_and_again(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    task_sleep(task, 10 * SECOND_MS, error);
    for (int i = 0; i < LONG_MINUTES - 1; i++) {
        struct lease *lease;
        int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
        note(result, error);
        if (result == 0)
            lease_release(task, lease, error);
        task_sleep(task, MINUTE_MS, error);
    }
    return 0;
}

static void heartbeats_keep_it(void **state)
{
    (void)state;
    world_run((task_function *[]){hold_for_long, try_again_and_again}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.locked, LONG_MINUTES - 1);
    assert_int_equal(seen.good_checks, LONG_MINUTES);
    assert_int_equal(seen.lost_checks, 0);
}

/* The store's clock alone says how old a lease is. */
static void clocks_may_differ(void **state)
{
    (void)state;
    world.machines[0].clock.off_ms = -5 * HOUR_MS;
    world.machines[1].clock.off_ms = 7 * HOUR_MS;
    if (world.s3)
        world.s3->skew_ms = 30 * MINUTE_MS;
    else
        world.machines[0].clock.off_ms = world.machines[1].clock.off_ms = 0; /* one machine */
    world_run((task_function *[]){hold_for_long, try_again_and_again}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.locked, LONG_MINUTES - 1);
    assert_int_equal(seen.lost_checks, 0);
}

/* -- dead holders -- */

/* Takes it as a process that is killed at once would. */
static void leave_behind(struct task *task, struct machine *machine)
{
    static const char text[] = "{\"schema\": 1, \"id\": \"dead\", \"owner\": \"bob@gone\", "
                               "\"pid\": 7, \"command\": \"down\", \"since\": "
                               "\"2026-01-31T12:00:00Z\", \"expires\": \"2026-01-31T12:02:00Z\"}";
    char version[LEDGER_VERSION_BYTES];
    struct error error;
    machine->ledger->put(task, machine->ledger, "lock.json", text, strlen(text), LEDGER_ABSENT,
                         version, &error);
}

static int die_holding_it(struct task *task, void *argument, struct error *error)
{
    (void)error;
    leave_behind(task, argument);
    return 0;
}

static int take_over(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    task_sleep(task, LEASE_MS, error);
    int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
    note(result, error); /* still in the time of grace */
    task_sleep(task, LEASE_GRACE_MS + 2 * SECOND_MS, error);
    result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
    note(result, error);
    if (result < 0)
        return 0;
    snprintf(seen.notice, sizeof seen.notice, "%s", lease_notice(lease) ? lease_notice(lease) : "");
    seen.quiet_ms = lease_quiet_ms(lease);
    task_sleep(task, 10 * MINUTE_MS, error);
    check(lease);
    return lease_release(task, lease, error);
}

static void what_a_dead_process_holds_is_taken_over_by_one(void **state)
{
    (void)state;
    task_function *tasks[10] = {die_holding_it};
    for (size_t i = 1; i < COUNT_OF(tasks); i++)
        tasks[i] = take_over;
    world_run(tasks, COUNT_OF(tasks));
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.locked, 9 + 8);
    assert_int_equal(seen.other, 0);
    assert_int_equal(seen.good_checks, 1);
    assert_non_null(strstr(seen.notice, "bob@gone (process 7, `ragstack down`), since "
                                        "2026-01-31T12:00:00Z"));
    assert_true(seen.quiet_ms >= LEASE_MS + LEASE_GRACE_MS - HEARTBEAT_MS);
}

static int read_garbage(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    char version[LEDGER_VERSION_BYTES];
    machine->ledger->put(task, machine->ledger, "lock.json", "}{", 2, LEDGER_ABSENT, version,
                         error);
    return take_over(task, argument, error);
}

static void an_unreadable_lock_runs_out_too(void **state)
{
    (void)state;
    world_run((task_function *[]){read_garbage}, 1);
    assert_int_equal(seen.locked, 1);
    assert_int_equal(seen.taken, 1);
    assert_non_null(strstr(seen.notice, "somebody"));
}

/* The child's mark, once it waits; the child ends by a byte in the pipe. */
static pid_t begin_child(char *mark, size_t size, int *hold)
{
    int to[2], from[2];
    char byte;
    assert_true(pipe(to) == 0 && pipe(from) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct arena *arena = arena_new();
        const char *own = process_mark(arena);
        if (write(from[1], own ? own : "", own ? strlen(own) + 1 : 1) < 0 ||
            read(to[0], &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    assert_true(read(from[0], mark, size) > 1);
    close(to[0]);
    close(from[0]);
    close(from[1]);
    *hold = to[1];
    return child;
}

static char child_mark[256];

static int take_from_child(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    char version[LEDGER_VERSION_BYTES];
    const char *text = arena_printf(
        world.arena, "{\"id\": \"x\", \"owner\": \"bob@here\", \"process\": \"%s\"}", child_mark);
    machine->ledger->put(task, machine->ledger, "lock.json", text, strlen(text), LEDGER_ANY,
                         version, error);
    struct lease *lease;
    int result = ledger_lock(task, machine->ledger, &machine->claim, &lease, error);
    note(result, error);
    if (result < 0)
        return 0;
    snprintf(seen.notice, sizeof seen.notice, "%s", lease_notice(lease) ? lease_notice(lease) : "");
    seen.quiet_ms = lease_quiet_ms(lease);
    return lease_release(task, lease, error);
}

static void what_a_killed_process_of_this_machine_holds_is_free_at_once(void **state)
{
    (void)state;
    int hold;
    pid_t child = begin_child(child_mark, sizeof child_mark, &hold);
    world_run((task_function *[]){take_from_child}, 1);
    assert_int_equal(seen.locked, 1); /* it lives */
    kill(child, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    assert_true(process_is_gone(child_mark)); /* although nobody has waited for it yet */
    waitpid(child, NULL, 0);
    close(hold);
    world_run((task_function *[]){take_from_child}, 1);
    assert_int_equal(seen.taken, 1);
    assert_non_null(strstr(seen.notice, "left behind by bob@here"));
    assert_int_equal(seen.quiet_ms, 0); /* it may have made something a moment ago */
}

static void only_processes_of_this_machine_can_be_gone(void **state)
{
    (void)state;
    const char *own = process_mark(world.arena);
    assert_non_null(own);
    assert_false(process_is_gone(own));
    assert_false(process_is_gone(NULL));
    assert_false(process_is_gone(""));
    assert_false(process_is_gone("other-boot/pid:[1]/999999/1"));
    const char *slash = strrchr(own, '/'); /* the same number, started at another time */
    assert_true(process_is_gone(arena_printf(world.arena, "%.*s/1", (int)(slash - own), own)));
    assert_false(process_is_gone(arena_printf(world.arena, "%.*s", (int)(slash - own), own)));
}

/* -- losing it -- */

static int hold_and_look(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    task_sleep(task, 2 * MINUTE_MS, error);
    check(lease);
    seen.result = lease_release(task, lease, error);
    return 0;
}

static int break_it(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct ledger_holder holder;
    bool held = false;
    task_sleep(task, 10 * SECOND_MS, error);
    int result = ledger_look_at_lock(task, machine->ledger, world.arena, &held, &holder, error);
    if (result == 0 && held && !holder.expired)
        result = ledger_break_lock(task, machine->ledger, &holder, error);
    seen.other += result != 0 || !held;
    return 0;
}

static int break_and_take_it(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    break_it(task, argument, error);
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    task_sleep(task, 10 * MINUTE_MS, error);
    seen.good_checks += lease_check(lease, error) == 0;
    return lease_release(task, lease, error);
}

static void a_broken_lock_stops_its_holder(void **state)
{
    (void)state;
    world_run((task_function *[]){hold_and_look, break_it}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.other, 0);
    assert_int_equal(seen.lost_checks, 1);
    assert_int_equal(seen.result, 0);
    assert_non_null(strstr(seen.message, "released by `ragstack unlock`"));
}

static void a_former_holder_leaves_the_next_one_alone(void **state)
{
    (void)state;
    world_run((task_function *[]){hold_and_look, break_and_take_it}, 2);
    assert_int_equal(seen.taken, 2);
    assert_int_equal(seen.lost_checks, 1);
    assert_non_null(strstr(seen.message, "taken over by user-1@host"));
    assert_int_equal(seen.good_checks, 1); /* of the new holder, long after the old one's release */
}

static int hold_without_a_network(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    world.failing = true;
    task_sleep(task, LEASE_MS - SECOND_MS, error);
    check(lease); /* good */
    task_sleep(task, SECOND_MS, error);
    check(lease); /* may be another's by now */
    task_sleep(task, MINUTE_MS, error);
    check(lease);
    world.failing = false;
    task_sleep(task, 10 * SECOND_MS, error);
    check(lease); /* nobody took it: good again */
    seen.result = lease_release(task, lease, error);
    return 0;
}

static void what_cannot_be_renewed_does_not_hold(void **state)
{
    (void)state;
    world_run((task_function *[]){hold_without_a_network}, 1);
    assert_int_equal(seen.good_checks, 2);
    assert_int_equal(seen.lost_checks, 2);
    assert_int_equal(seen.result, 0);
    assert_non_null(strstr(seen.message, "could not be renewed for 120 s"));
}

static int wait_for_consent(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    seen.good_checks += lease_confirm(task, lease, error) == 0;
    task_sleep(task, 12 * SECOND_MS, error); /* broken meanwhile, before the first heartbeat */
    seen.good_checks += lease_check(lease, error) == 0;
    int result = lease_confirm(task, lease, error);
    seen.lost_checks += result == ERR_LOCKED;
    snprintf(seen.message, sizeof seen.message, "%s", error->message);
    seen.result = lease_release(task, lease, error);
    return 0;
}

static void a_lock_broken_meanwhile_is_seen_when_asked(void **state)
{
    (void)state;
    world_run((task_function *[]){wait_for_consent, break_it}, 2);
    assert_int_equal(seen.good_checks, 2);
    assert_int_equal(seen.lost_checks, 1);
    assert_non_null(strstr(seen.message, "released by `ragstack unlock`"));
}

static int confirm_all_the_time(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    for (int i = 0; i < 300; i++) {
        seen.good_checks += lease_confirm(task, lease, error) == 0;
        task_sleep(task, 97, error);
    }
    return lease_release(task, lease, error);
}

static void renewals_do_not_get_in_each_others_way(void **state)
{
    (void)state;
    world_run((task_function *[]){confirm_all_the_time}, 1);
    assert_int_equal(seen.good_checks, 300);
}

/* The wall clock runs on in a suspended machine, the monotonic one does not. */
static int wake_up_late(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    machine->clock.off_ms += HOUR_MS;
    check(lease);
    return lease_release(task, lease, error);
}

static void a_suspended_machine_has_no_lease(void **state)
{
    (void)state;
    world_run((task_function *[]){wake_up_late}, 1);
    assert_int_equal(seen.lost_checks, 1);
    assert_int_equal(seen.good_checks, 0);
}

/* -- lost replies -- */

static void give_faults(const enum ledger_fault *faults, size_t count)
{
    struct machine *machine = &world.machines[0];
    memcpy(machine->faults, faults, count * sizeof *faults);
    machine->fault_count = count;
}

static void taking_survives_lost_replies(void **state)
{
    (void)state;
    static const enum ledger_fault cases[][3] = {
        {PUT_LOST_BEFORE},
        {PUT_LOST_AFTER},
        {PUT_LOST_BEFORE, PUT_LOST_BEFORE, PUT_LOST_AFTER},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        seen = (struct seen){0};
        world.machines[0].next_fault = 0;
        give_faults(cases[i], 3);
        world_run((task_function *[]){hold_for_long, try_again_and_again}, 2);
        assert_int_equal(seen.taken, 1);
        assert_int_equal(seen.good_checks, LONG_MINUTES);
        assert_int_equal(seen.lost_checks, 0);
    }
}

static void renewing_survives_lost_replies(void **state)
{
    (void)state;
    static const enum ledger_fault faults[] = {PUT_WELL,        PUT_LOST_AFTER, PUT_LOST_AFTER,
                                               PUT_LOST_BEFORE, PUT_FAILS,      PUT_LOST_BEFORE,
                                               PUT_LOST_AFTER,  PUT_WELL};
    give_faults(faults, COUNT_OF(faults));
    world_run((task_function *[]){hold_for_long, try_again_and_again}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.locked, LONG_MINUTES - 1);
    assert_int_equal(seen.good_checks, LONG_MINUTES);
    assert_int_equal(seen.lost_checks, 0);
    assert_int_equal(world.machines[0].next_fault, COUNT_OF(faults));
}

static int hold_without_replies(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    world.losing = true;
    task_sleep(task, LEASE_MS - SECOND_MS, error);
    check(lease);
    task_sleep(task, 2 * SECOND_MS, error);
    check(lease); /* the lock still bears our name, but nothing has renewed it */
    world.losing = false;
    return lease_release(task, lease, error);
}

static void a_write_that_was_lost_renews_nothing(void **state)
{
    (void)state;
    world_run((task_function *[]){hold_without_replies}, 1);
    assert_int_equal(seen.good_checks, 1);
    assert_int_equal(seen.lost_checks, 1);
}

static void a_lease_taken_in_silence_is_no_longer(void **state)
{
    (void)state;
    give_faults((enum ledger_fault[]){PUT_LOST_AFTER}, 1);
    world_run((task_function *[]){hold_without_replies}, 1);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.lost_checks, 2); /* a second less: times are of whole seconds */
}

/* Another takes the place of the holder while its reply is lost. */
static int lose_a_race_in_silence(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument, *other = &world.machines[1];
    struct lease *lease, *others;
    leave_behind(task, other);
    task_sleep(task, LEASE_MS + LEASE_GRACE_MS + 2 * SECOND_MS, error);
    note(ledger_lock(task, other->ledger, &other->claim, &others, error), error);
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    return lease_release(task, others, error);
}

static void a_lost_reply_is_never_taken_for_success(void **state)
{
    (void)state;
    give_faults((enum ledger_fault[]){PUT_LOST_BEFORE}, 1);
    world_run((task_function *[]){lose_a_race_in_silence}, 1);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.locked, 1);
    assert_non_null(strstr(seen.message, "user-1@host"));
}

/* -- the end -- */

static int be_cancelled(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    task_cancel(task);
    seen.result = task_sleep(task, SECOND_MS, error);
    return lease_release(task, lease, error);
}

static int look_at_it(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct ledger_holder holder;
    bool held = true;
    task_sleep(task, MINUTE_MS, error);
    int result = ledger_look_at_lock(task, machine->ledger, world.arena, &held, &holder, error);
    seen.other += result != 0 || held;
    return 0;
}

static void a_cancelled_task_still_releases(void **state)
{
    (void)state;
    world_run((task_function *[]){be_cancelled, look_at_it}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.result, ERR_CANCELLED);
    assert_int_equal(seen.other, 0);
}

/* A renewal is under way when the command ends. */
static int release_during_a_renewal(struct task *task, void *argument, struct error *error)
{
    struct machine *machine = argument;
    struct lease *lease;
    note(ledger_lock(task, machine->ledger, &machine->claim, &lease, error), error);
    if (world.s3)
        world.s3->delay_ms = 5 * SECOND_MS;
    task_sleep(task, HEARTBEAT_MS + SECOND_MS, error);
    if (world.s3)
        world.s3->delay_ms = 0;
    seen.result = lease_release(task, lease, error);
    return 0;
}

static void a_renewal_under_way_does_not_keep_it(void **state)
{
    (void)state;
    world_run((task_function *[]){release_during_a_renewal, look_at_it}, 2);
    assert_int_equal(seen.taken, 1);
    assert_int_equal(seen.result, 0);
    assert_int_equal(seen.other, 0);
}

static void nothing_to_release_is_fine(void **state)
{
    (void)state;
    assert_int_equal(lease_release(NULL, NULL, NULL), 0);
}

#define IN_BOTH(test)                                              \
    {#test " (folder)", test, begin, world_end, &world_in_folder}, \
    {                                                              \
#test " (S3)", test, begin, world_end, &world_in_s3        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(one_of_many_gets_it),
        IN_BOTH(nobody_is_ever_inside_with_another),
        IN_BOTH(without_a_ledger_it_says_so),
        IN_BOTH(heartbeats_keep_it),
        IN_BOTH(clocks_may_differ),
        IN_BOTH(what_a_dead_process_holds_is_taken_over_by_one),
        IN_BOTH(an_unreadable_lock_runs_out_too),
        IN_BOTH(what_a_killed_process_of_this_machine_holds_is_free_at_once),
        IN_BOTH(only_processes_of_this_machine_can_be_gone),
        IN_BOTH(a_broken_lock_stops_its_holder),
        IN_BOTH(a_former_holder_leaves_the_next_one_alone),
        IN_BOTH(a_lock_broken_meanwhile_is_seen_when_asked),
        IN_BOTH(renewals_do_not_get_in_each_others_way),
        IN_BOTH(what_cannot_be_renewed_does_not_hold),
        IN_BOTH(a_suspended_machine_has_no_lease),
        IN_BOTH(taking_survives_lost_replies),
        IN_BOTH(renewing_survives_lost_replies),
        IN_BOTH(a_write_that_was_lost_renews_nothing),
        IN_BOTH(a_lease_taken_in_silence_is_no_longer),
        IN_BOTH(a_lost_reply_is_never_taken_for_success),
        IN_BOTH(a_cancelled_task_still_releases),
        IN_BOTH(a_renewal_under_way_does_not_keep_it),
        IN_BOTH(nothing_to_release_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
