/* Bugs and exhausted memory end the program with a location; everything else is an error value. */
#ifndef RAGSTACK_BASE_PANIC_H
#define RAGSTACK_BASE_PANIC_H

#include "pkg/base/attributes.h"

/* Prints file, line and message to stderr, and aborts. */
#define panic(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
NORETURN void panic_at(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

/* An assertion that stays in release builds. */
#define require(condition) ((condition) ? (void)0 : panic("broken invariant: %s", #condition))

#endif
