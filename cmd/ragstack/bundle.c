/* `ragstack bundle`: what `make` calls to pack the handlers. */
#include <string.h>

#include "cmd/ragstack/session.h"
#include "pkg/bundle/bundle.h"

static int run(struct task *task, struct session *session, struct error *error)
{
    const struct options *options = &session->options;
    size_t count = options->argument_count - 1;
    struct bundle_file *files = arena_array(session->arena, count + 1, sizeof *files);
    (void)task;
    for (size_t i = 0; i < count; i++) {
        const char *path = options->arguments[i + 1], *slash = strrchr(path, '/');
        files[i] = (struct bundle_file){.name = slash ? slash + 1 : path, .path = path};
    }
    return bundle_write(files, count, options->arguments[0], error);
}

const struct command command_bundle = {
    .name = "bundle",
    .arguments = "OUT.zip BOOTSTRAP [FILE]...",
    .details = "Packs a handler program as Lambda wants it: a zip that holds the one executable\n"
               "`bootstrap`, and what it reads beside it. The same files give the same bytes, so "
               "that an unchanged handler is\n"
               "no change. `make` calls this; the zip belongs beside the program, or in\n"
               "../lib/ragstack, as handler-x86_64.zip or handler-arm64.zip.",
    .examples = "ragstack bundle build/release/handler-x86_64.zip build/release/bootstrap",
    .least_arguments = 2,
    .most_arguments = -1,
    .run = run,
};
