/* YAML: what is refused, where, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/buffer.h"
#include "pkg/value/yaml.h"

static int make_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct {
    const char *text;
    int line, column;
    const char *said;
} refusals[] = {
    {"a: 1\nb: 2\na: 3\n", 3, 1, "\"a\" is given twice; the first is at line 1, column 1"},
    {"x:\n  - {k: 1, j: 2, \"k\": 3}\n", 2, 18, "the first is at line 2, column 6"},
    {"a: &k x\nx: 1\n*k : 2\n", 3, 1, "the first is at line 2, column 1"},
    {"a: 1\n---\nb: 2\n", 2, 1, "second document"},
    {"--- 1\n--- 2\n", 2, 1, "second document"},
    {"base: &b {a: 1}\nover:\n  <<: *b\n", 3, 3, "merge keys (<<) are not supported"},
    {"{<<: {}}", 1, 2, "merge keys"},
    {"1: a", 1, 1, "an integer"},
    {"a:\n  1.5: b", 2, 3, "a number"},
    {"true: a", 1, 1, "a boolean"},
    {"~: a", 1, 1, "null"},
    {"? # nothing\n: a", 1, 2, "null"},
    {"? [a, b]\n: 1", 1, 3, "a list"},
    {"? {a: b}\n: 1", 1, 3, "a map"},
    {"\"a\\0b\": 1", 1, 1, "NUL"},
    {"a: *x", 1, 4, "*x names no anchor"},
    {"a: &x [1, *x]", 1, 11, "*x names no anchor"},
    {"a: *x\nb: &x 1", 1, 4, "*x names no anchor"},
    {"a: !own 1", 1, 4, "!own"},
    {"a: !own {b: 1}", 1, 4, "!own"},
    {"a: !own [1]", 1, 4, "!own"},
    {"a: !!binary aGk=", 1, 4, "binary"},
    {"a: !!set {b}", 1, 4, "set"},
    {"a: !!str [1]", 1, 4, "str"},
    {"a: !!map [1]", 1, 4, "map"},
    {"a: !!int x", 1, 4, "\"x\" is a string, but its tag says an integer"},
    {"a: !!int 1.5", 1, 4, "a number, but its tag says an integer"},
    {"a: !!bool yes", 1, 4, "a string, but its tag says a boolean"},
    {"a: !!null x", 1, 4, "tag says null"},
    {"a: 9223372036854775808", 1, 4, "too large"},
    {"a: -9223372036854775809", 1, 4, "too large"},
    {"a: 0x8000000000000000", 1, 4, "too large"},
    {"a: 0o7777777777777777777777", 1, 4, "too large"},
    {"a: 1e999", 1, 4, "too large"},
    {"a: -1e999", 1, 4, "too large"},
    {"a: \"open", 1, 9, "malformed YAML"},
    {"a: [1", 2, 1, "malformed YAML"}, /* libyaml ends the line itself */
    {"a:\n\tb: 1", 2, 1, "malformed YAML"},
    {"a: b: c", 1, 5, "malformed YAML"},
    {"a: 1\n b: 2", 2, 3, "malformed YAML"},
    {"a: @x", 1, 4, "malformed YAML"},
    {"a: \"\\q\"", 1, 5, "malformed YAML"},
    {"ok: 1\nb\xc3\xa9: \xc3(\n", 2, 6, "UTF-8"},
    {"a: \xed\xa0\x80", 1, 4, "malformed YAML"},
    {"a: \x01", 1, 4, "malformed YAML"},
    {"\xff\xfe", 1, 1, "malformed YAML"},
    {"%YAML 2.0\n---\na: 1", 1, 1, "malformed YAML"},
};

static void wrong_text_is_refused_where_it_is_wrong(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct error error = {0};
        struct value *value;
        int status = yaml_parse(*state, refusals[i].text, strlen(refusals[i].text), "test.yaml",
                                &value, &error);
        if (status != ERR_INPUT || value || error.line != refusals[i].line ||
            error.column != refusals[i].column || !strstr(error.message, refusals[i].said))
            fail_msg("%s: %d at %d:%d: %s", refusals[i].text, status, error.line, error.column,
                     error.message);
        assert_string_equal(error.file, "test.yaml");
    }
}

static void add_times(struct buffer *text, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buffer_text(text, piece);
}

static int parse_buffer(struct arena *arena, const struct buffer *text, struct error *error)
{
    struct value *value;
    *error = (struct error){0};
    return yaml_parse(arena, text->data, text->length, "test.yaml", &value, error);
}

