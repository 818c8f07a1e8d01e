/* The aws target over a transport that answers by what is asked: for tests of the kinds' verbs.
 *
 * A stack "acme", environment "prod", in eu-west-1 of account 111122223333. Time is virtual. */
#ifndef RAGSTACK_TESTS_ANSWERING_CLOUD_H
#define RAGSTACK_TESTS_ANSWERING_CLOUD_H

#include "pkg/cloud/cloud.h"
#include "tests/unit/fake_transport.h"

struct given_answer {
    const char *when; /* "Action=CreateRole", "PUT /2015-03-31/..": part of "METHOD path\nbody&" */
    int status;
    const char *body; /* NULL: an empty result */
    bool used;        /* the last answer to a question is given again and again */
};

struct answering_cloud {
    struct arena *arena;
    struct virtual_clock clock;
    struct loop *loop;
    struct fake_transport *fake;
    struct credential_provider *credentials;
    struct aws_client *client;
    struct cloud *cloud;
    struct given_answer answers[64];
    size_t answer_count;
    struct found found[16]; /* what the last look found */
    size_t found_count;
};

struct answering_cloud *answering_cloud_new(void);
void answering_cloud_free(struct answering_cloud *cloud);

/* Answers a question; several answers to the same one are given in their order. */
void answering_cloud_answer(struct answering_cloud *cloud, const char *when, int status,
                            const char *body);
/* The body of a query protocol's reply: <Action>Response with <Action>Result. */
const char *answering_cloud_xml(struct answering_cloud *cloud, const char *action,
                                const char *result);
/* And of its errors. */
const char *answering_cloud_error(struct answering_cloud *cloud, const char *code,
                                  const char *message);

/* How many requests hold this text ("METHOD path\nbody&"), and the nth of them (from 0); "" if
 * there are fewer. */
int answering_cloud_count(const struct answering_cloud *cloud, const char *part);
const char *answering_cloud_sent(const struct answering_cloud *cloud, const char *part, int nth);

/* Looks for one wanted id of the kind, and what the inventory names. */
int answering_cloud_observe(struct answering_cloud *cloud, const struct resource_type *type,
                            const char *id, struct error *error);
/* Does the inventory of the tagging API name this ARN under the id? */
void answering_cloud_list(struct answering_cloud *cloud, const char *arn, const char *id);
/* Our tags of this id, as <Tag> elements and as a map. */
const char *answering_cloud_tags_xml(struct answering_cloud *cloud, const char *id);
struct value *answering_cloud_tags(struct answering_cloud *cloud, const char *id);

/* An action that wants these properties (JSON); `have` NULL: for create. */
struct action answering_cloud_action(struct answering_cloud *cloud,
                                     const struct resource_type *type, const char *id,
                                     const char *want, const struct found *have);
/* Adds the row for a field that differs. */
void answering_cloud_change(struct answering_cloud *cloud, struct action *action,
                            const char *field);
int answering_cloud_run(struct answering_cloud *cloud, verb *function, struct action *action,
                        struct error *error);

#endif
