/* Which route takes a request: the one with the most exact path, then the exact method. Pure. */
#ifndef RAGSTACK_SERVE_ROUTE_H
#define RAGSTACK_SERVE_ROUTE_H

#include "pkg/value/value.h"

/* `routes`: a list of maps with "key" ("GET /a/{id}", "ANY /{proxy+}", "$default"). Out: the route,
 * and the decoded path parameters as a map (NULL if it has none). NULL when no route fits. */
const struct value *route_find(struct arena *arena, const struct value *routes, const char *method,
                               const char *path, struct value **parameters);

#endif
