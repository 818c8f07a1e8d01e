/* A cloud whose AWS is a fake transport, under a clock that jumps: for tests of pkg/cloud.
 *
 * The cloud is made by hand, since cloud_new brings the registry and with it every kind. */
#ifndef RAGSTACK_TESTS_FAKE_CLOUD_H
#define RAGSTACK_TESTS_FAKE_CLOUD_H

#include "pkg/base/vector.h"
#include "pkg/cloud/cloud.h"
#include "tests/unit/fake_transport.h"

struct fake_cloud {
    struct arena *arena;
    struct virtual_clock clock;
    struct loop *loop;
    struct fake_transport *transport;
    struct credential_provider *credentials;
    struct cloud cloud; /* stack "acme", no environment, eu-west-1, account 111122223333 */
    struct error error; /* of the last verb or observe */
    const char *told;   /* what the last verb said that it waits for; NULL: nothing */
    int times_told;
    bool interrupted; /* makes a verb that waits give up */
    VECTOR(struct found) found;
    const struct found *only; /* for fake_observe */
};

struct fake_cloud *fake_cloud_new(void);
/* Another region, for what comes after. */
void fake_cloud_move(struct fake_cloud *fake, const char *region);
void fake_cloud_free(struct fake_cloud *fake);

struct value *fake_parse(struct fake_cloud *fake, const char *json);
/* A verb's action over these properties; `have` NULL: for create. Every field that differs from
 * have's is a change. */
struct action fake_action(struct fake_cloud *fake, const struct resource_type *type,
                          const char *want, const char *have);
/* Run in a task to the end; the result is the verb's. */
int fake_verb(struct fake_cloud *fake, verb *call, struct action *action);
int fake_observe(struct fake_cloud *fake, const struct resource_type *type);
int fake_run(struct fake_cloud *fake, task_function *function, void *argument);

/* EC2's way to refuse. The body lives in the fake's arena. */
void fake_ec2_error(struct fake_cloud *fake, const char *code, const char *message);
/* <NameResponse>inner</NameResponse> with status 200. */
void fake_ec2_reply(struct fake_cloud *fake, const char *inner);
/* The requests so far, as "CreateVpc DeleteVpc". */
const char *fake_operations(const struct fake_cloud *fake);
/* A parameter of the nth request's form, decoded; NULL if it was not sent. */
const char *fake_parameter(const struct fake_cloud *fake, size_t nth, const char *name);

#endif
