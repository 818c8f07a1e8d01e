#include "pkg/base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 1 << 20 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *blocks;
    size_t next_block_bytes;
    size_t used_bytes;
};

static void *must_alloc(size_t size_bytes)
{
    void *memory = calloc(1, size_bytes);
    if (!memory)
        panic("out of memory (%zu bytes)", size_bytes);
    return memory;
}

struct arena *arena_new(void)
{
    struct arena *arena = must_alloc(sizeof *arena);
    arena->next_block_bytes = FIRST_BLOCK_BYTES;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void arena_freep(struct arena **arena)
{
    arena_free(*arena);
    *arena = NULL;
}

void arena_erase(struct arena *arena)
{
    for (struct block *block = arena ? arena->blocks : NULL; block; block = block->next)
        explicit_bzero(block->data, block->used);
    arena_free(arena);
}

void arena_erasep(struct arena **arena)
{
    arena_erase(*arena);
    *arena = NULL;
}

/* A block of its own for what is large, so that the current block keeps its room. */
static struct block *add_block(struct arena *arena, size_t size_bytes)
{
    bool large = size_bytes > arena->next_block_bytes / 2;
    size_t size = large ? size_bytes : arena->next_block_bytes;
    struct block *block = must_alloc(sizeof *block + size);
    block->size = size;
    if (large && arena->blocks) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
        return block;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    if (arena->next_block_bytes < LARGEST_BLOCK_BYTES)
        arena->next_block_bytes *= 2;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2)
        panic("allocation of %zu bytes", size_bytes);
    size_t size = (size_bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    void *memory = block->data + block->used;
    block->used += size;
    arena->used_bytes += size;
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        panic("array of %zu times %zu bytes", count, size_bytes);
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes)
{
    void *memory = arena_alloc(arena, new_bytes);
    if (old_bytes)
        memcpy(memory, old, old_bytes);
    return memory;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        panic("bad format \"%s\"", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used_bytes;
}
