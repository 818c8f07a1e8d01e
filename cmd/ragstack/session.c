#include "cmd/ragstack/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/handler.h"
#include "cmd/ragstack/price_file.h"
#include "pkg/base/log.h"
#include "pkg/local/expand.h"
#include "pkg/value/json.h"

void session_print_faults(const struct session *session, const struct fault_list *faults)
{
    const char *red = session->colour_err ? "\033[1;31m" : "";
    const char *plain = session->colour_err ? "\033[0m" : "";
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->items[i];
        fprintf(stderr, "%s:", session->file);
        if (fault->mark.line)
            fprintf(stderr, "%d:%d:", fault->mark.line, fault->mark.column);
        fprintf(stderr, " %serror%s: %s\n", red, plain, fault->message);
    }
}

int session_load(struct session *session, const char *environment, struct fault_list *faults,
                 struct error *error)
{
    struct stack_options options = {
        .file = session->file, .environment = environment, .types = cloud_types};
    int result = stack_load(session->arena, &options, &session->stack, faults, error);
    if (result != ERR_NOT_FOUND)
        return result;
    return error_set(error, ERR_INPUT,
                     "there is no %s here; `ragstack init` writes one, --file names another",
                     session->file);
}

static int load_stack(struct session *session, struct error *error)
{
    struct fault_list faults = {0};
    int result = session_load(session, option_text(&session->options, "env"), &faults, error);
    if (result != ERR_INPUT || !faults.count)
        return result;
    session_print_faults(session, &faults);
    return error_set(error, ERR_INPUT, "%s has %zu error%s; nothing was done", session->file,
                     faults.count, faults.count == 1 ? "" : "s");
}

static int open_cloud(struct session *session, struct error *error)
{
    struct http_curl_options http = {.ca_file = getenv("AWS_CA_BUNDLE"),
                                     .user_agent = "ragstack/" RAGSTACK_VERSION};
    session->transport = http_curl_new(session->loop, &http);
    struct credential_options credentials = {.transport = session->transport,
                                             .clock = loop_clock(session->loop)};
    const char *region =
        session->stack ? session->stack->region : aws_default_region(session->arena, &credentials);
    if (!region)
        return error_set(error, ERR_USAGE, "no region: set AWS_REGION, or `region` in the profile");
    credentials.region = region;
    session->credentials = credential_provider_new(&credentials);
    session->client = aws_client_new(&(struct aws_client_options){
        .transport = session->transport,
        .clock = credentials.clock,
        .credentials = session->credentials,
        .region = region,
    });
    struct identity identity = {
        .target = "aws",
        .region = region,
        .stack = session->stack ? session->stack->name : "",
        .environment = session->stack ? session->stack->environment : "",
    };
    session->cloud = cloud_new(session->arena, session->client, &identity);
    session->target = &session->cloud->target;
    return 0;
}

static int open_local(struct session *session, struct error *error)
{
    session->transport = http_curl_new(session->loop, &(struct http_curl_options){0});
    struct local_options options = {.transport = session->transport,
                                    .stack_file = session->file,
                                    .stack = session->stack->name,
                                    .environment = session->stack->environment};
    int result = local_new(session->arena, &options, &session->local, error);
    if (result == 0)
        session->target = &session->local->target;
    return result;
}

/* The target, as the command line says: AWS, or this machine. */
int session_open_target(struct session *session, struct error *error)
{
    if (!option_said(&session->options, "local"))
        return open_cloud(session, error);
    if (!session->stack)
        return error_set(error, ERR_USAGE, "--local: `ragstack %s` is about an AWS account",
                         session->command->name);
    return open_local(session, error);
}

int session_open(struct session *session, struct error *error)
{
    unsigned needs = session->command->needs;
    const char *file = option_text(&session->options, "file");
    session->file = file ? file : "ragstack.yaml";
    int result = 0;
    if (needs & NEED_STACK)
        result = load_stack(session, error);
    if (result == 0 && (needs & (NEED_CLOUD | NEED_REGION)))
        result = session_open_target(session, error);
    return result;
}

void session_close(struct session *session)
{
    ledger_close(session->ledger);
    aws_client_free(session->ledger_client);
    if (session->client) {
        struct aws_statistics told = aws_client_statistics(session->client);
        log_debug("%d requests (%d reads, %d writes), %d repeated, %d throttled, %lld ms paced",
                  told.requests, told.reads, told.writes, told.retries, told.throttles,
                  (long long)told.paced_ms);
        aws_client_free(session->client);
    }
    if (session->credentials)
        credential_provider_free(session->credentials);
    if (session->transport)
        http_close(session->transport);
}

