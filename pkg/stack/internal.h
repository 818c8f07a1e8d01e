/* Shared by the files of this package: one stack file being loaded. */
#ifndef RAGSTACK_STACK_INTERNAL_H
#define RAGSTACK_STACK_INTERNAL_H

#include "pkg/stack/stack.h"

struct loading {
    struct arena *arena;
    const struct stack_options *options;
    struct stack *stack;
    struct fault_list *faults;
};

void add_fault(struct loading *loading, struct mark mark, const char *format, ...)
    PRINTF_LIKE(3, 4);
void replace_variables(struct loading *loading, struct value *value);
/* Reads the file that `prompt` names, beside the stack file; what is wrong with it is a fault. */
void read_prompt(struct loading *loading);
/* ERR_INPUT with the first fault, or 0. */
int give_faults(struct loading *loading, struct error *error);

#endif
