/* Stack files: defaults, environments, variables, suggestions, and what is refused, where.
 *
 * tests/cases/broken holds the broken files, each with what must be said about it beside it: one
 * "line:column: message" a fault, in this order, and nothing else. A first line "env NAME" is
 * --env. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/clock.h"
#include "pkg/stack/stack.h"

/* -- kinds that files may name -- */

static const struct field bucket_fields[] = {
    {.name = "versioning", .type = FIELD_BOOL, .unset = "false"},
    {.name = "arn", .type = FIELD_STRING, .flags = COMPUTED},
    {0},
};
static const struct resource_type bucket = {.kind = "s3.bucket", .fields = bucket_fields};

static const struct field alarm_fields[] = {
    {.name = "namespace", .type = FIELD_STRING, .flags = REQUIRED},
    {.name = "metric", .type = FIELD_STRING, .flags = REQUIRED},
    {.name = "threshold",
     .type = FIELD_REAL,
     .flags = REQUIRED,
     .summary = "what the statistic is compared with"},
    {0},
};
static const struct resource_type alarm_type = {.kind = "cloudwatch.alarm", .fields = alarm_fields};

static const struct field hidden_fields[] = {{0}};
static const struct resource_type hidden = {
    .kind = "s3.ledger", .flags = HIDDEN, .fields = hidden_fields};

static const struct resource_type *const types[] = {&bucket, &alarm_type, &hidden, NULL};

static const char *look(const char *name)
{
    return strcmp(name, "OPS_MAIL") == 0 ? "ops@example.com" : NULL;
}

/* -- loading -- */

struct loaded {
    struct arena *arena;
    struct stack *stack;
    struct fault_list faults;
    struct error error;
    int result;
};

static struct loaded load(const char *text, const char *environment)
{
    struct loaded loaded = {.arena = arena_new()};
    struct stack_options options = {
        .file = "ragstack.yaml", .environment = environment, .getenv = look, .types = types};
    loaded.result = stack_load_text(loaded.arena, text, strlen(text), &options, &loaded.stack,
                                    &loaded.faults, &loaded.error);
    return loaded;
}

static struct loaded load_well(const char *text, const char *environment)
{
    struct loaded loaded = load(text, environment);
    if (loaded.result != 0)
        print_message("%d:%d: %s\n", loaded.error.line, loaded.error.column, loaded.error.message);
    assert_int_equal(loaded.result, 0);
    assert_int_equal(loaded.faults.count, 0);
    return loaded;
}

#define SMALLEST "stack: acme\nregion: us-east-1\n"

/* -- the broken files -- */

static char *read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: cannot be read", path);
    char *text = arena_alloc(arena, 1 << 16);
    fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    return text;
}

static void check_broken(const char *path)
{
    struct arena *arena = arena_new();
    char *text = read_file(arena, path), said[1 << 14] = "", environment[32] = "";
    char *expected =
        read_file(arena, arena_printf(arena, "%.*s.expected", (int)strlen(path) - 5, path));
    if (sscanf(expected, "env %31s", environment) == 1)
        expected = strchr(expected, '\n') + 1;
    struct loaded loaded = load(text, environment[0] ? environment : NULL);
    for (size_t i = 0; i < loaded.faults.count; i++) {
        const struct fault *fault = &loaded.faults.items[i];
        size_t length = strlen(said);
        assert_string_equal(fault->mark.file, "ragstack.yaml");
        snprintf(said + length, sizeof said - length, "%d:%d: %s\n", fault->mark.line,
                 fault->mark.column, fault->message);
    }
    if (strcmp(said, expected) != 0)
        fail_msg("%s says\n%sand not\n%s", path, said, expected);
    assert_int_equal(loaded.result, ERR_INPUT);
    assert_true(loaded.faults.count > 0);
    arena_free(loaded.arena);
    arena_free(arena);
}

static void broken_files_are_refused_with_place_and_reason(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("tests/cases/broken/*.yaml", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 40);
    for (size_t i = 0; i < files.gl_pathc; i++)
        check_broken(files.gl_pathv[i]);
    globfree(&files);
}

