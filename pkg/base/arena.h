/* Memory that is freed all at once.
 *
 * Every piece of data lives in an arena that the caller passes; nothing in it is freed alone.
 * All memory handed out is zeroed and aligned for any object. Out of memory aborts: no function
 * here returns NULL. An arena belongs to one thread at a time. */
#ifndef RAGSTACK_BASE_ARENA_H
#define RAGSTACK_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "pkg/base/attributes.h"

struct arena;

struct arena *arena_new(void);
/* Frees the arena and all that was allocated from it. NULL is allowed. */
void arena_free(struct arena *arena);
/* For CLEANUP(arena_freep). */
void arena_freep(struct arena **arena);
/* As arena_free, after zeroing all of it: where secrets passed through (a reply that carries them).
 */
void arena_erase(struct arena *arena);
void arena_erasep(struct arena **arena);

void *arena_alloc(struct arena *arena, size_t size_bytes);
/* As calloc: aborts when count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size_bytes);
/* A larger copy; the old block stays until the arena goes. */
void *arena_grow(struct arena *arena, void *old, size_t old_bytes, size_t new_bytes);

/* NULL gives NULL. */
char *arena_strdup(struct arena *arena, const char *text);
/* Copies `length` bytes and ends them with NUL. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

/* Bytes handed out so far: for the benchmarks. */
size_t arena_used_bytes(const struct arena *arena);

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

#endif
