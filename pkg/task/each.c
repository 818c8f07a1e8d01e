/* The same function over many arguments: workers that take the next one until none is left. */
#include <stdlib.h>

#include "pkg/base/panic.h"
#include "pkg/task/internal.h"

struct each {
    task_function *function;
    char *base;
    size_t size, count, next;
    size_t failed; /* index of the first that failed; `count`: none */
    int result;
    struct error error; /* of that one */
};

static void keep_failure(struct each *each, size_t index, int result, const struct error *error)
{
    if (index >= each->failed)
        return;
    each->failed = index;
    each->result = result;
    each->error = *error;
}

static int take_turns(struct task *task, void *argument, struct error *error)
{
    struct each *each = argument;
    while (each->next < each->count) {
        size_t index = each->next++;
        *error = (struct error){0};
        int result = task_cancelled(task)
                         ? error_set(error, ERR_CANCELLED, "cancelled before its start")
                         : each->function(task, each->base + index * each->size, error);
        if (result < 0)
            keep_failure(each, index, result, error);
    }
    return 0;
}

static void run_in_tasks(struct task *self, const char *name, struct each *each, size_t workers)
{
    struct task **tasks = calloc(workers, sizeof *tasks);
    if (!tasks)
        panic("out of memory");
    for (size_t i = 0; i < workers; i++)
        tasks[i] = task_start(self->loop, name, take_turns, each);
    bool passed_on = false;
    for (size_t i = 0; i < workers; i++) {
        struct error ignored;
        task_join(self, tasks[i], &ignored);
        for (size_t rest = i + 1; !passed_on && self->cancelled && !self->masked && rest < workers;
             rest++)
            task_cancel(tasks[rest]);
        passed_on = self->cancelled && !self->masked;
    }
    free(tasks);
}

int task_each(struct task *self, const char *name, task_function *function, void *base, size_t size,
              size_t count, int at_once, struct error *error)
{
    struct each each = {
        .function = function, .base = base, .size = size, .count = count, .failed = count};
    size_t workers = at_once > 0 && (size_t)at_once < count ? (size_t)at_once : count;
    if (self)
        run_in_tasks(self, name, &each, workers);
    else
        take_turns(NULL, &each, &(struct error){0});
    if (each.result < 0 && error)
        *error = each.error;
    return each.result;
}
