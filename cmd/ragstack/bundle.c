/* `ragstack bundle`: what `make` calls to pack the handlers. */
#include <stdio.h>

#include "cmd/ragstack/session.h"
#include "pkg/bundle/bundle.h"

static int run(struct task *task, struct session *session, struct error *error)
{
    const struct options *options = &session->options;
    const struct bundle_file file = {.name = "bootstrap", .path = options->arguments[0]};
    (void)task;
    return bundle_write(&file, 1, options->arguments[1], error);
}

const struct command command_bundle = {
    .name = "bundle",
    .arguments = "BOOTSTRAP OUT.zip",
    .details =
        "Packs a handler program as Lambda wants it: a zip that holds the one executable\n"
        "`bootstrap`. The same program gives the same bytes, so that an unchanged handler is\n"
        "no change. `make` calls this; the zip belongs beside the program, or in\n"
        "../lib/ragstack, as handler-x86_64.zip or handler-arm64.zip.",
    .examples = "ragstack bundle build/release/bootstrap build/release/handler-x86_64.zip",
    .least_arguments = 2,
    .most_arguments = 2,
    .run = run,
};
