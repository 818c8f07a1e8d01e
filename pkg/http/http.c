#include "pkg/http/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int http_perform(struct transport *transport, struct task *task, struct arena *arena,
                 const struct http_request *request, struct http_reply *reply, struct error *error)
{
    *reply = (struct http_reply){.body = ""};
    return transport->perform(transport, task, arena, request, reply, error);
}

void http_close(struct transport *transport)
{
    if (transport)
        transport->close(transport);
}

const char *http_header(const struct http_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    }
    return NULL;
}

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

char *http_encode(struct arena *arena, const char *text, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, strlen(text) * 3 + 1), *end = out;
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (unreserved(*at) || (*at == '/' && keep_slash)) {
            *end++ = (char)*at;
            continue;
        }
        *end++ = '%';
        *end++ = digits[*at >> 4];
        *end++ = digits[*at & 15];
    }
    *end = '\0';
    return out;
}

char *http_decode(struct arena *arena, const char *text, size_t length, bool plus)
{
    char *out = arena_alloc(arena, length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        bool coded = text[i] == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1]) &&
                     isxdigit((unsigned char)text[i + 2]);
        if (coded) {
            const char pair[] = {text[i + 1], text[i + 2], '\0'};
            out[used++] = (char)strtol(pair, NULL, 16);
            i += 2;
        } else {
            out[used++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}
