#include "cmd/ragstack/deployment.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/record.h"
#include "pkg/base/file.h"
#include "pkg/base/hex.h"
#include "pkg/ledger/process.h"

enum { CODE_MAXIMUM_BYTES = 256 << 20 };

/* -- the lock -- */

/* AWS tells of new things late: what a killed run made last would be made twice, or left behind. */
static int let_settle(struct task *task, int64_t quiet_ms, struct error *error)
{
    enum { SETTLE_MS = 5000 };
    return quiet_ms < SETTLE_MS ? task_sleep(task, SETTLE_MS - quiet_ms, error) : 0;
}

static int take_lock(struct task *task, struct session *session, struct deployment *deployment,
                     struct error *error)
{
    struct ledger_claim claim = {
        .owner = record_owner(session->arena),
        .command = session->command->name,
        .pid = (int)getpid(),
        .process = process_mark(session->arena),
    };
    int result = ledger_lock(task, session->ledger, &claim, &deployment->lease, error);
    if (result < 0)
        return result;
    if (lease_notice(deployment->lease))
        fprintf(stderr, "note: %s\n", lease_notice(deployment->lease));
    if (session->client)
        aws_client_set_guard(session->client, lease_check, deployment->lease);
    return session->client ? let_settle(task, lease_quiet_ms(deployment->lease), error) : 0;
}

int deployment_lock(struct task *task, struct session *session, struct deployment *out,
                    struct error *error)
{
    *out = (struct deployment){0};
    int result = session_open_ledger(task, session, error);
    if (result == 0)
        result = take_lock(task, session, out, error);
    return result == ERR_NOT_FOUND && session->ledger->missing ? 0 : result;
}

/* A bucket that was made just now may not be found everywhere yet. */
static int take_new_lock(struct task *task, struct session *session, struct deployment *deployment,
                         struct error *error)
{
    enum { ATTEMPTS = 15, DELAY_MS = 1000 };
    int result = take_lock(task, session, deployment, error);
    for (int i = 1; i < ATTEMPTS && result == ERR_NOT_FOUND; i++) {
        result = task_sleep(task, DELAY_MS, error);
        if (result == 0)
            result = take_lock(task, session, deployment, error);
    }
    return result;
}

/* Whoever deployed between the plan and this lock has left a record in the ledger, which was not
 * there when the plan was made. */
static int make_ledger(struct task *task, struct session *session, struct deployment *deployment,
                       struct error *error)
{
    struct value *others = NULL;
    int result = session->ledger->create(task, session->ledger, error);
    if (result == 0)
        result = take_new_lock(task, session, deployment, error);
    if (result == 0)
        result = ledger_history(task, session->ledger, session->arena, 1, &others, error);
    if (result == 0 && value_count(others))
        return error_set(error, ERR_CONFLICT,
                         "somebody else has deployed meanwhile; nothing was changed. Run it again");
    return result;
}

/* -- the functions' code, for a rollback -- */

/* Base64, as Lambda has it, to hexadecimal; NULL if it is no SHA-256. */
static const char *sum_of(struct arena *arena, const char *base64)
{
    unsigned char digest[48];
    if (!base64 || strlen(base64) != 44 ||
        EVP_DecodeBlock(digest, (const unsigned char *)base64, 44) != 33)
        return NULL;
    return hex_text(arena, digest, SHA256_DIGEST_LENGTH);
}

static bool brings_code(const struct step *step)
{
    if (step->kind == STEP_CREATE || step->kind == STEP_REPLACE)
        return true;
    for (size_t i = 0; step->kind == STEP_UPDATE && i < step->difference_count; i++) {
        const struct field *field = step->differences[i].change.field;
        if (field && strcmp(field->name, "code_sha256") == 0)
            return true;
    }
    return false;
}

const char *deployment_code_of(struct arena *arena, const struct step *step)
{
    const struct value *props = step->resource ? step->resource->props : NULL;
    return value_text(props, "code") && brings_code(step)
               ? sum_of(arena, value_text(props, "code_sha256"))
               : NULL;
}

static int keep_code(struct task *task, struct session *session, const char *path, const char *sum,
                     struct error *error)
{
    char *bytes;
    size_t length;
    int result = file_read(session->arena, path, CODE_MAXIMUM_BYTES, &bytes, &length, error);
    if (result == 0)
        result = ledger_keep(task, session->ledger, sum, bytes, length, error);
    return result;
}

/* Each zip once: its path, by its sum. */
static struct value *all_code(struct arena *arena, const struct plan *plan)
{
    struct value *codes = value_map(arena);
    for (size_t i = 0; i < plan->step_count; i++) {
        const char *sum = deployment_code_of(arena, &plan->steps[i]);
        if (sum)
            value_set_text(arena, codes, sum, value_text(plan->steps[i].resource->props, "code"));
    }
    return codes;
}

