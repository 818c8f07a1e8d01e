#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/rag/chunk.h"

static struct passage_list cut(struct arena *arena, const char *text, size_t unit, size_t passage)
{
    struct chunk_sizes sizes = {unit, passage};
    struct passage_list list;
    chunk_document(arena, text, strlen(text), &sizes, &list);
    return list;
}

static const char *slice(struct arena *arena, const char *text, size_t start, size_t end)
{
    return arena_strndup(arena, text + start, end - start);
}

/* What holds for every document: nothing is lost, nothing is too long, no character is cut. */
static void check_invariants(const char *text, size_t length, const struct passage_list *list,
                             size_t unit_maximum, size_t passage_maximum)
{
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct passage *passage = &list->items[i];
        assert_int_equal(passage->start, at);
        assert_true(passage->end > passage->start && passage->end <= length);
        assert_true(passage->end - passage->start <= passage_maximum);
        assert_true(passage->end == length || ((unsigned char)text[passage->end] & 0xc0) != 0x80);
        at = passage->end;
        size_t inside = passage->start;
        for (size_t j = 0; j < passage->unit_count; j++) {
            assert_true(passage->units[j].start >= inside);
            assert_true(passage->units[j].end > passage->units[j].start);
            assert_true(passage->units[j].end - passage->units[j].start <= unit_maximum);
            inside = passage->units[j].end;
        }
        assert_true(inside <= passage->end);
    }
    assert_int_equal(at, length);
}

static void headings_begin_passages(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char text[] = "# Leave\n\n## Vacation\n\nThirty days.\n\n## Illness\n\nCall us.\n";
    struct passage_list list = cut(arena, text, 400, 1600);
    (void)state;
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].heading, "Leave > Vacation");
    assert_string_equal(list.items[1].heading, "Leave > Illness");
    assert_string_equal(slice(arena, text, list.items[1].start, list.items[1].end),
                        "## Illness\n\nCall us.\n");
}

static void underlined_headings_count_too(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct passage_list list =
        cut(arena, "Leave\n=====\n\nText.\n\nPay\n---\n\nMore.\n", 400, 1600);
    (void)state;
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].heading, "Leave");
    assert_string_equal(list.items[1].heading, "Leave > Pay");
}

static void no_heading_stands_in_code(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct passage_list list =
        cut(arena, "# One\n\n```\n# no heading\n\n- no list\n```\n\nText.\n", 400, 1600);
    (void)state;
    assert_int_equal(list.count, 1);
}

static void sentences_are_packed_into_units(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char text[] =
        "Dr. No came at 5.30 p.m. to us. He left, e.g. by car! \"Why?\" Nobody knows";
    struct passage_list list = cut(arena, text, 35, 1600);
    (void)state;
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].unit_count, 3);
    const struct unit *units = list.items[0].units;
    assert_string_equal(slice(arena, text, units[0].start, units[0].end),
                        "Dr. No came at 5.30 p.m. to us. ");
    assert_string_equal(slice(arena, text, units[1].start, units[1].end),
                        "He left, e.g. by car! \"Why?\" ");
}

static void long_paragraphs_are_cut_between_sentences(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char text[] = "One sentence is here. Another one is here. A third one is here.";
    struct passage_list list = cut(arena, text, 30, 45);
    (void)state;
    assert_int_equal(list.count, 2);
    assert_string_equal(slice(arena, text, list.items[0].start, list.items[0].end),
                        "One sentence is here. Another one is here. ");
}

static void nothing_is_nothing(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    (void)state;
    assert_int_equal(cut(arena, "", 400, 1600).count, 0);
    struct passage_list blank = cut(arena, " \n\n  \n", 400, 1600);
    assert_int_equal(blank.count, 1);
    assert_int_equal(blank.items[0].unit_count, 0);
}

/* Texts of random pieces, small limits: what must hold, holds. */
static void invariants_hold_for_any_text(void **state)
{
    static const char *const pieces[] = {"# H\n",
                                         "## Deep \n",
                                         "word ",
                                         "Sentence ends. ",
                                         "\n",
                                         "\n\n",
                                         "- item\n",
                                         "| a | b |\n",
                                         "```\n",
                                         "=====\n",
                                         "\xc3\xa4\xc3\xb6\xc3\xbc",
                                         "\xe3\x80\x82",
                                         "\xf0\x9f\x98\x80",
                                         "x",
                                         "e.g. ",
                                         "12. ",
                                         "\t",
                                         "averyveryverylongwordindeed"};
    (void)state;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        size_t unit = 8 + (size_t)rand() % 60, passage = unit + (size_t)rand() % 200;
        const char *text = "";
        for (int i = rand() % 60; i > 0; i--)
            text = arena_printf(arena, "%s%s", text, pieces[(size_t)rand() % COUNT_OF(pieces)]);
        struct passage_list list = cut(arena, text, unit, passage);
        check_invariants(text, strlen(text), &list, unit, passage);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_begin_passages),
        cmocka_unit_test(underlined_headings_count_too),
        cmocka_unit_test(no_heading_stands_in_code),
        cmocka_unit_test(sentences_are_packed_into_units),
        cmocka_unit_test(long_paragraphs_are_cut_between_sentences),
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(invariants_hold_for_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
