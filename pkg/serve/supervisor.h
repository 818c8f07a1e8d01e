/* The process that owns the local target: the functions' processes, the gateway, the models
 * endpoint.
 *
 * It is told what to run over HTTP on loopback, by whoever knows the token in its file
 * `<folder>/supervisor.json` ({"pid", "port", "token"}, readable by its user alone):
 *   GET /state                       {"functions": {NAME: {"config", "status"}}, "gateway": {..},
 * ..} PUT|DELETE /functions/NAME       config: {"code", "code_sha256", "handler", "region",
 * "memory_mb", "timeout_s", "concurrency", "environment", ...} POST /functions/NAME/invoke      the
 * event; 200 with the answer, 502 with a function error PUT|DELETE /gateway, /models     config:
 * see gateway.h and models.h What it does not know in a config it keeps and gives back. It ends
 * when its last resource is deleted, or on SIGTERM. Killed, it takes all its processes with it;
 * nothing that it keeps is lost, since the resources can be made again at any time. Logs: one file
 * a source in `<folder>/logs`, lines of
 * "<RFC 3339 time>\t<line>", cut in half above 64 MB. */
#ifndef RAGSTACK_SERVE_SUPERVISOR_H
#define RAGSTACK_SERVE_SUPERVISOR_H

#include "pkg/base/error.h"

/* Runs until it is done. ERR_LOCKED when another one owns the folder. */
int supervisor_run(const char *folder, struct error *error);

#endif
