#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pkg/base/arena.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    unsigned char *blocks[400];
    for (size_t size = 0; size < COUNT_OF(blocks); size++) {
        blocks[size] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)blocks[size] % alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(blocks[size][i], 0);
        memset(blocks[size], (int)(size % 251 + 1), size);
    }
    for (size_t size = 0; size < COUNT_OF(blocks); size++)
        for (size_t i = 0; i < size; i++)
            assert_int_equal(blocks[size][i], size % 251 + 1);
}

static void a_large_block_leaves_the_current_one_in_use(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *before = arena_alloc(arena, 16);
    char *large = arena_alloc(arena, 8 << 20);
    char *after = arena_alloc(arena, 16);
    large[(8 << 20) - 1] = 'x';
    assert_ptr_equal(after, before + 16);
}

static void used_bytes_are_counted_with_their_padding(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    assert_int_equal(arena_used_bytes(arena), 0);
    arena_alloc(arena, 1);
    arena_alloc(arena, 32);
    assert_int_equal(arena_used_bytes(arena), 16 + 32);
}

static void text_is_copied_and_ends(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char source[] = "abcdef";
    char *whole = arena_strdup(arena, source), *part = arena_strndup(arena, source, 3);
    source[0] = 'X';
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_string_equal(arena_strndup(arena, NULL, 0), "");
    assert_null(arena_strdup(arena, NULL));
    assert_string_equal(arena_printf(arena, "%s-%d", "n", 7), "n-7");
    assert_int_equal(strlen(arena_printf(arena, "%10000s", "x")), 10000);
}

static void growing_copies_and_keeps_the_old(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *old = arena_strdup(arena, "1234");
    char *grown = arena_grow(arena, old, 4, 100);
    assert_memory_equal(grown, "1234\0\0", 6);
    assert_string_equal(old, "1234");
}

static void vectors_keep_their_items_in_order(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    VECTOR(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        vector_push(arena, &numbers, i * 3);
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i * 3);
}

/* Runs in a child, which is expected to abort. */
static void assert_aborts(void (*function)(void))
{
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        function();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void allocate_overflowing_array(void)
{
    arena_array(arena_new(), SIZE_MAX / 8, 16);
}

static void allocate_half_the_address_space(void)
{
    arena_alloc(arena_new(), SIZE_MAX / 2 + 1);
}

static void break_an_invariant(void)
{
    require(1 + 1 == 3);
}

static void impossible_requests_abort(void **state)
{
    (void)state;
    assert_aborts(allocate_overflowing_array);
    assert_aborts(allocate_half_the_address_space);
    assert_aborts(break_an_invariant);
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    arena_freep(&arena);
    assert_null(arena);
    arena_freep(&arena);
    arena = arena_new();
    arena_erasep(&arena);
    assert_null(arena);
    arena_erasep(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_large_block_leaves_the_current_one_in_use),
        cmocka_unit_test(used_bytes_are_counted_with_their_padding),
        cmocka_unit_test(text_is_copied_and_ends),
        cmocka_unit_test(growing_copies_and_keeps_the_old),
        cmocka_unit_test(vectors_keep_their_items_in_order),
        cmocka_unit_test(impossible_requests_abort),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
