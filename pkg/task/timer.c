/* The tasks that wait for a time: a binary heap, the earliest first; of equal times, the one that
 * began to wait first. */
#include <stdlib.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

static bool before(const struct task *a, const struct task *b)
{
    if (a->deadline_ms != b->deadline_ms)
        return a->deadline_ms < b->deadline_ms;
    return a->turn_number < b->turn_number;
}

static void put(struct loop *loop, size_t at, struct task *task)
{
    loop->timers[at] = task;
    task->heap_place = at + 1;
}

static void sift_up(struct loop *loop, size_t at, struct task *task)
{
    while (at > 0 && before(task, loop->timers[(at - 1) / 2])) {
        put(loop, at, loop->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(loop, at, task);
}

static void sift_down(struct loop *loop, size_t at, struct task *task)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= loop->timer_count)
            break;
        if (child + 1 < loop->timer_count && before(loop->timers[child + 1], loop->timers[child]))
            child++;
        if (before(task, loop->timers[child]))
            break;
        put(loop, at, loop->timers[child]);
        at = child;
    }
    put(loop, at, task);
}

void timer_add(struct loop *loop, struct task *task)
{
    if (loop->timer_count == loop->timer_capacity) {
        loop->timer_capacity = loop->timer_capacity ? loop->timer_capacity * 2 : 64;
        loop->timers = realloc(loop->timers, loop->timer_capacity * sizeof(struct task *));
        if (!loop->timers)
            panic("out of memory");
    }
    task->turn_number = loop->next_turn_number++;
    sift_up(loop, loop->timer_count++, task);
}

void timer_remove(struct loop *loop, struct task *task)
{
    if (!task->heap_place)
        return;
    size_t at = task->heap_place - 1;
    struct task *moved = loop->timers[--loop->timer_count];
    task->heap_place = 0;
    if (moved == task)
        return;
    sift_down(loop, at, moved);
    sift_up(loop, moved->heap_place - 1, moved);
}

struct task *timer_first(const struct loop *loop)
{
    return loop->timer_count ? loop->timers[0] : NULL;
}
