/* The loop: who runs next, what is waited for, and when the end has come. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

struct loop *loop_new(struct clock *clock)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        panic("out of memory");
    loop->clock = clock;
    loop->threads_most = INT_MAX;
    loop->wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_descriptor < 0)
        panic("eventfd: errno %d", errno);
    sem_init(&loop->turn, 0, 0);
    pthread_mutex_init(&loop->returning_lock, NULL);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->alive_count)
        panic("%d tasks have not ended; the newest is \"%s\"", loop->alive_count,
              loop->alive->name);
    threads_end(loop);
    close(loop->wake_descriptor);
    sem_destroy(&loop->turn);
    pthread_mutex_destroy(&loop->returning_lock);
    free(loop->timers);
    free(loop);
}

struct clock *loop_clock(struct loop *loop)
{
    return loop->clock;
}

void loop_set_poller(struct loop *loop, struct poller *poller)
{
    loop->poller = poller;
}

void loop_ready(struct loop *loop, struct task *task)
{
    task->state = TASK_READY;
    queue_push(&loop->ready, task);
}

/* -- being woken from outside: async-signal-safe -- */

void loop_wake(struct loop *loop)
{
    int saved = errno;
    uint64_t one = 1;
    /* EAGAIN: the counter is full, so it is readable already. */
    ssize_t written = write(loop->wake_descriptor, &one, sizeof one);
    (void)written;
    errno = saved;
}

void loop_interrupt(struct loop *loop)
{
    loop->interrupted = true;
    loop_wake(loop);
}

void loop_on_interrupt(struct loop *loop, void (*callback)(void *data), void *data)
{
    loop->on_interrupt = callback;
    loop->interrupt_data = data;
}

/* The descriptor is emptied first: what is asked for after that wakes the loop again. */
static void take_wakes(struct loop *loop)
{
    uint64_t count;
    ssize_t length = read(loop->wake_descriptor, &count, sizeof count);
    (void)length;
    pthread_mutex_lock(&loop->returning_lock);
    struct queue returning = loop->returning;
    loop->returning = (struct queue){0};
    pthread_mutex_unlock(&loop->returning_lock);
    for (struct task *task; (task = queue_pop(&returning));) {
        loop->blocked_count--;
        loop_ready(loop, task);
    }
    if (atomic_exchange(&loop->interrupted, false) && loop->on_interrupt)
        loop->on_interrupt(loop->interrupt_data);
}

/* -- the end of all hope -- */

static const char *wait_words(const struct task *task)
{
    if (task->state == TASK_STARVED)
        return "a thread, and the system gives no more";
    return task->what ? task->what : "nothing that is known";
}

NORETURN static void report_deadlock(const struct loop *loop)
{
    const struct task *task = loop->alive;
    fprintf(stderr, "deadlock: %d tasks wait, and nothing can wake them:\n", loop->alive_count);
    while (task->next_alive)
        task = task->next_alive;
    for (; task; task = task->previous_alive)
        fprintf(stderr, "  %s waits for %s%s\n", task->name, wait_words(task),
                task->cancelled ? " (cancelled, but masked)" : "");
    panic("no task can run, and nothing is awaited");
}

/* -- one turn -- */

static void fire_timers(struct loop *loop)
{
    struct task *task = timer_first(loop);
    if (!task)
        return;
    int64_t now_ms = loop->clock->monotonic_ms(loop->clock);
    for (; task && task->deadline_ms <= now_ms; task = timer_first(loop))
        task_wake(task, WAKE_TIME);
}

static int poll_once(struct loop *loop, int timeout_ms)
{
    if (loop->poller)
        return loop->poller->poll(loop->poller, timeout_ms, loop->wake_descriptor);
    struct pollfd wake = {.fd = loop->wake_descriptor, .events = POLLIN};
    if (timeout_ms != 0)
        poll(&wake, 1, timeout_ms);
    return 0;
}

static int timeout_until(const struct loop *loop, const struct task *first)
{
    int64_t left_ms = first->deadline_ms - loop->clock->monotonic_ms(loop->clock);
    return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Nothing is ready. While something real is awaited (input, a blocking call), a virtual clock
 * stands still; else it jumps to the next timer. */
static void wait_for_work(struct loop *loop)
{
    int operations = poll_once(loop, 0);
    if (loop->ready.first)
        return;
    const struct task *first = timer_first(loop);
    bool real = operations > 0 || loop->blocked_count > 0;
    if (!first && !real)
        report_deadlock(loop);
    if (!loop->clock->advance)
        poll_once(loop, first ? timeout_until(loop, first) : -1);
    else if (real)
        poll_once(loop, -1);
    else
        loop->clock->advance(loop->clock, first->deadline_ms);
}

/* Those that are ready now; who becomes ready meanwhile comes after the next look at the world. */
static void run_ready(struct loop *loop)
{
    const struct task *last = loop->ready.last;
    for (bool more = true; more;) {
        struct task *task = queue_pop(&loop->ready);
        more = task != last; /* asked before it runs: it may be freed when it comes back */
        thread_run(loop, task);
    }
}

void loop_run(struct loop *loop)
{
    require(!loop->running);
    while (loop->alive_count) {
        take_wakes(loop);
        fire_timers(loop);
        if (!loop->ready.first) {
            wait_for_work(loop);
            continue;
        }
        run_ready(loop);
        if (loop->poller && loop->alive_count)
            poll_once(loop, 0);
    }
}

int loop_run_task(struct loop *loop, const char *name, task_function *function, void *argument,
                  struct error *error)
{
    struct task *task = task_start(loop, name, function, argument);
    loop_run(loop);
    return task_join(NULL, task, error);
}
