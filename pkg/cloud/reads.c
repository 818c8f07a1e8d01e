#include "pkg/cloud/reads.h"

static int read_one(struct task *task, void *argument, struct error *error)
{
    struct cloud_read *read = argument;
    return (read->all ? cloud_list : cloud_get)(task, read->observation, read->service,
                                                read->operation, read->parameters, &read->reply,
                                                error);
}

int cloud_read_all(struct task *task, struct observation *observation, struct cloud_read *reads,
                   size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++)
        reads[i].observation = observation;
    if (count == 1)
        return read_one(task, &reads[0], error);
    return task_each(task, "read", read_one, reads, sizeof *reads, count, 0, error);
}
