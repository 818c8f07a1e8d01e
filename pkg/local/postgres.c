/* PostgreSQL with pgvector: a cluster of this stack's own, started and stopped, never shared.
 *
 * Data stands in the target's folder (for root, whose folders PostgreSQL's user cannot enter, in
 * /var/lib/ragstack). It listens on loopback; its password is made here, and known only to a file
 * that its user alone can read, which is all that the functions are told. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pkg/base/file.h"
#include "pkg/base/hex.h"
#include "pkg/local/local.h"
#include "pkg/local/types.h"
#include "pkg/pg/pg.h"

enum { SMALL_FILE_BYTES = 1024, PASSWORD_BYTES = 24, START_TRIES = 4, START_PAUSE_MS = 1000 };

#define ADMIN "ragadmin"

static const struct field fields[] = {
    {.name = "database",
     .type = FIELD_STRING,
     .unset = "\"rag\"",
     .flags = REPLACE | DATA,
     .summary = "name of the database"},
    {.name = "version", .type = FIELD_STRING, .flags = COMPUTED, .summary = "PostgreSQL's version"},
    {.name = "port", .type = FIELD_INT, .flags = COMPUTED, .summary = "where it listens"},
    {.name = "data", .type = FIELD_STRING, .flags = COMPUTED, .summary = "folder of its data"},
    {.name = "url_file",
     .type = FIELD_STRING,
     .flags = COMPUTED,
     .summary = "file with the connection's URI, password included"},
    {.name = "state", .type = FIELD_STRING, .flags = COMPUTED, .summary = "available"},
    {0},
};

/* Where everything of this cluster stands. */
struct cluster {
    struct local *local;
    struct arena *arena;
    const char *folder; /* that PostgreSQL's user owns */
    const char *data, *log, *port_file, *url_file;
};

static struct cluster cluster_of(struct arena *arena, struct local *local)
{
    struct cluster cluster = {.local = local, .arena = arena};
    unsigned char digest[EVP_MAX_MD_SIZE];
    cluster.folder = arena_printf(arena, "%s/postgres", local->folder);
    if (geteuid() == 0) {
        EVP_Digest(local->folder, strlen(local->folder), digest, NULL, EVP_sha256(), NULL);
        cluster.folder =
            arena_printf(arena, "/var/lib/ragstack/%s-%02x%02x%02x%02x", local->identity.stack,
                         digest[0], digest[1], digest[2], digest[3]);
    }
    cluster.data = arena_printf(arena, "%s/data", cluster.folder);
    cluster.log = arena_printf(arena, "%s/postgres.log", cluster.folder);
    cluster.port_file = arena_printf(arena, "%s/port", cluster.folder);
    cluster.url_file = arena_printf(arena, "%s/postgres.url", local->folder);
    return cluster;
}

/* -- small files -- */

static const char *read_text(struct arena *arena, const char *path)
{
    char *text;
    size_t length;
    struct error absent;
    return file_read(arena, path, SMALL_FILE_BYTES, &text, &length, &absent) == 0 && length ? text
                                                                                            : NULL;
}

static int write_text(struct arena *arena, const char *path, const char *text, struct error *error)
{
    return file_replace(arena, path, text, strlen(text), error);
}

static int own_folder(const struct cluster *cluster, const char *user, struct error *error)
{
    const struct passwd *entry = user && geteuid() == 0 ? getpwnam(user) : NULL;
    int result = file_make_folders(cluster->arena, cluster->folder, 0755, error);
    if (result == 0 && entry && chown(cluster->folder, entry->pw_uid, entry->pw_gid) != 0)
        return error_set(error, ERR_FAILED, "%s: %s", cluster->folder, strerror(errno));
    return result;
}

/* -- is it there? -- */

static int connect_to(struct task *task, const struct cluster *cluster, struct pg **out,
                      struct error *error)
{
    const char *url = read_text(cluster->arena, cluster->url_file);
    if (!url)
        return error_set(error, ERR_NOT_FOUND, "no database was made here");
    struct pg_options options = {.url = url, .application = "ragstack", .connect_timeout_s = 2};
    return pg_open(task, &options, out, error);
}

