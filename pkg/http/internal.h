/* Shared by the files of this package: one request on its way through libcurl. */
#ifndef RAGSTACK_HTTP_INTERNAL_H
#define RAGSTACK_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "pkg/base/buffer.h"
#include "pkg/http/http.h"

struct call {
    const struct http_request *request;
    CURL *easy;
    struct curl_slist *headers;
    char error_text[CURL_ERROR_SIZE];

    struct buffer head; /* header lines of the final reply, each with its newline */
    bool
        head_complete; /* its empty line came: libcurl takes a head that is cut short for a reply */
    struct buffer body; /* of the reply; when it is passed on: what has not been yet */
    bool blocking;      /* pieces are passed on in the callback itself */
    bool sent;          /* from now on the server may have seen it */
    bool stopped;       /* by on_data */
    bool paused;        /* the reader is slower than the network */
    bool done;
    CURLcode outcome;
    struct signal progressed;
};

/* Prepares `easy` for the request; the settings that all requests share are made already. */
int call_begin(struct call *call, CURL *easy, const struct http_request *request,
               struct error *error);
/* Passes on what came; ERR_CANCELLED when on_data wants no more. */
int call_deliver(struct call *call, struct error *error);
/* The reply, in the arena, or the error that tells what became of it. */
int call_finish(struct call *call, struct arena *arena, struct http_reply *reply,
                struct error *error);
void call_end(struct call *call);

/* The address without its query: it may hold a signature. */
int url_shown_length(const char *url);
/* "host:port" or "host" inside the address; its length goes to *length. */
const char *url_authority(const char *url, size_t *length);
/* Is it a service of this machine or this link, which no proxy can reach? */
bool url_is_near(const char *url);

#endif
