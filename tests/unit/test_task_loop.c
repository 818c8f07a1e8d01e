#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/attributes.h"
#include "pkg/task/task.h"

static struct virtual_clock virtual;
static char soup[] = "soup", reply[] = "reply of CreateVpc", place[] = "a free place";

/* -- what a task gives back -- */

static int fail_with_words(struct task *task, void *argument, struct error *error)
{
    (void)task;
    return error_set(error, ERR_DENIED, "no %s for you", (const char *)argument);
}

static int join_it(struct task *task, void *argument, struct error *error)
{
    struct task *other = task_start(task_loop(task), "other", fail_with_words, argument);
    return task_join(task, other, error);
}

static void results_and_errors_come_through_joins(void **state)
{
    (void)state;
    struct loop *loop = loop_new(clock_system());
    struct error error;
    assert_int_equal(loop_run_task(loop, "main", join_it, soup, &error), ERR_DENIED);
    assert_string_equal(error.message, "no soup for you");
    assert_int_equal(loop_run_task(loop, "main", join_it, soup, NULL), ERR_DENIED);
    loop_free(loop);
}

static int join_later(struct task *task, void *argument, struct error *error)
{
    struct task *other = task_start(task_loop(task), "other", fail_with_words, argument);
    assert_int_equal(task_yield(task, error), 0);
    assert_int_equal(task_yield(task, error), 0);
    return task_join(task, other, error);
}

static void a_task_that_has_ended_can_be_joined_later(void **state)
{
    (void)state;
    struct loop *loop = loop_new(clock_system());
    assert_int_equal(loop_run_task(loop, "main", join_later, soup, NULL), ERR_DENIED);
    loop_free(loop);
}

/* -- blocking calls -- */

struct blocking {
    atomic_int inside;
    int turns; /* of the other task meanwhile */
    bool over;
};

static int block_until_three(struct task *task, void *argument, struct error *error)
{
    struct blocking *blocking = argument;
    (void)error;
    task_block_begin(task);
    atomic_fetch_add(&blocking->inside, 1);
    while (atomic_load(&blocking->inside) < 3) /* all three at the same time, or for ever */
        usleep(1000);
    task_block_end(task);
    blocking->over = true;
    return 0;
}

static int take_turns(struct task *task, void *argument, struct error *error)
{
    struct blocking *blocking = argument;
    int result = 0;
    while (!blocking->over && result == 0) {
        blocking->turns++;
        result = task_yield(task, error);
    }
    return result;
}

static void blocking_calls_run_beside_all_others(void **state)
{
    (void)state;
    struct blocking blocking = {0};
    struct loop *loop = loop_new(clock_system());
    for (int i = 0; i < 3; i++)
        task_detach(task_start(loop, "blocking", block_until_three, &blocking));
    task_detach(task_start(loop, "other", take_turns, &blocking));
    loop_run(loop);
    assert_true(blocking.turns > 0);
    loop_free(loop);
    task_block_begin(NULL);
    task_block_end(NULL);
}

static int block_shortly(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    (void)error;
    task_block_begin(task);
    usleep(20000);
    task_block_end(task);
    return (int)task_now_ms(task);
}

static int sleep_an_hour(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    return task_sleep(task, 3600000, error);
}

static void a_virtual_clock_stands_still_while_something_real_is_awaited(void **state)
{
    (void)state;
    clock_virtual(&virtual, 0);
    struct loop *loop = loop_new(&virtual.clock);
    struct task *blocking = task_start(loop, "blocking", block_shortly, NULL);
    task_detach(task_start(loop, "sleeper", sleep_an_hour, NULL));
    loop_run(loop);
    assert_int_equal(task_join(NULL, blocking, NULL), 0);
    assert_int_equal(virtual.now_ms, 3600000);
    loop_free(loop);
}

static int block_cancelled(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    task_block_begin(task);
    while (!task_cancelled(task)) /* a long call may ask */
        usleep(1000);
    task_block_end(task);
    return task_yield(task, error);
}

static int cancel_soon(struct task *task, void *argument, struct error *error)
{
    int result = task_sleep(task, 5, error);
    task_cancel(argument);
    return result;
}

static void a_blocking_call_can_see_that_it_is_cancelled(void **state)
{
    (void)state;
    struct loop *loop = loop_new(clock_system());
    struct task *task = task_start(loop, "blocking", block_cancelled, NULL);
    task_detach(task_start(loop, "canceller", cancel_soon, task));
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), ERR_CANCELLED);
    loop_free(loop);
}

