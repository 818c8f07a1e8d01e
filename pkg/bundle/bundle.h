/* The handlers' zip: the same files give the same bytes, so an unchanged handler is no change. */
#ifndef RAGSTACK_BUNDLE_BUNDLE_H
#define RAGSTACK_BUNDLE_BUNDLE_H

#include <stddef.h>

#include "pkg/base/error.h"

struct bundle_file {
    const char *name; /* in the zip */
    const char *path; /* on disk */
};

/* Writes the zip, or nothing: entries sorted by name, all executable (0755), dated 1980-01-01. */
int bundle_write(const struct bundle_file *files, size_t count, const char *path,
                 struct error *error);

#endif
