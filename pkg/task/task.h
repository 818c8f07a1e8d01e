/* Baton tasks: sequential code, many at once, one at a time.
 *
 * Each task is a thread with a small stack, and exactly one task (or the loop itself) runs at a
 * time: it holds the baton. A task gives it up only inside the functions below, so data shared by
 * tasks needs no locks; but nothing borrowed from a shared container lives across such a call.
 * Ready tasks run in the order in which they became ready. Whatever may yield takes a
 * `struct task *` first; NULL means "no loop: block here".
 *
 * Cancellation is an error return: every yielding call of a cancelled task returns ERR_CANCELLED,
 * and the task unwinds through its own clean-up. When no task can run and nothing is awaited, the
 * loop prints which task waits for what and aborts. */
#ifndef RAGSTACK_TASK_TASK_H
#define RAGSTACK_TASK_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/base/clock.h"
#include "pkg/base/error.h"

struct loop;
struct task;

/* The result of a task: 0 or an error code; the error says more. */
typedef int task_function(struct task *task, void *argument, struct error *error);

struct loop *loop_new(struct clock *clock);
/* All tasks must have ended. */
void loop_free(struct loop *loop);
/* Runs until no task is left. Called by the thread that made the loop, outside any task. */
void loop_run(struct loop *loop);
struct clock *loop_clock(struct loop *loop);

/* Input and output that the loop watches between tasks (pkg/http's curl handles). */
struct poller {
    /* Waits at most timeout_ms (0: only looks; -1: for ever), or until wake_descriptor is readable
     * (it reads nothing from it), and wakes whoever may go on. Returns the number of operations
     * under way. */
    int (*poll)(struct poller *poller, int timeout_ms, int wake_descriptor);
};
/* One poller a loop; NULL takes it away. Borrowed. */
void loop_set_poller(struct loop *loop, struct poller *poller);

/* Starts a task that holds the name (copied) and argument (borrowed). It runs when the baton comes
 * round. The caller joins it, or detaches it by task_detach. May be called from the loop's thread
 * before loop_run, and from tasks. */
struct task *task_start(struct loop *loop, const char *name, task_function *function,
                        void *argument);
/* Waits for its end, gives its result, and frees it. `self` may be NULL only after loop_run. When
 * `self` is cancelled, so is `other`, and its end is still waited for: nothing is left behind. */
int task_join(struct task *self, struct task *other, struct error *error);
void task_detach(struct task *task);
/* Starts `function` in a task of its own, runs the loop to its end, and returns its result: the
 * way from main() into the world of tasks. */
int loop_run_task(struct loop *loop, const char *name, task_function *function, void *argument,
                  struct error *error);

struct loop *task_loop(struct task *task);
const char *task_name(const struct task *task);
/* Monotonic and wall time; task may be NULL (system clock). */
int64_t task_now_ms(struct task *task);
int64_t task_wall_ms(struct task *task);

/* 0, or ERR_CANCELLED. */
int task_sleep(struct task *task, int64_t milliseconds, struct error *error);
/* Lets others that are ready go first. */
int task_yield(struct task *task, struct error *error);

/* Asks a task to stop: its yielding call returns ERR_CANCELLED, now and from then on. */
void task_cancel(struct task *task);
bool task_cancelled(const struct task *task);
/* While masked (counted), yielding calls go on working in a cancelled task: for clean-up calls. */
void task_mask_cancel(struct task *task, bool masked);

/* A place to wait. Waiters wake in the order in which they came. */
struct signal {
    struct task *first_, *last_;
};
/* Waits until it is raised, or `deadline_ms` (monotonic; 0 is never) has passed: 0,
 * ERR_TIMEOUT or ERR_CANCELLED. `what` is for the deadlock report ("reply of CreateVpc"). Who was
 * woken by the signal gets 0 even if it was cancelled since: no wake-up is lost. */
int task_wait(struct task *task, struct signal *signal, int64_t deadline_ms, const char *what,
              struct error *error);
void signal_one(struct signal *signal);
void signal_all(struct signal *signal);

/* A counter of free places: at most `places` tasks between acquire and release. First come, first
 * served. */
struct semaphore {
    int places;
    struct signal freed_;
};
int semaphore_acquire(struct task *task, struct semaphore *semaphore, struct error *error);
void semaphore_release(struct semaphore *semaphore);

/* Gives the baton back while a blocking call runs (libpq, libgit2, a child process). Between the
 * two, the task touches only its own data. NULL task: nothing happens. */
void task_block_begin(struct task *task);
void task_block_end(struct task *task);

/* Runs `count` calls of `function` (argument i is base + i * size), at most `at_once` at a time,
 * and waits for all; returns the first error by index, after all have ended. at_once 0: no limit.
 * When `self` is cancelled, so are the calls under way, and no others start. self NULL: one after
 * the other. */
int task_each(struct task *self, const char *name, task_function *function, void *base, size_t size,
              size_t count, int at_once, struct error *error);

/* What a signal handler (SIGINT) may call: makes the loop call `callback` soon, from the loop,
 * between tasks. */
void loop_interrupt(struct loop *loop);
void loop_on_interrupt(struct loop *loop, void (*callback)(void *data), void *data);

#endif
