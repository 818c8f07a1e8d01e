/* A log file as a source of lines: "<RFC 3339 time>\t<line>\n", in the order of their times, as
 * pkg/serve/log_file.h writes them. When it has grown too large it is renamed to "<path>.1", which
 * is read, too. Filters are plain text that a line must hold. */
#ifndef RAGSTACK_WATCH_FILE_LOGS_H
#define RAGSTACK_WATCH_FILE_LOGS_H

#include "pkg/watch/logs.h"

/* Lives in the arena; name and path are borrowed. */
struct log_source file_log_source(struct arena *arena, const char *name, const char *path);

#endif