/* -- the poller -- */

struct pipe_poller {
    struct poller poller;
    struct signal readable;
    int descriptor, waiting;
};

static int poll_pipe(struct poller *poller, int timeout_ms, int wake_descriptor)
{
    struct pipe_poller *self = (struct pipe_poller *)poller;
    struct pollfd descriptors[] = {{.fd = self->descriptor, .events = POLLIN},
                                   {.fd = wake_descriptor, .events = POLLIN}};
    poll(descriptors, 2, timeout_ms);
    if (descriptors[0].revents)
        signal_all(&self->readable);
    return self->waiting;
}

static int read_pipe(struct task *task, void *argument, struct error *error)
{
    struct pipe_poller *poller = argument;
    char byte;
    poller->waiting++;
    int result = task_wait(task, &poller->readable, 0, "a byte", error);
    poller->waiting--;
    assert_int_equal(read(poller->descriptor, &byte, 1), 1);
    return result < 0 ? result : byte;
}

static int write_pipe(struct task *task, void *argument, struct error *error)
{
    int result = task_sleep(task, 10, error);
    assert_int_equal(write(*(int *)argument, "x", 1), 1);
    return result;
}

static int write_pipe_blocking(struct task *task, void *argument, struct error *error)
{
    (void)error;
    task_block_begin(task);
    usleep(10000);
    assert_int_equal(write(*(int *)argument, "y", 1), 1);
    task_block_end(task);
    return 0;
}

static void the_poller_wakes_tasks(void **state)
{
    (void)state;
    static const struct {
        task_function *writer;
        int byte;
    } cases[] = {{write_pipe, 'x'}, {write_pipe_blocking, 'y'}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        struct pipe_poller poller = {.poller = {poll_pipe}, .descriptor = ends[0]};
        struct loop *loop = loop_new(clock_system());
        loop_set_poller(loop, &poller.poller);
        struct task *reader = task_start(loop, "reader", read_pipe, &poller);
        task_detach(task_start(loop, "writer", cases[i].writer, &ends[1]));
        loop_run(loop);
        assert_int_equal(task_join(NULL, reader, NULL), cases[i].byte);
        loop_free(loop);
        close(ends[0]);
        close(ends[1]);
    }
}

static int yield_until_readable(struct task *task, void *argument, struct error *error)
{
    bool *seen = argument;
    int result = 0;
    while (!*seen && result == 0)
        result = task_yield(task, error);
    return result;
}

struct watched {
    struct pipe_poller poller;
    bool seen;
};

static int read_watched(struct task *task, void *argument, struct error *error)
{
    struct watched *watched = argument;
    int result = read_pipe(task, &watched->poller, error);
    watched->seen = true;
    return result;
}

static void input_is_seen_while_tasks_are_busy(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct watched watched = {.poller = {.poller = {poll_pipe}, .descriptor = ends[0]}};
    struct loop *loop = loop_new(clock_system());
    loop_set_poller(loop, &watched.poller.poller);
    task_detach(task_start(loop, "busy", yield_until_readable, &watched.seen));
    task_detach(task_start(loop, "reader", read_watched, &watched));
    assert_int_equal(write(ends[1], "z", 1), 1);
    loop_run(loop);
    assert_true(watched.seen);
    loop_free(loop);
    close(ends[0]);
    close(ends[1]);
}

/* -- interrupts -- */

static struct loop *interrupted_loop;

static void on_alarm(int number)
{
    (void)number;
    loop_interrupt(interrupted_loop);
}

static void cancel_task(void *data)
{
    task_cancel(data);
}

static void a_signal_handler_interrupts_a_waiting_loop(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm}, before;
    sigaction(SIGALRM, &action, &before);
    struct loop *loop = interrupted_loop = loop_new(clock_system());
    struct task *task = task_start(loop, "sleeper", sleep_an_hour, NULL);
    loop_on_interrupt(loop, cancel_task, task);
    alarm(1);
    loop_run(loop);
    assert_int_equal(task_join(NULL, task, NULL), ERR_CANCELLED);
    sigaction(SIGALRM, &before, NULL);
    loop_free(loop);
}

static void *interrupt_from_thread(void *argument)
{
    usleep(20000);
    loop_interrupt(argument);
    return NULL;
}

