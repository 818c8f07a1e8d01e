#include "pkg/serve/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/hex.h"
#include "pkg/base/panic.h"
#include "pkg/base/vector.h"
#include "pkg/serve/gateway.h"
#include "pkg/serve/log_file.h"
#include "pkg/serve/models.h"
#include "pkg/serve/server.h"
#include "pkg/serve/unpack.h"
#include "pkg/value/json.h"

enum { TOKEN_BYTES = 24, HASH_IN_PATH = 16 };

/* A function and who uses it: it is stopped when the last one is done. */
struct hosted {
    struct hosted *next;
    struct arena *arena;
    const char *name;
    const struct value *config;
    struct function *function;
    int users; /* requests under way, and one while it is in the list */
};

struct supervisor {
    struct arena *arena;
    const char *folder;
    char token[2 * TOKEN_BYTES + 1];
    struct log_files *logs;
    struct server *control;
    pthread_mutex_t lock; /* of the functions, and of `stopping` */
    pthread_cond_t changed;
    struct hosted *functions;
    bool stopping;
    pthread_mutex_t servers; /* of all below; taken before `lock`, never within it: a server that is
                                stopped waits for requests, and they need `lock` */
    struct arena *gateway_arena, *models_arena;
    const struct value *gateway_config, *models_config;
    struct gateway *gateway;
    struct model_server *models;
    struct encoder *encoder;
    bool had_something;
};

/* -- functions -- */

static void log_of_function(void *data, const char *function, const char *line)
{
    struct supervisor *supervisor = data;
    log_files_write(supervisor->logs, function, line);
}

static void log_of_gateway(void *data, const char *line)
{
    struct supervisor *supervisor = data;
    log_files_write(supervisor->logs, "api", line);
}

static struct hosted *find_hosted(const struct supervisor *supervisor, const char *name)
{
    struct hosted *hosted = supervisor->functions;
    while (hosted && strcmp(hosted->name, name) != 0)
        hosted = hosted->next;
    return hosted;
}

/* Takes the lock off while the last user stops it. */
static void let_go(struct supervisor *supervisor, struct hosted *hosted)
{
    if (--hosted->users > 0)
        return;
    pthread_mutex_unlock(&supervisor->lock);
    function_stop(hosted->function);
    arena_free(hosted->arena);
    pthread_mutex_lock(&supervisor->lock);
}

/* Runs an event; false when there is no such function. It stays until this is done, also when it is
 * replaced meanwhile. */
static bool invoke(void *data, const char *name, struct arena *arena, const char *event,
                   size_t length, const char *trace, struct function_answer *out)
{
    struct supervisor *supervisor = data;
    pthread_mutex_lock(&supervisor->lock);
    struct hosted *hosted = find_hosted(supervisor, name);
    if (hosted)
        hosted->users++;
    pthread_mutex_unlock(&supervisor->lock);
    if (!hosted)
        return false;
    function_invoke(hosted->function, arena, event, length, trace, out);
    pthread_mutex_lock(&supervisor->lock);
    let_go(supervisor, hosted);
    pthread_mutex_unlock(&supervisor->lock);
    return true;
}

/* "NAME=value", with what every function of the local target is told. */
static const char *const *environment_of(struct arena *arena, const struct value *config)
{
    static const char *const fixed[] = {"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
                                        "AWS_EC2_METADATA_DISABLED=true"};
    VECTOR(const char *) list = {0};
    const struct value *own = value_get(config, "environment");
    for (size_t i = 0; i < value_count(own); i++) {
        const struct value_entry *entry = value_entry(own, i);
        const char *text = value_as_text(arena, entry->value);
        if (text)
            vector_push(arena, &list, (const char *)arena_printf(arena, "%s=%s", entry->key, text));
    }
    for (size_t i = 0; i < COUNT_OF(fixed); i++) /* of two with one name the first counts */
        vector_push(arena, &list, fixed[i]);
    vector_push(arena, &list, NULL);
    return list.items;
}

/* By the hash of the zip, so that new code never runs in an old folder. */
static int unpack_code(const struct supervisor *supervisor, struct arena *arena,
                       const struct value *config, const char **root, struct error *error)
{
    const char *zip = value_text(config, "code"), *sum = value_text(config, "code_sha256");
    if (!zip || !sum)
        return error_set(error, ERR_INPUT, "code and code_sha256 are missing");
    char *name = arena_strndup(arena, sum, HASH_IN_PATH);
    for (char *c = name; *c; c++)
        *c = strchr("/+=", *c) ? '_' : *c;
    mkdir(arena_printf(arena, "%s/code", supervisor->folder), 0755);
    *root = arena_printf(arena, "%s/code/%s", supervisor->folder, name);
    return unpack_zip(zip, *root, error);
}

