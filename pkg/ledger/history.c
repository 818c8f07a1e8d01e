/* The history, and what was last applied.
 *
 * The key of a deployment counts down, so that the first keys of a listing are the newest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/ledger/ledger.h"
#include "pkg/value/json.h"

#define HISTORY "history/"
#define APPLIED_KEY "applied.json"

enum { ATTEMPTS = 32, AT_ONCE = 16, LISTING_MAXIMUM = 1000 };

static const char *key_of(struct arena *arena, int number)
{
    return arena_printf(arena, HISTORY "%08d.json", LEDGER_NUMBER_MAXIMUM - number);
}

/* -1 if it is no key of a deployment. */
static int number_of(const char *key)
{
    char *end;
    size_t prefix = strlen(HISTORY);
    if (strncmp(key, HISTORY, prefix) != 0)
        return -1;
    long count = strtol(key + prefix, &end, 10);
    bool good = end == key + prefix + 8 && strcmp(end, ".json") == 0 && count >= 0 &&
                count < LEDGER_NUMBER_MAXIMUM;
    return good ? LEDGER_NUMBER_MAXIMUM - (int)count : -1;
}

static int get_document(struct task *task, struct ledger *ledger, struct arena *arena,
                        const char *key, struct value **out, struct error *error)
{
    struct ledger_object object;
    int result = ledger->get(task, ledger, arena, key, &object, error);
    if (result < 0)
        return result;
    return json_parse(arena, object.bytes, object.length, key, out, error) < 0
               ? error_wrap(error, "the ledger %s: %s", ledger->place, key)
               : 0;
}

static int put_document(struct task *task, struct ledger *ledger, struct arena *arena,
                        const char *key, const struct value *document, const char *condition,
                        struct error *error)
{
    char version[LEDGER_VERSION_BYTES];
    const char *text = json_text(arena, document);
    return ledger->put(task, ledger, key, text, strlen(text), condition, version, error);
}

/* 0 when there is none. */
static int newest_number(struct task *task, struct ledger *ledger, struct arena *arena, int *number,
                         struct error *error)
{
    const char **keys;
    size_t count;
    int result = ledger->list(task, ledger, arena, HISTORY, 1, &keys, &count, error);
    *number = result == 0 && count ? number_of(keys[0]) : 0;
    if (*number < 0)
        return error_set(error, ERR_FAILED, "the ledger %s holds %s, which is no deployment",
                         ledger->place, keys[0]);
    return result;
}

/* 0: written; 1: the number is taken, or it is not known whether it was written. */
static int write_next(struct task *task, struct ledger *ledger, struct arena *arena,
                      struct value *deployment, int *number, struct error *error)
{
    struct value *there = NULL;
    int result = 0;
    *number = ledger->newest;
    if (!*number)
        result = newest_number(task, ledger, arena, number, error);
    if (result < 0)
        return result;
    const char *key = key_of(arena, ++*number);
    value_set_int(arena, deployment, "number", *number);
    result = put_document(task, ledger, arena, key, deployment, LEDGER_ABSENT, error);
    ledger->newest = result == 0 ? *number : 0;
    if (result != ERR_EXISTS && result != ERR_LOST_REPLY)
        return result;
    result = get_document(task, ledger, arena, key, &there, error);
    if (result < 0 && result != ERR_NOT_FOUND)
        return result;
    if (result == ERR_NOT_FOUND || !value_equal(there, deployment))
        return 1;
    ledger->newest = *number; /* only the reply was lost */
    return 0;
}

int ledger_begin(struct task *task, struct ledger *ledger, struct arena *arena,
                 struct value *deployment, int *number, struct error *error)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int result = write_next(task, ledger, arena, deployment, number, error);
        if (result <= 0)
            return result;
    }
    return error_set(error, ERR_CONFLICT,
                     "the ledger %s: others write deployments at the same time: run it again",
                     ledger->place);
}

int ledger_end(struct task *task, struct ledger *ledger, struct arena *arena,
               const struct value *deployment, struct error *error)
{
    const char *key = key_of(arena, (int)value_int_at(deployment, "number", 0));
    return put_document(task, ledger, arena, key, deployment, LEDGER_ANY, error);
}

/* -- reading -- */

struct reading {
    struct ledger *ledger;
    struct arena *arena;
    const char *key;
    struct value *document; /* NULL: gone meanwhile */
};

static int read_one(struct task *task, void *argument, struct error *error)
{
    struct reading *reading = argument;
    int result = get_document(task, reading->ledger, reading->arena, reading->key,
                              &reading->document, error);
    if (result == ERR_NOT_FOUND)
        reading->document = NULL;
    return result == ERR_NOT_FOUND ? 0 : result;
}

int ledger_history(struct task *task, struct ledger *ledger, struct arena *arena, size_t most,
                   struct value **out, struct error *error)
{
    const char **keys;
    size_t count;
    *out = value_list(arena);
    if (most > LISTING_MAXIMUM)
        most = LISTING_MAXIMUM;
    int result = ledger->list(task, ledger, arena, HISTORY, most, &keys, &count, error);
    if (result < 0 || count == 0)
        return result;
    struct reading *readings = arena_array(arena, count, sizeof *readings);
    for (size_t i = 0; i < count; i++)
        readings[i] = (struct reading){ledger, arena, keys[i], NULL};
    result =
        task_each(task, "history", read_one, readings, sizeof *readings, count, AT_ONCE, error);
    for (size_t i = 0; i < count; i++)
        value_push(arena, *out, readings[i].document);
    return result;
}

int ledger_deployment(struct task *task, struct ledger *ledger, struct arena *arena, int number,
                      struct value **out, struct error *error)
{
    int newest = 0;
    int result = number < 1 || number >= LEDGER_NUMBER_MAXIMUM
                     ? ERR_NOT_FOUND
                     : get_document(task, ledger, arena, key_of(arena, number), out, error);
    if (result != ERR_NOT_FOUND)
        return result;
    result = newest_number(task, ledger, arena, &newest, error);
    if (result < 0)
        return result;
    if (newest == 0)
        return error_set(error, ERR_NOT_FOUND, "there are no deployments yet in %s", ledger->place);
    return error_set(error, ERR_NOT_FOUND,
                     "there is no deployment %d in %s; the newest is %d (`ragstack history`)",
                     number, ledger->place, newest);
}

int ledger_applied(struct task *task, struct ledger *ledger, struct arena *arena,
                   struct ledger_applied *out, struct error *error)
{
    struct value *document = NULL;
    struct error own = {0};
    int result = get_document(task, ledger, arena, APPLIED_KEY, &document, &own);
    *out =
        (struct ledger_applied){value_get(document, "resolved"), value_get(document, "resources")};
    ledger->newest = (int)value_int_at(document, "number", 0);
    if (result == ERR_NOT_FOUND)
        return 0;
    if (result < 0 && error)
        *error = own;
    return result;
}

int ledger_set_applied(struct task *task, struct ledger *ledger, struct arena *arena,
                       const struct ledger_applied *applied, struct error *error)
{
    struct value *document = value_map(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_int(arena, document, "number", ledger->newest);
    value_set(arena, document, "resolved", applied->resolved);
    value_set(arena, document, "resources", applied->resources);
    return put_document(task, ledger, arena, APPLIED_KEY, document, LEDGER_ANY, error);
}
