/* Places to wait: signals, semaphores and time. */
#include <errno.h>
#include <time.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

/* -- queues -- */

void queue_push(struct queue *queue, struct task *task)
{
    task->next = NULL;
    task->previous = queue->last;
    if (queue->last)
        queue->last->next = task;
    else
        queue->first = task;
    queue->last = task;
}

struct task *queue_pop(struct queue *queue)
{
    struct task *task = queue->first;
    if (!task)
        return NULL;
    queue->first = task->next;
    if (queue->first)
        queue->first->previous = NULL;
    else
        queue->last = NULL;
    task->next = task->previous = NULL;
    return task;
}

static void signal_push(struct signal *signal, struct task *task)
{
    struct queue waiters = {signal->first_, signal->last_};
    queue_push(&waiters, task);
    *signal = (struct signal){waiters.first, waiters.last};
    task->signal = signal;
}

static void signal_leave(struct task *task)
{
    struct signal *signal = task->signal;
    if (!signal)
        return;
    if (task->previous)
        task->previous->next = task->next;
    else
        signal->first_ = task->next;
    if (task->next)
        task->next->previous = task->previous;
    else
        signal->last_ = task->previous;
    task->signal = NULL;
}

/* -- waking -- */

void task_wake(struct task *task, enum wake_reason reason)
{
    require(task->state == TASK_WAITING);
    signal_leave(task);
    timer_remove(task->loop, task);
    task->what = NULL;
    task->woken_by = reason;
    loop_ready(task->loop, task);
}

void signal_one(struct signal *signal)
{
    if (signal->first_)
        task_wake(signal->first_, WAKE_SIGNAL);
}

void signal_all(struct signal *signal)
{
    while (signal->first_)
        task_wake(signal->first_, WAKE_SIGNAL);
}

/* -- waiting -- */

static bool must_stop(const struct task *task)
{
    return task->cancelled && !task->masked;
}

static int cancelled(const char *what, struct error *error)
{
    return error_set(error, ERR_CANCELLED, "cancelled while waiting for %s", what);
}

static void block_here(int64_t milliseconds)
{
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (milliseconds > 0 && nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

int task_wait(struct task *task, struct signal *signal, int64_t deadline_ms, const char *what,
              struct error *error)
{
    if (!task && !deadline_ms)
        panic("waits for %s outside any task: for ever", what);
    if (!task)
        block_here(deadline_ms - task_now_ms(NULL));
    if (!task)
        return error_set(error, ERR_TIMEOUT, "timed out waiting for %s", what);
    require(task->loop->running == task);
    if (must_stop(task))
        return cancelled(what, error);
    task->state = TASK_WAITING;
    task->what = what;
    task->deadline_ms = deadline_ms;
    if (signal)
        signal_push(signal, task);
    if (deadline_ms)
        timer_add(task->loop, task);
    thread_switch(task);
    if (task->woken_by == WAKE_CANCEL)
        return cancelled(what, error);
    if (task->woken_by == WAKE_TIME)
        return error_set(error, ERR_TIMEOUT, "timed out waiting for %s", what);
    return 0;
}

int task_yield(struct task *task, struct error *error)
{
    if (!task)
        return 0;
    require(task->loop->running == task);
    if (!must_stop(task)) {
        loop_ready(task->loop, task);
        thread_switch(task);
    }
    return must_stop(task) ? cancelled("its turn", error) : 0;
}

int task_sleep(struct task *task, int64_t milliseconds, struct error *error)
{
    if (milliseconds <= 0)
        return task_yield(task, error);
    if (!task) {
        block_here(milliseconds);
        return 0;
    }
    struct error timeout;
    int result = task_wait(task, NULL, task_now_ms(task) + milliseconds, "a time", &timeout);
    if (result == ERR_CANCELLED)
        return cancelled("a time", error);
    return 0;
}

/* -- semaphores -- */

/* A place that is given back goes to the first who waits, without being free in between: who comes
 * later cannot take it. */
int semaphore_acquire(struct task *task, struct semaphore *semaphore, struct error *error)
{
    if (semaphore->places > 0) {
        if (task && must_stop(task))
            return cancelled("a free place", error);
        semaphore->places--;
        return 0;
    }
    return task_wait(task, &semaphore->freed_, 0, "a free place", error);
}

void semaphore_release(struct semaphore *semaphore)
{
    if (semaphore->freed_.first_)
        signal_one(&semaphore->freed_);
    else
        semaphore->places++;
}
