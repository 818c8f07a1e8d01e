#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pkg/rag/given.h"
#include "pkg/value/json.h"

/* Two numbers: 1 and 0; 0 and -2; 0 and 0; one number alone; no number (NaN). */
#define ONE_ZERO "AACAPwAAAAA="
#define ZERO_MINUS_TWO "AAAAAAAAAMA="
#define NO_DIRECTION "AAAAAAAAAAA="
#define ONE_NUMBER "AACAPw=="
#define NOT_A_NUMBER "AADAfwAAAAA="

#define PIECES(...) "{\"embedder\":\"m\",\"pieces\":[" __VA_ARGS__ "]}"
#define PIECE(start, end, vector) \
    "{\"start\":" #start ",\"end\":" #end ",\"vector\":\"" vector "\"}"

static const char text[] = "One.\n\nTw\xc3\xb6.\n";

static int no_embed(struct task *task, struct models *models, struct arena *arena,
                    const char *const *texts, size_t count, float *out, struct model_usage *usage,
                    struct error *error)
{
    (void)task, (void)models, (void)arena, (void)texts, (void)count, (void)out, (void)usage;
    return error_set(error, ERR_FAILED, "nothing is to be embedded");
}

static int read_given(struct arena *arena, const char *json, struct given *out, struct error *error)
{
    struct models models = {.embedder = "m", .dimensions = 2, .embed = no_embed};
    struct document document = {.id = "d", .text = text, .length = strlen(text)};
    struct value *given = NULL;
    if (json && json_parse(arena, json, strlen(json), "given", &given, error) < 0)
        return -1;
    document.given = given;
    return given_read(arena, &document, &models, out, error);
}

static void pieces_become_passages(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct given given;
    struct error error = {0};
    (void)state;
    assert_int_equal(read_given(arena,
                                PIECES(PIECE(0, 4, ONE_ZERO) "," PIECE(6, 11, ZERO_MINUS_TWO)),
                                &given, &error),
                     0);
    assert_int_equal(given.passages.count, 2);
    const struct passage *passages = given.passages.items;
    assert_int_equal(passages[0].start, 0);
    assert_int_equal(passages[0].end, 6); /* what stands between belongs to the one before */
    assert_int_equal(passages[1].end, strlen(text));
    assert_int_equal(passages[1].units[0].start, 6);
    assert_int_equal(passages[1].units[0].end, 11);
    assert_float_equal(given.vectors[0][0], 1, 0);
    assert_float_equal(given.vectors[1][1], -2, 0);
}

static void what_was_found_already_stays(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const float stored[] = {0.5f, 0.5f};
    const float *vectors[] = {stored, NULL};
    struct stored_units units = {.count = 2, .vectors = vectors, .missing = 1};
    struct given given;
    struct error error = {0};
    (void)state;
    assert_int_equal(read_given(arena,
                                PIECES(PIECE(0, 4, ONE_ZERO) "," PIECE(6, 11, ZERO_MINUS_TWO)),
                                &given, &error),
                     0);
    given_fill(&given, &units);
    assert_ptr_equal(vectors[0], stored);
    assert_ptr_equal(vectors[1], given.vectors[1]);
    assert_int_equal(units.missing, 0);
}

static void what_does_not_fit_is_left_out(void **state)
{
    static const char *const all[] = {
        NULL,
        "{\"embedder\":\"another\",\"pieces\":[" PIECE(0, 4, ONE_ZERO) "]}",
        "{\"pieces\":[" PIECE(0, 4, ONE_ZERO) "]}",
        "{\"embedder\":\"m\",\"pieces\":{}}",
        "{\"embedder\":\"m\"}",
        "[]",
        PIECES(PIECE(0, 4, ONE_NUMBER)),
        PIECES(PIECE(0, 4, NO_DIRECTION)),
        PIECES(PIECE(0, 4, NOT_A_NUMBER)),
        PIECES(PIECE(0, 4, "not base 64!")),
        PIECES(PIECE(0, 4, ONE_ZERO) "," PIECE(6, 11, ONE_NUMBER)),
        PIECES("null"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct given given;
        struct error error = {0};
        assert_int_equal(read_given(arena, all[i], &given, &error), 0);
        assert_int_equal(given.passages.count, 0);
    }
}

static void pieces_elsewhere_are_refused(void **state)
{
    static const char *const all[] = {
        PIECES(PIECE(0, 99, ONE_ZERO)),
        PIECES(PIECE(-1, 4, ONE_ZERO)),
        PIECES(PIECE(4, 4, ONE_ZERO)),
        PIECES(PIECE(0, 9, ONE_ZERO)), /* in the middle of ö */
        PIECES(PIECE(0, 6, ONE_ZERO) "," PIECE(5, 11, ONE_ZERO)),
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct given given;
        struct error error = {0};
        assert_int_equal(read_given(arena, all[i], &given, &error), ERR_INPUT);
        assert_int_equal(given.passages.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_passages),
        cmocka_unit_test(what_was_found_already_stays),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(pieces_elsewhere_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
