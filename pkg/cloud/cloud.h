/* The aws target: what all its resource types share.
 *
 * A resource type's file reads like the AWS documentation of its calls: encode, call, decode. What
 * is not about one call stands here: patience with AWS's propagation, the inventory by tags, and
 * turning field tables into requests and replies into properties. */
#ifndef RAGSTACK_CLOUD_CLOUD_H
#define RAGSTACK_CLOUD_CLOUD_H

#include "pkg/aws/client.h"
#include "pkg/resource/resource.h"

struct cloud {
    struct target target; /* .data is this struct */
    struct identity identity;
    struct aws_client *client;
    struct arena *arena;     /* lives as long as the target */
    struct value *inventory; /* what the tagging API names: [{"arn":, "tags": {..}}]; by prepare */
    /* What prepare was told: all that is wanted (borrowed), and the tags of each, by its id. */
    const struct resource_list *wanted;
    struct map wanted_tags;    /* struct value * */
    struct map made;           /* physical ids made in this run */
    struct semaphore one_asks; /* who we are */
    struct map answers;        /* what was asked once: key -> struct answer * */
    /* New versions of functions that the API calls are not led to: whoever set this does it, step
     * by step (lambda_lead). */
    bool hold_live;
    struct map held; /* these: name -> the version (text) */
};

/* A target for this identity; account and partition are filled in by prepare (GetCallerIdentity).
 */
struct cloud *cloud_new(struct arena *arena, struct aws_client *client,
                        const struct identity *identity);

/* Fills in account and partition of the identity; asks once, whoever wants to know. */
int cloud_identify(struct task *task, struct cloud *cloud, struct error *error);

/* The registry: every kind of the aws target, ends with NULL. */
extern const struct resource_type *const cloud_types[];

/* -- calls in verbs: repeated as the type's patience says, and while a "not found" is about an id
 * that this run made. reply may be NULL. */
int cloud_call(struct task *task, struct action *action, const struct aws_service *service,
               const char *operation, const struct value *parameters, struct value **reply,
               struct error *error);
/* The same, with success when the thing is not there any more (for remove). */
int cloud_remove(struct task *task, struct action *action, const struct aws_service *service,
                 const char *operation, const struct value *parameters, struct error *error);

/* -- calls in observe: "not found" is success with *reply NULL. */
int cloud_get(struct task *task, struct observation *observation, const struct aws_service *service,
              const char *operation, const struct value *parameters, struct value **reply,
              struct error *error);
int cloud_list(struct task *task, struct observation *observation,
               const struct aws_service *service, const char *operation,
               const struct value *parameters, struct value **items, struct error *error);
/* Several of them at once: one round trip for a thing that AWS tells in parts. */
struct cloud_read {
    const struct aws_service *service;
    const char *operation;
    const struct value *parameters;
    enum { READ_ONE, READ_LIST, READ_TEXT /* the body as it is */ } how;
    struct value *reply; /* NULL when it is not found */
    struct observation *observation_;
};
int cloud_get_all(struct task *task, struct observation *observation, struct cloud_read *reads,
                  size_t count, struct error *error);

/* What is the same for everybody (zones, prefix lists) is asked once a run: all items of a listing
 * operation, remembered under this key. Who asks meanwhile waits for the same answer. */
int cloud_ask_once(struct task *task, struct cloud *cloud, const char *key,
                   const struct aws_service *service, const char *operation,
                   const struct value *parameters, const struct value **items, struct error *error);

/* -- field tables to wire and back -- */
/* Members for every field that has a wire name, is wanted (not null) and is neither COMPUTED, AFTER
 * nor LATE. An empty text, list or map is left out where that is the field's unset value (AWS
 * refuses many of those). List items and maps go by their own fields' wire names; DOCUMENT fields
 * become JSON text. A wire name may hold dots ("VpcConfig.SubnetIds" makes {"VpcConfig":
 * {"SubnetIds": ..}}; for lists in query protocols write the wrapper: "Tags.Tag"). */
