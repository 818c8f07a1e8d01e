/* Several reads of one look, sent at once. */
#ifndef RAGSTACK_CLOUD_READS_H
#define RAGSTACK_CLOUD_READS_H

#include "pkg/cloud/cloud.h"

struct cloud_read {
    const struct aws_service *service;
    const char *operation;
    const struct value *parameters;
    bool all;            /* follows the pages: reply is the list of items */
    struct value *reply; /* NULL: what was asked for does not exist */
    struct observation *observation;
};

/* Fills the replies; the first error by index, after all have ended. */
int cloud_read_all(struct task *task, struct observation *observation, struct cloud_read *reads,
                   size_t count, struct error *error);

#endif
