/* Debug messages on stderr. Packages never log above debug: what a user must know is a result or
 * an error. Nothing secret is ever passed here. */
#ifndef RAGSTACK_BASE_LOG_H
#define RAGSTACK_BASE_LOG_H

#include <stdbool.h>

#include "pkg/base/attributes.h"

enum log_level { LOG_QUIET = 0, LOG_DEBUG = 1 /* -v */, LOG_TRACE = 2 /* -vv */ };

void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
void log_trace(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