static int observe(struct task *task, struct observation *observation, struct error *error)
{
    struct cluster cluster = cluster_of(observation->arena, observation->target);
    struct pg *pg = NULL;
    struct pg_rows rows;
    const char *id = observation->only           ? observation->only->id
                     : observation->wanted_count ? observation->wanted[0].id
                                                 : "database";
    if (connect_to(task, &cluster, &pg, error) < 0) { /* stopped, or never made: `up` starts it */
        error_clear(error);
        return 0;
    }
    int result = pg_run(task, pg, cluster.arena,
                        "SELECT current_database(), current_setting('server_version'),"
                        " current_setting('port'), current_setting('data_directory')",
                        NULL, 0, &rows, error);
    pg_close(pg);
    if (result < 0)
        return result;
    struct value *props = value_map(cluster.arena);
    value_set_text(cluster.arena, props, "database", pg_cell(&rows, 0, 0));
    value_set_text(cluster.arena, props, "version", pg_cell(&rows, 0, 1));
    value_set_int(cluster.arena, props, "port", pg_cell_int(&rows, 0, 2));
    value_set_text(cluster.arena, props, "data", pg_cell(&rows, 0, 3));
    value_set_text(cluster.arena, props, "url_file", cluster.url_file);
    value_set_text(cluster.arena, props, "state", "available");
    struct found found = {.id = id, .physical_id = cluster.data, .props = props};
    observation->add(observation, &found);
    return 0;
}

/* -- making it -- */

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
    if (probe >= 0 && bind(probe, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(probe, (struct sockaddr *)&address, &length) == 0)
        port = ntohs(address.sin_port);
    if (probe >= 0)
        close(probe);
    return port;
}

static int make_password(char out[2 * PASSWORD_BYTES + 1], struct error *error)
{
    unsigned char random[PASSWORD_BYTES];
    if (RAND_bytes(random, sizeof random) != 1)
        return error_set(error, ERR_FAILED, "no random numbers");
    hex_encode(random, sizeof random, out);
    return 0;
}

/* The password goes to initdb by a file, which is taken away again. */
static int init_cluster(struct task *task, const struct cluster *cluster,
                        const struct postgres_programs *programs, const char *password,
                        struct error *error)
{
    const char *secret = arena_printf(cluster->arena, "%s/new-password", cluster->folder);
    const char *arguments[] = {arena_printf(cluster->arena, "%s/initdb", programs->folder),
                               "-D",
                               cluster->data,
                               "-U",
                               ADMIN,
                               "--auth=scram-sha-256",
                               arena_printf(cluster->arena, "--pwfile=%s", secret),
                               "--encoding=UTF8",
                               "--no-locale",
                               NULL};
    struct program program = {.arguments = arguments, .user = programs->user, .folder = "/"};
    const struct passwd *entry = geteuid() == 0 && programs->user ? getpwnam(programs->user) : NULL;
    int result = write_text(cluster->arena, secret, password, error);
    if (result == 0 && entry && chown(secret, entry->pw_uid, entry->pw_gid) != 0)
        result = error_set(error, ERR_FAILED, "%s: %s", secret, strerror(errno));
    if (result == 0)
        result = program_run(task, &program, error);
    unlink(secret);
    return result;
}

static int write_url(const struct cluster *cluster, const char *database, int port,
                     const char *password, struct error *error)
{
    const char *url = arena_printf(cluster->arena, "postgresql://" ADMIN ":%s@127.0.0.1:%d/%s",
                                   password, port, database);
    int result = write_text(cluster->arena, cluster->port_file,
                            arena_printf(cluster->arena, "%d", port), error);
    return result == 0 ? write_text(cluster->arena, cluster->url_file, url, error) : result;
}

/* A cluster that is half made has no url file yet, and is made again. */
static int make_cluster(struct task *task, const struct cluster *cluster,
                        const struct postgres_programs *programs, const char *database,
                        struct error *error)
{
    char password[2 * PASSWORD_BYTES + 1];
    if (access(cluster->url_file, R_OK) == 0)
        return 0;
    const char *sweep[] = {"rm", "-rf", "--", cluster->data, NULL};
    int result = program_run(task, &(struct program){.arguments = sweep}, error);
    if (result == 0)
        result = own_folder(cluster, programs->user, error);
    if (result == 0)
        result = make_password(password, error);
    if (result == 0)
        result = init_cluster(task, cluster, programs, password, error);
    if (result == 0)
        result = write_url(cluster, database, free_port(), password, error);
    OPENSSL_cleanse(password, sizeof password);
    return result;
}