static void nesting_stops_at_64(void **state)
{
    static const struct {
        const char *open, *inner, *close;
        int last; /* the deepest that is allowed */
    } shapes[] = {
        {"[", "", "]", 64},  {"[", "x", "]", 63}, {"{a: ", "x", "}", 63},
        {"- ", "x", "", 63}, {"? ", "x", "", 63},
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        for (int depth = shapes[i].last; depth <= shapes[i].last + 1; depth++) {
            CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
            add_times(&text, shapes[i].open, (size_t)depth);
            buffer_text(&text, shapes[i].inner);
            add_times(&text, shapes[i].close, (size_t)depth);
            struct error error;
            parse_buffer(*state, &text, &error);
            bool refused = strstr(error.message, "deeper than 64") != NULL;
            if (refused != (depth > shapes[i].last))
                fail_msg("%s %d: %s", shapes[i].open, depth, error.message);
        }
}

/* Below c: the lists, then b, which is 30 lists around the 30 of a. */
static void aliases_do_not_nest_deeper(void **state)
{
    for (size_t levels = 3; levels <= 4; levels++) {
        CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
        buffer_text(&text, "a: &a ");
        add_times(&text, "[", 30);
        add_times(&text, "]", 30);
        buffer_text(&text, "\nb: &b ");
        add_times(&text, "[", 30);
        buffer_text(&text, "*a");
        add_times(&text, "]", 30);
        buffer_text(&text, "\nc: ");
        add_times(&text, "[", levels);
        buffer_text(&text, "*b");
        add_times(&text, "]", levels);
        struct error error;
        int status = parse_buffer(*state, &text, &error);
        assert_int_equal(status, levels == 3 ? 0 : ERR_INPUT);
        if (status) {
            assert_int_equal(error.line, 3);
            assert_non_null(strstr(error.message, "deeper than 64"));
        }
    }
}

/* Ten to the ninth nodes from a few hundred bytes. */
static void alias_bombs_stop(void **state)
{
    struct arena *arena = *state;
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    buffer_text(&text, "a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (char name = 'b'; name <= 'i'; name++) {
        buffer_printf(&text, "%c: &%c [", name, name);
        for (int i = 0; i < 10; i++)
            buffer_printf(&text, "%s*%c", i ? "," : "", name - 1);
        buffer_text(&text, "]\n");
    }
    struct error error;
    assert_int_equal(parse_buffer(arena, &text, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "more than 100000 nodes"));
    assert_int_equal(error.line, 5);
    assert_true(arena_used_bytes(arena) < 64 << 20);
}

/* The list, its items: exactly the limit, then one more. */
static void nodes_are_counted_exactly(void **state)
{
    for (size_t items = YAML_MAXIMUM_NODES - 1; items <= YAML_MAXIMUM_NODES; items++) {
        CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
        add_times(&text, "- x\n", items);
        struct error error;
        int status = parse_buffer(*state, &text, &error);
        assert_int_equal(status, items < YAML_MAXIMUM_NODES ? 0 : ERR_INPUT);
        if (status)
            assert_int_equal(error.line, YAML_MAXIMUM_NODES);
    }
}

static void the_size_is_limited(void **state)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    buffer_text(&text, "a: 1 #");
    add_times(&text, "x", YAML_MAXIMUM_BYTES - text.length);
    struct error error;
    assert_int_equal(parse_buffer(*state, &text, &error), 0);
    buffer_char(&text, 'x');
    assert_int_equal(parse_buffer(*state, &text, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "4 MiB"));
    assert_int_equal(error.line, 1);
}

/* A new file with this text, then holes up to `size_bytes`. */
static void make_file(char path[32], const char *text, off_t size_bytes)
{
    memcpy(path, "/tmp/test_yaml_XXXXXX", 22);
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    if (size_bytes)
        assert_int_equal(ftruncate(descriptor, size_bytes), 0);
    close(descriptor);
}

static void files_are_read(void **state)
{
    char path[32];
    struct error error;
    struct value *value;
    make_file(path, "a: 1\nb: [x]\n", 0);
    int status = yaml_parse_file(*state, path, &value, &error);
    unlink(path);
    assert_int_equal(status, 0);
    assert_int_equal(value_int_at(value, "a", -1), 1);
    assert_string_equal(value_get(value, "b")->mark.file, path);
    assert_ptr_not_equal(value->mark.file, path);
}

static void errors_in_files_name_them(void **state)
{
    char path[32];
    struct error error;
    struct value *value;
    make_file(path, "a: 1\na: 2\n", 0);
    int status = yaml_parse_file(*state, path, &value, &error);
    unlink(path);
    assert_int_equal(status, ERR_INPUT);
    assert_string_equal(error.file, path);
    assert_int_equal(error.line, 2);
}

/* 100 MB of holes: refused by size, so that next to nothing is allocated. */
static void a_huge_file_is_not_read(void **state)
{
    struct arena *arena = *state;
    char path[32];
    struct error error;
    struct value *value;
    make_file(path, "a: 1\n", 100000000);
    int status = yaml_parse_file(arena, path, &value, &error);
    unlink(path);
    assert_int_equal(status, ERR_INPUT);
    assert_non_null(strstr(error.message, "4 MiB"));
    assert_string_equal(error.file, path);
    assert_true(arena_used_bytes(arena) < 4096);
}

static void what_has_no_size_is_read_up_to_the_limit(void **state)
{
    struct error error;
    struct value *value;
    assert_int_equal(yaml_parse_file(*state, "/dev/zero", &value, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "4 MiB"));
    assert_int_equal(yaml_parse_file(*state, "/dev/null", &value, &error), 0);
    assert_true(value_is(value, VALUE_NULL));
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct error error;
    struct value *value;
    assert_int_equal(yaml_parse_file(*state, "/nonexistent/stack.yaml", &value, &error),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nonexistent/stack.yaml"));
    assert_int_equal(yaml_parse_file(*state, "/", &value, &error), ERR_FAILED);
    assert_non_null(strstr(error.message, "directory"));
    assert_null(value);
}

#define with_arena(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_arena(wrong_text_is_refused_where_it_is_wrong),
        with_arena(nesting_stops_at_64),
        with_arena(aliases_do_not_nest_deeper),
        with_arena(alias_bombs_stop),
        with_arena(nodes_are_counted_exactly),
        with_arena(the_size_is_limited),
        with_arena(files_are_read),
        with_arena(errors_in_files_name_them),
        with_arena(a_huge_file_is_not_read),
        with_arena(what_has_no_size_is_read_up_to_the_limit),
        with_arena(files_that_cannot_be_read_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
