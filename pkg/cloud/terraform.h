/* What each kind is called in terraform's AWS provider, for `ragstack export`. Data alone: the rows
 * are read by cmd/ragstack/export.c. Source: the documentation of hashicorp/aws 5.x, "Import" of
 * each resource. */
#ifndef RAGSTACK_CLOUD_TERRAFORM_H
#define RAGSTACK_CLOUD_TERRAFORM_H

#include <stdbool.h>

/* Where a value comes from. A source is
 *   "cidr"               a property by its path: as it is, whatever its kind; absent when unset
 *   "methods[key]"       what this map has under item.key
 *   "{id}/{item.name}"   text with properties in it; what is unset is empty
 *   "=true"              JSON, as it stands
 * over the properties of what was found, its `id` and `name`, its `tags`; `stack` (region,
 * account); `item` (`item.key` and `item.value` of a map) in a row for each; and `argument`, what
 * the row's arguments before this one came to.
 *
 * A condition is "path" (set, and neither false nor empty), "!path", "path=a|b", "path!=a|b" or
 * "path~text" (text is part of it); the right side may hold "{..}". */
struct terraform_argument {
    /* "cidr_block"; "vpc_config.subnet_ids": inside a block. The first row of a name that comes to
     * something wins. */
    const char *name;
    const char *from;
    const char *when; /* NULL: always */
    enum {
        TERRAFORM_PLAIN,
        TERRAFORM_JSON,  /* a document, inside jsonencode() */
        TERRAFORM_EMPTY, /* also when it is empty */
        TERRAFORM_LIST,  /* a list of this one */
        TERRAFORM_TAG,   /* one more of `tags`, which come before it */
    } how;
    const struct terraform_argument *items; /* a block for each item of the list or map `from` */
};

struct terraform_resource {
    const char *kind;  /* ours */
    const char *type;  /* theirs: "aws_vpc" */
    const char *each;  /* path of a list or map: one resource for each item; NULL: one */
    const char *label; /* after our id, for one of `each`, or beside the main one; a source */
    const char *when;
    const char *import; /* the id to import it by: a source */
    /* What others refer to it by: "id=id name=bucket", our property and their attribute. */
    const char *refers;
    const char *ignore; /* arguments that the provider cannot read back, with commas */
    bool keeps;         /* it holds data: terraform is not to destroy it */
    const char *note;   /* comment above it; NULL: none */
    const struct terraform_argument *arguments; /* ends with a NULL name */
};

extern const struct terraform_resource terraform_resources[]; /* ends with a NULL kind */

#endif
