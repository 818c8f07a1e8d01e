#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/base/buffer.h"
#include "pkg/task/task.h"

/* What happened, in order; every test begins with an empty one. */
static struct buffer trace;
static struct virtual_clock clock_of_test;

static struct loop *begin(void)
{
    buffer_free(&trace);
    trace = BUFFER(1 << 20);
    clock_virtual(&clock_of_test, 0);
    return loop_new(&clock_of_test.clock);
}

static void end(struct loop *loop)
{
    loop_free(loop);
    buffer_free(&trace);
}

static void note(struct task *task, const char *what)
{
    buffer_printf(&trace, "%lld %s %s\n", (long long)task_now_ms(task), task_name(task), what);
}

static void start(struct loop *loop, const char *name, task_function *function, void *argument)
{
    task_detach(task_start(loop, name, function, argument));
}

/* -- turns -- */

static int two_turns(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    note(task, "first");
    int result = task_yield(task, error);
    note(task, "second");
    return result;
}

static void ready_tasks_run_in_their_order(void **state)
{
    (void)state;
    struct loop *loop = begin();
    start(loop, "a", two_turns, NULL);
    start(loop, "b", two_turns, NULL);
    start(loop, "c", two_turns, NULL);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace), "0 a first\n0 b first\n0 c first\n"
                                               "0 a second\n0 b second\n0 c second\n");
    end(loop);
}

static int start_another(struct task *task, void *argument, struct error *error)
{
    start(task_loop(task), argument, two_turns, NULL);
    return two_turns(task, NULL, error);
}

static void what_a_task_starts_comes_after_those_that_wait_for_their_turn(void **state)
{
    (void)state;
    static char name[] = "child";
    struct loop *loop = begin();
    start(loop, "a", start_another, name);
    start(loop, "b", two_turns, NULL);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace), "0 a first\n0 b first\n0 child first\n"
                                               "0 a second\n0 b second\n0 child second\n");
    end(loop);
}

/* -- time -- */

static int sleep_for(struct task *task, void *argument, struct error *error)
{
    int result = task_sleep(task, *(const int *)argument, error);
    note(task, "awake");
    return result;
}

static void sleepers_wake_by_time_and_then_by_order(void **state)
{
    (void)state;
    static const int quarter_hour = 900000, second = 1000, none = 0;
    struct loop *loop = begin();
    start(loop, "rds", sleep_for, (void *)&quarter_hour);
    start(loop, "a", sleep_for, (void *)&second);
    start(loop, "b", sleep_for, (void *)&second);
    start(loop, "now", sleep_for, (void *)&none);
    int64_t real_start_ms = task_now_ms(NULL);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace),
                        "0 now awake\n1000 a awake\n1000 b awake\n900000 rds awake\n");
    assert_true(task_now_ms(NULL) - real_start_ms < 10000);
    end(loop);
}

static void real_time_passes_under_the_system_clock(void **state)
{
    (void)state;
    static const int least_ms = 30;
    loop_free(begin());
    struct loop *loop = loop_new(clock_system());
    start(loop, "a", sleep_for, (void *)&least_ms);
    int64_t start_ms = task_now_ms(NULL);
    loop_run(loop);
    assert_in_range(task_now_ms(NULL) - start_ms, least_ms, 10000);
    assert_int_equal(task_sleep(NULL, 5, NULL), 0);
    assert_true(task_now_ms(NULL) - start_ms >= least_ms + 5);
    end(loop);
}

/* -- signals -- */

struct meeting {
    struct signal signal;
    int64_t deadline_ms;
    int left; /* tasks that waited and went on */
};

static int attend(struct task *task, void *argument, struct error *error)
{
    struct meeting *meeting = argument;
    int result = task_wait(task, &meeting->signal, meeting->deadline_ms, "the meeting", error);
    note(task, result == 0 ? "signalled" : error->message);
    meeting->left++;
    return result;
}

static int call_one_then_all(struct task *task, void *argument, struct error *error)
{
    struct meeting *meeting = argument;
    signal_one(&meeting->signal);
    int result = task_sleep(task, 10, error);
    signal_all(&meeting->signal);
    signal_all(&meeting->signal);
    return result;
}

static void signals_wake_in_the_order_of_waiting(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct meeting meeting = {0};
    start(loop, "a", attend, &meeting);
    start(loop, "b", attend, &meeting);
    start(loop, "c", attend, &meeting);
    start(loop, "caller", call_one_then_all, &meeting);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace), "0 a signalled\n10 b signalled\n10 c signalled\n");
    assert_null(meeting.signal.first_);
    end(loop);
}

static void a_wait_ends_at_its_deadline(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct meeting meeting = {.deadline_ms = 50};
    start(loop, "a", attend, &meeting);
    start(loop, "b", attend, &meeting);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace), "50 a timed out waiting for the meeting\n"
                                               "50 b timed out waiting for the meeting\n");
    assert_null(meeting.signal.first_);
    end(loop);
}

static int call_late(struct task *task, void *argument, struct error *error)
{
    struct meeting *meeting = argument;
    int result = task_sleep(task, 60, error);
    assert_int_equal(meeting->left, 1);
    signal_all(&meeting->signal);
    return result;
}

