/* Buckets: whose one is, in which order it is made safe, and what it takes to empty one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/cloud/types.h"
#include "tests/unit/answering_cloud.h"

#define ERROR(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"
#define NO_TAGS_AT_ALL ERROR("NoSuchTagSet")
#define EMPTY "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"
#define FULL                                                                         \
    "<ListVersionsResult><Version><Key>one</Key><VersionId>v1</VersionId></Version>" \
    "<DeleteMarker><Key>two</Key><VersionId>v2</VersionId></DeleteMarker>"           \
    "</ListVersionsResult>"

static int set_up(void **state)
{
    *state = answering_cloud_new();
    return 0;
}

static int tear_down(void **state)
{
    answering_cloud_free(*state);
    return 0;
}

/* -- looking -- */

/* A bucket as CreateBucket leaves it. */
static void answer_bare(struct answering_cloud *cloud)
{
    answering_cloud_answer(cloud, "versioning", 200, "<VersioningConfiguration/>");
    answering_cloud_answer(cloud, "encryption", 404,
                           ERROR("ServerSideEncryptionConfigurationNotFoundError"));
    answering_cloud_answer(cloud, "publicAccessBlock", 404,
                           ERROR("NoSuchPublicAccessBlockConfiguration"));
    answering_cloud_answer(cloud, "ownershipControls", 200,
                           "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced"
                           "</ObjectOwnership></Rule></OwnershipControls>");
    answering_cloud_answer(cloud, "policy", 404, ERROR("NoSuchBucketPolicy"));
    answering_cloud_answer(cloud, "lifecycle", 404, ERROR("NoSuchLifecycleConfiguration"));
    answering_cloud_answer(cloud, "notification", 200, "<NotificationConfiguration/>");
}

static int look(struct answering_cloud *cloud)
{
    struct error error = {0};
    return answering_cloud_observe(cloud, &s3_bucket, "store", &error);
}

static void one_without_anything_is_told_as_it_is(void **state)
{
    struct answering_cloud *cloud = *state;
    answering_cloud_answer(cloud, "HEAD /", 200, "");
    answering_cloud_answer(cloud, "HEAD /", 404, ""); /* the name of a second generation */
    answer_bare(cloud);
    answering_cloud_answer(cloud, "tagging", 200,
                           arena_printf(cloud->arena, "<Tagging><TagSet>%s</TagSet></Tagging>",
                                        answering_cloud_tags_xml(cloud, "store")));
    assert_int_equal(look(cloud), 0);
    assert_int_equal(cloud->found_count, 1);
    const struct value *props = cloud->found[0].props;
    assert_false(cloud->found[0].foreign);
    assert_string_equal(value_text(props, "encryption"), "AES256"); /* S3 always does */
    assert_false(value_bool_at(props, "public_access_block.block_acls", true));
    assert_false(value_bool_at(props, "tls_only", true));
    assert_int_equal(value_count(value_get(props, "notifications")), 0);
}

static void half_made_is_ours_when_it_is_empty(void **state)
{
    struct answering_cloud *cloud = *state;
    answering_cloud_answer(cloud, "HEAD /", 200, "");
    answer_bare(cloud);
    answering_cloud_answer(cloud, "tagging", 404, NO_TAGS_AT_ALL);
    answering_cloud_answer(cloud, "versions", 200, EMPTY);
    assert_int_equal(look(cloud), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_false(cloud->found[0].foreign);
    assert_string_equal(cloud->found[0].id, "store");
    assert_int_equal(value_count(cloud->found[0].tags), 0);
}

static void untagged_with_something_in_it_is_not_ours(void **state)
{
    struct answering_cloud *cloud = *state;
    answering_cloud_answer(cloud, "HEAD /", 200, "");
    answer_bare(cloud);
    answering_cloud_answer(cloud, "tagging", 404, NO_TAGS_AT_ALL);
    answering_cloud_answer(cloud, "versions", 200, FULL);
    assert_int_equal(look(cloud), 0);
    assert_int_equal(cloud->found_count, 1);
    assert_true(cloud->found[0].foreign);
}

static void another_accounts_is_not_ours(void **state)
{
    static const int statuses[] = {403, 301};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        answering_cloud_answer(cloud, "HEAD /", statuses[i], "");
        assert_int_equal(look(cloud), 0);
        assert_int_equal(cloud->found_count, 1);
        assert_true(cloud->found[0].foreign);
        answering_cloud_free(cloud);
    }
    (void)state;
}

