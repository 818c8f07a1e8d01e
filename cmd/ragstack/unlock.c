/* Who holds the lock, and its release by force. */
#include <stdio.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/session.h"

static void give_json(const struct session *session, bool held, const struct ledger_holder *holder,
                      bool released)
{
    struct arena *arena = session->arena;
    struct value *document = value_map(arena);
    value_set_int(arena, document, "schema", 1);
    value_set_bool(arena, document, "held", held);
    value_set_bool(arena, document, "released", released);
    if (held) {
        value_set_bool(arena, document, "expired", holder->expired);
        value_set_int(arena, document, "age_s", holder->age_ms / 1000);
        value_set(arena, document, "holder", holder->document);
    }
    print_json(document);
}

static int break_it(struct task *task, struct session *session, const struct ledger_holder *holder,
                    struct error *error)
{
    fprintf(stderr, "%s is locked by %s, renewed %lld s ago.\n", session->ledger->place,
            holder->words, (long long)holder->age_ms / 1000);
    fputs(holder->expired ? "It has run out: the next command takes it over by itself.\n"
                          : "If that still runs, it stops at its next heartbeat, and not before.\n",
          stderr);
    int result = consent_ask(task, session, "Take the lock away?", NULL, error);
    if (result == 0)
        result = ledger_break_lock(task, session->ledger, holder, error);
    if (result == ERR_CONFLICT)
        return error_set(error, ERR_CONFLICT,
                         "the lock was renewed or taken meanwhile: its holder lives. Nothing was "
                         "changed");
    return result;
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct ledger_holder holder;
    bool held = false;
    int result = session_open_ledger(task, session, error);
    if (result == 0)
        result = ledger_look_at_lock(task, session->ledger, session->arena, &held, &holder, error);
    if (result == 0 && held)
        result = break_it(task, session, &holder, error);
    if (result < 0)
        return result;
    if (session->json)
        give_json(session, held, &holder, held);
    else
        puts(held ? "Released." : "Nobody holds the lock.");
    return EXIT_DONE;
}

const struct command command_unlock = {
    .name = "unlock",
    .arguments = "",
    .summary = "Show who holds the lock, and release it",
    .details =
        "A lock is kept by a heartbeat, and runs out by itself two minutes after its holder "
        "died; one that\na killed process of this machine left behind is taken over at once. "
        "This is for the rest: make sure\nthat nothing runs any more, and then take the lock "
        "away.",
    .examples = "ragstack unlock\nragstack unlock --yes --env prod",
    .needs = NEED_STACK | NEED_CLOUD | NEED_LEDGER,
    .run = run,
};
