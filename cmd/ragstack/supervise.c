#include "cmd/ragstack/session.h"
#include "pkg/serve/supervisor.h"

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task;
    return supervisor_run(session->options.arguments[0], error);
}

const struct command command_supervise = {
    .name = "supervise",
    .arguments = "FOLDER",
    .details = "Owns the processes of a local stack: runs the functions, the gateway and the "
               "models endpoint that it is told to, until the\n"
               "last of them is taken away, or until SIGTERM. `ragstack up --local` starts it.",
    .least_arguments = 1,
    .most_arguments = 1,
    .needs = NEED_PROCESS,
    .run = run,
};
