/* Files that are written whole or not at all, and folders. */
#ifndef RAGSTACK_BASE_FILE_H
#define RAGSTACK_BASE_FILE_H

#include <stddef.h>

#include "pkg/base/arena.h"
#include "pkg/base/error.h"

/* ERR_EXISTS when there is one already; makes the folders on its way. */
int file_create(struct arena *arena, const char *path, const char *text, struct error *error);
/* Takes the place of what is there; readable by its owner alone. */
int file_replace(struct arena *arena, const char *path, const char *bytes, size_t length,
                 struct error *error);
/* Takes the place of what is there; readable by whom the umask lets. */
int file_write(struct arena *arena, const char *path, const char *bytes, size_t length,
               struct error *error);
/* A whole file of at most `maximum` bytes, with a NUL after them. */
int file_read(struct arena *arena, const char *path, size_t maximum, char **bytes, size_t *length,
              struct error *error);
/* A folder and those on its way; there already is success. */
int file_make_folders(struct arena *arena, const char *path, unsigned mode, struct error *error);
/* All of it; -1 with errno otherwise. */
int file_write_all(int descriptor, const char *bytes, size_t length);
int file_append(const char *path, const char *bytes, size_t length, struct error *error);

#endif