static int start_function(struct supervisor *supervisor, const char *name,
                          const struct value *config, struct hosted **out, struct error *error)
{
    struct arena *arena = arena_new();
    struct hosted *hosted = arena_new_of(arena, struct hosted);
    const char *root = NULL, *region = value_text(config, "region"),
               *handler = value_text(config, "handler");
    *hosted = (struct hosted){.arena = arena,
                              .name = arena_strdup(arena, name),
                              .config = value_copy(arena, config),
                              .users = 1};
    int result = unpack_code(supervisor, arena, config, &root, error);
    if (result < 0) {
        arena_free(arena);
        return result;
    }
    hosted->function = function_start(&(struct function_options){
        .name = name,
        .root = root,
        .handler = handler ? handler : name,
        .region = region ? region : "us-east-1",
        .environment = environment_of(arena, config),
        .memory_mb = (int)value_int_at(config, "memory_mb", 256),
        .timeout_s = (int)value_int_at(config, "timeout_s", 29),
        .concurrency = (int)value_int_at(config, "concurrency", 0),
        .log = log_of_function,
        .data = supervisor,
    });
    *out = hosted;
    return 0;
}

static void take_out(struct supervisor *supervisor, const char *name)
{
    for (struct hosted **at = &supervisor->functions; *at; at = &(*at)->next) {
        struct hosted *hosted = *at;
        if (strcmp(hosted->name, name) != 0)
            continue;
        *at = hosted->next;
        let_go(supervisor, hosted);
        return;
    }
}

static int put_function(struct supervisor *supervisor, const char *name, const struct value *config,
                        struct error *error)
{
    struct hosted *hosted = NULL;
    int result = start_function(supervisor, name, config, &hosted, error);
    if (result < 0)
        return result;
    pthread_mutex_lock(&supervisor->lock);
    take_out(supervisor, name);
    hosted->next = supervisor->functions;
    supervisor->functions = hosted;
    pthread_mutex_unlock(&supervisor->lock);
    return 0;
}

/* -- the gateway and the models endpoint: one each, replaced on the same port -- */

static void drop_gateway(struct supervisor *supervisor)
{
    gateway_stop(supervisor->gateway);
    arena_free(supervisor->gateway_arena);
    supervisor->gateway = NULL;
    supervisor->gateway_arena = NULL;
    supervisor->gateway_config = NULL;
}

static int put_gateway(struct supervisor *supervisor, const struct value *config,
                       struct error *error)
{
    drop_gateway(supervisor);
    struct gateway_options options = {.port = (int)value_int_at(config, "port", 0),
                                      .config = config,
                                      .invoke = invoke,
                                      .log = log_of_gateway,
                                      .data = supervisor};
    int result = gateway_start(&options, &supervisor->gateway, error);
    if (result < 0)
        return result;
    supervisor->gateway_arena = arena_new();
    supervisor->gateway_config = value_copy(supervisor->gateway_arena, config);
    return 0;
}

static void drop_models(struct supervisor *supervisor)
{
    model_server_stop(supervisor->models);
    encoder_close(supervisor->encoder);
    arena_free(supervisor->models_arena);
    supervisor->models = NULL;
    supervisor->encoder = NULL;
    supervisor->models_arena = NULL;
    supervisor->models_config = NULL;
}

static int put_models(struct supervisor *supervisor, const struct value *config,
                      struct error *error)
{
    const char *weights = value_text(config, "encoder");
    drop_models(supervisor);
    int result = weights ? encoder_open(weights, &supervisor->encoder, error) : 0;
    struct model_server_options options = {.port = (int)value_int_at(config, "port", 0),
                                           .encoder = supervisor->encoder,
                                           .chat_url = value_text(config, "chat_url"),
                                           .chat_model = value_text(config, "chat_model")};
    if (result == 0)
        result = model_server_start(&options, &supervisor->models, error);
    if (result < 0)
        return result;
    supervisor->models_arena = arena_new();
    supervisor->models_config = value_copy(supervisor->models_arena, config);
    return 0;
}

/* -- control -- */

static struct value *state_of_function(struct arena *arena, const struct hosted *hosted)
{
    struct function_status status = function_status(hosted->function);
    struct value *row = value_map(arena), *words = value_map(arena);
    value_set_text(arena, words, "state", status.state);
    value_set_text(arena, words, "reason", status.reason);
    value_set_int(arena, words, "processes", status.processes);
    value_set_int(arena, words, "busy", status.busy);
    value_set_int(arena, words, "waiting", status.waiting);
    value_set_int(arena, words, "invocations", status.invocations);
    value_set_int(arena, words, "errors", status.errors);
    value_set_int(arena, words, "restarts", status.restarts);
    value_set(arena, row, "config", value_copy(arena, hosted->config));
    return value_set(arena, row, "status", words);
}

