#include "cmd/rag-handler/resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

enum { TIMEOUT_MS = 2000, TRIES = 3 };

struct resolving {
    char *out;
    size_t size;
    int status; /* of c-ares; -1 while it is under way */
};

static void take(void *data, int status, int timeouts, struct ares_addrinfo *result)
{
    struct resolving *resolving = data;
    (void)timeouts;
    resolving->status = status;
    if (status != ARES_SUCCESS)
        return;
    const struct ares_addrinfo_node *node = result->nodes;
    const void *address = NULL;
    if (node && node->ai_family == AF_INET)
        address = &((const struct sockaddr_in *)(const void *)node->ai_addr)->sin_addr;
    else if (node && node->ai_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)node->ai_addr)->sin6_addr;
    if (!address ||
        !inet_ntop(node->ai_family, address, resolving->out, (socklen_t)resolving->size))
        resolving->status = ARES_ENODATA;
    ares_freeaddrinfo(result);
}

static void await(ares_channel channel, const struct resolving *resolving)
{
    while (resolving->status < 0) {
        fd_set readers, writers;
        struct timeval most = {.tv_sec = 5}, left;
        FD_ZERO(&readers);
        FD_ZERO(&writers);
        int count = ares_fds(channel, &readers, &writers);
        if (count == 0)
            return;
        select(count, &readers, &writers, NULL, ares_timeout(channel, &most, &left));
        ares_process(channel, &readers, &writers);
    }
}

int resolve_host(const char *host, char *out, size_t size, struct error *error)
{
    ares_channel channel;
    struct ares_options options = {.timeout = TIMEOUT_MS, .tries = TRIES};
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolving resolving = {out, size, -1};
    int status = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS)
        return error_set(error, ERR_FAILED, "cannot resolve names: %s", ares_strerror(status));
    ares_getaddrinfo(channel, host, NULL, &hints, take, &resolving);
    await(channel, &resolving);
    ares_destroy(channel);
    if (resolving.status != ARES_SUCCESS)
        return error_set(error, ERR_FAILED, "cannot resolve %s: %s", host,
                         ares_strerror(resolving.status < 0 ? ARES_ETIMEOUT : resolving.status));
    return 0;
}