static void nobodys_is_not_there(void **state)
{
    struct answering_cloud *cloud = *state;
    answering_cloud_answer(cloud, "HEAD /", 404, "");
    assert_int_equal(look(cloud), 0);
    assert_int_equal(cloud->found_count, 0);
}

/* -- making -- */

static int make(struct answering_cloud *cloud, const char *want, struct error *error)
{
    struct action action = answering_cloud_action(cloud, &s3_bucket, "store", want, NULL);
    return answering_cloud_run(cloud, s3_bucket.create, &action, error);
}

static void it_is_closed_before_it_is_anything_else(void **state)
{
    static const char *const order[] = {"PUT /", "tagging", "publicAccessBlock", "policy",
                                        "versioning"};
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "PUT /", 200, "");
    assert_int_equal(make(cloud, "{\"versioning\": true}", &error), 0);
    assert_int_equal(cloud->fake->request_count, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        const struct fake_request *request = &cloud->fake->requests[i];
        assert_string_equal(request->method, "PUT");
        assert_true(i == 0 || strstr(request->url, order[i]));
        const char *owner = fake_header(request, "x-amz-expected-bucket-owner");
        if (i == 0)
            assert_null(owner); /* CreateBucket does not know it */
        else
            assert_string_equal(owner, "111122223333");
    }
    const char *body = cloud->fake->requests[0].body;
    assert_non_null(strstr(body, "<LocationConstraint>eu-west-1</LocationConstraint>"));
    assert_non_null(strstr(body, "<Key>ragstack:id</Key><Value>store</Value>"));
}

static void the_first_region_is_not_said(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    cloud->cloud->identity.region = "us-east-1";
    answering_cloud_answer(cloud, "PUT /", 200, "");
    assert_int_equal(make(cloud, "{}", &error), 0);
    assert_null(strstr(cloud->fake->requests[0].body, "LocationConstraint"));
    assert_non_null(strstr(cloud->fake->requests[0].body, "ragstack:stack"));
}

static void a_taken_name_is_a_taken_name(void **state)
{
    static const char *const codes[] = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct answering_cloud *cloud = answering_cloud_new();
        struct error error = {0};
        answering_cloud_answer(
            cloud, "PUT /", 409,
            arena_printf(cloud->arena, "<Error><Code>%s</Code></Error>", codes[i]));
        assert_int_equal(make(cloud, "{}", &error), ERR_EXISTS);
        answering_cloud_free(cloud);
    }
    (void)state;
}

/* -- notifications -- */

static const struct found *have(struct answering_cloud *cloud)
{
    struct found *found = arena_new_of(cloud->arena, struct found);
    *found = (struct found){.type = &s3_bucket,
                            .id = "store",
                            .generation = 1,
                            .physical_id = "store-1",
                            .name = "store-1",
                            .props = value_map(cloud->arena)};
    return found;
}

#define NOTIFICATIONS                                                             \
    "{\"notifications\": [{\"id\": \"in\", \"function\": \"arn:f\", \"events\": " \
    "[\"s3:ObjectCreated:*\"], \"suffix\": \".md\"}]}"

