/* Figures for programs. */
#ifndef RAGSTACK_WATCH_WATCH_VALUE_H
#define RAGSTACK_WATCH_WATCH_VALUE_H

#include "pkg/watch/figures.h"

/* {"schema": 1, "time":, "from":, "to":, "bucket_s":, "metrics": {ID: {..}}, "alarms": [..],
 * "watching": {..}}: the rows that apply; what was not measured is null. */
struct value *figures_to_value(struct arena *arena, const struct figures *figures);

#endif
