/* What Python's configparser, and with it the AWS CLI, makes of the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/aws/ini.h"
#include "pkg/aws/words.h"

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct ini parse(const char *text)
{
    struct ini ini;
    struct error error = {0};
    int result = ini_parse(arena, text, strlen(text), "config", &ini, &error);
    if (result)
        fail_msg("%s", error.message);
    return ini;
}

static const char *get(const char *text, const char *section, const char *option)
{
    struct ini ini = parse(text);
    return ini_get(map_get(&ini.sections, section), option);
}

static void values_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *section, *option, *value;
    } cases[] = {
        {"[default]\nregion = eu-west-1\n", "default", "region", "eu-west-1"},
        {"[default]\nregion=eu-west-1", "default", "region", "eu-west-1"},
        {"[default]\r\nregion = eu-west-1\r\n", "default", "region", "eu-west-1"},
        {"[default]\rregion = eu-west-1\r", "default", "region", "eu-west-1"},
        {"\xef\xbb\xbf[default]\na = b\n", "default", "a", "b"},
        {"[default]\n  a = b\n  c = d\n", "default", "c", "d"},
        {"[a]\nx : 1\n", "a", "x", "1"},
        {"[a]\nx:1=2\n", "a", "x", "1=2"},
        {"[a]\nx=1:2\n", "a", "x", "1:2"},
        {"[a]\nREGION = X\n", "a", "region", "X"},
        {"[a]\nx =\n", "a", "x", ""},
        {"[a]\nx = 1 # no comment\n", "a", "x", "1 # no comment"},
        {"[a]\nx = 1;2\n", "a", "x", "1;2"},
        {"# c\n; c\n  # c\n[a]\n#x = 2\nx = 1\n", "a", "x", "1"},
        {"[a]b\nx = 1\n", "a", "x", "1"},
        {"[a]]\nx = 1\n", "a]", "x", "1"},
        {"[ a ]\nx = 1\n", " a ", "x", "1"},
        {"[profile x y]\nx = 1\n", "profile x y", "x", "1"},
        {"[a]\nx = 1\n[b]\nx = 2\n", "b", "x", "2"},
        {"[a]\na key = 1\n", "a", "a key", "1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *value = get(cases[i].text, cases[i].section, cases[i].option);
        if (!value || strcmp(value, cases[i].value) != 0)
            fail_msg("case %zu: \"%s\" in place of \"%s\"", i, value ? value : "(none)",
                     cases[i].value);
    }
}

static void lines_are_continued_by_indentation(void **state)
{
    (void)state;
    assert_string_equal(get("[a]\nx = 1\n  2\n\t3\n", "a", "x"), "1\n2\n3");
    assert_string_equal(get("[a]\nx = 1\n\n  y\n#c\n z\n", "a", "x"), "1\n\ny\nz");
    assert_string_equal(get("[a]\nx = 1\n\n\ny = 2\n", "a", "x"), "1");
    /* Deeper than the option's own line, or it is an option. */
    assert_string_equal(get("[a]\n  x = 1\n  y = 2\n", "a", "x"), "1");
    assert_string_equal(get("[a]\n  x = 1\n   y = 2\n", "a", "x"), "1\ny = 2");
    /* Even a header continues a value when it is indented. */
    assert_string_equal(get("[a]\nx = 1\n [b]\n", "a", "x"), "1\n[b]");
}

static void nested_sections_are_taken_apart(void **state)
{
    (void)state;
    struct ini ini = parse("[default]\ns3 =\n  max_queue = 10\n\n  Addressing=path\nregion = x\n"
                           "[services dev]\nsts =\n  endpoint_url = http://a/?b=c\n");
    const struct ini_section *section = map_get(&ini.sections, "default");
    assert_string_equal(ini_get_nested(section, "s3", "max_queue"), "10");
    assert_string_equal(ini_get_nested(section, "s3", "Addressing"), "path");
    assert_null(ini_get_nested(section, "s3", "addressing"));
    assert_null(ini_get_nested(section, "region", "x"));
    assert_null(ini_get_nested(section, "none", "x"));
    assert_string_equal(ini_get(section, "region"), "x");
    section = map_get(&ini.sections, "services dev");
    assert_string_equal(ini_get_nested(section, "sts", "endpoint_url"), "http://a/?b=c");
    assert_null(ini_get(NULL, "region"));
}

