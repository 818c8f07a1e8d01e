/* The table of prices that the commands count by: the program's own, or the file beside the stack
 * file that `ragstack cost --refresh` writes. */
#ifndef RAGSTACK_CMD_PRICE_FILE_H
#define RAGSTACK_CMD_PRICE_FILE_H

#include "cmd/ragstack/session.h"

/* "ragstack.prices.json", beside the stack file. */
const char *price_file_path(struct arena *arena, const char *stack_file);
/* ERR_INPUT when the file is no such table. */
int price_file_read(struct session *session, struct value **table, struct error *error);
/* Gives the plan what it costs as a section, where the target is AWS. */
int price_file_add_cost(struct session *session, struct plan *plan, struct error *error);

#endif