int session_expand_stack(struct session *session, struct stack *stack, struct resource_list *out,
                         struct error *error)
{
    struct handler_zip zip = {0};
    const char *architecture = value_text_at(stack->tree, "functions.architecture");
    int result = handler_find(session->arena, architecture, &zip, error);
    if (result == ERR_NOT_FOUND && !(session->command->needs & NEED_HANDLER))
        error_clear(error);
    else if (result < 0)
        return result;
    struct expand_options options = {
        .handler_zip = zip.path,
        .handler_sha256 = zip.sha256_base64,
        .git = &stack->git,
        .prompt = stack->prompt,
    };
    result = handler_sum_own(session->arena, stack, error);
    if (result < 0)
        return result;
    *out = (struct resource_list){0};
    if (option_said(&session->options, "local"))
        return local_expand(session->arena, stack->tree, &options, getenv("RAGSTACK_CHAT_URL"),
                            getenv("RAGSTACK_CHAT_MODEL"), out, error);
    return cloud_expand(session->arena, stack->tree, &options, out, error);
}

int session_expand(struct session *session, struct error *error)
{
    return session_expand_stack(session, session->stack, &session->wanted, error);
}

int session_observe(struct task *task, struct session *session, struct found_list *out,
                    struct error *error)
{
    int result = session_expand(session, error);
    return result < 0
               ? result
               : observe_all(task, session->arena, session->target, &session->wanted, out, error);
}

/* Beside the folder of the stack: .ragstack/ledger. */
static void open_folder_ledger(struct session *session, struct clock *clock)
{
    const struct local *local = session->local;
    const char *end = local->folder + strlen(local->folder);
    for (int slashes = 0; slashes < 2 && end > local->folder; slashes += *end == '/')
        end--;
    session->ledger = ledger_folder_new(
        clock,
        arena_printf(session->arena, "%.*s/ledger", (int)(end - local->folder), local->folder),
        local->identity.stack, local->identity.environment);
}

static void open_bucket_ledger(struct session *session, struct clock *clock)
{
    const struct identity *identity = session->target->identity;
    session->ledger_client = aws_client_new(&(struct aws_client_options){
        .transport = session->transport,
        .clock = clock,
        .credentials = session->credentials,
        .region = identity->region,
        .patience_s = 30, /* the lock must be given up in good time, or run out */
    });
    session->ledger = ledger_s3_new(&(struct ledger_s3_options){
        .client = session->ledger_client,
        .clock = clock,
        .partition = identity->partition,
        .account = identity->account,
        .stack = identity->stack,
        .environment = identity->environment,
    });
}

int session_open_ledger(struct task *task, struct session *session, struct error *error)
{
    struct clock *clock = loop_clock(session->loop);
    int result = session->cloud ? cloud_identify(task, session->cloud, error) : 0;
    if (result < 0 || session->ledger)
        return result;
    if (session->local)
        open_folder_ledger(session, clock);
    else
        open_bucket_ledger(session, clock);
    return 0;
}

/* Never fails: the ledger only says why things differ. */
static int read_applied(struct task *task, void *argument, struct error *error)
{
    struct session *session = argument;
    int result = session_open_ledger(task, session, error);
    if (result == 0)
        result = ledger_applied(task, session->ledger, session->arena, &session->applied, error);
    if (result < 0)
        log_debug("the ledger cannot be read: %s", error->message);
    return 0;
}

int session_observe_and_read(struct task *task, struct session *session, struct found_list *out,
                             struct error *error)
{
    struct error ignored = {0};
    struct task *reader = task_start(session->loop, "ledger", read_applied, session);
    int result = observe_all(task, session->arena, session->target, &session->wanted, out, error);
    if (result < 0)
        task_cancel(reader);
    task_mask_cancel(task, true);
    task_join(task, reader, &ignored);
    task_mask_cancel(task, false);
    return result;
}

int session_plan(struct task *task, struct session *session, const struct plan_options *options,
                 struct plan **out, struct error *error)
{
    struct found_list found = {0};
    struct plan_options all = *options;
    bool reads = session->command->needs & NEED_LEDGER;
    int result = session_expand(session, error);
    if (result == 0)
        result = reads ? session_observe_and_read(task, session, &found, error)
                       : observe_all(task, session->arena, session->target, &session->wanted,
                                     &found, error);
    if (!all.last_applied)
        all.last_applied = session->applied.resolved;
    if (result == 0)
        result =
            plan_make(session->arena, session->target, &session->wanted, &found, &all, out, error);
    if (result == 0 && session->ledger) {
        (*out)->ledger = session->ledger->place;
        (*out)->makes_ledger = session->ledger->missing;
    }
    return result == 0 ? price_file_add_cost(session, *out, error) : result;
}

void print_json(const struct value *value)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    json_print_pretty(&out, value);
    fwrite(buffer_string(&out), 1, out.length, stdout);
    buffer_free(&out);
}