static void sections_and_lines_are_known(void **state)
{
    (void)state;
    struct ini ini = parse("\n[b]\nx = 1\n\n[a]\n\n y = 2\n");
    assert_int_equal(ini.sections.count, 2);
    const struct ini_section *first = ini.sections.entries[0].value;
    const struct ini_section *second = ini.sections.entries[1].value;
    assert_string_equal(first->name, "b");
    assert_int_equal(first->line, 2);
    assert_int_equal(second->line, 5);
    const struct ini_option *option = map_get(&second->options, "y");
    assert_int_equal(option->line, 7);
    ini = parse("");
    assert_int_equal(ini.sections.count, 0);
}

static void what_is_malformed_is_refused_at_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int line;
        const char *says;
    } cases[] = {
        {"x = 1\n", 1, "before any [section]"},
        {"# c\n[]\n", 2, "before any [section]"},
        {"[a\nx = 1\n", 1, "before any [section]"},
        {"[a]\nSECRETWORD\n", 2, "neither a [section]"},
        {"[a]\n= SECRETWORD\n", 2, "neither a [section]"},
        {"[a]\nx = 1\n[]\n", 3, "neither a [section]"},
        {"[a]\n[b]\n[a]\n", 3, "section of this name"},
        {"[a]\nx = 1\nX : SECRETWORD\n", 3, "option of this name"},
        {"[a]\ns3 =\n  SECRETWORD\n", 4, "nested option"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ini ini;
        struct error error = {0};
        int result =
            ini_parse(arena, cases[i].text, strlen(cases[i].text), "~/.aws/config", &ini, &error);
        assert_int_equal(result, ERR_INPUT);
        assert_int_equal(error.line, cases[i].line);
        assert_string_equal(error.file, "~/.aws/config");
        if (!strstr(error.message, cases[i].says) || strstr(error.message, "SECRETWORD"))
            fail_msg("case %zu: %s", i, error.message);
    }
}

static void binary_and_large_files_are_refused(void **state)
{
    (void)state;
    struct ini ini;
    struct error error = {0};
    assert_int_equal(ini_parse(arena, "[a]\nx = 1\0\n", 11, "c", &ini, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "NUL"));
    char *large = arena_alloc(arena, INI_MAXIMUM_BYTES + 1);
    memset(large, '\n', INI_MAXIMUM_BYTES + 1);
    assert_int_equal(ini_parse(arena, large, INI_MAXIMUM_BYTES, "c", &ini, &error), 0);
    assert_int_equal(ini_parse(arena, large, INI_MAXIMUM_BYTES + 1, "c", &ini, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "1 MiB"));
}

/* -- words -- */

static void words_are_split_as_the_cli_splits_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words[5];
    } cases[] = {
        {"", {0}},
        {" \t\n ", {0}},
        {"one", {"one"}},
        {"  a  b\tc\nd ", {"a", "b", "c", "d"}},
        {"a 'b c' d", {"a", "b c", "d"}},
        {"a \"b c\" d", {"a", "b c", "d"}},
        {"a''b c\"\"d", {"ab", "cd"}},
        {"'' \"\" x", {"", "", "x"}},
        {"a\\ b c", {"a b", "c"}},
        {"\"a\\\"b\\\\c\\d\"", {"a\"b\\c\\d"}},
        {"'a\\b' \\'x", {"a\\b", "'x"}},
        {"$HOME `id` ;x # y", {"$HOME", "`id`", ";x", "#", "y"}},
        {"--a=\"b c\"'d e'", {"--a=b cd e"}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char **words;
        size_t count, wanted = 0;
        struct error error = {0};
        while (wanted < 5 && cases[i].words[wanted])
            wanted++;
        assert_int_equal(words_split(arena, cases[i].text, &words, &count, &error), 0);
        if (count != wanted)
            fail_msg("case %zu: %zu words in place of %zu", i, count, wanted);
        for (size_t j = 0; j < count; j++)
            assert_string_equal(words[j], cases[i].words[j]);
        assert_null(words[count]);
    }
}

static void open_quotes_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"a 'b", "a \"b", "\"a\\\"", "a\\", "'", "\"\\"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char **words;
        size_t count;
        struct error error = {0};
        assert_int_equal(words_split(arena, cases[i], &words, &count, &error), ERR_INPUT);
        assert_string_not_equal(error.message, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_read, begin, end),
        cmocka_unit_test_setup_teardown(lines_are_continued_by_indentation, begin, end),
        cmocka_unit_test_setup_teardown(nested_sections_are_taken_apart, begin, end),
        cmocka_unit_test_setup_teardown(sections_and_lines_are_known, begin, end),
        cmocka_unit_test_setup_teardown(what_is_malformed_is_refused_at_its_line, begin, end),
        cmocka_unit_test_setup_teardown(binary_and_large_files_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(words_are_split_as_the_cli_splits_them, begin, end),
        cmocka_unit_test_setup_teardown(open_quotes_are_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
