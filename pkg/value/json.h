/* JSON text to values and back (parsed by cJSON). */
#ifndef RAGSTACK_VALUE_JSON_H
#define RAGSTACK_VALUE_JSON_H

#include "pkg/base/buffer.h"
#include "pkg/value/value.h"

/* Parses one document of `length` bytes; `name` is what errors and marks call it. Duplicate keys,
 * trailing text, nesting beyond 200 and invalid UTF-8 are ERR_INPUT. Integers stay integers. */
int json_parse(struct arena *arena, const char *text, size_t length, const char *name,
               struct value **out, struct error *error);

/* Compact, keys in insertion order. */
void json_print(struct buffer *out, const struct value *value);
/* Two spaces of indentation and a final newline. */
void json_print_pretty(struct buffer *out, const struct value *value);
/* Compact, keys sorted by byte: equal values give equal text. */
void json_print_canonical(struct buffer *out, const struct value *value);
/* The same three as strings in an arena. */
const char *json_text(struct arena *arena, const struct value *value);
const char *json_text_canonical(struct arena *arena, const struct value *value);

#endif
