/* What AWS says when it refuses, in all its shapes: XML of three kinds, JSON with headers, no body,
 * HTML, an error in a reply that says 200, and failures of some items among many. */
#ifndef RAGSTACK_AWS_FAILURE_H
#define RAGSTACK_AWS_FAILURE_H

#include "pkg/aws/protocol.h"

struct failure {
    int status;             /* HTTP */
    const char *code;       /* AWS's own; "" when it gave none */
    const char *message;    /* never NULL */
    const char *request_id; /* "" when there is none */
    const char *date;       /* the server's clock, an HTTP date; NULL when it told none */
};

/* Reads a reply whose status says failure, or that wire_decode found to be an error. */
void failure_read(struct arena *arena, const struct wire_call *call, const struct http_reply *reply,
                  struct failure *out);
/* A failure in a reply that says success: of single items (DeleteObjects, DeleteVpcEndpoints,
 * TagResources) the first, or of a function that was invoked; false if there is none. */
bool failure_in_success(struct arena *arena, const struct wire_call *call,
                        const struct http_reply *reply, const struct value *value,
                        struct failure *out);
/* AWS's id of the request, from the reply's headers; "" if there is none. */
const char *failure_request_id(const struct http_reply *reply);

/* Fills the error in: message, code, AWS's code, status and request id. Returns the code. */
int failure_to_error(const struct wire_call *call, const struct failure *failure,
                     struct error *error);

/* -- what a code means -- */
bool failure_is_throttle(const struct failure *failure);
/* The credentials' time is over: new ones may help. */
bool failure_is_expiry(const struct failure *failure);
/* The clocks may differ. */
bool failure_is_clock(const struct failure *failure);
/* It did not happen, and passes by itself. */
bool failure_is_passing(const struct failure *failure);

#endif
