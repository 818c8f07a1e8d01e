/* The store against a real PostgreSQL with pgvector, named by RAGSTACK_TEST_DATABASE (a URI of a
 * database that may be changed), one suite at a time. Vectors here are made by hand: dimension n
 * stands for a subject.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/vector.h"
#include "pkg/rag/migrations.h"
#include "pkg/rag/schema.h"
#include "pkg/rag/search.h"
#include "pkg/rag/store.h"
#include "pkg/value/json.h"

enum { DIMENSIONS = 8 };

struct fixture {
    struct arena *arena;
    struct pg *pg;
    struct schema_options options;
};

static const char *database(void)
{
    return getenv("RAGSTACK_TEST_DATABASE");
}

static void no_error(int result, const struct error *error)
{
    if (result != 0)
        fail_msg("%s (%s)", error->message, error->aws_code);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error = {0};
    struct schema_report report;
    *state = fixture;
    fixture->arena = arena_new();
    fixture->options = (struct schema_options){.embedder = "test-model", .dimensions = DIMENSIONS};
    if (!database())
        return 0;
    struct pg_options options = {.url = database(), .application = "test"};
    no_error(pg_open(NULL, &options, &fixture->pg, &error), &error);
    no_error(pg_script(NULL, fixture->pg,
                       "SELECT pg_advisory_lock(1); DROP SCHEMA IF EXISTS rag CASCADE", &error),
             &error);
    no_error(schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
             &error);
    assert_int_equal(report.to, schema_newest());
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pg_close(fixture->pg);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static struct fixture *fixture_of(void **state)
{
    struct fixture *fixture = *state;
    if (!fixture->pg) {
        print_message("RAGSTACK_TEST_DATABASE is not set\n");
        skip();
    }
    return fixture;
}

/* -- documents in a few words -- */

/* Each line is a passage of one unit. */
static struct passage_list lines_of(struct arena *arena, const char *text)
{
    struct passage_list list = {0};
    for (size_t at = 0; text[at];) {
        size_t end = at + strcspn(text + at, "\n") + 1;
        struct passage passage = {.start = at, .end = end, .heading = "", .unit_count = 1};
        passage.units = arena_alloc(arena, sizeof *passage.units);
        passage.units[0] = (struct unit){at, end};
        vector_push(arena, &list, passage);
        at = end;
    }
    return list;
}

static const float *subject(struct arena *arena, int n)
{
    float *vector = arena_array(arena, DIMENSIONS, sizeof *vector);
    vector[n] = 1;
    return vector;
}

/* Puts a document whose lines are of the subjects given; returns how many had to be embedded. */
static size_t put(struct fixture *fixture, const char *id, const char *text, const int *subjects,
                  const char *metadata)
{
    struct error error = {0};
    struct value *tree = NULL;
    struct stored_units units;
    struct passage_list passages = lines_of(fixture->arena, text);
    if (metadata)
        no_error(json_parse(fixture->arena, metadata, strlen(metadata), "metadata", &tree, &error),
                 &error);
    struct document document = {
        .id = id, .title = id, .text = text, .length = strlen(text), .metadata = tree};
    no_error(store_look(NULL, fixture->pg, fixture->arena, &document, &passages, "test-model",
                        DIMENSIONS, &units, &error),
             &error);
    if (units.same_document)
        return 0;
    for (size_t i = 0; i < units.count; i++) {
        if (!units.vectors[i])
            units.vectors[i] = subject(fixture->arena, subjects[i]);
    }
    no_error(store_put(NULL, fixture->pg, fixture->arena, &document, &passages, &units, DIMENSIONS,
                       &error),
             &error);
    return units.missing;
}

static struct hit_list search(struct fixture *fixture, const char *question, const float *vector,
                              const char *filter)
{
    struct error error = {0};
    struct hit_list hits;
    struct value *tree = NULL;
    if (filter)
        no_error(json_parse(fixture->arena, filter, strlen(filter), "filter", &tree, &error),
                 &error);
    struct search_options options = {.question = question,
                                     .vector = vector,
                                     .dimensions = DIMENSIONS,
                                     .top_k = 3,
                                     .filter = tree};
    no_error(store_search(NULL, fixture->pg, fixture->arena, &options, &hits, &error), &error);
    return hits;
}

static int64_t count(struct fixture *fixture, const char *table)
{
    struct error error = {0};
    struct pg_rows rows;
    no_error(pg_run(NULL, fixture->pg, fixture->arena,
                    arena_printf(fixture->arena, "SELECT count(*) FROM rag.%s", table), NULL, 0,
                    &rows, &error),
             &error);
    return pg_cell_int(&rows, 0, 0);
}

/* -- the schema -- */

