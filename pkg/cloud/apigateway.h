/* What an HTTP API consists of. Shared by the files of this kind. */
#ifndef RAGSTACK_CLOUD_APIGATEWAY_H
#define RAGSTACK_CLOUD_APIGATEWAY_H

#include "pkg/cloud/cloud.h"

extern const struct field api_route_fields[], api_authorizer_fields[], api_stage_fields[];

/* {"apiId": id} */
struct value *api_of(struct arena *arena, const char *id);
/* The API with all its parts as properties, in one round trip (two when it has an authorizer). *api
 * is NULL, or what is known of the API already; it stays NULL when there is none. */
int api_read(struct task *task, struct observation *observation, const char *id, struct value **api,
             struct value **props, struct error *error);
/* Makes the parts be as action->want has them. `is_new`: there are none yet, and none are asked
 * for. */
int api_make_parts(struct task *task, struct action *action, const char *id, bool is_new,
                   struct error *error);

#endif
