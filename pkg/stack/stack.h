/* A stack file, checked: defaults filled in, one environment chosen, variables replaced. */
#ifndef RAGSTACK_STACK_STACK_H
#define RAGSTACK_STACK_STACK_H

#include "pkg/git/git.h"
#include "pkg/resource/resource.h"

struct fault {
    struct mark mark;
    const char *message;
};
struct fault_list {
    struct fault *items; /* by place in the file */
    size_t count, capacity;
};

struct stack {
    const char *file;
    const char *name, *region;
    const char *environment; /* "" when the file has no environments */
    struct value *tree;      /* by the schema, every key present */
    const char *prompt;      /* the text of the file that `prompt` names; NULL: none is named, or
                                the stack was loaded from text */
    struct git_state git;
    const char *const *environments; /* names the file declares; ends with NULL */
};

struct stack_options {
    const char *file;
    const char *environment;                  /* --env; NULL: none given */
    const char *(*getenv)(const char *name);  /* for ${env:NAME}; NULL: the process's */
    const struct resource_type *const *types; /* kinds that `resources:` may name; ends with NULL */
    const char *revision; /* the file, and the prompt that it names, as this commit of its git
                             repository has them; NULL: as they stand in the folder */
};

/* ERR_INPUT with all faults listed (at least one), ERR_NOT_FOUND when there is no such file,
 * ERR_USAGE when --env does not fit the file, or when git knows no such revision. */
int stack_load(struct arena *arena, const struct stack_options *options, struct stack **out,
               struct fault_list *faults, struct error *error);

/* The same from text; `options->file` names it. */
int stack_load_text(struct arena *arena, const char *text, size_t length,
                    const struct stack_options *options, struct stack **out,
                    struct fault_list *faults, struct error *error);

/* The keys of a stack file: for checking, `explain` and the JSON Schema. Ends with a NULL name. */
extern const struct field stack_fields[];

#endif
