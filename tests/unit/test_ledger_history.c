/* Deployments and artifacts, the same tests over a folder and over a fake S3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/value/json.h"
#include "tests/unit/fake_home.h"
#include "tests/unit/fake_ledger.h"

static struct error error;

static struct ledger *ledger(void)
{
    return world.machines[0].ledger;
}

static struct value *deployment(const char *who)
{
    struct value *map = value_map(world.arena);
    value_set_text(world.arena, map, "who", who);
    value_set_text(world.arena, map, "status", "running");
    return map;
}

static int begin_deployment(const char *who)
{
    int number = -1;
    assert_int_equal(ledger_begin(NULL, ledger(), world.arena, deployment(who), &number, &error),
                     0);
    return number;
}

/* -- numbers -- */

static void deployments_are_numbered_from_one(void **state)
{
    (void)state;
    for (int i = 1; i <= 12; i++)
        assert_int_equal(begin_deployment("ann"), i);
    struct value *third = NULL;
    assert_int_equal(ledger_deployment(NULL, ledger(), world.arena, 3, &third, &error), 0);
    assert_int_equal(value_int_at(third, "number", 0), 3);
}

static void the_end_replaces_the_beginning(void **state)
{
    (void)state;
    int number;
    struct value *document = deployment("ann"), *read = NULL;
    begin_deployment("bob");
    assert_int_equal(ledger_begin(NULL, ledger(), world.arena, document, &number, &error), 0);
    value_set_text(world.arena, document, "status", "done");
    assert_int_equal(ledger_end(NULL, ledger(), world.arena, document, &error), 0);
    assert_int_equal(ledger_deployment(NULL, ledger(), world.arena, 2, &read, &error), 0);
    assert_string_equal(value_text(read, "status"), "done");
    assert_string_equal(value_text(read, "who"), "ann");
    assert_int_equal(ledger_deployment(NULL, ledger(), world.arena, 1, &read, &error), 0);
    assert_string_equal(value_text(read, "status"), "running");
}

static void the_newest_come_first(void **state)
{
    (void)state;
    struct value *list = NULL;
    for (int i = 0; i < 120; i++)
        begin_deployment("ann");
    size_t before = world.s3 ? world.s3->transport->request_count : 0;
    assert_int_equal(ledger_history(NULL, ledger(), world.arena, 5, &list, &error), 0);
    assert_int_equal(value_count(list), 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(value_int_at(value_item(list, i), "number", 0), 120 - (int)i);
    if (world.s3) /* one listing, and the documents: never the whole history */
        assert_int_equal(world.s3->transport->request_count, before + 6);
    assert_int_equal(ledger_history(NULL, ledger(), world.arena, 500, &list, &error), 0);
    assert_int_equal(value_count(list), 120);
    assert_int_equal(value_int_at(value_item(list, 119), "number", 0), 1);
}

static int begin_ten(struct task *task, void *argument, struct error *failure)
{
    struct machine *machine = argument;
    for (int i = 0; i < 10; i++) {
        int number;
        struct value *document = deployment(machine->claim.owner);
        value_set_int(world.arena, document, "own", i);
        if (ledger_begin(task, machine->ledger, world.arena, document, &number, failure) < 0)
            return failure->code;
    }
    return 0;
}

static void no_number_is_given_twice(void **state)
{
    (void)state;
    struct value *list = NULL;
    if (world.s3)
        world.s3->delay_ms = 100;
    world_run((task_function *[]){begin_ten, begin_ten, begin_ten}, 3);
    assert_int_equal(ledger_history(NULL, ledger(), world.arena, 100, &list, &error), 0);
    assert_int_equal(value_count(list), 30);
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(value_int_at(value_item(list, i), "number", 0), 30 - (int)i);
}

static void a_lost_reply_gives_no_second_number(void **state)
{
    (void)state;
    static const enum ledger_fault faults[] = {PUT_LOST_AFTER, PUT_LOST_BEFORE, PUT_LOST_BEFORE,
                                               PUT_LOST_AFTER};
    struct machine *machine = &world.machines[0];
    struct value *list = NULL;
    memcpy(machine->faults, faults, sizeof faults);
    machine->fault_count = COUNT_OF(faults);
    assert_int_equal(begin_deployment("ann"), 1);
    assert_int_equal(begin_deployment("bob"), 2);
    assert_int_equal(ledger_history(NULL, ledger(), world.arena, 9, &list, &error), 0);
    assert_int_equal(value_count(list), 2);
    assert_string_equal(value_text(value_item(list, 0), "who"), "bob");
}

static void a_number_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct value *read = NULL;
    assert_int_equal(ledger_deployment(NULL, ledger(), world.arena, 1, &read, &error),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(error.message, "there are no deployments yet"));
    begin_deployment("ann");
    begin_deployment("ann");
    static const int numbers[] = {0, -1, 3, 99999999, 1 << 30};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        assert_int_equal(ledger_deployment(NULL, ledger(), world.arena, numbers[i], &read, &error),
                         ERR_NOT_FOUND);
        assert_non_null(strstr(error.message, "the newest is 2"));
    }
}

