#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/ledger/ledger.h"

static const char *key_of(struct arena *arena, const char *sha256)
{
    require(strlen(sha256) == 64 && strspn(sha256, "0123456789abcdef") == 64);
    return arena_printf(arena, "artifacts/%s", sha256);
}

int ledger_keep(struct task *task, struct ledger *ledger, const char *sha256, const char *bytes,
                size_t length, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char version[LEDGER_VERSION_BYTES];
    int result = ledger->put(task, ledger, key_of(arena, sha256), bytes, length, LEDGER_ABSENT,
                             version, error);
    return result == ERR_EXISTS ? 0 : result;
}

int ledger_fetch(struct task *task, struct ledger *ledger, struct arena *arena, const char *sha256,
                 const char **bytes, size_t *length, struct error *error)
{
    struct ledger_object object;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    int result = ledger->get(task, ledger, arena, key_of(arena, sha256), &object, error);
    if (result < 0)
        return result;
    SHA256((const unsigned char *)object.bytes, object.length, digest);
    hex_encode(digest, sizeof digest, hex);
    if (strcmp(hex, sha256) != 0)
        return error_set(error, ERR_FAILED, "the artifact %s in %s is not what it was", sha256,
                         ledger->place);
    *bytes = object.bytes;
    *length = object.length;
    return 0;
}