static void all_faults_are_told_at_once_by_place(void **state)
{
    (void)state;
    struct loaded loaded = load(SMALLEST "watch: {notify: 7}\nnetwork: {zones: 9}\n", NULL);
    assert_int_equal(loaded.result, ERR_INPUT);
    assert_int_equal(loaded.faults.count, 2);
    assert_int_equal(loaded.faults.items[0].mark.line, 3);
    assert_int_equal(loaded.faults.items[1].mark.line, 4);
    assert_int_equal(loaded.error.line, 3);
    assert_string_equal(loaded.error.file, "ragstack.yaml");
    arena_free(loaded.arena);
}

/* -- defaults -- */

static void two_lines_are_enough(void **state)
{
    (void)state;
    struct loaded loaded = load_well(SMALLEST, NULL);
    const struct value *tree = loaded.stack->tree;
    assert_string_equal(loaded.stack->name, "acme");
    assert_string_equal(loaded.stack->region, "us-east-1");
    assert_string_equal(loaded.stack->environment, "");
    assert_int_equal(value_int_at(tree, "network.zones", 0), 2);
    assert_string_equal(value_text_at(tree, "network.endpoints[1]"), "bedrock-runtime");
    assert_string_equal(value_text_at(tree, "database.version"), "17");
    assert_true(value_bool_at(tree, "database.proxy", false));
    assert_true(value_bool_at(tree, "database.deletion_protection", false));
    assert_string_equal(value_text_at(tree, "models.embed.id"), "amazon.titan-embed-text-v2:0");
    assert_int_equal(value_int_at(tree, "functions.ingest.memory_mb", 0), 512);
    assert_string_equal(value_text_at(tree, "api.auth"), "iam");
    assert_int_equal(value_int_at(tree, "api.throttle.burst", 0), 100);
    assert_string_equal(value_text_at(tree, "retrieval.floor"), "auto");
    assert_int_equal(value_int_at(tree, "watch.alarms.p95_latency_ms", 0), 3000);
    arena_free(loaded.arena);
}

static void said_keys_leave_their_neighbours_at_the_default(void **state)
{
    (void)state;
    struct loaded loaded = load_well(SMALLEST "models:\n  generate: {max_tokens: 50}\n"
                                              "functions: {ask: {memory_mb: 1024}}\n",
                                     NULL);
    const struct value *tree = loaded.stack->tree;
    assert_int_equal(value_int_at(tree, "models.generate.max_tokens", 0), 50);
    assert_non_null(value_text_at(tree, "models.generate.id"));
    assert_int_equal(value_int_at(tree, "models.embed.dimensions", 0), 512);
    assert_int_equal(value_int_at(tree, "functions.ask.memory_mb", 0), 1024);
    assert_int_equal(value_int_at(tree, "functions.ask.timeout_s", 0), 29);
    arena_free(loaded.arena);
}

static void an_alarm_that_is_null_is_off(void **state)
{
    (void)state;
    struct loaded loaded =
        load_well(SMALLEST "watch: {alarms: {p95_latency_ms: null, errors: ~}}\n", NULL);
    const struct value *alarms = value_at(loaded.stack->tree, "watch.alarms");
    assert_true(value_is(value_get(alarms, "p95_latency_ms"), VALUE_NULL));
    assert_true(value_is(value_get(alarms, "errors"), VALUE_NULL));
    assert_int_equal(value_int_at(alarms, "database_cpu_percent", 0), 80);
    arena_free(loaded.arena);
}

static void words_stay_words(void **state)
{
    (void)state;
    struct loaded loaded = load_well(SMALLEST "tags: {country: no, on: off}\n", NULL);
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.country"), "no");
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.on"), "off");
    arena_free(loaded.arena);
}

/* -- environments -- */

#define WITH_ENVIRONMENTS                                         \
    SMALLEST "database: {class: db.t4g.small, backup_days: 3}\n"  \
             "tags: {team: search}\n"                             \
             "network: {endpoints: [s3, bedrock-runtime, sts]}\n" \
             "environments:\n"                                    \
             "  dev:\n"                                           \
             "  prod:\n"                                          \
             "    database: {class: db.m7g.large}\n"              \
             "    tags: {stage: live}\n"                          \
             "    network: {endpoints: [bedrock-runtime]}\n"      \
             "    region: eu-central-1\n"

