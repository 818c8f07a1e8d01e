/* A small S3 behind the fake transport: one bucket, conditional writes, a clock of its own, faults
 * on demand. */
#ifndef RAGSTACK_TESTS_FAKE_S3_H
#define RAGSTACK_TESTS_FAKE_S3_H

#include "pkg/aws/client.h"
#include "tests/unit/fake_transport.h"

enum fake_s3_fault {
    S3_WELL,
    S3_LOST_BEFORE, /* no reply, and nothing happened */
    S3_LOST_AFTER,  /* no reply, although it happened */
    S3_CONFLICT,    /* 409 ConditionalRequestConflict */
    S3_DENIED,      /* 403 */
};

struct fake_s3 {
    struct fake_transport *transport;
    struct credential_provider *credentials;
    struct clock *clock;
    int64_t skew_ms;    /* its clock minus `clock` */
    int64_t delay_ms;   /* every reply takes so long */
    const char *bucket; /* NULL: there is none yet; CreateBucket makes it */
    const char *owner;  /* account that the bucket belongs to */
    const char *taken;  /* bucket name that another account has */
    struct map objects; /* key -> struct fake_s3_object * (NULL: removed) */
    int writes;         /* so far: makes the ETags */
    int without_owner;  /* requests that named no expected owner, CreateBucket left out */
    /* Asked before each request; NULL: all is well. */
    enum fake_s3_fault (*fault)(void *data, const struct fake_request *request);
    void *data;
};

struct fake_s3 *fake_s3_new(struct clock *clock, const char *owner);
void fake_s3_free(struct fake_s3 *s3);
/* A client of eu-west-1 that speaks to it; `clock` may be another than the S3's. */
struct aws_client *fake_s3_client(struct fake_s3 *s3, struct clock *clock);

#endif
