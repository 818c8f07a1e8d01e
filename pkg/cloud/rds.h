/* What the RDS kinds share: looking by name, tags in create calls, tags set and taken away later.
 * Source: Amazon RDS API Reference. */
#ifndef RAGSTACK_CLOUD_RDS_H
#define RAGSTACK_CLOUD_RDS_H

#include "pkg/cloud/cloud.h"

/* On a database: what the schema function brought it to. No tag of the file's: the kinds find it as
 * their property `schema`. */
#define RDS_TAG_SCHEMA "ragstack:schema"

/* How a kind is described. RDS knows no filter by tags: each name is asked for. */
struct rds_kind {
    const char *arn_prefix; /* "subgrp:" */
    const char *operation, *name_member;
    const char *items;   /* path of the described things in the reply */
    const char *arn;     /* member of one of them */
    const char *status;  /* member that may say "deleting"; NULL: it has none */
    const char *tags;    /* path of the tags in one of them; NULL: they have to be asked for */
    decode_item *decode; /* adds to what cloud_decode made; may be NULL */
};

/* Looks at the candidates of the kind, all at once, and adds what is found. What is being deleted
 * counts only when this very one is watched. Afterwards a candidate
 * that exists has the ARN that RDS tells, and one that does not has none. */
int rds_observe(struct task *task, struct observation *observation, const struct rds_kind *kind,
                struct error *error);
int rds_observe_candidates(struct task *task, struct observation *observation,
                           const struct rds_kind *kind, struct candidate *candidates, size_t count,
                           struct error *error);

/* {"<member>": "<text>"} */
struct value *rds_named(struct arena *arena, const char *member, const char *text);
/* Adds action->tags to a create call. */
void rds_add_tags(struct action *action, struct value *parameters);
/* The create call. What bore the name before and is being deleted is waited for. */
int rds_create(struct task *task, struct action *action, const struct rds_kind *kind,
               const char *operation, const struct value *parameters, struct value **reply,
               struct error *error);
/* What a create call's reply tells of the new thing: every COMPUTED field into action->made. */
void rds_take_made(struct action *action, const struct value *item);
/* AddTagsToResource and RemoveTagsFromResource on have->props.arn: the retag verb. */
int rds_retag(struct task *task, struct action *action, struct error *error);

#endif