static void another_thread_interrupts_a_waiting_loop(void **state)
{
    (void)state;
    struct loop *loop = loop_new(clock_system());
    struct task *task = task_start(loop, "sleeper", sleep_an_hour, NULL);
    loop_on_interrupt(loop, cancel_task, task);
    pthread_t thread;
    pthread_create(&thread, NULL, interrupt_from_thread, loop);
    loop_run(loop);
    pthread_join(thread, NULL);
    assert_int_equal(task_join(NULL, task, NULL), ERR_CANCELLED);
    loop_free(loop);
}

static void an_interrupt_without_a_callback_does_no_harm(void **state)
{
    (void)state;
    struct loop *loop = loop_new(clock_system());
    loop_interrupt(loop);
    assert_int_equal(loop_run_task(loop, "main", join_it, soup, NULL), ERR_DENIED);
    loop_free(loop);
}

/* -- bugs end the program with a report -- */

static int wait_for_ever(struct task *task, void *argument, struct error *error)
{
    struct signal signal = {0};
    return task_wait(task, &signal, 0, argument, error);
}

static int wait_for_ever_masked(struct task *task, void *argument, struct error *error)
{
    task_mask_cancel(task, true);
    task_cancel(task);
    return wait_for_ever(task, argument, error);
}

static void dead_end(void)
{
    struct loop *loop = loop_new(clock_system());
    task_detach(task_start(loop, "vpc", wait_for_ever, reply));
    task_detach(task_start(loop, "role", wait_for_ever_masked, place));
    task_detach(task_start(loop, "parent", join_it, soup));
    loop_run(loop);
}

static void free_too_early(void)
{
    struct loop *loop = loop_new(clock_system());
    task_start(loop, "vpc", wait_for_ever, reply);
    loop_free(loop);
}

static void join_too_early(void)
{
    struct loop *loop = loop_new(clock_system());
    task_join(NULL, task_start(loop, "vpc", wait_for_ever, reply), NULL);
}

static int unmask_twice(struct task *task, void *argument, struct error *error)
{
    (void)argument;
    (void)error;
    task_mask_cancel(task, false);
    return 0;
}

static void unmask_unmasked(void)
{
    loop_run_task(loop_new(clock_system()), "main", unmask_twice, NULL, NULL);
}

static void wait_outside(void)
{
    struct signal signal = {0};
    task_wait(NULL, &signal, 0, "a reply", NULL);
}

/* Runs it in a child, which must abort; gives what it wrote to stderr. */
static void words_at_abort(void (*function)(void), char *out, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], out + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    out[length] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void a_deadlock_says_who_waits_for_what(void **state)
{
    (void)state;
    char words[4096];
    words_at_abort(dead_end, words, sizeof words);
    assert_non_null(strstr(words, "deadlock: 2 tasks wait, and nothing can wake them:\n"
                                  "  vpc waits for reply of CreateVpc\n"
                                  "  role waits for a free place (cancelled, but masked)\n"));
}

static void misuse_aborts_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        void (*function)(void);
        const char *words;
    } cases[] = {
        {free_too_early, "1 tasks have not ended; the newest is \"vpc\""},
        {join_too_early, "task \"vpc\" is joined from outside while it runs"},
        {unmask_unmasked, "task->masked >= 0"},
        {wait_outside, "waits for a reply outside any task: for ever"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char words[4096];
        words_at_abort(cases[i].function, words, sizeof words);
        if (!strstr(words, cases[i].words))
            fail_msg("expected \"%s\" in: %s", cases[i].words, words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_and_errors_come_through_joins),
        cmocka_unit_test(a_task_that_has_ended_can_be_joined_later),
        cmocka_unit_test(blocking_calls_run_beside_all_others),
        cmocka_unit_test(a_virtual_clock_stands_still_while_something_real_is_awaited),
        cmocka_unit_test(a_blocking_call_can_see_that_it_is_cancelled),
        cmocka_unit_test(the_poller_wakes_tasks),
        cmocka_unit_test(input_is_seen_while_tasks_are_busy),
        cmocka_unit_test(a_signal_handler_interrupts_a_waiting_loop),
        cmocka_unit_test(another_thread_interrupts_a_waiting_loop),
        cmocka_unit_test(an_interrupt_without_a_callback_does_no_harm),
        cmocka_unit_test(a_deadlock_says_who_waits_for_what),
        cmocka_unit_test(misuse_aborts_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
