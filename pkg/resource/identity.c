#include "pkg/resource/identity.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"

enum { HASH_DIGITS = 8 };

/* Of every part of the identity, so that no two resources of an account share a name. */
static const char *identity_hash(struct arena *arena, const struct identity *identity,
                                 const char *id)
{
    const char *whole = arena_printf(
        arena, "%s/%s/%s/%s/%s/%s", identity->target, identity->account ? identity->account : "",
        identity->region ? identity->region : "", identity->stack, identity->environment, id);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)whole, strlen(whole), digest);
    return arena_printf(arena, "%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3]);
}

/* One hyphen at a time, and none at the end: RDS refuses two in a row. */
static void make_plain(char *name, size_t maximum)
{
    char *to = name;
    for (const char *at = name; *at && (size_t)(to - name) < maximum; at++) {
        char c = (char)tolower((unsigned char)*at);
        c = isalnum((unsigned char)c) ? c : '-';
        if (c != '-' || (to > name && to[-1] != '-'))
            *to++ = c;
    }
    while (to > name && to[-1] == '-')
        to--;
    *to = '\0';
}

const char *identity_name(struct arena *arena, const struct identity *identity, const char *id,
                          int generation, int maximum)
{
    const char *separator = identity->environment[0] ? "-" : "";
    char *readable =
        arena_printf(arena, "%s%s%s-%s", identity->stack, separator, identity->environment, id);
    const char *ending =
        generation > 1
            ? arena_printf(arena, "-%s-%d", identity_hash(arena, identity, id), generation)
            : arena_printf(arena, "-%s", identity_hash(arena, identity, id));
    make_plain(readable, (size_t)maximum - strlen(ending));
    return arena_printf(arena, "%s%s", readable, ending);
}

const char *identity_path(struct arena *arena, const struct identity *identity)
{
    return arena_printf(arena, "/ragstack/%s/%s/%s/", identity->region, identity->stack,
                        identity->environment[0] ? identity->environment : "-");
}

struct value *identity_tags(struct arena *arena, const struct identity *identity, const char *id,
                            int generation, const struct value *more)
{
    struct value *tags = value_map(arena);
    for (size_t i = 0; more && i < value_count(more); i++) {
        const struct value_entry *entry = value_entry(more, i);
        value_set_text(arena, tags, entry->key, value_as_text(arena, entry->value));
    }
    value_set_text(arena, tags, TAG_STACK, identity->stack);
    value_set_text(arena, tags, TAG_ENVIRONMENT,
                   identity->environment[0] ? identity->environment : "-");
    value_set_text(arena, tags, TAG_ID, id);
    if (generation > 1)
        value_set_text(arena, tags, TAG_GENERATION, arena_printf(arena, "%d", generation));
    return tags;
}

bool identity_owns(const struct identity *identity, const struct value *tags, const char **id,
                   int *generation)
{
    const char *stack = value_text(tags, TAG_STACK);
    const char *environment = value_text(tags, TAG_ENVIRONMENT);
    const char *tagged_id = value_text(tags, TAG_ID);
    const char *ours = identity->environment[0] ? identity->environment : "-";
    if (!stack || !environment || !tagged_id || strcmp(stack, identity->stack) != 0 ||
        strcmp(environment, ours) != 0)
        return false;
    if (id)
        *id = tagged_id;
    if (generation) {
        *generation = (int)value_as_int(value_get(tags, TAG_GENERATION), 1);
        if (*generation < 1)
            *generation = 1;
    }
    return true;
}

struct value *identity_attribute(struct arena *arena, const struct identity *identity,
                                 const char *attribute)
{
    const char *full_name = identity->environment[0] ? arena_printf(arena, "%s-%s", identity->stack,
                                                                    identity->environment)
                                                     : identity->stack;
    const struct {
        const char *name, *text;
    } known[] = {
        {"name", identity->stack},    {"environment", identity->environment},
        {"full_name", full_name},     {"account", identity->account},
        {"region", identity->region}, {"partition", identity->partition},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strcmp(known[i].name, attribute) == 0)
            return known[i].text ? value_string(arena, known[i].text) : NULL;
    }
    return NULL;
}
