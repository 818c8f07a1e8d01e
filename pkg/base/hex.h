/* Bytes as lower-case hexadecimal digits. */
#ifndef RAGSTACK_BASE_HEX_H
#define RAGSTACK_BASE_HEX_H

#include <stddef.h>

#include "pkg/base/arena.h"

/* `out` holds 2 * length + 1 bytes. */
void hex_encode(const void *bytes, size_t length, char *out);
const char *hex_text(struct arena *arena, const void *bytes, size_t length);

#endif
