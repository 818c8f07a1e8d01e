#include "pkg/eval/html.h"

#include <stdarg.h>
#include <string.h>

static void put_escaped(struct buffer *out, const char *text)
{
    static const char *const named[] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < COUNT_OF(named) && named[c])
            buffer_text(out, named[c]);
        else
            buffer_char(out, *text);
    }
}

static void put_start(struct buffer *out, const char *name, va_list pairs)
{
    buffer_printf(out, "<%s", name);
    for (const char *key; (key = va_arg(pairs, const char *));) {
        buffer_printf(out, " %s=\"", key);
        put_escaped(out, va_arg(pairs, const char *));
        buffer_char(out, '"');
    }
}

void html_open(struct buffer *out, const char *name, ...)
{
    va_list pairs;
    va_start(pairs, name);
    put_start(out, name, pairs);
    va_end(pairs);
    buffer_char(out, '>');
}

void html_close(struct buffer *out, const char *name)
{
    buffer_printf(out, "</%s>\n", name);
}

void html_empty(struct buffer *out, const char *name, ...)
{
    va_list pairs;
    va_start(pairs, name);
    put_start(out, name, pairs);
    va_end(pairs);
    buffer_text(out, "/>\n");
}

static void put_formatted(struct buffer *out, const char *format, va_list arguments)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(1 << 20);
    buffer_vprintf(&text, format, arguments);
    put_escaped(out, buffer_string(&text));
}

void html_text(struct buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put_formatted(out, format, arguments);
    va_end(arguments);
}

void html_element(struct buffer *out, const char *name, const char *class, const char *format, ...)
{
    va_list arguments;
    if (class)
        html_open(out, name, "class", class, NULL);
    else
        html_open(out, name, NULL);
    va_start(arguments, format);
    put_formatted(out, format, arguments);
    va_end(arguments);
    html_close(out, name);
}
