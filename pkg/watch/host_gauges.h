/* What the host says of a database that runs on it: the rows of pkg/cloud/metrics.h that RDS
 * measures elsewhere. Processor time is that of its processes, as a part of all processors. */
#ifndef RAGSTACK_WATCH_HOST_GAUGES_H
#define RAGSTACK_WATCH_HOST_GAUGES_H

#include "pkg/task/task.h"

struct host_gauges;

/* `folder` is on the disk that the data are on; `url_file` holds the database's address. Both are
 * copied. */
struct host_gauges *host_gauges_open(const char *folder, const char *url_file);
void host_gauges_close(struct host_gauges *gauges);

/* One number for each row of metrics[], NAN where it is none of the host's, or cannot be read. A
 * database that cannot be reached is no error. */
int host_gauges_read(struct task *task, struct host_gauges *gauges, double *values,
                     struct error *error);

#endif
