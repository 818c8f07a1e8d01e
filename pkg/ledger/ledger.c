#include "pkg/ledger/ledger.h"

void ledger_close(struct ledger *ledger)
{
    if (ledger)
        ledger->close(ledger);
}

int64_t ledger_wall_ms(const struct ledger *ledger)
{
    return ledger->clock->wall_ms(ledger->clock) + ledger->skew_ms;
}