static void an_environment_is_merged_over_the_file(void **state)
{
    (void)state;
    struct loaded loaded = load_well(WITH_ENVIRONMENTS, "prod");
    const struct value *tree = loaded.stack->tree;
    assert_string_equal(loaded.stack->environment, "prod");
    assert_string_equal(loaded.stack->region, "eu-central-1");
    assert_string_equal(value_text_at(tree, "database.class"), "db.m7g.large");
    assert_int_equal(value_int_at(tree, "database.backup_days", 0), 3);
    assert_string_equal(value_text_at(tree, "tags.team"), "search");
    assert_string_equal(value_text_at(tree, "tags.stage"), "live");
    assert_int_equal(value_count(value_at(tree, "network.endpoints")), 1); /* lists are replaced */
    arena_free(loaded.arena);
}

static void an_empty_environment_is_the_file(void **state)
{
    (void)state;
    struct loaded loaded = load_well(WITH_ENVIRONMENTS, "dev");
    assert_string_equal(loaded.stack->environment, "dev");
    assert_string_equal(loaded.stack->region, "us-east-1");
    assert_string_equal(value_text_at(loaded.stack->tree, "database.class"), "db.t4g.small");
    assert_string_equal(loaded.stack->environments[0], "dev");
    assert_string_equal(loaded.stack->environments[1], "prod");
    assert_null(loaded.stack->environments[2]);
    arena_free(loaded.arena);
}

static void the_environment_has_to_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *environment, *said;
    } cases[] = {
        {WITH_ENVIRONMENTS, NULL, "has environments: say --env NAME (dev, prod)"},
        {WITH_ENVIRONMENTS, "staging", "--env staging: ragstack.yaml has only dev, prod"},
        {SMALLEST, "prod", "--env prod: ragstack.yaml has no environments"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct loaded loaded = load(cases[i].text, cases[i].environment);
        assert_int_equal(loaded.result, ERR_USAGE);
        assert_non_null(strstr(loaded.error.message, cases[i].said));
        arena_free(loaded.arena);
    }
}

/* -- variables -- */

static void variables_are_replaced(void **state)
{
    (void)state;
    struct loaded loaded = load_well(SMALLEST "watch: {notify: \"${env:OPS_MAIL}\"}\n"
                                              "tags: {who: \"mail ${env:OPS_MAIL} now\"}\n",
                                     NULL);
    assert_string_equal(value_text_at(loaded.stack->tree, "watch.notify"), "ops@example.com");
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.who"), "mail ops@example.com now");
    arena_free(loaded.arena);
}

static void references_and_quoted_dollars_are_left(void **state)
{
    (void)state;
    struct loaded loaded =
        load_well(SMALLEST "tags: {a: \"${vpc.id}\", b: \"$${env:OPS_MAIL}\", c: \"5 $\"}\n", NULL);
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.a"), "${vpc.id}");
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.b"), "$${env:OPS_MAIL}");
    assert_string_equal(value_text_at(loaded.stack->tree, "tags.c"), "5 $");
    arena_free(loaded.arena);
}

static void hidden_kinds_are_not_offered(void **state)
{
    (void)state;
    struct loaded loaded = load(SMALLEST "resources: {x: {kind: s3.ledger}}\n", NULL);
    assert_int_equal(loaded.result, ERR_INPUT);
    assert_non_null(strstr(loaded.error.message, "unknown kind \"s3.ledger\""));
    arena_free(loaded.arena);
}

/* -- from files -- */

static const char *folder;

static const char *write_file(struct arena *arena, const char *name, const char *text,
                              size_t length)
{
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    return path;
}

static struct loaded load_file(struct arena *arena, const char *path)
{
    struct loaded loaded = {.arena = arena};
    struct stack_options options = {.file = path, .getenv = look, .types = types};
    loaded.result = stack_load(arena, &options, &loaded.stack, &loaded.faults, &loaded.error);
    return loaded;
}

static struct loaded load_with_prompt(struct arena *arena, const char *prompt, size_t length)
{
    static const char text[] = SMALLEST "prompt: prompt.md\n";
    if (prompt)
        write_file(arena, "prompt.md", prompt, length);
    return load_file(arena, write_file(arena, "with-prompt.yaml", text, sizeof text - 1));
}

