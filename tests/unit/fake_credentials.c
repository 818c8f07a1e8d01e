#include "tests/unit/fake_credentials.h"

#include <stdio.h>
#include <string.h>

#include "pkg/base/panic.h"

void fake_chain_begin(struct fake_chain *chain)
{
    *chain = (struct fake_chain){.region = "eu-west-1"};
    fake_home_begin();
    fake_setenv("AWS_EC2_METADATA_DISABLED", "true");
    clock_virtual(&chain->clock, FAKE_WALL_START_MS);
    chain->transport = fake_transport_new();
}

void fake_chain_end(struct fake_chain *chain)
{
    credentials_clear(&chain->got);
    credential_provider_free(chain->provider);
    fake_transport_free(chain->transport);
    fake_home_end();
}

int fake_chain_get(struct fake_chain *chain)
{
    struct credential_options options = {.transport = &chain->transport->transport,
                                         .clock = &chain->clock.clock,
                                         .profile = chain->profile,
                                         .region = chain->region,
                                         .getenv = fake_getenv,
                                         .process_timeout_ms = chain->process_timeout_ms};
    if (!chain->provider)
        chain->provider = credential_provider_new(&options);
    credentials_clear(&chain->got);
    error_clear(&chain->error);
    int result = credential_provider_get(NULL, chain->provider, &chain->got, &chain->error);
    if (result < 0 && strstr(chain->error.message, FAKE_SECRET))
        panic("a secret is in the error: %s", chain->error.message);
    return result;
}

static int differs(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got, wanted ? wanted : "") == 0)
        return 0;
    fprintf(stderr, "%s: \"%s\" in place of \"%s\"\n", what, got, wanted ? wanted : "");
    return 1;
}

int fake_chain_expect(struct fake_chain *chain, const char *id, const char *key, const char *token,
                      const char *source)
{
    if (chain->error.code)
        fprintf(stderr, "error: %s\n", chain->error.message);
    return differs("access key id", chain->got.access_key_id, id) +
           differs("secret access key", secret_reveal(&chain->got.secret_access_key), key) +
           differs("session token", secret_reveal(&chain->got.session_token), token) +
           differs("source", chain->got.source, source);
}
