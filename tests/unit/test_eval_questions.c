/* Files of questions: what they say, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/eval/questions.h"
#include "pkg/value/yaml.h"

static struct arena *arena;

static int read_text(const char *text, struct question_list *out, struct error *error)
{
    struct value *tree;
    *error = (struct error){0};
    int result = yaml_parse(arena, text, strlen(text), "q.yaml", &tree, error);
    return result < 0 ? result : questions_from_value(arena, tree, "q.yaml", out, error);
}

static void both_sorts(void **state)
{
    struct question_list list;
    struct error error;
    (void)state;
    assert_int_equal(
        read_text("answered:\n"
                  "  - {question: How many?, document: a.md, words: [\"27\"], kind: k}\n"
                  "  - {question: And who?, documents: [a.md, b.md], filter: {t: x}}\n"
                  "unanswered:\n"
                  "  - {question: What else?, near: b.md}\n",
                  &list, &error),
        0);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].text, "How many?");
    assert_string_equal(list.items[0].kind, "k");
    assert_true(list.items[0].answerable);
    assert_string_equal(value_item(list.items[0].documents, 0)->string.text, "a.md");
    assert_int_equal(value_count(list.items[1].documents), 2);
    assert_string_equal(value_text(list.items[1].filter, "t"), "x");
    assert_false(list.items[2].answerable);
    assert_string_equal(list.items[2].near, "b.md");
    assert_int_equal(list.items[2].mark.line, 5);
}

static void faults_have_a_place(void **state)
{
    static const struct {
        const char *text, *part;
        int line;
    } rows[] = {
        {"[]", "`answered` and `unanswered`", 1},
        {"{}", "0 questions", 1},
        {"answred: []", "answered", 1},
        {"answered:\n  - {question: Who?}", "put the question under `unanswered`", 2},
        {"answered:\n  - {question: Who?, document: a, word: [x]}", "words", 2},
        {"unanswered:\n  - {question: Who?, document: a}", "document", 2},
        {"unanswered:\n  - {question: Who?}\n  - {question: Who?}", "twice", 3},
        {"unanswered:\n  - {question: \" \"}", "question", 2},
        {"unanswered:\n  - {}\n  - {near: x}", "(and 1 more faults)", 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct question_list list;
        struct error error;
        assert_int_equal(read_text(rows[i].text, &list, &error), ERR_INPUT);
        if (!strstr(error.message, rows[i].part))
            fail_msg("%s: %s", rows[i].text, error.message);
        assert_int_equal(error.line, rows[i].line);
    }
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_sorts),
                                       cmocka_unit_test(faults_have_a_place)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
