/* What the S3 ledger sends, and how it explains what S3 answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_ledger.h"

static struct error error;

static int begin(void **state)
{
    *state = &world_in_s3;
    return world_begin(state);
}

static struct ledger *ledger(void)
{
    return world.machines[0].ledger;
}

static int put(const char *key, const char *condition)
{
    char version[LEDGER_VERSION_BYTES];
    error_clear(&error);
    return ledger()->put(NULL, ledger(), key, "x", 1, condition, version, &error);
}

static struct fake_request last(void)
{
    return fake_last(world.s3->transport);
}

static void the_bucket_is_one_of_account_and_region(void **state)
{
    (void)state;
    const char *name = ledger_bucket_name(world.arena, "aws", LEDGER_ACCOUNT, "eu-west-1");
    assert_int_equal(strncmp(name, "ragstack-123456789012-eu-west-1-", 32), 0);
    assert_int_equal(strlen(name), 40);
    assert_string_equal(world.s3->bucket, name);
    assert_string_not_equal(name,
                            ledger_bucket_name(world.arena, "aws", LEDGER_ACCOUNT, "eu-west-2"));
    assert_true(strlen(ledger_bucket_name(world.arena, "aws-us-gov", LEDGER_ACCOUNT,
                                          "ap-southeast-99")) <= 63);
    assert_non_null(strstr(ledger()->place, name));
    assert_non_null(strstr(ledger()->place, "/acme/dev"));
}

static void it_is_made_where_it_belongs(void **state)
{
    (void)state;
    world.s3->bucket = NULL;
    assert_int_equal(ledger()->create(NULL, ledger(), &error), 0);
    struct fake_request request = last();
    assert_string_equal(request.method, "PUT");
    assert_non_null(strstr(request.body, "<LocationConstraint>eu-west-1</LocationConstraint>"));
    assert_int_equal(ledger()->create(NULL, ledger(), &error), 0); /* there already */
}

static void conditions_are_headers(void **state)
{
    (void)state;
    char version[LEDGER_VERSION_BYTES];
    struct ledger *one = ledger();
    assert_int_equal(one->put(NULL, one, "k", "{}", 2, LEDGER_ABSENT, version, &error), 0);
    struct fake_request request = last();
    assert_string_equal(fake_header(&request, "If-None-Match"), "*");
    assert_null(fake_header(&request, "If-Match"));
    assert_non_null(strstr(request.url, "/acme/dev/k"));
    assert_string_equal(version, "\"etag-1\"");
    assert_int_equal(one->put(NULL, one, "k", "{}", 2, version, version, &error), 0);
    request = last();
    assert_string_equal(fake_header(&request, "If-Match"), "\"etag-1\"");
    assert_null(fake_header(&request, "If-None-Match"));
    assert_int_equal(one->put(NULL, one, "k", "{}", 2, LEDGER_ANY, version, &error), 0);
    request = last();
    assert_null(fake_header(&request, "If-Match"));
    assert_null(fake_header(&request, "If-None-Match"));
    assert_int_equal(one->remove(NULL, one, "k", version, &error), 0);
    request = last();
    assert_string_equal(request.method, "DELETE");
    assert_string_equal(fake_header(&request, "If-Match"), "\"etag-3\"");
}

static void what_conditions_come_to(void **state)
{
    (void)state;
    struct ledger *one = ledger();
    assert_int_equal(put("k", "\"etag-9\""), ERR_CONFLICT); /* nothing is there */
    assert_int_equal(put("k", LEDGER_ABSENT), 0);
    assert_int_equal(put("k", LEDGER_ABSENT), ERR_EXISTS);
    assert_int_equal(put("k", "\"etag-9\""), ERR_CONFLICT);
    assert_int_equal(one->remove(NULL, one, "k", "\"etag-9\"", &error), ERR_CONFLICT);
    assert_int_equal(one->remove(NULL, one, "k", "\"etag-1\"", &error), 0);
    assert_int_equal(one->remove(NULL, one, "k", "\"etag-1\"", &error), 0); /* gone already */
}

static void every_call_names_the_owner(void **state)
{
    (void)state;
    struct ledger *one = ledger();
    struct value *list = NULL;
    int number;
    ledger_begin(NULL, one, world.arena, value_map(world.arena), &number, &error);
    ledger_history(NULL, one, world.arena, 9, &list, &error);
    ledger_set_applied(NULL, one, world.arena, &(struct ledger_applied){0}, &error);
    put("k", LEDGER_ABSENT);
    one->remove(NULL, one, "k", "\"etag-3\"", &error);
    assert_int_equal(value_count(list), 1);
    assert_int_equal(world.s3->without_owner, 0);
    assert_true(world.s3->transport->request_count >= 7);
}