static void what_is_no_deployment_is_refused(void **state)
{
    (void)state;
    char version[LEDGER_VERSION_BYTES];
    struct value *list = NULL;
    int number;
    struct ledger *one = ledger();
    assert_int_equal(
        one->put(NULL, one, "history/99999998.json", "}", 1, LEDGER_ANY, version, &error), 0);
    assert_int_equal(ledger_history(NULL, one, world.arena, 9, &list, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "history/99999998.json"));
    assert_int_equal(one->put(NULL, one, "history/00.json", "{}", 2, LEDGER_ANY, version, &error),
                     0);
    assert_int_equal(ledger_begin(NULL, one, world.arena, deployment("ann"), &number, &error),
                     ERR_FAILED);
    assert_non_null(strstr(error.message, "history/00.json"));
}

/* -- what was applied -- */

static void what_was_applied_is_kept(void **state)
{
    (void)state;
    struct ledger_applied read, applied = {value_map(world.arena), value_map(world.arena)};
    assert_int_equal(ledger_applied(NULL, ledger(), world.arena, &read, &error), 0);
    assert_null(read.resolved);
    assert_null(read.resources);
    value_set_text(world.arena, applied.resolved, "cidr", "10.0.0.0/16");
    value_set_text(world.arena, applied.resources, "kind", "ec2.vpc");
    assert_int_equal(ledger_set_applied(NULL, ledger(), world.arena, &applied, &error), 0);
    assert_int_equal(ledger_applied(NULL, ledger(), world.arena, &read, &error), 0);
    assert_true(value_equal(applied.resolved, read.resolved));
    assert_true(value_equal(applied.resources, read.resources));
    applied = (struct ledger_applied){value_map(world.arena), value_map(world.arena)};
    assert_int_equal(ledger_set_applied(NULL, ledger(), world.arena, &applied, &error), 0);
    assert_int_equal(ledger_applied(NULL, ledger(), world.arena, &read, &error), 0);
    assert_non_null(read.resolved);
    assert_int_equal(value_count(read.resolved), 0);
}

/* -- artifacts -- */

/* SHA-256 of "hello\n". */
#define HELLO "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

static void artifacts_are_kept_by_their_sum(void **state)
{
    (void)state;
    const char *bytes;
    size_t length;
    assert_int_equal(ledger_fetch(NULL, ledger(), world.arena, HELLO, &bytes, &length, &error),
                     ERR_NOT_FOUND);
    assert_int_equal(ledger_keep(NULL, ledger(), HELLO, "hello\n", 6, &error), 0);
    assert_int_equal(ledger_keep(NULL, ledger(), HELLO, "hello\n", 6, &error), 0);
    assert_int_equal(ledger_fetch(NULL, ledger(), world.arena, HELLO, &bytes, &length, &error), 0);
    assert_int_equal(length, 6);
    assert_memory_equal(bytes, "hello\n", 7);
}