static void a_permission_that_is_not_seen_yet_is_waited_for(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(
        cloud, "PUT /", 400,
        "<Error><Code>InvalidArgument</Code><Message>Unable to validate the following destination "
        "configurations</Message></Error>");
    answering_cloud_answer(cloud, "PUT /", 200, "");
    answering_cloud_answer(
        cloud, "GET /", 200,
        "<NotificationConfiguration><EventBridgeConfiguration/><CloudFunctionConfiguration><Id>old"
        "</Id></CloudFunctionConfiguration></NotificationConfiguration>");
    struct action action =
        answering_cloud_action(cloud, &s3_bucket, "store", NOTIFICATIONS, have(cloud));
    answering_cloud_change(cloud, &action, "notifications");
    assert_int_equal(answering_cloud_run(cloud, s3_bucket.update, &action, &error), 0);
    assert_int_equal(answering_cloud_count(cloud, "PUT /"), 2);
    const char *body = answering_cloud_sent(cloud, "PUT /", 1);
    assert_non_null(strstr(body, "EventBridgeConfiguration")); /* nobody said that it goes */
    assert_null(strstr(body, "<Id>old</Id>"));
    assert_non_null(strstr(body, "<CloudFunction>arn:f</CloudFunction>"));
    assert_non_null(strstr(body, "<Name>suffix</Name><Value>.md</Value>"));
    assert_null(strstr(body, "prefix"));
}

/* -- removing -- */

static int drop(struct answering_cloud *cloud, bool consented, struct error *error)
{
    struct action action = answering_cloud_action(cloud, &s3_bucket, "store", "{}", have(cloud));
    action.consented = consented;
    return answering_cloud_run(cloud, s3_bucket.remove, &action, error);
}

static void an_empty_one_takes_one_call(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "DELETE /", 204, "");
    assert_int_equal(drop(cloud, false, &error), 0);
    assert_int_equal(cloud->fake->request_count, 1);
}

static void gone_already_is_gone(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "DELETE /", 404, ERROR("NoSuchBucket"));
    assert_int_equal(drop(cloud, false, &error), 0);
}

static void without_consent_nothing_in_it_is_touched(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "DELETE /", 409, ERROR("BucketNotEmpty"));
    assert_int_equal(drop(cloud, false, &error), ERR_DATA_LOSS);
    assert_non_null(strstr(error.message, "--allow-data-loss=store"));
    assert_int_equal(cloud->fake->request_count, 1);
}

static void with_consent_versions_and_markers_go_first(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "DELETE /", 409, ERROR("BucketNotEmpty"));
    answering_cloud_answer(cloud, "DELETE /", 204, "");
    answering_cloud_answer(cloud, "versions", 200, FULL);
    answering_cloud_answer(cloud, "versions", 200, EMPTY);
    answering_cloud_answer(cloud, "POST /", 200, "<DeleteResult/>");
    assert_int_equal(drop(cloud, true, &error), 0);
    const char *body = answering_cloud_sent(cloud, "POST /", 0);
    assert_non_null(strstr(body, "<Key>one</Key><VersionId>v1</VersionId>"));
    assert_non_null(strstr(body, "<Key>two</Key><VersionId>v2</VersionId>"));
    assert_int_equal(answering_cloud_count(cloud, "DELETE /"), 2);
}

static void an_object_that_cannot_go_is_named(void **state)
{
    struct answering_cloud *cloud = *state;
    struct error error = {0};
    answering_cloud_answer(cloud, "DELETE /", 409, ERROR("BucketNotEmpty"));
    answering_cloud_answer(cloud, "versions", 200, FULL);
    answering_cloud_answer(cloud, "POST /", 200,
                           "<DeleteResult><Error><Key>one</Key><Code>AccessDenied</Code><Message>"
                           "locked</Message></Error></DeleteResult>");
    assert_true(drop(cloud, true, &error) < 0);
    assert_non_null(strstr(error.message, "one"));
    assert_int_equal(answering_cloud_count(cloud, "DELETE /"), 1);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(one_without_anything_is_told_as_it_is),
        CASE(half_made_is_ours_when_it_is_empty),
        CASE(untagged_with_something_in_it_is_not_ours),
        CASE(another_accounts_is_not_ours),
        CASE(nobodys_is_not_there),
        CASE(it_is_closed_before_it_is_anything_else),
        CASE(the_first_region_is_not_said),
        CASE(a_taken_name_is_a_taken_name),
        CASE(a_permission_that_is_not_seen_yet_is_waited_for),
        CASE(an_empty_one_takes_one_call),
        CASE(gone_already_is_gone),
        CASE(without_consent_nothing_in_it_is_touched),
        CASE(with_consent_versions_and_markers_go_first),
        CASE(an_object_that_cannot_go_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
