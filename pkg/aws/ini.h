/* A configuration file, read as the AWS CLI reads it (by the rules of Python's configparser).
 *
 * "#" and ";" begin a comment at the start of a line only. Option names are lower-cased, and end at
 * the first "=" or ":". A line that is indented more than its option continues its value; a value
 * that is all continuation is a nested section (`s3 =` and indented `name = value` lines). The
 * same section or option twice is an error. */
#ifndef RAGSTACK_AWS_INI_H
#define RAGSTACK_AWS_INI_H

#include "pkg/base/arena.h"
#include "pkg/base/error.h"
#include "pkg/base/map.h"

enum { INI_MAXIMUM_BYTES = 1 << 20 };

struct ini_option {
    const char *value; /* the lines of a value, joined by newlines */
    struct map nested; /* name -> text; empty unless it is a nested section */
    int line;
};

struct ini_section {
    const char *name;   /* as it stands between the brackets */
    struct map options; /* name -> struct ini_option * */
    int line;
};

struct ini {
    struct map sections; /* name -> struct ini_section *, in the order of the file */
};

/* ERR_INPUT at its place; the message never holds text of the file (secrets stand there). `name`
 * is what marks call the file, and must outlive the error. */
int ini_parse(struct arena *arena, const char *text, size_t length, const char *name,
              struct ini *out, struct error *error);
/* NULL if section or option is not there. */
const char *ini_get(const struct ini_section *section, const char *option);
/* "s3", "endpoint_url": from a nested section. */
const char *ini_get_nested(const struct ini_section *section, const char *option, const char *name);

#endif
