#include "cmd/rag-handler/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/rag-handler/resolve.h"
#include "pkg/aws/sigv4.h"
#include "pkg/base/panic.h"

enum {
    POSTGRES_PORT = 5432,
    TOKEN_LIFE_S = 900,
    PATIENCE_S = 8,
    URL_MAXIMUM = 2048,
    MODELS_MAXIMUM = 8
};

/* Of this process; made when first needed, and never freed. */
static struct {
    struct loop *loop;
    struct transport *transport;
    struct credential_provider *credentials;
    struct aws_client *client;
    struct pg *pg;
} kept;

const char *runtime_text(const char *name)
{
    const char *text = getenv(name);
    return text && *text ? text : NULL;
}

int64_t runtime_number(const char *name, int64_t otherwise)
{
    const char *text = runtime_text(name);
    char *end;
    if (!text)
        return otherwise;
    long long number = strtoll(text, &end, 10);
    return *end ? otherwise : number;
}

/* -- the loop and its connections -- */

static void make_loop(void)
{
    if (!kept.loop)
        kept.loop = loop_new(clock_system());
}

int runtime_run(const char *name, task_function *function, void *argument, struct error *error)
{
    make_loop();
    return loop_run_task(kept.loop, name, function, argument, error);
}

/* A file of the zip, where it is there; NULL: the system's own. */
static const char *own_file(const char *name)
{
    static char path[1024];
    const char *root = runtime_text("LAMBDA_TASK_ROOT");
    snprintf(path, sizeof path, "%s/%s", root ? root : ".", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

struct aws_client *runtime_client(void)
{
    if (kept.client)
        return kept.client;
    make_loop();
    struct http_curl_options http = {.ca_file = own_file("amazon-roots.pem"),
                                     .user_agent = "ragstack-handler/" RAGSTACK_VERSION};
    const char *region = runtime_text("AWS_REGION");
    kept.transport = http_curl_new(kept.loop, &http);
    struct credential_options credentials = {
        .transport = kept.transport, .clock = clock_system(), .region = region};
    kept.credentials = credential_provider_new(&credentials);
    kept.client = aws_client_new(&(struct aws_client_options){
        .transport = kept.transport,
        .clock = clock_system(),
        .credentials = kept.credentials,
        .region = region ? region : "us-east-1",
        .patience_s = PATIENCE_S,
    });
    return kept.client;
}

/* "a,b,c" as a list that ends with NULL. */
static const char *const *split(struct arena *arena, const char *text)
{
    const char **list = arena_array(arena, MODELS_MAXIMUM + 1, sizeof *list);
    for (size_t count = 0; text && *text && count < MODELS_MAXIMUM;) {
        size_t length = strcspn(text, ",");
        if (length)
            list[count++] = arena_strndup(arena, text, length);
        text += length;
        text += *text == ',';
    }
    return list;
}

int runtime_models(struct arena *arena, struct models **out, struct error *error)
{
    struct bedrock_options options = {
        .client = runtime_client(),
        .embed_model = runtime_text("RAG_EMBED_MODEL"),
        .dimensions = (int)runtime_number("RAG_EMBED_DIMENSIONS", 512),
        .generate_model = runtime_text("RAG_GENERATE_MODEL"),
        .fallback = split(arena, runtime_text("RAG_FALLBACK_MODELS")),
    };
    if (!options.embed_model)
        return error_set(error, ERR_PREFLIGHT, "RAG_EMBED_MODEL is not set");
    *out = bedrock_models(arena, &options);
    return 0;
}

/* -- the database -- */

/* A login token for a database user, signed here: nothing is asked, and nothing is stored.
 * Source: "Generating an authentication token", Amazon RDS User Guide. */
static int make_token(void *data, struct secret *out, struct error *error)
{
    const char *host = data;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct credentials credentials = {0};
    struct sigv4_result signed_query;
    runtime_client();
    int result = credential_provider_get(NULL, kept.credentials, &credentials, error);
    if (result < 0)
        return error_wrap(error, "the database's login token");
    const char *place = arena_printf(arena, "%s:%d", host, POSTGRES_PORT);
    const struct http_header headers[] = {{"Host", place}};
    struct sigv4_request request = {
        .method = "GET",
        .path = "/",
        .query = arena_printf(arena, "Action=connect&DBUser=%s",
                              http_encode(arena, runtime_text("RAG_DB_USER"), false)),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .service = "rds-db",
        .region = aws_client_region(kept.client),
        .credentials = &credentials,
        .wall_ms = clock_system()->wall_ms(clock_system()),
        .encode_path_twice = true,
        .normalize_path = true,
        .expires_s = TOKEN_LIFE_S,
    };
    sigv4_sign_query(arena, &request, &signed_query);
    secret_set(out, arena_printf(arena, "%s/?%s", place, signed_query.query));
    credentials_clear(&credentials);
    return 0;
}

static int connect_by_file(struct task *task, const char *path, struct pg **out,
                           struct error *error)
{
    char url[URL_MAXIMUM];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, url, sizeof url - 1) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0)
        return error_set(error, ERR_PREFLIGHT, "the file that RAG_DB_URL_FILE names: %s",
                         strerror(errno));
    url[length] = '\0';
    url[strcspn(url, "\n")] = '\0';
    struct pg_options options = {.url = url, .application = "ragstack"};
    int result = pg_open(task, &options, out, error);
    explicit_bzero(url, sizeof url);
    return result;
}

/* A proxy shows a certificate of Amazon's own authority, an instance one of RDS's. */
static const char *authorities_of(const char *host)
{
    return own_file(strstr(host, ".proxy-") ? "amazon-roots.pem" : "rds-roots.pem");
}

int runtime_connect(struct task *task, const char *host, struct pg **out, struct error *error)
{
    char address[64];
    struct pg_options options = {
        .host = host,
        .port = POSTGRES_PORT,
        .address = address,
        .database = runtime_text("RAG_DB_NAME"),
        .user = runtime_text("RAG_DB_USER"),
        .ca_file = authorities_of(host),
        .application = "ragstack",
        .password = make_token,
        .data = (void *)(uintptr_t)host,
    };
    if (!options.database || !options.user)
        return error_set(error, ERR_PREFLIGHT, "RAG_DB_NAME or RAG_DB_USER is not set");
    if (!options.ca_file)
        return error_set(error, ERR_PREFLIGHT,
                         "the certificates are missing from the function's zip");
    int result = resolve_host(host, address, sizeof address, error);
    return result < 0 ? result : pg_open(task, &options, out, error);
}

int runtime_database(struct task *task, struct pg **out, struct error *error)
{
    const char *file = runtime_text("RAG_DB_URL_FILE"), *host = runtime_text("RAG_DB_HOST");
    int result = 0;
    if (!pg_usable(kept.pg)) {
        pg_close(kept.pg);
        kept.pg = NULL;
        if (file)
            result = connect_by_file(task, file, &kept.pg, error);
        else if (host)
            result = runtime_connect(task, host, &kept.pg, error);
        else
            result = error_set(error, ERR_PREFLIGHT, "RAG_DB_HOST is not set");
    }
    *out = kept.pg;
    return result;
}
