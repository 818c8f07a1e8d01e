#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/task/task.h"

static struct virtual_clock virtual;

static struct loop *begin(void)
{
    clock_virtual(&virtual, 0);
    return loop_new(&virtual.clock);
}

/* Each yielding call, to be cancelled in. */
struct place {
    struct signal signal;
    struct semaphore semaphore;
};

static int in_sleep(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    return task_sleep(task, 1000000, error);
}

static int in_wait(struct task *task, void *argument, struct error *error)
{
    struct place *place = argument;
    return task_wait(task, &place->signal, 0, "the reply", error);
}

static int in_wait_with_deadline(struct task *task, void *argument, struct error *error)
{
    struct place *place = argument;
    return task_wait(task, &place->signal, 1000000, "the reply", error);
}

static int in_acquire(struct task *task, void *argument, struct error *error)
{
    struct place *place = argument;
    return semaphore_acquire(task, &place->semaphore, error);
}

static int in_yield(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    int result = 0;
    while (result == 0)
        result = task_yield(task, error);
    return result;
}

static int cancel_it(struct task *task, void *argument, struct error *error)
{
    int result = task_sleep(task, 5, error);
    task_cancel(argument);
    return result;
}

/* in_yield never lets the virtual clock go on: it is cancelled by turns, not by time. */
static int cancel_it_soon(struct task *task, void *argument, struct error *error)
{
    int result = task_yield(task, error);
    task_cancel(argument);
    return result;
}

static void every_yielding_call_returns_when_cancelled(void **state)
{
    (void)state;
    static const struct {
        task_function *function, *canceller;
        const char *message;
        int64_t at_ms;
    } cases[] = {
        {in_sleep, cancel_it, "cancelled while waiting for a time", 5},
        {in_wait, cancel_it, "cancelled while waiting for the reply", 5},
        {in_wait_with_deadline, cancel_it, "cancelled while waiting for the reply", 5},
        {in_acquire, cancel_it, "cancelled while waiting for a free place", 5},
        {in_yield, cancel_it_soon, "cancelled while waiting for its turn", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct place place = {0};
        struct loop *loop = begin();
        struct task *task = task_start(loop, "subject", cases[i].function, &place);
        task_detach(task_start(loop, "canceller", cases[i].canceller, task));
        loop_run(loop);
        struct error error;
        assert_true(task_cancelled(task));
        assert_int_equal(task_join(NULL, task, &error), ERR_CANCELLED);
        assert_string_equal(error.message, cases[i].message);
        assert_int_equal(virtual.now_ms, cases[i].at_ms);
        assert_null(place.signal.first_);
        assert_null(place.semaphore.freed_.first_);
        loop_free(loop);
    }
}

static int try_all(struct task *task, void *argument, struct error *error)
{
    struct place *place = argument;
    place->semaphore.places = 1;
    assert_int_equal(task_sleep(task, 1, error), ERR_CANCELLED);
    assert_int_equal(task_sleep(task, 0, error), ERR_CANCELLED);
    assert_int_equal(task_yield(task, error), ERR_CANCELLED);
    assert_int_equal(task_wait(task, &place->signal, 0, "x", error), ERR_CANCELLED);
    assert_int_equal(semaphore_acquire(task, &place->semaphore, error), ERR_CANCELLED);
    assert_int_equal(place->semaphore.places, 1);
    return 7;
}

static void a_task_cancelled_before_its_start_still_cleans_up(void **state)
{
    (void)state;
    struct place place = {0};
    struct loop *loop = begin();
    struct task *task = task_start(loop, "subject", try_all, &place);
    task_cancel(task);
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), 7);
    assert_int_equal(virtual.now_ms, 0);
    loop_free(loop);
}

static int clean_up_masked(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    assert_int_equal(task_sleep(task, 100, error), ERR_CANCELLED);
    task_mask_cancel(task, true);
    task_mask_cancel(task, true);
    assert_int_equal(task_sleep(task, 100, error), 0);
    task_mask_cancel(task, false);
    assert_true(task_cancelled(task));
    assert_int_equal(task_sleep(task, 100, error), 0);
    assert_int_equal(task_yield(task, error), 0);
    task_mask_cancel(task, false);
    return task_sleep(task, 100, error);
}

