/* Shared by the files of this package.
 *
 * Who holds the baton may touch the loop and all tasks. It is passed by two kinds of POSIX
 * semaphores: `loop->turn` gives it to the loop, `worker->turn` to a task; each pass is a memory
 * barrier. Only `returning` (tasks that come back from a blocking call) is shared beyond that. */
#ifndef RAGSTACK_TASK_INTERNAL_H
#define RAGSTACK_TASK_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "pkg/task/task.h"

enum task_state {
    TASK_READY,
    TASK_RUNNING,
    TASK_WAITING, /* for a signal, a time or both */
    TASK_BLOCKED, /* between task_block_begin and _end */
    TASK_STARVED, /* to be started, and there is no thread for it yet */
    TASK_ENDED,
};

enum wake_reason { WAKE_SIGNAL, WAKE_TIME, WAKE_CANCEL };

/* A thread, which runs one task after the other. */
struct worker {
    pthread_t thread;
    sem_t turn;
    struct loop *loop;
    struct task *task;   /* that it runs or is to run next; NULL: idle */
    struct worker *next; /* in loop->idle */
    bool leaving;        /* ends when it gets the baton */
};

struct task {
    struct loop *loop;
    char *name;
    task_function *function;
    void *argument;
    struct worker *worker; /* NULL until it first runs, and after its end */
    enum task_state state;
    int result;
    struct error error;
    struct signal ended;
    bool detached;

    atomic_bool cancelled; /* atomic: also asked for inside blocking calls */
    int masked;

    const char *what; /* it waits for; borrowed while it does */
    enum wake_reason woken_by;
    int64_t deadline_ms;  /* 0: none */
    uint64_t turn_number; /* orders equal deadlines */
    size_t heap_place;    /* in loop->timers, plus one; 0: not there */

    struct signal *signal;        /* waited for; NULL: none */
    struct task *next, *previous; /* in a queue: ready, a signal's waiters, returning, starved */
    struct task *next_alive, *previous_alive;
};

struct queue {
    struct task *first, *last;
};
void queue_push(struct queue *queue, struct task *task);
struct task *queue_pop(struct queue *queue);

struct loop {
    struct clock *clock;
    struct poller *poller;
    sem_t turn;
    struct task *running; /* NULL: the loop itself has the baton */

    struct task *alive; /* newest first; without those that ended */
    int alive_count;
    struct queue ready, starved;
    int blocked_count;

    struct task **timers; /* a binary heap: the earliest first */
    size_t timer_count, timer_capacity;
    uint64_t next_turn_number;

    struct worker *idle;
    int idle_count, thread_count;
    int threads_most; /* as many as the system gives, but in tests */

    int wake_descriptor; /* an eventfd */
    pthread_mutex_t returning_lock;
    struct queue returning;

    atomic_bool interrupted; /* set by signal handlers */
    void (*on_interrupt)(void *data);
    void *interrupt_data;
};

/* -- loop.c -- */
void loop_wake(struct loop *loop);
/* Makes a task ready: it goes to the end of the queue. */
void loop_ready(struct loop *loop, struct task *task);

/* -- thread.c -- */
/* Gives the baton to a task, and takes it back. */
void thread_run(struct loop *loop, struct task *task);
/* In a task: gives the baton to the loop, and waits until it comes back. */
void thread_switch(struct task *task);
void threads_end(struct loop *loop);
/* sem_wait that survives signals. */
void turn_wait(sem_t *turn);

/* -- timer.c -- */
void timer_add(struct loop *loop, struct task *task);
void timer_remove(struct loop *loop, struct task *task);
/* The earliest; NULL if there is none. */
struct task *timer_first(const struct loop *loop);

/* -- signal.c -- */
void task_wake(struct task *task, enum wake_reason reason);

/* -- task.c -- */
/* Called by the thread that ran it, which holds the baton. */
void task_end(struct task *task);

#endif
