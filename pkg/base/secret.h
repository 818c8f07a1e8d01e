/* Text that must not be seen: credentials and tokens.
 *
 * A type of its own, so that it cannot be printed by accident, and zeroed when it goes. It lives in
 * memory of its own, never in an arena. secret_reveal is the one way to the text; grep for it to
 * find every place that uses one. */
#ifndef RAGSTACK_BASE_SECRET_H
#define RAGSTACK_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
    char *hidden_;
    size_t length_;
};

/* Copies; the secret must be empty or is cleared first. NULL text makes it empty. */
void secret_set(struct secret *secret, const char *text);
void secret_set_bytes(struct secret *secret, const char *bytes, size_t length);
void secret_clear(struct secret *secret);
bool secret_empty(const struct secret *secret);
/* NUL-terminated; "" when empty. Borrowed until the secret changes. */
const char *secret_reveal(const struct secret *secret);

#endif
