/* Names to addresses by files and DNS alone (c-ares): the C library of a static program must not
 * look for modules of its host. */
#ifndef RAGSTACK_CMD_RAG_HANDLER_RESOLVE_H
#define RAGSTACK_CMD_RAG_HANDLER_RESOLVE_H

#include <stddef.h>

#include "pkg/base/error.h"

/* The first address of a host, as text into `out` (46 bytes at least). ERR_FAILED with the host's
 * name. */
int resolve_host(const char *host, char *out, size_t size, struct error *error);

#endif
