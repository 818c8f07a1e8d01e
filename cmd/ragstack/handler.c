#include "cmd/ragstack/handler.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static int sum_file(struct arena *arena, struct handler_zip *out, struct error *error)
{
    CLEANUP(close_file) FILE *file = fopen(out->path, "rb");
    if (!file)
        return error_set(error, ERR_NOT_FOUND, "%s: %s", out->path, strerror(errno));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[SHA256_DIGEST_LENGTH], chunk[65536];
    char text[64];
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    for (size_t length; (length = fread(chunk, 1, sizeof chunk, file)) > 0;)
        EVP_DigestUpdate(context, chunk, length);
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    if (ferror(file))
        return error_set(error, ERR_FAILED, "%s: %s", out->path, strerror(errno));
    EVP_EncodeBlock((unsigned char *)text, digest, sizeof digest);
    out->sha256_base64 = arena_strdup(arena, text);
    return 0;
}

/* The folder of the running program, with its final slash. */
static const char *own_folder(struct arena *arena)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return "./";
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    return arena_strndup(arena, path, (size_t)(slash - path) + 1);
}

int handler_find(struct arena *arena, const char *architecture, struct handler_zip *out,
                 struct error *error)
{
    const char *named = getenv("RAGSTACK_HANDLER_ZIP"), *folder = own_folder(arena);
    const char *places[] = {
        named,
        arena_printf(arena, "%shandler-%s.zip", folder, architecture),
        arena_printf(arena, "%s../lib/ragstack/handler-%s.zip", folder, architecture),
    };
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        if (!places[i] || access(places[i], R_OK) != 0)
            continue;
        out->path = places[i];
        return sum_file(arena, out, error);
    }
    return error_set(error, ERR_NOT_FOUND,
                     "no handler-%s.zip beside the program: `make` builds it, "
                     "RAGSTACK_HANDLER_ZIP names another",
                     architecture);
}

static int sum_own(struct arena *arena, const struct stack *stack, struct value *resource,
                   struct error *error)
{
    const struct value *code = value_get(resource, "code");
    const char *slash = strrchr(stack->file, '/');
    struct handler_zip zip = {.path = code->string.text};
    if (zip.path[0] != '/' && slash)
        zip.path =
            arena_printf(arena, "%.*s/%s", (int)(slash - stack->file), stack->file, zip.path);
    if (sum_file(arena, &zip, error) < 0)
        return error_set_at(error, ERR_INPUT, code->mark, "code: %s: %s", zip.path,
                            strerror(errno));
    struct value *path = value_string(arena, zip.path),
                 *sum = value_string(arena, zip.sha256_base64);
    path->mark = sum->mark = code->mark;
    value_set(arena, resource, "code", path);
    value_set(arena, resource, "code_sha256", sum);
    return 0;
}

int handler_sum_own(struct arena *arena, const struct stack *stack, struct error *error)
{
    const struct value *resources = value_get(stack->tree, "resources");
    int result = 0;
    for (size_t i = 0; i < value_count(resources) && result == 0; i++) {
        struct value *resource = value_entry(resources, i)->value;
        bool function = value_is_text(value_get(resource, "kind"), "lambda.function");
        if (function && value_is(value_get(resource, "code"), VALUE_STRING) &&
            !value_get(resource, "code_sha256"))
            result = sum_own(arena, stack, resource, error);
    }
    return result;
}
