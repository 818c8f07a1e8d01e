/* The refusal floor of an embedding model, from questions whose answers are known.
 *
 * A question is refused when what is found is less similar than the floor. Refusing what the
 * documents do answer is the worse mistake, since a language model can still say no: so the floor
 * is the one that refuses most, of those that lose no more than a given share of the answers. */
#ifndef RAGSTACK_EVAL_CALIBRATE_H
#define RAGSTACK_EVAL_CALIBRATE_H

#include "pkg/eval/run.h"
#include "pkg/eval/statistics.h"

enum {
    CALIBRATION_STEPS = 101,           /* 0.00 to 1.00 */
    CALIBRATION_LEAST_UNANSWERED = 10, /* fewer tell nothing of what would be refused */
};

struct floor_row {
    double floor;
    size_t lost, refused; /* of the answerable; of those that are not */
};
struct calibration {
    double most_lost; /* share of the answerable that may be refused */
    size_t answerable, unanswerable;
    struct floor_row table[CALIBRATION_STEPS];
    const struct floor_row *chosen;  /* NULL: no floor helps */
    const struct floor_row *current; /* the one in force, rounded down to a step; NULL: none */
    /* What to expect of it: each question judged by the floor that all the others choose, so that
     * no figure is fitted to what it is measured on. */
    size_t lost_unseen, refused_unseen;
    struct interval lost_interval, refused_interval, precision_interval;
    const char *too_few; /* why it should not be relied on; NULL: there are enough questions */
    const char *why_not; /* why nothing is chosen; NULL: something is */
};
void eval_calibrate(struct arena *arena, const struct eval_run *run, double most_lost,
                    struct calibration *out);

/* What the stack file says for the floors (see embedder_floor), with this model's replaced. */
const char *floor_said_with(struct arena *arena, const char *said, const char *model, double floor);

#endif