static void a_bucket_of_somebody_else_is_not_used(void **state)
{
    (void)state;
    world.s3->owner = "999999999999";
    assert_int_equal(put("k", LEDGER_ABSENT), ERR_DENIED);
    assert_non_null(strstr(error.message, "which must belong to account 123456789012"));
    world.s3->taken = world.s3->bucket;
    world.s3->bucket = NULL;
    assert_int_equal(ledger()->create(NULL, ledger(), &error), ERR_EXISTS);
    assert_non_null(strstr(error.message, "is taken by another account"));
}

static int conflicts_left;

static enum fake_s3_fault conflict(void *data, const struct fake_request *request)
{
    (void)data;
    (void)request;
    return conflicts_left-- > 0 ? S3_CONFLICT : S3_WELL;
}

static int put_in_task(struct task *task, void *argument, struct error *failure)
{
    char version[LEDGER_VERSION_BYTES];
    struct machine *machine = argument;
    return conflicts_left = machine->ledger->put(task, machine->ledger, "k", "x", 1, LEDGER_ABSENT,
                                                 version, failure);
}

static void writes_that_meet_are_tried_again(void **state)
{
    (void)state;
    world.s3->fault = conflict;
    conflicts_left = 3;
    world_run((task_function *[]){put_in_task}, 1);
    assert_int_equal(conflicts_left, 0);
    assert_int_equal(world.s3->writes, 1);
    conflicts_left = 1000; /* for ever: it is not known what stands there */
    world_run((task_function *[]){put_in_task}, 1);
    assert_int_equal(conflicts_left, ERR_LOST_REPLY);
}

static enum fake_s3_fault lose_after(void *data, const struct fake_request *request)
{
    (void)data;
    return strcmp(request->method, "PUT") == 0 ? S3_LOST_AFTER : S3_WELL;
}

static enum fake_s3_fault lose_first(void *data, const struct fake_request *request)
{
    int *times = data;
    return strcmp(request->method, "PUT") == 0 && (*times)++ == 0 ? S3_LOST_AFTER : S3_WELL;
}

static void that_it_was_made_may_be_heard_the_second_time(void **state)
{
    (void)state;
    int times = 0;
    world.s3->bucket = NULL;
    world.s3->fault = lose_first;
    world.s3->data = &times;
    assert_int_equal(ledger()->create(NULL, ledger(), &error), 0);
    assert_int_equal(times, 2);
    assert_non_null(world.s3->bucket);
}

static void a_lost_conditional_write_is_not_repeated(void **state)
{
    (void)state;
    world.s3->fault = lose_after;
    size_t before = world.s3->transport->request_count;
    assert_int_equal(put("k", LEDGER_ABSENT), ERR_LOST_REPLY);
    assert_int_equal(world.s3->transport->request_count, before + 1);
    assert_int_equal(world.s3->writes, 1);
}

static void ages_are_told_by_the_servers_clock(void **state)
{
    (void)state;
    struct ledger *one = ledger();
    struct ledger_object object;
    world.s3->skew_ms = 3600000;
    world.machines[0].clock.off_ms = -86400000;
    assert_int_equal(put("k", LEDGER_ABSENT), 0);
    world.clock.now_ms += 90000;
    assert_int_equal(one->get(NULL, one, world.arena, "k", &object, &error), 0);
    assert_int_equal(object.age_ms, 90000);
    assert_int_equal(object.length, 1);
    assert_string_equal(object.bytes, "x");
    assert_int_equal(ledger_wall_ms(one), LEDGER_START_MS + 90000 + 3600000);
}

static void without_a_bucket_writes_say_so(void **state)
{
    (void)state;
    world.s3->bucket = NULL;
    assert_int_equal(put("k", LEDGER_ABSENT), ERR_NOT_FOUND);
    assert_non_null(strstr(error.message, "there is no ledger yet (bucket ragstack-123456789012-"));
    assert_int_equal(put("k", "\"etag-1\""), ERR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, world_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_bucket_is_one_of_account_and_region),
        TEST(it_is_made_where_it_belongs),
        TEST(conditions_are_headers),
        TEST(what_conditions_come_to),
        TEST(every_call_names_the_owner),
        TEST(a_bucket_of_somebody_else_is_not_used),
        TEST(writes_that_meet_are_tried_again),
        TEST(that_it_was_made_may_be_heard_the_second_time),
        TEST(a_lost_conditional_write_is_not_repeated),
        TEST(ages_are_told_by_the_servers_clock),
        TEST(without_a_bucket_writes_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
