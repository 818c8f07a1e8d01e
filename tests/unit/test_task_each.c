#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/task/internal.h"

static struct virtual_clock virtual;

struct item {
    int delay_ms;
    int result;
    bool done;
};

struct batch {
    struct item *items;
    size_t count;
    int at_once;
};

static int inside, most_inside;

static int work_on(struct task *task, void *argument, struct error *error)
{
    struct item *item = argument;
    inside++;
    most_inside = inside > most_inside ? inside : most_inside;
    if (item->delay_ms)
        task_sleep(task, item->delay_ms, error);
    inside--;
    item->done = true;
    return item->result < 0 ? error_set(error, item->result, "item after %d ms", item->delay_ms)
                            : item->result;
}

static int run_batch(struct task *task, void *argument, struct error *error)
{
    struct batch *batch = argument;
    return task_each(task, "item", work_on, batch->items, sizeof *batch->items, batch->count,
                     batch->at_once, error);
}

static int run(struct batch *batch, struct error *error)
{
    inside = most_inside = 0;
    clock_virtual(&virtual, 0);
    struct loop *loop = loop_new(&virtual.clock);
    int result = loop_run_task(loop, "batch", run_batch, batch, error);
    loop_free(loop);
    assert_int_equal(inside, 0);
    return result;
}

static void at_most_so_many_run_at_once(void **state)
{
    (void)state;
    struct item items[10] = {0};
    for (size_t i = 0; i < COUNT_OF(items); i++)
        items[i].delay_ms = 100;
    static const struct {
        int at_once, most;
        int64_t total_ms;
    } cases[] = {{1, 1, 1000}, {3, 3, 400}, {10, 10, 100}, {99, 10, 100}, {0, 10, 100}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct batch batch = {items, COUNT_OF(items), cases[i].at_once};
        assert_int_equal(run(&batch, NULL), 0);
        assert_int_equal(most_inside, cases[i].most);
        assert_int_equal(virtual.now_ms, cases[i].total_ms);
    }
}

static void the_first_error_by_index_is_told_after_all_have_ended(void **state)
{
    (void)state;
    struct item items[] = {{30, 0, false},
                           {20, ERR_TIMEOUT, false},
                           {10, ERR_FAILED, false},
                           {90, 5, false},
                           {1, 0, false}};
    struct batch batch = {items, COUNT_OF(items), 2};
    struct error error;
    assert_int_equal(run(&batch, &error), ERR_TIMEOUT);
    assert_string_equal(error.message, "item after 20 ms");
    for (size_t i = 0; i < COUNT_OF(items); i++)
        assert_true(items[i].done);
}

static void nothing_to_do_is_done(void **state)
{
    (void)state;
    struct batch batch = {NULL, 0, 4};
    assert_int_equal(run(&batch, NULL), 0);
}

static void without_a_task_they_run_one_after_the_other(void **state)
{
    (void)state;
    struct item items[] = {{1, 0, false}, {1, ERR_DENIED, false}, {1, ERR_FAILED, false}};
    struct batch batch = {items, COUNT_OF(items), 3};
    struct error error;
    inside = most_inside = 0;
    assert_int_equal(run_batch(NULL, &batch, &error), ERR_DENIED);
    assert_int_equal(most_inside, 1);
    assert_true(items[2].done);
}

enum { MANY = 10000 };

static struct item *many_items(int delay_ms)
{
    struct item *items = calloc(MANY, sizeof *items);
    for (int i = 0; i < MANY; i++)
        items[i].delay_ms = delay_ms;
    return items;
}

static int count_one(struct task *task, void *argument, struct error *error)
{
    (void)task;
    (void)error;
    ++*(int *)argument;
    return 0;
}

static void ten_thousand_tasks_start_and_end(void **state)
{
    (void)state;
    int count = 0;
    clock_virtual(&virtual, 0);
    struct loop *loop = loop_new(&virtual.clock);
    for (int i = 0; i < MANY; i++)
        task_detach(task_start(loop, "one of many", count_one, &count));
    loop_run(loop);
    assert_int_equal(count, MANY);
    assert_int_equal(loop->thread_count, 1); /* one thread did for all of them */
    loop_free(loop);
}

static void ten_thousand_calls_wait_in_a_few_tasks(void **state)
{
    (void)state;
    struct item *items = many_items(10);
    struct batch batch = {items, MANY, 100};
    assert_int_equal(run(&batch, NULL), 0);
    assert_int_equal(virtual.now_ms, 1000);
    free(items);
}

/* ThreadSanitizer allows 8,128 threads, and valgrind fewer. */
static bool few_threads(void)
{
#if defined(__SANITIZE_THREAD__)
    return true;
#endif
    const char *preloaded = getenv("LD_PRELOAD");
    return preloaded && strstr(preloaded, "vgpreload");
}

static void ten_thousand_wait_at_once(void **state)
{
    (void)state;
    if (few_threads())
        skip();
    struct item *items = many_items(10);
    struct batch batch = {items, MANY, 0};
    assert_int_equal(run(&batch, NULL), 0);
    assert_int_equal(virtual.now_ms, 10);
    assert_int_equal(most_inside, MANY);
    free(items);
}

/* -- when the system gives no more threads -- */

static void tasks_without_a_thread_wait_for_one(void **state)
{
    (void)state;
    struct item items[10] = {0};
    for (size_t i = 0; i < COUNT_OF(items); i++)
        items[i].delay_ms = 100;
    struct batch batch = {items, COUNT_OF(items), 0};
    inside = most_inside = 0;
    clock_virtual(&virtual, 0);
    struct loop *loop = loop_new(&virtual.clock);
    loop->threads_most = 4; /* the batch itself, and three of its items */
    assert_int_equal(loop_run_task(loop, "batch", run_batch, &batch, NULL), 0);
    assert_int_equal(most_inside, 3);
    assert_int_equal(virtual.now_ms, 400);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_so_many_run_at_once),
        cmocka_unit_test(the_first_error_by_index_is_told_after_all_have_ended),
        cmocka_unit_test(nothing_to_do_is_done),
        cmocka_unit_test(without_a_task_they_run_one_after_the_other),
        cmocka_unit_test(ten_thousand_tasks_start_and_end),
        cmocka_unit_test(ten_thousand_calls_wait_in_a_few_tasks),
        cmocka_unit_test(ten_thousand_wait_at_once),
        cmocka_unit_test(tasks_without_a_thread_wait_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
