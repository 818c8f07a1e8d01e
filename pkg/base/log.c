#include "pkg/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static enum log_level log_level = LOG_QUIET;

void log_set_level(enum log_level level)
{
    log_level = level;
}

bool log_enabled(enum log_level level)
{
    return level <= log_level;
}

PRINTF_LIKE(1, 0)
static void print(const char *format, va_list arguments)
{
    char line[2048];
    vsnprintf(line, sizeof line, format, arguments);
    fprintf(stderr, "%s\n", line); /* one call, so that lines stay whole */
}

void log_debug(const char *format, ...)
{
    if (!log_enabled(LOG_DEBUG))
        return;
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

void log_trace(const char *format, ...)
{
    if (!log_enabled(LOG_TRACE))
        return;
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}
