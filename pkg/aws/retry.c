#include "pkg/aws/retry.h"

#include <string.h>

#include "pkg/value/number.h"

enum {
    BASE_DELAY_MS = 500,
    LONGEST_DELAY_MS = 20000,
    LONGEST_HINT_MS = 60000,
    TRANSIENT_REPEATS = 6,
    UNREACHABLE_REPEATS = 3,
    BUDGET_TOKENS = 500,
    REPEAT_TOKENS = 5,
    SKEW_MS = 60000, /* AWS allows five minutes; less than one is not why a signature fails */
};

struct retry_budget retry_budget_full(void)
{
    return (struct retry_budget){BUDGET_TOKENS};
}

struct retry retry_begin(struct retry_budget *budget, int64_t patience_ms)
{
    return (struct retry){.budget = budget, .patience_ms = patience_ms};
}

/* -- causes -- */

enum retry_cause retry_cause_of(const struct failure *failure, bool repeatable)
{
    if (failure_is_throttle(failure))
        return RETRY_THROTTLED;
    if (failure_is_clock(failure))
        return RETRY_CLOCK;
    if (failure_is_expiry(failure))
        return RETRY_EXPIRED;
    if (failure_is_passing(failure))
        return RETRY_TRANSIENT;
    bool server = failure->status >= 500 || strcmp(failure->code, "InternalError") == 0 ||
                  strcmp(failure->code, "InternalFailure") == 0;
    if (!server || failure->status == 501)
        return RETRY_FINAL;
    return repeatable ? RETRY_TRANSIENT : RETRY_LOST;
}

enum retry_cause retry_cause_of_transport(int code, bool repeatable)
{
    if (code == ERR_FAILED)
        return RETRY_UNREACHABLE;
    if (code == ERR_LOST_REPLY)
        return repeatable ? RETRY_TRANSIENT : RETRY_LOST;
    return RETRY_FINAL;
}

/* -- delays -- */

static int64_t backoff_ms(int repeats, double random)
{
    int64_t ceiling = BASE_DELAY_MS;
    for (int i = 0; i < repeats && ceiling < LONGEST_DELAY_MS; i++)
        ceiling *= 2;
    if (ceiling > LONGEST_DELAY_MS)
        ceiling = LONGEST_DELAY_MS;
    return (int64_t)(random * (double)ceiling);
}

static bool spend(struct retry *retry)
{
    if (retry->budget->tokens < REPEAT_TOKENS)
        return false;
    retry->budget->tokens -= REPEAT_TOKENS;
    retry->spent = REPEAT_TOKENS;
    return true;
}

static int64_t longer_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t retry_delay_ms(struct retry *retry, enum retry_cause cause, int64_t now_ms, int64_t hint_ms,
                       double random)
{
    int64_t delay;
    switch (cause) {
    case RETRY_THROTTLED:
        if (!retry->throttles)
            retry->first_throttle = now_ms;
        delay = longer_of(hint_ms, backoff_ms(retry->throttles++, random));
        return now_ms + delay - retry->first_throttle > retry->patience_ms ? -1 : delay;
    case RETRY_TRANSIENT:
        if (retry->transients == TRANSIENT_REPEATS || !spend(retry))
            return -1;
        return longer_of(hint_ms, backoff_ms(retry->transients++, random));
    case RETRY_UNREACHABLE:
        if (retry->unreachables == UNREACHABLE_REPEATS || !spend(retry))
            return -1;
        return backoff_ms(retry->unreachables++, random);
    default:
        return -1;
    }
}

void retry_succeeded(struct retry *retry)
{
    retry->budget->tokens += retry->spent ? retry->spent : 1;
    if (retry->budget->tokens > BUDGET_TOKENS)
        retry->budget->tokens = BUDGET_TOKENS;
    retry->spent = 0;
}

/* -- what the server says of time -- */

static int64_t read_retry_after_ms(const char *text, int64_t wall_ms)
{
    int64_t seconds;
    if (number_read_int(text, &seconds))
        return seconds > LONGEST_HINT_MS / 1000 ? LONGEST_HINT_MS : seconds * 1000;
    int64_t date_ms = clock_parse(text);
    return date_ms < 0 ? 0 : date_ms - wall_ms;
}

int64_t retry_hint_ms(const struct http_reply *reply, int64_t wall_ms)
{
    const char *text = http_header(reply, "x-amz-retry-after");
    int64_t hint = 0;
    if (!text || !number_read_int(text, &hint)) {
        text = http_header(reply, "retry-after");
        hint = text ? read_retry_after_ms(text, wall_ms) : 0;
    }
    if (hint < 0)
        return 0;
    return hint > LONGEST_HINT_MS ? LONGEST_HINT_MS : hint;
}

bool retry_clock_offset(const struct failure *failure, int64_t wall_ms, int64_t current_offset_ms,
                        int64_t *offset_ms)
{
    int64_t server_ms = failure->date ? clock_parse(failure->date) : -1;
    if (server_ms < 0)
        return false;
    int64_t change = server_ms - wall_ms - current_offset_ms;
    if (change > -SKEW_MS && change < SKEW_MS)
        return false;
    *offset_ms = server_ms - wall_ms;
    return true;
}
