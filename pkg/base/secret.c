#include "pkg/base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/base/panic.h"

void secret_clear(struct secret *secret)
{
    if (secret->hidden_)
        explicit_bzero(secret->hidden_, secret->length_);
    free(secret->hidden_);
    *secret = (struct secret){0};
}

void secret_set_bytes(struct secret *secret, const char *bytes, size_t length)
{
    secret_clear(secret);
    secret->hidden_ = calloc(1, length + 1);
    if (!secret->hidden_)
        panic("out of memory");
    memcpy(secret->hidden_, bytes, length);
    secret->length_ = length;
}

void secret_set(struct secret *secret, const char *text)
{
    if (text)
        secret_set_bytes(secret, text, strlen(text));
    else
        secret_clear(secret);
}

bool secret_empty(const struct secret *secret)
{
    return secret->length_ == 0;
}

const char *secret_reveal(const struct secret *secret)
{
    return secret->hidden_ ? secret->hidden_ : "";
}