static void while_masked_calls_go_on_working(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct task *task = task_start(loop, "subject", clean_up_masked, NULL);
    task_detach(task_start(loop, "canceller", cancel_it, task));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), ERR_CANCELLED);
    assert_int_equal(virtual.now_ms, 205);
    loop_free(loop);
}

static int wait_masked(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    task_mask_cancel(task, true);
    int result = task_sleep(task, 100, error);
    task_mask_cancel(task, false);
    return result;
}

static void a_masked_wait_is_not_interrupted(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct task *task = task_start(loop, "subject", wait_masked, NULL);
    task_detach(task_start(loop, "canceller", cancel_it, task));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), 0);
    assert_int_equal(virtual.now_ms, 100);
    loop_free(loop);
}

/* -- a signal is never lost to a cancelled task -- */

static int raise_and_cancel(struct task *task, void *argument, struct error *error)
{
    struct task **both = argument;
    (void)error;
    struct place *place = (struct place *)both[1];
    signal_one(&place->signal);
    task_cancel(both[0]);
    (void)task;
    return 0;
}

static void who_was_signalled_first_has_the_signal(void **state)
{
    (void)state;
    struct place place = {0};
    struct loop *loop = begin();
    struct task *task = task_start(loop, "subject", in_wait, &place);
    void *both[] = {task, &place};
    task_detach(task_start(loop, "raiser", raise_and_cancel, both));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), 0);
    loop_free(loop);
}

/* -- those below are not left behind -- */

static int parent_of_sleeper(struct task *task, void *argument, struct error *error)
{
    struct task *child = task_start(task_loop(task), "child", argument, NULL);
    return task_join(task, child, error);
}

static void joining_passes_cancellation_on(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct task *task = task_start(loop, "parent", parent_of_sleeper, in_sleep);
    task_detach(task_start(loop, "canceller", cancel_it, task));
    loop_run(loop);
    struct error error;
    assert_int_equal(task_join(NULL, task, &error), ERR_CANCELLED);
    assert_string_equal(error.message, "cancelled while waiting for a time");
    assert_int_equal(virtual.now_ms, 5);
    loop_free(loop);
}

static void a_child_that_cleans_up_is_waited_for(void **state)
{
    (void)state;
    struct loop *loop = begin();
    struct task *task = task_start(loop, "parent", parent_of_sleeper, wait_masked);
    task_detach(task_start(loop, "canceller", cancel_it, task));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), 0);
    assert_int_equal(virtual.now_ms, 100);
    loop_free(loop);
}

static int started;

static int count_and_sleep(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    started++;
    return task_sleep(task, 1000, error);
}

static int each_of_ten(struct task *task, void *argument, struct error *error)
{
    return task_each(task, "one of ten", count_and_sleep, argument, 1, 10, 3, error);
}

static void cancelling_who_runs_many_ends_them_all(void **state)
{
    (void)state;
    char items[10] = {0};
    started = 0;
    struct loop *loop = begin();
    struct task *task = task_start(loop, "parent", each_of_ten, items);
    task_detach(task_start(loop, "canceller", cancel_it, task));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), ERR_CANCELLED);
    assert_int_equal(started, 3);
    assert_int_equal(virtual.now_ms, 5);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_yielding_call_returns_when_cancelled),
        cmocka_unit_test(a_task_cancelled_before_its_start_still_cleans_up),
        cmocka_unit_test(while_masked_calls_go_on_working),
        cmocka_unit_test(a_masked_wait_is_not_interrupted),
        cmocka_unit_test(who_was_signalled_first_has_the_signal),
        cmocka_unit_test(joining_passes_cancellation_on),
        cmocka_unit_test(a_child_that_cleans_up_is_waited_for),
        cmocka_unit_test(cancelling_who_runs_many_ends_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
