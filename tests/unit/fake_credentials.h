/* A credential provider over a fake home, a fake transport and a clock that jumps. */
#ifndef RAGSTACK_TESTS_FAKE_CREDENTIALS_H
#define RAGSTACK_TESTS_FAKE_CREDENTIALS_H

#include "pkg/aws/credentials.h"
#include "tests/unit/fake_home.h"
#include "tests/unit/fake_transport.h"

/* 2026-01-31T12:00:00Z: when the virtual clock starts. */
#define FAKE_WALL_START_MS INT64_C(1769860800000)

/* Tests begin every secret with it; a get that fails and has it in its message panics. */
#define FAKE_SECRET "topsecret"

struct fake_chain {
    struct virtual_clock clock;
    struct fake_transport *transport;
    struct credential_provider *provider; /* made by the first get */
    const char *profile;                  /* as if asked for by name; NULL */
    const char *region;
    int process_timeout_ms;
    struct credentials got;
    struct error error;
};

/* With AWS_EC2_METADATA_DISABLED, since most tests want no instance. */
void fake_chain_begin(struct fake_chain *chain);
void fake_chain_end(struct fake_chain *chain);
/* credential_provider_get, without a loop. */
int fake_chain_get(struct fake_chain *chain);
/* 0 when the keys are these (token NULL: none). Names what differs on stderr. */
int fake_chain_expect(struct fake_chain *chain, const char *id, const char *key, const char *token,
                      const char *source);

/* What STS answers to an AssumeRole: a reply with these keys, which expire an hour after the start.
 */
#define STS_REPLY(id, key, token)                                                    \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"       \
    "<AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>"       \
    "<Arn>arn:aws:sts::123456789012:assumed-role/r/ragstack</Arn></AssumedRoleUser>" \
    "<Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>" key            \
    "</SecretAccessKey><SessionToken>" token "</SessionToken>"                       \
    "<Expiration>2026-01-31T13:00:00Z</Expiration></Credentials></AssumeRoleResult>" \
    "<ResponseMetadata><RequestId>6d1f</RequestId></ResponseMetadata></AssumeRoleResponse>"
/* What STS answers to an AssumeRoleWithWebIdentity. */
#define WEB_REPLY(id, key, token)                                                             \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
    "<AssumeRoleWithWebIdentityResult><Audience>sts.amazonaws.com</Audience>"                 \
    "<Credentials><AccessKeyId>" id "</AccessKeyId><SecretAccessKey>" key                     \
    "</SecretAccessKey><SessionToken>" token "</SessionToken>"                                \
    "<Expiration>2026-01-31T13:00:00Z</Expiration></Credentials>"                             \
    "</AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>6d1f</RequestId>"         \
    "</ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
#define STS_ERROR(code, message)                                                             \
    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender" \
    "</Type><Code>" code "</Code><Message>" message "</Message></Error><RequestId>abc-123"   \
    "</RequestId></ErrorResponse>"

#endif