static void who_timed_out_takes_no_signal_from_others(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct meeting first = {.deadline_ms = 50}, second = {0};
    struct task *a = task_start(loop, "a", attend, &first);
    start(loop, "caller", call_late, &first);
    loop_run(loop);
    struct error error;
    assert_int_equal(task_join(NULL, a, &error), ERR_TIMEOUT);
    assert_string_equal(error.message, "timed out waiting for the meeting");
    assert_null(first.signal.first_);
    assert_null(second.signal.first_);
    end(loop);
}

static void without_a_task_a_wait_blocks_until_its_deadline(void **state)
{
    (void)state;
    struct signal signal = {0};
    struct error error;
    int64_t start_ms = task_now_ms(NULL);
    assert_int_equal(task_wait(NULL, &signal, start_ms + 20, "nothing", &error), ERR_TIMEOUT);
    assert_in_range(task_now_ms(NULL) - start_ms, 20, 10000);
}

/* -- semaphores -- */

struct gate {
    struct semaphore semaphore;
    int inside, most;
};

static int pass(struct task *task, void *argument, struct error *error)
{
    struct gate *gate = argument;
    int result = semaphore_acquire(task, &gate->semaphore, error);
    assert_int_equal(result, 0);
    note(task, "in");
    gate->most = ++gate->inside > gate->most ? gate->inside : gate->most;
    result = task_sleep(task, 10, error);
    gate->inside--;
    semaphore_release(&gate->semaphore);
    if (strcmp(task_name(task), "a") == 0) /* the first comes again, without a pause */
        assert_int_equal(semaphore_acquire(task, &gate->semaphore, error), 0);
    if (strcmp(task_name(task), "a") == 0) {
        note(task, "in again");
        semaphore_release(&gate->semaphore);
    }
    return result;
}

static void a_semaphore_serves_who_came_first(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct gate gate = {.semaphore = {.places = 2}};
    const char *names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        start(loop, names[i], pass, &gate);
    loop_run(loop);
    assert_string_equal(buffer_string(&trace), "0 a in\n0 b in\n10 c in\n10 d in\n20 e in\n"
                                               "20 a in again\n");
    assert_int_equal(gate.most, 2);
    assert_int_equal(gate.semaphore.places, 2);
    end(loop);
}

static void without_a_loop_a_free_place_is_taken(void **state)
{
    (void)state;
    struct semaphore semaphore = {.places = 1};
    assert_int_equal(semaphore_acquire(NULL, &semaphore, NULL), 0);
    assert_int_equal(semaphore.places, 0);
    semaphore_release(&semaphore);
    assert_int_equal(semaphore.places, 1);
}

/* -- the same every time -- */

struct wanderer {
    uint32_t random;
    struct meeting *meeting;
    struct semaphore *semaphore;
};

static uint32_t next_random(struct wanderer *wanderer)
{
    wanderer->random = wanderer->random * 1664525 + 1013904223;
    return wanderer->random >> 8;
}

static int wander(struct task *task, void *argument, struct error *error)
{
    struct wanderer *self = argument;
    for (int step = 0; step < 50; step++) {
        uint32_t choice = next_random(self) % 5, ms = next_random(self) % 20;
        int64_t deadline_ms = task_now_ms(task) + 1 + ms;
        if (choice == 0)
            task_sleep(task, ms, error);
        else if (choice == 1)
            task_wait(task, &self->meeting->signal, deadline_ms, "a signal", error);
        else if (choice == 2)
            signal_one(&self->meeting->signal);
        else if (choice == 3)
            task_yield(task, error);
        else if (semaphore_acquire(task, self->semaphore, error) == 0) {
            task_sleep(task, ms, error);
            semaphore_release(self->semaphore);
        }
        note(task, "went on");
    }
    return 0;
}

static char *wander_about(void)
{
    struct loop *loop = begin();
    struct meeting meeting = {0};
    struct semaphore semaphore = {.places = 3};
    struct wanderer wanderers[20];
    for (uint32_t i = 0; i < COUNT_OF(wanderers); i++) {
        char name[16];
        snprintf(name, sizeof name, "w%u", i);
        wanderers[i] = (struct wanderer){i * 7919, &meeting, &semaphore};
        start(loop, name, wander, &wanderers[i]);
    }
    loop_run(loop);
    assert_int_equal(semaphore.places, 3);
    char *text = strdup(buffer_string(&trace));
    end(loop);
    return text;
}

static void under_the_virtual_clock_every_run_is_the_same(void **state)
{
    (void)state;
    char *first = wander_about();
    assert_true(strlen(first) > 10000);
    for (int run = 0; run < 5; run++) {
        char *again = wander_about();
        assert_string_equal(first, again);
        free(again);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_tasks_run_in_their_order),
        cmocka_unit_test(what_a_task_starts_comes_after_those_that_wait_for_their_turn),
        cmocka_unit_test(sleepers_wake_by_time_and_then_by_order),
        cmocka_unit_test(real_time_passes_under_the_system_clock),
        cmocka_unit_test(signals_wake_in_the_order_of_waiting),
        cmocka_unit_test(a_wait_ends_at_its_deadline),
        cmocka_unit_test(who_timed_out_takes_no_signal_from_others),
        cmocka_unit_test(without_a_task_a_wait_blocks_until_its_deadline),
        cmocka_unit_test(a_semaphore_serves_who_came_first),
        cmocka_unit_test(without_a_loop_a_free_place_is_taken),
        cmocka_unit_test(under_the_virtual_clock_every_run_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