struct value *cloud_encode(struct arena *arena, const struct resource_type *type,
                           const struct value *props);
/* The same for the changed fields only, AFTER and LATE ones included, and empty values too. With a
 * changed member of a structure ("VpcConfig.SubnetIds") go its other members: AWS replaces
 * structures as a whole. */
struct value *cloud_encode_changes(struct arena *arena, const struct action *action);
/* Properties of every field that has a reply (or wire) path which is there, in the field's type. */
struct value *cloud_decode(struct arena *arena, const struct resource_type *type,
                           const struct value *reply);

/* -- tags -- */
/* [{"Key":, "Value":}] and back to a map, with the member names given. */
struct value *cloud_tag_list(struct arena *arena, const struct value *tags, const char *key_name,
                             const char *value_name);
struct value *cloud_tag_map(struct arena *arena, const struct value *list, const char *key_name,
                            const char *value_name);
/* What retag has to do: tags to set (a map) and keys to take away (a list); either may be empty. */
void cloud_tag_changes(const struct action *action, struct value **set, struct value **remove);

/* -- finding -- */
/* Things that are found by name: the wanted names (and their second generation's, while the
 * inventory does not list the id), and those that the inventory has under an ARN with this prefix
 * after the account ("db:", "function:") in this service ("rds"). With observation->only: just that
 * one. The inventory lists what is already deleted, too: what is not found is no error. */
struct candidate {
    const char *name, *arn;   /* arn NULL when the inventory does not have it */
    const struct value *tags; /* from the inventory; NULL when it does not have it */
};
size_t cloud_candidates(struct observation *observation, const char *service, const char *prefix,
                        struct candidate **out);
/* Tags of a thing found by name: the inventory's when they are as wanted, else asked from `fetch`
 * (the tagging API lags, and decides nothing alone). One that is looked at again (waiting) keeps
 * the tags that are known. */
typedef int fetch_tags(struct task *task, struct observation *observation, const char *arn,
                       struct value **tags, struct error *error);
int cloud_tags_of(struct task *task, struct observation *observation,
                  const struct candidate *candidate, const char *arn, fetch_tags *fetch,
                  struct value **tags, struct error *error);
/* Adds what was found: ours by its tags; foreign when only a wanted name (or the physical id or
 * name of observation->only) matches; nothing else. Kinds with NO_TAGS are known by their name,
 * which ends with the hash of the whole identity. A `name` that the file may say is given without
 * the generation that ends it. */
void cloud_add(struct observation *observation, const char *physical_id, const char *name,
               struct value *props, struct value *tags);
/* The wanted id whose name is this one, made from the whole identity and not said in the file; NULL
 * if there is none. */
const char *cloud_derived_id(const struct observation *observation, const char *name);
/* The EC2 way: one Describe call filtered by our tags (by id, for observation->only). id_member is
 * the id's name in replies ("vpcId"); the request's list of ids is its capital form. `decode` adds
 * to what cloud_decode made of the item; ERR_NOT_FOUND from it passes over the item. It may be
 * NULL. props.name is the name, if set. */
typedef int decode_item(struct task *task, struct observation *observation,
                        const struct value *item, struct value *props, struct error *error);
int cloud_observe_ec2(struct task *task, struct observation *observation, const char *operation,
                      const char *id_member, decode_item *decode, struct error *error);
/* What a person calls a thing that exists (its id, its name, or its ARN) as observation->only has
 * it: sets physical_id and name. ERR_INPUT for an ARN of another account or region, or of a proxy,
 * where the ARN does not tell the name. */
int cloud_address(struct arena *arena, const struct cloud *cloud, const char *text,
                  struct found *found, struct error *error);
/* "arn:<partition>:<service>:<region>:<account>:<rest>" */
const char *cloud_arn(struct arena *arena, const struct cloud *cloud, const char *service,
                      const char *rest);

#endif
