/* YAML 1.2 (core schema) to values, by libyaml. */
#ifndef RAGSTACK_VALUE_YAML_H
#define RAGSTACK_VALUE_YAML_H

#include "pkg/value/value.h"

enum {
    YAML_MAXIMUM_BYTES = 4 << 20, /* of text */
    YAML_MAXIMUM_NODES = 100000,  /* after aliases are expanded: alias bombs stop here */
    YAML_MAXIMUM_DEPTH = 64,
};

/* One document. `no`, `yes`, `on`, `off` are strings (1.2 core); 0o17 and 0x1f are integers;
 * duplicate keys, non-string keys, tags other than the core ones, a second document and anything
 * over the limits are ERR_INPUT with file, line and column. `name` must outlive the tree. */
int yaml_parse(struct arena *arena, const char *text, size_t length, const char *name,
               struct value **out, struct error *error);

/* Reads and parses a file; a missing file is ERR_NOT_FOUND. */
int yaml_parse_file(struct arena *arena, const char *path, struct value **out, struct error *error);

#endif