static void migrating_again_changes_nothing(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct schema_report report;
    no_error(schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
             &error);
    assert_int_equal(report.from, schema_newest());
    assert_int_equal(report.to, schema_newest());
    assert_string_equal(report.embedder, "test-model");
    assert_int_equal(report.dimensions, DIMENSIONS);
    assert_false(report.hnsw);
}

static void an_edited_migration_is_refused(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct schema_report report;
    no_error(pg_script(NULL, fixture->pg,
                       "UPDATE rag.migrations SET checksum = 'other' WHERE number = 2", &error),
             &error);
    assert_int_equal(
        schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
        ERR_CONFLICT);
    assert_non_null(strstr(error.message, "migration 2"));
}

static void another_model_needs_consent(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct schema_report report;
    put(fixture, "a", "one line\n", (int[]){0}, NULL);
    fixture->options.embedder = "other-model";
    assert_int_equal(
        schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
        ERR_DATA_LOSS);
    assert_int_equal(count(fixture, "units"), 1);
    fixture->options.reembed = true;
    fixture->options.dimensions = 16;
    no_error(schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
             &error);
    assert_int_equal(count(fixture, "units"), 0);
    assert_int_equal(count(fixture, "documents"), 1);
    assert_int_equal(report.pending_units, 1);
    no_error(schema_look(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
             &error);
    assert_int_equal(report.dimensions, 16);
    assert_string_equal(report.embedder, "other-model");
}

static void a_large_table_gets_an_index(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct schema_report report;
    put(fixture, "a", "one line\n", (int[]){0}, NULL);
    no_error(pg_script(NULL, fixture->pg,
                       "INSERT INTO rag.units SELECT 'a', 0, n, 0, 1, 'h', '[1,2,3,4,5,6,7,8]'"
                       " FROM generate_series(1, 10000) n",
                       &error),
             &error);
    no_error(schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
             &error);
    assert_true(report.hnsw);
}

static void the_application_user_can_read_and_write_alone(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct schema_report report;
    fixture->options.app_user = "rag \"app\"";
    for (int i = 0; i < 2; i++)
        no_error(
            schema_migrate(NULL, fixture->pg, fixture->arena, &fixture->options, &report, &error),
            &error);
    no_error(pg_script(NULL, fixture->pg, "SET ROLE \"rag \"\"app\"\"\"", &error), &error);
    assert_int_equal(count(fixture, "documents"), 0);
    assert_int_equal(pg_script(NULL, fixture->pg, "DROP TABLE rag.jobs", &error), ERR_DENIED);
    no_error(
        pg_script(NULL, fixture->pg,
                  "RESET ROLE; DROP OWNED BY \"rag \"\"app\"\"\"; DROP ROLE \"rag \"\"app\"\"\"",
                  &error),
        &error);
}

/* -- documents -- */

static void the_same_document_is_free(void **state)
{
    struct fixture *fixture = fixture_of(state);
    assert_int_equal(put(fixture, "a", "one\ntwo\n", (int[]){0, 1}, NULL), 2);
    assert_int_equal(put(fixture, "a", "one\ntwo\n", (int[]){0, 1}, NULL), 0);
    assert_int_equal(count(fixture, "units"), 2);
}

static void only_new_units_are_embedded(void **state)
{
    struct fixture *fixture = fixture_of(state);
    put(fixture, "a", "one\ntwo\n", (int[]){0, 1}, NULL);
    assert_int_equal(put(fixture, "a", "zero\none\ntwo\n", (int[]){2, 7, 7}, NULL), 1);
    struct hit_list hits = search(fixture, "nothing", subject(fixture->arena, 0), NULL);
    assert_int_equal(hits.items[0].start, 0); /* merged with its neighbours */
    assert_non_null(strstr(hits.items[0].text, "one"));
    assert_true(hits.items[0].similarity > 0.999);
    assert_int_equal(count(fixture, "passages"), 3);
}

static void many_units_take_many_statements(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct buffer text = BUFFER(1 << 20);
    int subjects[250];
    for (int i = 0; i < 250; i++) {
        buffer_printf(&text, "line %d\n", i);
        subjects[i] = i % DIMENSIONS;
    }
    assert_int_equal(put(fixture, "long", buffer_string(&text), subjects, NULL), 250);
    buffer_printf(&text, "line 250\n");
    assert_int_equal(put(fixture, "long", buffer_string(&text), (int[251]){0}, NULL), 1);
    assert_int_equal(count(fixture, "units"), 251);
    buffer_free(&text);
}

static void other_vectors_are_refused(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct stored_units units;
    struct passage_list passages = lines_of(fixture->arena, "x\n");
    struct document document = {.id = "a", .title = "a", .text = "x\n", .length = 2};
    assert_int_equal(store_look(NULL, fixture->pg, fixture->arena, &document, &passages, "other",
                                DIMENSIONS, &units, &error),
                     ERR_CONFLICT);
}

static void deleting_and_listing(void **state)
{
    struct fixture *fixture = fixture_of(state);
    struct error error = {0};
    struct value *list;
    put(fixture, "a", "one\n", (int[]){0}, NULL);
    put(fixture, "b", "two\nthree\n", (int[]){0, 1}, NULL);
    no_error(store_list(NULL, fixture->pg, fixture->arena, NULL, 10, &list, &error), &error);
    assert_int_equal(value_count(list), 2);
    assert_int_equal(value_int_at(list, "[1].passages", 0), 2);
    no_error(store_list(NULL, fixture->pg, fixture->arena, "a", 10, &list, &error), &error);
    assert_int_equal(value_count(list), 1);
    no_error(store_delete(NULL, fixture->pg, fixture->arena, "a", &error), &error);
    assert_int_equal(count(fixture, "units"), 2);
    assert_int_equal(store_delete(NULL, fixture->pg, fixture->arena, "a", &error), ERR_NOT_FOUND);
}

/* -- searching -- */

static void meaning_comes_first_and_words_help(void **state)
{
    struct fixture *fixture = fixture_of(state);
    put(fixture, "a", "cats purr softly\n", (int[]){0}, NULL);
    put(fixture, "b", "dogs bark loudly\n", (int[]){1}, NULL);
    put(fixture, "c", "dogs sleep a lot\n", (int[]){1}, NULL);
    struct hit_list hits = search(fixture, "Softly?", subject(fixture->arena, 1), NULL);
    assert_int_equal(hits.count, 3);
    assert_string_equal(hits.items[2].document, "a"); /* a shared word does not beat the meaning */
    assert_true(hits.items[2].lexical == 1 && hits.items[0].lexical == 0);
    hits = search(fixture, "Which dogs sleep?", subject(fixture->arena, 1), NULL);
    assert_string_equal(hits.items[0].document, "c"); /* but decides between equals */
    assert_true(hits.items[0].lexical == 1);
}

static void words_alone_find_too(void **state)
{
    struct fixture *fixture = fixture_of(state);
    put(fixture, "a", "cats purr softly\n", (int[]){0}, NULL);
    put(fixture, "b", "it's 5 o'clock \\ 'now'\n", (int[]){1}, NULL);
    struct hit_list hits = search(fixture, "o'clock \\ ' | & ! :*", NULL, NULL);
    assert_int_equal(hits.count, 1);
    assert_string_equal(hits.items[0].document, "b");
    assert_true(hits.items[0].similarity == -1);
    assert_int_equal(search(fixture, "the of and", NULL, NULL).count, 0);
}

static void metadata_filters(void **state)
{
    struct fixture *fixture = fixture_of(state);
    put(fixture, "a", "cats purr\n", (int[]){0}, "{\"team\": \"x\", \"n\": 1}");
    put(fixture, "b", "cats purr too\n", (int[]){0}, "{\"team\": \"y\"}");
    struct hit_list hits = search(fixture, "cats", subject(fixture->arena, 0), "{\"team\": \"y\"}");
    assert_int_equal(hits.count, 1);
    assert_string_equal(hits.items[0].document, "b");
    assert_int_equal(search(fixture, "cats", NULL, "{\"team\": \"z\"}").count, 0);
}

static void touching_passages_are_one(void **state)
{
    struct fixture *fixture = fixture_of(state);
    static const char text[] = "alpha\nbeta\ngamma\ndelta\nepsilon\n";
    put(fixture, "a", text, (int[]){0, 1, 0, 1, 1}, NULL);
    struct hit_list hits = search(fixture, "beta alpha gamma", subject(fixture->arena, 0), NULL);
    assert_int_equal(hits.count, 1);
    assert_string_equal(hits.items[0].text, "alpha\nbeta\ngamma\n");
    assert_int_equal(hits.items[0].end - hits.items[0].start, strlen(hits.items[0].text));
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(migrating_again_changes_nothing),
        STORE_TEST(an_edited_migration_is_refused),
        STORE_TEST(another_model_needs_consent),
        STORE_TEST(a_large_table_gets_an_index),
        STORE_TEST(the_application_user_can_read_and_write_alone),
        STORE_TEST(the_same_document_is_free),
        STORE_TEST(only_new_units_are_embedded),
        STORE_TEST(many_units_take_many_statements),
        STORE_TEST(other_vectors_are_refused),
        STORE_TEST(deleting_and_listing),
        STORE_TEST(meaning_comes_first_and_words_help),
        STORE_TEST(words_alone_find_too),
        STORE_TEST(metadata_filters),
        STORE_TEST(touching_passages_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
