/* UTF-8, byte by byte. */
#ifndef RAGSTACK_VALUE_UTF8_H
#define RAGSTACK_VALUE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at `text`, of which `length` bytes are left: 1 to 4, or 0 when these are
 * no valid UTF-8 (cut off, overlong, a surrogate, beyond U+10FFFF). */
size_t utf8_character_bytes(const char *text, size_t length);
/* All of it; NUL bytes are characters, too. */
bool utf8_is_valid(const char *text, size_t length);
/* Puts `with` in the place of every control character (C0, DEL, and both bytes of C1): what others
 * wrote cannot steer a terminal then, nor break a line. */
void utf8_blank_controls(char *text, char with);

#endif
