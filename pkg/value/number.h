/* Numbers as text, strictly and without loss. */
#ifndef RAGSTACK_VALUE_NUMBER_H
#define RAGSTACK_VALUE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_BYTES = 32 }; /* room for any number as text, with its NUL */

/* [-+]?[0-9]+ and nothing else. False if it is not that, or does not fit. */
bool number_read_int(const char *text, int64_t *out);
/* A decimal number, with fraction and exponent if it likes; no hexadecimal, no infinity. */
bool number_read_real(const char *text, double *out);
/* The same number, if it has no fraction and fits. */
bool number_real_is_int(double real, int64_t *out);
/* The shortest text that reads back as the same number; without a fraction it prints like an
 * integer, so that equal numbers have equal text. `real` is finite. */
void number_print_real(double real, char *out, size_t size);

#endif
