/* The stack's own HTTP API: where it is, and calls to it, signed as it wants them.
 * Signatures: "Control access to HTTP APIs with IAM authorization", API Gateway Developer Guide. */
#ifndef RAGSTACK_CMD_API_H
#define RAGSTACK_CMD_API_H

#include "cmd/ragstack/session.h"

/* The rows of commands that speak to it. */
#define OPTION_API                                                                             \
    {                                                                                          \
        "api", 0, "URL", false, NULL, "this address, in place of the stack's own (its domain)" \
    }

enum api_auth {
    API_OPEN,   /* asks for nothing */
    API_SIGNED, /* signatures (api.auth: iam) */
    API_BEARER, /* a token (api.auth: jwt), from RAGSTACK_TOKEN */
};

struct api {
    const char *url; /* "https://abc.execute-api.eu-west-1.amazonaws.com", no final slash */
    enum api_auth auth;
    const char *region;
    struct transport *transport;             /* borrowed */
    struct credential_provider *credentials; /* borrowed; API_SIGNED */
};

/* Finds it: --api, or by looking for the stack's. ERR_NOT_FOUND when there is none yet. */
int api_open(struct task *task, struct session *session, struct api *out, struct error *error);

/* The same when its address is known (--api wins). */
int api_at(struct session *session, const char *url, struct api *out, struct error *error);

struct api_request {
    const char *method;
    const char *path;  /* "/ask", percent-encoded */
    const char *query; /* "a=b", percent-encoded; NULL: none */
    const char *body;  /* NULL: none */
    size_t body_length;
    const char *content_type; /* NULL: application/json */
    int timeout_ms;           /* 0: 40 s, more than the API itself takes */
};
/* Sends it once; a reply of any status is success. `task` NULL blocks (see http_curl_new). */
int api_send(struct task *task, const struct api *api, struct arena *arena,
             const struct api_request *request, struct http_reply *reply, struct error *error);

/* Sends it, and reads the reply's JSON (NULL when it has no body). What is not 2xx is an error that
 * says what the API says, with its http_status: ERR_THROTTLED (*retry_after_s then, if not NULL, is
 * when to try again), ERR_DENIED, ERR_NOT_FOUND, ERR_INPUT (400, 413, 415, 422) or ERR_FAILED. */
int api_call(struct task *task, const struct api *api, struct arena *arena,
             const struct api_request *request, struct value **out, int *retry_after_s,
             struct error *error);

#endif
