/* What a plan or a bad stack file says, at the lines of the file, in the forms that pipelines read.
 */
#ifndef RAGSTACK_CMD_ANNOTATION_H
#define RAGSTACK_CMD_ANNOTATION_H

#include "pkg/plan/plan.h"
#include "pkg/stack/stack.h"

enum severity { SEVERITY_NOTICE, SEVERITY_WARNING, SEVERITY_ERROR };

struct annotation {
    enum severity severity;
    const char *file; /* from the repository's root */
    int line, column; /* column 0: none */
    const char *title, *message;
};
struct annotation_list {
    struct annotation *items;
    size_t count, capacity;
};

/* One a step, the gravest first; among equals, those that stand in the file first. Steps that stand
 * nowhere in it are put at its first line. */
void annotations_of_plan(struct arena *arena, const struct plan *plan, const char *file,
                         struct annotation_list *out);
void annotations_of_faults(struct arena *arena, const struct fault_list *faults, const char *file,
                           struct annotation_list *out);

/* "::notice file=..,line=..,title=..::message", one a line. GitHub shows ten of each severity, so
 * those of one line are told as one, and what is beyond is left out. */
void annotations_print_github(struct arena *arena, struct buffer *out,
                              const struct annotation_list *list);
/* GitLab's code quality report: a JSON list with stable fingerprints. */
struct value *annotations_to_code_quality(struct arena *arena, const struct annotation_list *list);

/* `file` as seen from the folder `root` (absolute, or NULL): pipelines name files so. */
const char *annotation_path(struct arena *arena, const char *file, const char *root);

#endif
