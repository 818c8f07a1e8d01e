/* Values as the configuration language of terraform has them. */
#ifndef RAGSTACK_CMD_HCL_H
#define RAGSTACK_CMD_HCL_H

#include "pkg/base/buffer.h"
#include "pkg/value/value.h"

/* What a text stands for: the expression that takes its place ("aws_vpc.vpc.id"), or NULL. */
typedef const char *hcl_expression(void *data, const char *text);

struct hcl {
    struct buffer *out;
    hcl_expression *expression; /* may be NULL */
    void *data;
};

/* A key that is a block (or, as a list, one for each item) ends with this; one whose value goes
 * into jsonencode() ends with the other. */
#define HCL_BLOCK "{}"
#define HCL_JSON "()"

/* The lines of a block's body; nulls are left out. */
void hcl_print_body(const struct hcl *hcl, const struct value *body, int depth);
/* In quotes, with nothing in it that would be evaluated. */
void hcl_print_text(struct buffer *out, const char *text);
/* A letter, then letters, digits, _ and -; anything else becomes -. */
const char *hcl_name(struct arena *arena, const char *text);

#endif
