/* CloudWatch Logs as a source of lines (FilterLogEvents). */
#ifndef RAGSTACK_WATCH_CLOUDWATCH_LOGS_H
#define RAGSTACK_WATCH_CLOUDWATCH_LOGS_H

#include "pkg/aws/client.h"
#include "pkg/watch/logs.h"

/* Lives in the arena; name and group are borrowed. Filters are CloudWatch's patterns. */
struct log_source cloudwatch_log_source(struct arena *arena, struct aws_client *client,
                                        const char *name, const char *group);

#endif