static struct value *state_of_server(struct arena *arena, const struct value *config, int port)
{
    struct value *row = value_map(arena);
    value_set(arena, row, "config", value_copy(arena, config));
    return value_set_int(arena, row, "port", port);
}

static struct value *state(struct supervisor *supervisor, struct arena *arena)
{
    struct value *all = value_map(arena), *functions = value_map(arena);
    for (const struct hosted *hosted = supervisor->functions; hosted; hosted = hosted->next)
        value_set(arena, functions, hosted->name, state_of_function(arena, hosted));
    value_set_int(arena, all, "pid", getpid());
    value_set(arena, all, "functions", functions);
    if (supervisor->gateway)
        value_set(
            arena, all, "gateway",
            state_of_server(arena, supervisor->gateway_config, gateway_port(supervisor->gateway)));
    if (supervisor->models)
        value_set(arena, all, "models",
                  state_of_server(arena, supervisor->models_config,
                                  model_server_port(supervisor->models)));
    return all;
}

static int put(struct supervisor *supervisor, const char *path, const struct value *config,
               struct error *error)
{
    if (strncmp(path, "/functions/", 11) == 0)
        return put_function(supervisor, path + 11, config, error);
    if (strcmp(path, "/gateway") == 0)
        return put_gateway(supervisor, config, error);
    if (strcmp(path, "/models") == 0)
        return put_models(supervisor, config, error);
    return error_set(error, ERR_NOT_FOUND, "no such thing");
}

static void take_away(struct supervisor *supervisor, const char *path)
{
    pthread_mutex_lock(&supervisor->servers);
    if (strcmp(path, "/gateway") == 0)
        drop_gateway(supervisor);
    else if (strcmp(path, "/models") == 0)
        drop_models(supervisor);
    pthread_mutex_lock(&supervisor->lock);
    if (strncmp(path, "/functions/", 11) == 0)
        take_out(supervisor, path + 11);
    if (supervisor->had_something && !supervisor->functions && !supervisor->gateway &&
        !supervisor->models)
        supervisor->stopping = true;
    pthread_cond_broadcast(&supervisor->changed);
    pthread_mutex_unlock(&supervisor->lock);
    pthread_mutex_unlock(&supervisor->servers);
}

static void serve_state(struct supervisor *supervisor, const struct request *request,
                        struct reply *reply)
{
    pthread_mutex_lock(&supervisor->servers);
    pthread_mutex_lock(&supervisor->lock);
    reply_json(request, reply, 200, state(supervisor, request->arena));
    pthread_mutex_unlock(&supervisor->lock);
    pthread_mutex_unlock(&supervisor->servers);
}

static void serve_put(struct supervisor *supervisor, const struct request *request,
                      struct reply *reply)
{
    struct value *config;
    struct error error = {0};
    int result =
        json_parse(request->arena, request->body, request->body_length, "config", &config, &error);
    if (result == 0) {
        pthread_mutex_lock(&supervisor->servers);
        result = put(supervisor, request->path, config, &error);
        supervisor->had_something = supervisor->had_something || result == 0;
        pthread_mutex_unlock(&supervisor->servers);
    }
    if (result == 0)
        serve_state(supervisor, request, reply);
    else
        reply_message(request, reply, result == ERR_NOT_FOUND ? 404 : 400, error.message);
}

static void serve_invoke(struct supervisor *supervisor, const struct request *request,
                         struct reply *reply)
{
    struct function_answer answered;
    const char *start = request->path + 11, *slash = strchr(start, '/');
    if (strncmp(request->path, "/functions/", 11) != 0 || !slash || strcmp(slash, "/invoke") != 0) {
        reply_message(request, reply, 404, "no such thing");
        return;
    }
    const char *name = arena_strndup(request->arena, start, (size_t)(slash - start));
    if (!invoke(supervisor, name, request->arena, request->body, request->body_length, NULL,
                &answered)) {
        reply_message(request, reply, 404, "no such function");
        return;
    }
    reply->status = answered.outcome == INVOKED ? 200 : 502;
    reply->body = answered.body;
    reply->body_length = answered.body_length;
}

static bool knows_token(const struct supervisor *supervisor, const struct request *request)
{
    const char *token = value_text(request->headers, "authorization");
    return token && strlen(token) == strlen(supervisor->token) &&
           CRYPTO_memcmp(token, supervisor->token, strlen(token)) == 0;
}