static int control(struct task *task, const struct cluster *cluster,
                   const struct postgres_programs *programs, const char *word, struct error *error)
{
    const char *port = read_text(cluster->arena, cluster->port_file);
    const char *settings = arena_printf(
        cluster->arena,
        "-p %s -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=128MB"
        " -c maintenance_work_mem=256MB",
        port ? port : "0");
    const char *start[] = {arena_printf(cluster->arena, "%s/pg_ctl", programs->folder),
                           word,
                           "-D",
                           cluster->data,
                           "-w",
                           "-t",
                           "60",
                           "-l",
                           cluster->log,
                           "-o",
                           settings,
                           NULL};
    const char *stop[] = {start[0], word, "-D", cluster->data, "-w",
                          "-t",     "60", "-m", "fast",        NULL};
    struct program program = {.arguments = strcmp(word, "start") == 0 ? start : stop,
                              .user = programs->user,
                              .folder = "/",
                              .output = "/dev/null"};
    int result = program_run(task, &program, error);
    return result == ERR_FAILED
               ? error_set(error, ERR_FAILED, "PostgreSQL does not %s; %s says why", word,
                           cluster->log)
               : result;
}

/* After a kill, what is left of the old one may hold its files for a moment. */
static int start_cluster(struct task *task, const struct cluster *cluster,
                         const struct postgres_programs *programs, struct error *error)
{
    int result = ERR_FAILED;
    for (int tries = 0; tries < START_TRIES && result == ERR_FAILED; tries++) {
        if (tries && task_sleep(task, START_PAUSE_MS, error) < 0)
            return ERR_CANCELLED;
        result = control(task, cluster, programs, "start", error);
    }
    return result;
}

/* The URI names the database; the cluster begins with "postgres" alone. */
static int make_database(struct task *task, const struct cluster *cluster, const char *database,
                         struct error *error)
{
    const char *url = read_text(cluster->arena, cluster->url_file);
    const char *slash = url ? strrchr(url, '/') : NULL;
    struct pg *pg;
    if (!slash)
        return error_set(error, ERR_FAILED, "%s is broken", cluster->url_file);
    struct pg_options options = {
        .url = arena_printf(cluster->arena, "%.*s/postgres", (int)(slash - url), url)};
    int result = pg_open(task, &options, &pg, error);
    if (result < 0)
        return result;
    result = pg_script(task, pg, arena_printf(cluster->arena, "CREATE DATABASE \"%s\"", database),
                       error);
    pg_close(pg);
    if (result < 0 && strstr(error->aws_code, "42P04")) { /* it is there already */
        error_clear(error);
        return 0;
    }
    return result;
}

static int create(struct task *task, struct action *action, struct error *error)
{
    struct cluster cluster = cluster_of(action->arena, action->target);
    struct postgres_programs programs = {0};
    const char *database = value_text(action->want, "database");
    int result = file_make_folders(action->arena, cluster.local->folder, 0755, error);
    if (result == 0)
        result = find_postgres(task, action->target, action->arena, true, &programs, error);
    if (result == 0)
        result = make_cluster(task, &cluster, &programs, database, error);
    if (result == 0)
        result = start_cluster(task, &cluster, &programs, error);
    if (result == 0)
        result = make_database(task, &cluster, database, error);
    if (result < 0)
        return result;
    const char *port = read_text(action->arena, cluster.port_file);
    action->physical_id = cluster.data;
    value_set_text(action->arena, action->made, "url_file", cluster.url_file);
    value_set_text(action->arena, action->made, "data", cluster.data);
    value_set_text(action->arena, action->made, "version", programs.version);
    value_set_int(action->arena, action->made, "port", port ? strtoll(port, NULL, 10) : 0);
    value_set_text(action->arena, action->made, "state", "available");
    return 0;
}

/* -- taking it away -- */

static int remove_postgres(struct task *task, struct action *action, struct error *error)
{
    struct cluster cluster = cluster_of(action->arena, action->target);
    struct postgres_programs programs;
    int result = find_postgres(task, action->target, action->arena, false, &programs, error);
    if (result == 0)
        result = control(task, &cluster, &programs, "stop", error);
    if (result < 0 || !action->consented) /* the data stay, and the next `up` goes on with them */
        return result;
    const char *sweep[] = {"rm", "-rf", "--", cluster.folder, NULL};
    unlink(cluster.url_file);
    return program_run(task, &(struct program){.arguments = sweep}, error);
}

const char *local_kept_data(struct local *local, struct arena *arena)
{
    struct cluster cluster = cluster_of(arena, local);
    return access(cluster.url_file, F_OK) == 0 ? cluster.data : NULL;
}

const struct resource_type local_postgres = {
    .kind = "local.postgres",
    .summary = "PostgreSQL with pgvector, with a cluster of its own",
    .flags = NO_TAGS | HIDDEN | HOLDS_DATA,
    .fields = fields,
    .observe = observe,
    .create = create,
    .remove = remove_postgres,
};
