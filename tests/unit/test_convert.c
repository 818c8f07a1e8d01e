/* Files to text: titles, encodings, HTML, PDF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/convert/convert.h"

static int begin(void **state)
{
    *state = arena_new();
    return 0;
}

static int end(void **state)
{
    arena_free(*state);
    return 0;
}

static struct converted take_bytes(void **state, const char *name, const char *bytes, size_t length)
{
    struct converted out;
    struct error error = {0};
    if (convert_bytes(*state, name, bytes, length, &out, &error) != 0)
        fail_msg("%s: %s", name, error.message);
    assert_int_equal(strlen(out.text), out.length);
    return out;
}

static struct converted take(void **state, const char *name, const char *text)
{
    return take_bytes(state, name, text, strlen(text));
}

static void refuses(void **state, const char *name, const char *bytes, size_t length,
                    const char *why)
{
    struct converted out;
    struct error error = {0};
    assert_int_equal(convert_bytes(*state, name, bytes, length, &out, &error), ERR_INPUT);
    if (!strstr(error.message, why))
        fail_msg("\"%s\" does not say \"%s\"", error.message, why);
}

/* -- names and titles -- */

static void endings_are_known_in_any_case(void **state)
{
    (void)state;
    assert_true(convert_knows("a.md"));
    assert_true(convert_knows("docs/B.HTML"));
    assert_true(convert_knows("c.pdf"));
    assert_false(convert_knows("d.png"));
    assert_false(convert_knows("README"));
    assert_false(convert_knows(".md"));
}

static void the_title_is_the_first_heading(void **state)
{
    static const struct {
        const char *name, *text, *title;
    } rows[] = {
        {"a.md", "# Leave\n\ntext", "Leave"},
        {"a.md", "intro\n\n## Second level ##\n", "Second level"},
        {"a.md", "Leave\n=====\n\ntext", "Leave"},
        {"a.md", "Leave\n-----\ntext", "Leave"},
        {"a.md", "#hashtag\n\n# **Real** heading", "Real** heading"},
        {"a.md", "```\n# comment\n```\n# After\n", "After"},
        {"a.md", "---\ntags: [x]\ntitle: \"Of the front matter\"\n---\n# Heading\n",
         "Of the front matter"},
        {"guides/set-up.v2.md", "no heading", "set-up.v2"},
        {"notes.txt", "# not Markdown\n", "notes"},
        {"notes.rst", "Notes\n=====\ntext", "Notes"},
        {"LICENSE", "text", "LICENSE"},
        {"a.html", "<title>Site</title><h1>Page <b>one</b></h1><p>x", "Page one"},
        {"a.html", "<title>Site</title><p>x", "Site"},
        {"b.html", "<p>x", "b"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(take(state, rows[i].name, rows[i].text).title, rows[i].title);
}

static void front_matter_is_no_text(void **state)
{
    assert_string_equal(take(state, "a.md", "---\ntitle: T\n---\nbody\n").text, "body\n");
    assert_string_equal(take(state, "a.md", "---\nno end\n").text, "---\nno end\n");
}

static void long_headings_are_cut_between_characters(void **state)
{
    char text[1000] = "# ";
    for (int i = 0; i < 150; i++)
        memcpy(text + 2 + 3 * i, "\xe2\x82\xac", 4); /* a euro sign has three bytes */
    const char *title = take(state, "a.md", text).title;
    assert_in_range(strlen(title), 190, 200);
    assert_int_equal(strlen(title) % 3, 0);
}

/* -- encodings -- */

static void text_of_any_encoding_becomes_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"gr\xc3\xb6\xc3\x9f"
         "er",
         8},
        {"\xef\xbb\xbfgr\xc3\xb6\xc3\x9f"
         "er",
         11},
        {"gr\xf6\xdf"
         "er",
         6},
        {"\xff\xfeg\0r\0\xf6\0\xdf\0e\0r\0", 14},
        {"\xfe\xff\0g\0r\0\xf6\0\xdf\0e\0r", 14},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(take_bytes(state, "a.txt", rows[i].bytes, rows[i].length).text,
                            "gr\xc3\xb6\xc3\x9f"
                            "er");
}

static void lines_end_with_newlines(void **state)
{
    assert_string_equal(take(state, "a.txt", "a\r\nb\rc\n").text, "a\nb\nc\n");
}

static void what_is_no_text_is_refused(void **state)
{
    refuses(state, "a.txt",
            "\x7f"
            "ELF\0\0",
            6, "no text");
    refuses(state, "a.txt",
            "\xff\xfe"
            "a\0\0\0",
            6, "no text");
    refuses(state, "a.txt", "", 0, "holds no text");
    refuses(state, "a.md", "---\ntitle: x\n---\n \n", 19, "holds no text");
    refuses(state, "a.html", "<html><script>x</script>", 24, "holds no text");
    refuses(state, "a.html", "<p>\0", 4, "no HTML");
    refuses(state, "a.txt", "\x81\x8d", 2, "neither UTF-8 nor");
}

/* -- HTML -- */