static struct value *sums_of(struct arena *arena, const struct value *codes)
{
    struct value *sums = value_list(arena);
    for (size_t i = 0; i < value_count(codes); i++)
        value_push_text(arena, sums, value_entry(codes, i)->key);
    return sums;
}

/* -- the record -- */

/* One thing to write; several are written at the same time. */
struct writing {
    struct session *session;
    const struct value_entry *code; /* a zip's path, by its sum; or */
    struct value *begun, *ended;    /* the document, new or again; or */
    const struct ledger_applied *applied;
    bool kept; /* the zip */
};

/* What is not kept cannot be rolled back to, and hinders nothing else. */
static bool try_to_keep(struct task *task, struct session *session, const struct value_entry *code)
{
    const char *path = code->value->string.text;
    struct error own = {0};
    if (keep_code(task, session, path, code->key, &own) == 0)
        return true;
    fprintf(stderr, "warning: %s is not kept for a rollback: %s\n", path, own.message);
    return false;
}

static int write_one(struct task *task, void *argument, struct error *error)
{
    struct writing *writing = argument;
    struct session *session = writing->session;
    struct ledger *ledger = session->ledger;
    int number;
    if (writing->begun)
        return ledger_begin(task, ledger, session->arena, writing->begun, &number, error);
    if (writing->ended)
        return ledger_end(task, ledger, session->arena, writing->ended, error);
    if (writing->applied)
        return ledger_set_applied(task, ledger, session->arena, writing->applied, error);
    writing->kept = try_to_keep(task, session, writing->code);
    return 0;
}

/* The zips, and the document; its "artifacts" are what is going to be kept, and in the end what
 * was. */
static int write_beginning(struct task *task, struct session *session, const struct plan *plan,
                           struct value *document, struct error *error)
{
    struct arena *arena = session->arena;
    struct value *codes = all_code(arena, plan), *kept = value_list(arena);
    size_t count = value_count(codes);
    struct writing *writings = arena_array(arena, count + 1, sizeof *writings);
    value_set(arena, document, "artifacts", sums_of(arena, codes));
    for (size_t i = 0; i < count; i++)
        writings[i] = (struct writing){.session = session, .code = value_entry(codes, i)};
    writings[count] = (struct writing){.session = session, .begun = document};
    int result =
        task_each(task, "ledger", write_one, writings, sizeof *writings, count + 1, 0, error);
    for (size_t i = 0; i < count; i++) {
        if (writings[i].kept)
            value_push_text(arena, kept, writings[i].code->key);
    }
    value_set(arena, document, "artifacts", kept);
    return result;
}

int deployment_begin(struct task *task, struct session *session, struct deployment *deployment,
                     const struct plan *plan, struct error *error)
{
    int result = 0;
    if (!deployment->lease && plan->down)
        return 0;
    if (!deployment->lease)
        result = make_ledger(task, session, deployment, error);
    else if (!option_said(&session->options, "yes")) /* a person took their time */
        result = lease_confirm(task, deployment->lease, error);
    if (result < 0)
        return result;
    struct value *document = record_begin(session, plan, deployment->partial);
    if (deployment->more)
        document = value_merge(session->arena, document, deployment->more);
    result = write_beginning(task, session, plan, document, error);
    deployment->document = result == 0 ? document : NULL;
    return result;
}

int deployment_end(struct task *task, struct session *session, struct deployment *deployment,
                   const struct plan *plan, const struct apply_result *result, int code,
                   struct error *error)
{
    struct error own = {0};
    if (!deployment->document)
        return code;
    record_end(session, deployment->document, plan, result, code, error);
    struct ledger_applied applied = record_applied(session, plan, result, deployment->partial);
    struct writing writings[] = {{.session = session, .ended = deployment->document},
                                 {.session = session, .applied = &applied}};
    size_t count = lease_check(deployment->lease, NULL) == 0 ? 2 : 1; /* another's by now? */
    task_mask_cancel(task, true);
    int written = task_each(task, "ledger", write_one, writings, sizeof *writings, count, 0, &own);
    task_mask_cancel(task, false);
    if (written < 0)
        fprintf(stderr, "warning: the deployment is not recorded: %s\n", own.message);
    return code;
}

int deployment_unlock(struct task *task, struct session *session, struct deployment *deployment,
                      int code)
{
    struct error own = {0};
    if (!deployment->lease)
        return code;
    if (session->client)
        aws_client_set_guard(session->client, NULL, NULL);
    if (lease_release(task, deployment->lease, &own) < 0)
        fprintf(stderr, "warning: the lock could not be released, and runs out in %d s: %s\n",
                LEASE_MS / 1000, own.message);
    deployment->lease = NULL;
    return code;
}
