/* The kinds of the local target: the one list. A new kind is a file that defines it, and a line
 * here. */
#ifndef RAGSTACK_LOCAL_TYPES_H
#define RAGSTACK_LOCAL_TYPES_H

#include "pkg/resource/type.h"

#define LOCAL_TYPES(X) \
    X(local_postgres)  \
    X(local_models)    \
    X(local_function)  \
    X(local_schema)    \
    X(local_gateway)

#define LOCAL_TYPE_DECLARE(type) extern const struct resource_type type;
LOCAL_TYPES(LOCAL_TYPE_DECLARE)
#undef LOCAL_TYPE_DECLARE

#endif
