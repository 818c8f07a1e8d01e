/* What the EC2 kinds share: tags in create calls, and tags set and taken away later.
 * Source: Amazon EC2 API Reference, CreateTags, DeleteTags, TagSpecification. */
#ifndef RAGSTACK_CLOUD_EC2_H
#define RAGSTACK_CLOUD_EC2_H

#include "pkg/cloud/cloud.h"

/* Adds action->tags as the TagSpecification of a create call ("vpc", "natgateway"). */
void ec2_add_tags(struct action *action, struct value *parameters, const char *resource_type);
/* CreateTags and DeleteTags of action->have->physical_id: the retag verb of every EC2 kind. */
int ec2_retag(struct task *task, struct action *action, struct error *error);
/* {"<member>": "<text>"} */
struct value *ec2_named(struct arena *arena, const char *member, const char *text);
/* Adds a filter {"Name": name, "Value": [value]} to parameters.Filter. */
void ec2_add_filter(struct arena *arena, struct value *parameters, const char *name,
                    const char *value);
/* Takes over the physical id that a create call's reply tells at `path`, and sets made.id. A reply
 * without one is ERR_FAILED. */
int ec2_take_id(struct action *action, const struct value *reply, const char *path,
                struct error *error);
/* A delete call that network interfaces may stand in the way of: waits as long as they go by
 * themselves, and says which. `filter` finds them by our id ("group-id", "subnet-id", "vpc-id"). */
int ec2_remove_held(struct task *task, struct action *action, const char *operation,
                    const struct value *parameters, const char *filter, struct error *error);

#endif