static void serve(void *data, const struct request *request, struct reply *reply)
{
    struct supervisor *supervisor = data;
    if (!knows_token(supervisor, request)) {
        reply_message(request, reply, 403, "Forbidden");
    } else if (strcmp(request->method, "PUT") == 0) {
        serve_put(supervisor, request, reply);
    } else if (strcmp(request->method, "POST") == 0) {
        serve_invoke(supervisor, request, reply);
    } else if (strcmp(request->method, "DELETE") == 0) {
        take_away(supervisor, request->path);
        serve_state(supervisor, request, reply);
    } else {
        serve_state(supervisor, request, reply);
    }
}

/* -- the process -- */

static int own_folder(const struct supervisor *supervisor, struct error *error)
{
    const char *path = arena_printf(supervisor->arena, "%s/supervisor.lock", supervisor->folder);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* kept open to the end */
    if (file < 0)
        return error_set(error, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (flock(file, LOCK_EX | LOCK_NB) != 0)
        return error_set(error, ERR_LOCKED, "another supervisor runs in %s", supervisor->folder);
    return 0;
}

static void make_token(struct supervisor *supervisor)
{
    unsigned char random[TOKEN_BYTES];
    require(RAND_bytes(random, sizeof random) == 1);
    hex_encode(random, sizeof random, supervisor->token);
}

static int tell_where(const struct supervisor *supervisor, struct error *error)
{
    struct arena *arena = supervisor->arena;
    const char *path = arena_printf(arena, "%s/supervisor.json", supervisor->folder);
    const char *beside = arena_printf(arena, "%s.new", path);
    struct value *where = value_map(arena);
    value_set_int(arena, where, "pid", getpid());
    value_set_int(arena, where, "port", server_port(supervisor->control));
    value_set_text(arena, where, "token", supervisor->token);
    const char *text = json_text(arena, where);
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    written = file >= 0 && close(file) == 0 && written;
    if (written && rename(beside, path) == 0)
        return 0;
    return error_set(error, ERR_FAILED, "cannot write %s: %s", path, strerror(errno));
}

static void *await_signal(void *argument)
{
    struct supervisor *supervisor = argument;
    sigset_t signals;
    int number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigwait(&signals, &number);
    pthread_mutex_lock(&supervisor->lock);
    supervisor->stopping = true;
    pthread_cond_broadcast(&supervisor->changed);
    pthread_mutex_unlock(&supervisor->lock);
    return NULL;
}

/* Until a signal, or until nothing is left of what there was. */
static void await_end(struct supervisor *supervisor)
{
    pthread_mutex_lock(&supervisor->lock);
    while (!supervisor->stopping)
        pthread_cond_wait(&supervisor->changed, &supervisor->lock);
    pthread_mutex_unlock(&supervisor->lock);
}

/* The control goes first, and waits for its requests: nothing changes after that. */
static void stop_all(struct supervisor *supervisor)
{
    unlink(arena_printf(supervisor->arena, "%s/supervisor.json", supervisor->folder));
    server_stop(supervisor->control);
    drop_gateway(supervisor);
    pthread_mutex_lock(&supervisor->lock);
    while (supervisor->functions)
        take_out(supervisor, supervisor->functions->name);
    pthread_mutex_unlock(&supervisor->lock);
    drop_models(supervisor);
}

static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static int start(struct supervisor *supervisor, struct error *error)
{
    struct server_options options = {.serve = serve, .data = supervisor};
    int result = own_folder(supervisor, error);
    if (result == 0)
        result = server_start(&options, &supervisor->control, error);
    return result == 0 ? tell_where(supervisor, error) : result;
}

int supervisor_run(const char *folder, struct error *error)
{
    struct arena *arena = arena_new();
    struct supervisor *supervisor = arena_new_of(arena, struct supervisor);
    pthread_t signals;
    supervisor->arena = arena;
    supervisor->folder = folder;
    supervisor->logs = log_files_open(arena_printf(arena, "%s/logs", folder));
    pthread_mutex_init(&supervisor->lock, NULL);
    pthread_mutex_init(&supervisor->servers, NULL);
    pthread_cond_init(&supervisor->changed, NULL);
    make_token(supervisor);
    block_signals();
    int result = start(supervisor, error);
    if (result == 0 && pthread_create(&signals, NULL, await_signal, supervisor) == 0) {
        await_end(supervisor);
        stop_all(supervisor);
        /* NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread,cert-pos44-c): it waits for signals */
        pthread_kill(signals, SIGTERM);
        pthread_join(signals, NULL);
    }
    log_files_close(supervisor->logs);
    OPENSSL_cleanse(supervisor->token, sizeof supervisor->token);
    arena_free(arena);
    return result;
}
