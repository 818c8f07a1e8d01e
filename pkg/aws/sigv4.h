/* AWS Signature Version 4, header and query form.
 * Source: "AWS Signature Version 4 for API requests", IAM User Guide. */
#ifndef RAGSTACK_AWS_SIGV4_H
#define RAGSTACK_AWS_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/aws/credentials.h"
#include "pkg/base/arena.h"
#include "pkg/http/http.h"

struct sigv4_request {
    const char *method;
    const char *path;  /* as it goes on the wire, percent-encoded, starts with '/' */
    const char *query; /* as it goes on the wire, without '?'; NULL for none */
    const struct http_header *headers; /* with Host; all of these are signed */
    size_t header_count;
    const char *body;
    size_t body_length;
    const char *service, *region;
    const struct credentials *credentials;
    int64_t wall_ms;
    bool encode_path_twice; /* every service but S3 */
    bool normalize_path;    /* every service but S3 */
    bool content_sha256;    /* adds x-amz-content-sha256 (S3) */
    bool unsigned_payload;  /* UNSIGNED-PAYLOAD in place of the body's hash */
    int expires_s;          /* query form */
};

struct sigv4_result {
    const char *canonical_request, *string_to_sign, *signature;
    struct http_header *headers; /* header form: all headers to send, authorization included */
    size_t header_count;
    const char *query; /* query form: the whole signed query string */
};

/* Everything in `result` lives in `arena` (a token may be among it: free the arena soon). */
void sigv4_sign_headers(struct arena *arena, const struct sigv4_request *request,
                        struct sigv4_result *result);
void sigv4_sign_query(struct arena *arena, const struct sigv4_request *request,
                      struct sigv4_result *result);
/* Lower-case hexadecimal SHA-256; `out` holds 65 bytes. */
void sigv4_sha256_hex(const void *bytes, size_t length, char out[65]);

#endif