static void html_keeps_its_structure(void **state)
{
    assert_string_equal(
        take(state, "a.html",
             "<!doctype html><html><head><title>T</title><style>p{}</style></head><body>"
             "<nav>Home</nav><h1>One</h1><p>First\n   line,<br>second <b>bold</b>.</p>"
             "<ul><li>a</li><li>b <i>c</i></li></ul><h2>Two</h2><div>x</div><div>y&amp;z "
             "&euro;</div>"
             "<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>"
             "<pre>if x:\r\n    y()</pre><script>evil()</script><img alt='a cat'></body></html>")
            .text,
        "# One\n\nFirst line,\nsecond bold.\n\n- a\n- b c\n\n## Two\n\nx\n\ny&z \xe2\x82\xac\n\n"
        "k | v\n1 | 2\n\n```\nif x:\n    y()\n```\n\na cat\n");
}

static void only_the_main_part_is_taken(void **state)
{
    assert_string_equal(
        take(state, "a.html", "<header>Site</header><main><p>text</main><footer>(c)</footer>").text,
        "text\n");
}

static void html_says_its_encoding(void **state)
{
    assert_string_equal(take(state, "a.html", "<meta charset=iso-8859-2><p>\xb1").text,
                        "\xc4\x85\n");
    assert_string_equal(take(state, "a.html", "<meta charset=iso-8859-1><p>\xc3\xa4").text,
                        "\xc3\xa4\n");
    assert_string_equal(take_bytes(state, "a.html", "\xff\xfe<\0p\0>\0\xe4\0", 10).text,
                        "\xc3\xa4\n");
}

static void html_that_nests_deeply_is_no_trap(void **state)
{
    static const char start[] = "<p>before</p>";
    size_t count = 20000, used = sizeof start - 1;
    char *text = calloc(count + sizeof start, 5);
    memcpy(text, start, used);
    for (size_t i = 0; i < count; i++, used += 5)
        memcpy(text + used, "<div>", 5);
    assert_string_equal(take_bytes(state, "a.html", text, used).text, "before\n");
    free(text);
}

static void html_loads_nothing(void **state)
{
    assert_string_equal(
        take(state, "a.html", "<!DOCTYPE html [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><p>a&e;b")
            .text,
        "]>\n\na&e;b\n");
}

/* -- files -- */

/* The smallest PDF with a line of text: offsets in its table are wrong, which readers mend. */
static const char pdf[] =
    "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]/Contents 4 0 R/Resources<</Font<</F1 "
    "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>>>>>>>endobj\n"
    "4 0 obj<</Length 55>>stream\nBT /F1 18 Tf 0 60 Td (Hello from a PDF) Tj ET          \n"
    "endstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

static const char *write_file(void **state, const char *name, const char *text, size_t length)
{
    const char *folder = getenv("TMPDIR");
    const char *path =
        arena_printf(*state, "%s/ragstack-%d-%s", folder ? folder : "/tmp", (int)getpid(), name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    fclose(file);
    return path;
}

static void a_pdf_is_read_by_its_program(void **state)
{
    struct converted out;
    struct error error = {0};
    const char *path = write_file(state, "a.pdf", pdf, sizeof pdf - 1);
    if (convert_file(*state, path, &out, &error) != 0)
        fail_msg("%s", error.message);
    assert_string_equal(out.title, "Hello from a PDF");
    assert_non_null(strstr(out.text, "Hello from a PDF\n"));
    unlink(path);
}

static void a_broken_pdf_says_so(void **state)
{
    struct converted out;
    struct error error = {0};
    const char *path = write_file(state, "b.pdf", "%PDF-1.4 no", 11);
    assert_int_equal(convert_file(*state, path, &out, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "pdftotext"));
    unlink(path);
}

static void a_missing_program_is_told(void **state)
{
    struct converted out;
    struct error error = {0};
    const char *path = write_file(state, "c.pdf", pdf, sizeof pdf - 1);
    char *before = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(convert_file(*state, path, &out, &error), ERR_INPUT);
    setenv("PATH", before, 1);
    assert_non_null(strstr(error.message, "poppler-utils"));
    free(before);
    unlink(path);
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct converted out;
    struct error error = {0};
    assert_int_equal(convert_file(*state, "/nonexistent/a.md", &out, &error), ERR_NOT_FOUND);
    assert_int_equal(convert_file(*state, "/nonexistent/a.pdf", &out, &error), ERR_NOT_FOUND);
    assert_int_equal(convert_file(*state, "/tmp", &out, &error), ERR_INPUT);
    const char *path = write_file(state, "large.txt", "x", 1);
    assert_int_equal(truncate(path, (off_t)CONVERT_FILE_MAXIMUM + 1), 0);
    assert_int_equal(convert_file(*state, path, &out, &error), ERR_INPUT);
    assert_non_null(strstr(error.message, "larger than 64 MB"));
    unlink(path);
    const char *pipe_path = arena_printf(*state, "%s.md", path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(convert_file(*state, pipe_path, &out, &error), ERR_INPUT);
    unlink(pipe_path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(endings_are_known_in_any_case),     TEST(the_title_is_the_first_heading),
        TEST(front_matter_is_no_text),           TEST(long_headings_are_cut_between_characters),
        TEST(text_of_any_encoding_becomes_utf8), TEST(lines_end_with_newlines),
        TEST(what_is_no_text_is_refused),        TEST(html_keeps_its_structure),
        TEST(only_the_main_part_is_taken),       TEST(html_says_its_encoding),
        TEST(html_that_nests_deeply_is_no_trap), TEST(html_loads_nothing),
        TEST(a_pdf_is_read_by_its_program),      TEST(a_broken_pdf_says_so),
        TEST(a_missing_program_is_told),         TEST(files_that_cannot_be_read_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
