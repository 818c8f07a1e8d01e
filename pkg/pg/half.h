/* pgvector's halfvec on the wire: dimensions and zero as 16 bits each, then IEEE half floats, all
 * big-endian. Source: pgvector's halfvec_recv. */
#ifndef RAGSTACK_PG_HALF_H
#define RAGSTACK_PG_HALF_H

#include <stdint.h>

#include "pkg/base/arena.h"

/* The nearest half float, ties to even; what is too large becomes infinity (which halfvec refuses).
 */
uint16_t half_from_float(float value);
float half_to_float(uint16_t half);

/* `count` (at most 16,000) floats; *length is that of the message in bytes. */
const void *half_vector_wire(struct arena *arena, const float *floats, size_t count,
                             size_t *length);

#endif
