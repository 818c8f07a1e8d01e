/* Threads and the baton between them. */
#include <errno.h>
#include <stdlib.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

enum {
    STACK_BYTES = 256 << 10,
    IDLE_MOST = 64, /* threads kept for the next tasks */
};

void turn_wait(sem_t *turn)
{
    while (sem_wait(turn) != 0) {
        if (errno != EINTR)
            panic("sem_wait: errno %d", errno);
    }
}

/* -- workers -- */

/* A thread that is free takes a task that had none, before it rests. */
static void feed_starved(struct loop *loop)
{
    struct task *task = queue_pop(&loop->starved);
    if (task)
        loop_ready(loop, task);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct loop *loop = worker->loop;
    for (;;) {
        turn_wait(&worker->turn);
        if (worker->leaving)
            return NULL;
        struct task *task = worker->task;
        task->result = task->function(task, task->argument, &task->error);
        worker->task = NULL;
        worker->next = loop->idle;
        loop->idle = worker;
        loop->idle_count++;
        feed_starved(loop);
        task_end(task);
        sem_post(&loop->turn);
    }
}

/* NULL: the system gives no more threads. */
static struct worker *worker_new(struct loop *loop)
{
    if (loop->thread_count >= loop->threads_most)
        return NULL;
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        panic("out of memory");
    worker->loop = loop;
    sem_init(&worker->turn, 0, 0);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int result = pthread_create(&worker->thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    if (result != 0) {
        sem_destroy(&worker->turn);
        free(worker);
        return NULL;
    }
    loop->thread_count++;
    return worker;
}

static struct worker *take_idle(struct loop *loop)
{
    struct worker *worker = loop->idle;
    if (worker) {
        loop->idle = worker->next;
        loop->idle_count--;
    }
    return worker;
}

static void worker_leave(struct loop *loop)
{
    struct worker *worker = take_idle(loop);
    worker->leaving = true;
    sem_post(&worker->turn);
    pthread_join(worker->thread, NULL);
    sem_destroy(&worker->turn);
    free(worker);
    loop->thread_count--;
}

void threads_end(struct loop *loop)
{
    while (loop->idle)
        worker_leave(loop);
}

/* -- passing the baton -- */

static bool give_thread(struct loop *loop, struct task *task)
{
    if (task->worker)
        return true;
    struct worker *worker = take_idle(loop);
    if (!worker)
        worker = worker_new(loop);
    if (!worker)
        return false;
    worker->task = task;
    task->worker = worker;
    return true;
}

void thread_run(struct loop *loop, struct task *task)
{
    if (!give_thread(loop, task)) {
        task->state = TASK_STARVED;
        queue_push(&loop->starved, task);
        return;
    }
    task->state = TASK_RUNNING;
    loop->running = task;
    sem_post(&task->worker->turn);
    turn_wait(&loop->turn);
    loop->running = NULL;
    while (loop->idle_count > IDLE_MOST)
        worker_leave(loop);
}

void thread_switch(struct task *task)
{
    struct worker *worker = task->worker;
    sem_post(&task->loop->turn);
    turn_wait(&worker->turn);
}

/* -- blocking calls -- */

void task_block_begin(struct task *task)
{
    if (!task)
        return;
    require(task->loop->running == task);
    task->state = TASK_BLOCKED;
    task->loop->blocked_count++;
    sem_post(&task->loop->turn);
}

void task_block_end(struct task *task)
{
    if (!task)
        return;
    struct loop *loop = task->loop;
    struct worker *worker = task->worker;
    pthread_mutex_lock(&loop->returning_lock);
    queue_push(&loop->returning, task);
    pthread_mutex_unlock(&loop->returning_lock);
    loop_wake(loop);
    turn_wait(&worker->turn);
}
