/* CloudWatch Logs Insights: a query over log groups, started, awaited, and its price.
 * StartQuery, GetQueryResults, StopQuery, CloudWatch Logs API Reference. */
#ifndef RAGSTACK_WATCH_INSIGHTS_H
#define RAGSTACK_WATCH_INSIGHTS_H

#include "pkg/aws/client.h"

struct insights_query {
    const char *const *groups; /* names of log groups, ends with NULL; at most 50 */
    int64_t from_ms, to_ms;    /* wall; both included, by the second */
    const char *text;
    int limit; /* rows; at most 10,000 */
};

struct insights_result {
    struct value *rows; /* a list of maps of texts: {"@timestamp": .., "model": ..} */
    double scanned_bytes, usd;
    int calls;
};

/* Waits for its end; a query that is not waited for any more (cancelled) is stopped, since it is
 * paid by what it scans. */
int insights_run(struct task *task, struct aws_client *client, struct arena *arena,
                 const struct insights_query *query, struct insights_result *out,
                 struct error *error);

#endif
