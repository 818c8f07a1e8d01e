/* What a task is: its start, its end, and its being stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

/* -- start and end -- */

struct task *task_start(struct loop *loop, const char *name, task_function *function,
                        void *argument)
{
    struct task *task = calloc(1, sizeof *task);
    char *copy = strdup(name);
    if (!task || !copy)
        panic("out of memory");
    task->loop = loop;
    task->name = copy;
    task->function = function;
    task->argument = argument;
    task->next_alive = loop->alive;
    if (loop->alive)
        loop->alive->previous_alive = task;
    loop->alive = task;
    loop->alive_count++;
    loop_ready(loop, task);
    return task;
}

static void task_free(struct task *task)
{
    free(task->name);
    free(task);
}

void task_end(struct task *task)
{
    struct loop *loop = task->loop;
    if (task->next_alive)
        task->next_alive->previous_alive = task->previous_alive;
    if (task->previous_alive)
        task->previous_alive->next_alive = task->next_alive;
    else
        loop->alive = task->next_alive;
    loop->alive_count--;
    task->state = TASK_ENDED;
    task->worker = NULL;
    signal_all(&task->ended);
    if (task->detached)
        task_free(task);
}

void task_detach(struct task *task)
{
    task->detached = true;
    if (task->state == TASK_ENDED)
        task_free(task);
}

/* Waits for the end whatever happens: when self is cancelled meanwhile, it passes that on. */
static void wait_for_end(struct task *self, struct task *other)
{
    char what[200];
    snprintf(what, sizeof what, "the end of %s", other->name);
    struct error ignored;
    if (task_wait(self, &other->ended, 0, what, &ignored) == 0)
        return;
    task_cancel(other);
    task_mask_cancel(self, true);
    if (other->state != TASK_ENDED)
        task_wait(self, &other->ended, 0, what, &ignored);
    task_mask_cancel(self, false);
}

int task_join(struct task *self, struct task *other, struct error *error)
{
    require(!other->detached);
    if (other->state != TASK_ENDED) {
        if (!self)
            panic("task \"%s\" is joined from outside while it runs", other->name);
        wait_for_end(self, other);
    }
    int result = other->result;
    if (result < 0 && error)
        *error = other->error;
    task_free(other);
    return result;
}

/* -- what it is -- */

struct loop *task_loop(struct task *task)
{
    return task->loop;
}

const char *task_name(const struct task *task)
{
    return task->name;
}

int64_t task_now_ms(struct task *task)
{
    struct clock *clock = task ? task->loop->clock : clock_system();
    return clock->monotonic_ms(clock);
}

int64_t task_wall_ms(struct task *task)
{
    struct clock *clock = task ? task->loop->clock : clock_system();
    return clock->wall_ms(clock);
}

/* -- being stopped -- */

void task_cancel(struct task *task)
{
    task->cancelled = true;
    if (task->state == TASK_WAITING && !task->masked)
        task_wake(task, WAKE_CANCEL);
}

bool task_cancelled(const struct task *task)
{
    return task && task->cancelled;
}

void task_mask_cancel(struct task *task, bool masked)
{
    if (!task)
        return;
    task->masked += masked ? 1 : -1;
    require(task->masked >= 0);
}
