/* A growing byte buffer with a maximum, always NUL-terminated.
 *
 * Growth past the maximum sets `overflow` and drops the bytes: the caller checks once, at the end.
 * Freed by buffer_free, or let an arena copy take its content. */
#ifndef RAGSTACK_BASE_BUFFER_H
#define RAGSTACK_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "pkg/base/attributes.h"

struct buffer {
    char *data; /* never NULL after the first append; NUL-terminated */
    size_t length, capacity;
    size_t maximum; /* bytes, without the NUL */
    bool overflow;
};

/* For text of our own making, which is bounded by what it is made of. */
#define BUFFER_LARGE ((size_t)256 << 20)

#define BUFFER(maximum_bytes) ((struct buffer){.maximum = (maximum_bytes)})

void buffer_free(struct buffer *buffer);
/* Empties it and keeps the memory. */
void buffer_reset(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_text(struct buffer *buffer, const char *text);
void buffer_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_vprintf(struct buffer *buffer, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
/* The content as a string; "" when nothing was appended. */
const char *buffer_string(const struct buffer *buffer);

#endif