static void a_damaged_artifact_is_refused(void **state)
{
    (void)state;
    const char *bytes;
    size_t length;
    assert_int_equal(ledger_keep(NULL, ledger(), HELLO, "hellx\n", 6, &error), 0);
    assert_int_equal(ledger_fetch(NULL, ledger(), world.arena, HELLO, &bytes, &length, &error),
                     ERR_FAILED);
    assert_non_null(strstr(error.message, "is not what it was"));
}

static void large_and_binary_artifacts_survive(void **state)
{
    (void)state;
    enum { SIZE = 12 << 20 };
    /* SHA-256 of 12 MiB of zeros. */
    static const char sum[] = "cfadd44a103cbd6d5726fa07b27d7aad2f67ed3930ff96901c486a5beaf7e723";
    const char *bytes;
    size_t length;
    char *zeros = arena_alloc(world.arena, SIZE);
    assert_int_equal(ledger_keep(NULL, ledger(), sum, zeros, SIZE, &error), 0);
    int result = ledger_fetch(NULL, ledger(), world.arena, sum, &bytes, &length, &error);
    assert_true(result == 0 && length == SIZE);
    assert_memory_equal(bytes, zeros, SIZE);
}

/* -- no ledger -- */

static void without_a_ledger_everything_reads_as_empty(void **state)
{
    (void)state;
    struct value *list = NULL;
    struct ledger_applied applied = {.resolved = value_map(world.arena)};
    struct ledger *other = ledger();
    int number;
    bool held = true;
    struct ledger_holder holder;
    if (world.s3)
        world.s3->bucket = NULL;
    else
        other = ledger_folder_new(&world.clock.clock, "/nowhere/at/all", "acme", "");
    assert_int_equal(ledger_history(NULL, other, world.arena, 9, &list, &error), 0);
    assert_int_equal(value_count(list), 0);
    assert_int_equal(ledger_applied(NULL, other, world.arena, &applied, &error), 0);
    assert_null(applied.resolved);
    assert_int_equal(ledger_look_at_lock(NULL, other, world.arena, &held, &holder, &error), 0);
    assert_false(held);
    assert_int_equal(ledger_begin(NULL, other, world.arena, deployment("ann"), &number, &error),
                     ERR_NOT_FOUND);
    assert_int_equal(ledger_keep(NULL, other, HELLO, "hello\n", 6, &error), ERR_NOT_FOUND);
    if (other != ledger())
        ledger_close(other);
}

static void making_it_twice_is_fine(void **state)
{
    (void)state;
    begin_deployment("ann");
    assert_int_equal(ledger()->create(NULL, ledger(), &error), 0);
    assert_int_equal(begin_deployment("ann"), 2);
}

#define IN_BOTH(test)                                                    \
    {#test " (folder)", test, world_begin, world_end, &world_in_folder}, \
    {                                                                    \
#test " (S3)", test, world_begin, world_end, &world_in_s3        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(deployments_are_numbered_from_one),
        IN_BOTH(the_end_replaces_the_beginning),
        IN_BOTH(the_newest_come_first),
        IN_BOTH(no_number_is_given_twice),
        IN_BOTH(a_lost_reply_gives_no_second_number),
        IN_BOTH(a_number_that_is_not_there_is_named),
        IN_BOTH(what_is_no_deployment_is_refused),
        IN_BOTH(what_was_applied_is_kept),
        IN_BOTH(artifacts_are_kept_by_their_sum),
        IN_BOTH(a_damaged_artifact_is_refused),
        IN_BOTH(large_and_binary_artifacts_survive),
        IN_BOTH(without_a_ledger_everything_reads_as_empty),
        IN_BOTH(making_it_twice_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