static void a_missing_file_is_not_found(void **state)
{
    struct loaded loaded = load_file(*state, "no/such/ragstack.yaml");
    assert_int_equal(loaded.result, ERR_NOT_FOUND);
}

static void the_prompt_is_read_beside_the_file(void **state)
{
    static const char prompt[] = "{{passages}}\n{{question}} costs ${five}\n";
    struct loaded loaded = load_with_prompt(*state, prompt, sizeof prompt - 1);
    assert_int_equal(loaded.result, 0);
    assert_string_equal(loaded.stack->prompt, prompt);
}

static void a_wrong_prompt_is_a_fault_at_its_line(void **state)
{
    char *long_text = arena_alloc(*state, 70000);
    memset(long_text, 'x', 69999);
    const struct {
        const char *text;
        size_t length;
        const char *said;
    } cases[] = {
        {"{{passages}}", 12, "has no {{question}}"},
        {"{{question}}", 12, "has no {{passages}}"},
        {"", 0, "is no UTF-8 text"},
        {"{{passages}} {{question}} \xff", 27, "is no UTF-8 text"},
        {"{{passages}} {{question}} \0 x", 29, "is no UTF-8 text"},
        {long_text, 69999, "is longer than 64 KiB"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct loaded loaded = load_with_prompt(*state, cases[i].text, cases[i].length);
        assert_int_equal(loaded.result, ERR_INPUT);
        assert_int_equal(loaded.error.line, 3);
        assert_non_null(strstr(loaded.error.message, cases[i].said));
    }
}

static void a_prompt_that_is_not_there_is_named(void **state)
{
    static const char text[] = SMALLEST "prompt: other.md\n";
    struct loaded loaded =
        load_file(*state, write_file(*state, "no-prompt.yaml", text, sizeof text - 1));
    assert_int_equal(loaded.result, ERR_INPUT);
    assert_int_equal(loaded.error.line, 3);
    assert_non_null(strstr(loaded.error.message, "other.md: No such file or directory"));
}

/* -- limits -- */

static void a_file_of_100_mb_is_refused_at_once(void **state)
{
    const char *path = write_file(*state, "large.yaml", SMALLEST, sizeof SMALLEST - 1);
    struct clock *clock = clock_system();
    int64_t started_ms = clock->monotonic_ms(clock);
    assert_int_equal(truncate(path, 100 << 20), 0);
    struct loaded loaded = load_file(*state, path);
    assert_int_equal(loaded.result, ERR_INPUT);
    assert_non_null(strstr(loaded.error.message, "4 MiB"));
    assert_in_range(clock->monotonic_ms(clock) - started_ms, 0, 500);
}

static int make_folder(void **state)
{
    static char name[] = "/tmp/test_stack_load.XXXXXX";
    *state = arena_new();
    folder = mkdtemp(name);
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"prompt.md", "with-prompt.yaml", "no-prompt.yaml",
                                        "large.yaml"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlink(arena_printf(*state, "%s/%s", folder, names[i]));
    rmdir(folder);
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_refused_with_place_and_reason),
        cmocka_unit_test(all_faults_are_told_at_once_by_place),
        cmocka_unit_test(two_lines_are_enough),
        cmocka_unit_test(said_keys_leave_their_neighbours_at_the_default),
        cmocka_unit_test(an_alarm_that_is_null_is_off),
        cmocka_unit_test(words_stay_words),
        cmocka_unit_test(an_environment_is_merged_over_the_file),
        cmocka_unit_test(an_empty_environment_is_the_file),
        cmocka_unit_test(the_environment_has_to_fit),
        cmocka_unit_test(variables_are_replaced),
        cmocka_unit_test(references_and_quoted_dollars_are_left),
        cmocka_unit_test(hidden_kinds_are_not_offered),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(the_prompt_is_read_beside_the_file),
        cmocka_unit_test(a_wrong_prompt_is_a_fault_at_its_line),
        cmocka_unit_test(a_prompt_that_is_not_there_is_named),
        cmocka_unit_test(a_file_of_100_mb_is_refused_at_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
