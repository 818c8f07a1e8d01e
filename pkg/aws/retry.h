/* The one policy of repeating calls.
 *
 * - Throttled: nothing happened. Exponential with full jitter, for as long as the call's patience
 *   lasts: a deployer must survive minutes of it.
 * - Transient (5xx, lost connections, what AWS says passes): the same, a few times, and only while
 *   the budget that all calls of a client share has tokens: when everything fails, nobody insists.
 * - Clock and credentials are put right once a call.
 * - Lost: may have happened, and must not happen twice. Never repeated here. */
#ifndef RAGSTACK_AWS_RETRY_H
#define RAGSTACK_AWS_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "pkg/aws/failure.h"

enum retry_cause {
    RETRY_FINAL, /* repeating does not help */
    RETRY_THROTTLED,
    RETRY_TRANSIENT,
    RETRY_UNREACHABLE, /* transient, but the request surely never left */
    RETRY_CLOCK,       /* after the clock is put right */
    RETRY_EXPIRED,     /* after new credentials were got */
    RETRY_LOST,
};

/* Shared by the calls of a client. */
struct retry_budget {
    int tokens;
};
struct retry_budget retry_budget_full(void);

/* The state of one call's repeats. */
struct retry {
    struct retry_budget *budget;
    int64_t patience_ms;    /* with throttles */
    int64_t first_throttle; /* monotonic ms; 0: none yet */
    int throttles, transients, unreachables;
    int spent; /* tokens of the last repeat, given back when it succeeds */
    bool clock_set, credentials_renewed;
};
struct retry retry_begin(struct retry_budget *budget, int64_t patience_ms);

/* What to do after a failure that AWS told of. `repeatable`: the call may happen twice. */
enum retry_cause retry_cause_of(const struct failure *failure, bool repeatable);
/* The same for a transport's error code. */
enum retry_cause retry_cause_of_transport(int code, bool repeatable);

/* How long to wait before the next attempt, at least `hint_ms`; -1: give up. `random` is in [0, 1).
 * For throttled, transient and unreachable. */
int64_t retry_delay_ms(struct retry *retry, enum retry_cause cause, int64_t now_ms, int64_t hint_ms,
                       double random);
void retry_succeeded(struct retry *retry);

/* What the reply asks to wait: Retry-After (seconds or a date), x-amz-retry-after (ms); 0: nothing.
 * At most a minute. */
int64_t retry_hint_ms(const struct http_reply *reply, int64_t wall_ms);
/* By how much the server's clock is ahead of ours, if by so much that signatures fail: true. */
bool retry_clock_offset(const struct failure *failure, int64_t wall_ms, int64_t current_offset_ms,
                        int64_t *offset_ms);

#endif
