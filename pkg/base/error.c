#include "pkg/base/error.h"

#include <stdio.h>
#include <string.h>

static void place(struct error *error, struct mark mark)
{
    error->line = mark.line;
    error->column = mark.column;
    snprintf(error->file, sizeof error->file, "%s", mark.file ? mark.file : "");
}

PRINTF_LIKE(4, 0)
static int set(struct error *error, int code, struct mark mark, const char *format,
               va_list arguments)
{
    if (!error)
        return code;
    error_clear(error);
    error->code = code;
    place(error, mark);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    return code;
}

int error_set(struct error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(error, code, (struct mark){0}, format, arguments);
    va_end(arguments);
    return code;
}

int error_set_at(struct error *error, int code, struct mark mark, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(error, code, mark, format, arguments);
    va_end(arguments);
    return code;
}

int error_wrap(struct error *error, const char *format, ...)
{
    if (!error)
        return ERR_FAILED;
    char message[sizeof error->message], context[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    memcpy(message, error->message, sizeof message);
    snprintf(error->message, sizeof error->message, "%s: %.1000s", context, message);
    return error->code;
}

int error_place(struct error *error, struct mark mark)
{
    if (error->line == 0)
        place(error, mark);
    return error->code;
}

void error_clear(struct error *error)
{
    memset(error, 0, sizeof *error);
}
