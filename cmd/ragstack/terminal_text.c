#include "cmd/ragstack/terminal_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pkg/value/utf8.h"

void terminal_text(struct buffer *out, const char *text, size_t length, const char *allowed)
{
    while (length) {
        size_t bytes = utf8_character_bytes(text, length);
        unsigned char c = (unsigned char)*text;
        bool c1 = bytes == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;
        bool control = bytes == 1 && (c < 0x20 || c == 0x7f) && (!c || !strchr(allowed, c));
        if (bytes == 0 || c1 || control) {
            buffer_printf(out, "\\x%02x", c1 ? (unsigned char)text[1] : c);
            bytes = c1 ? 2 : 1;
        } else {
            buffer_append(out, text, bytes);
        }
        text += bytes;
        length -= bytes;
    }
}

/* Characters, not bytes: wide ones are taken for one column. */
static int columns_of(const char *text, size_t length)
{
    int columns = 0;
    for (size_t i = 0; i < length; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

static void put_line(struct buffer *out, const char *line, size_t length, int indent, int width)
{
    int column = 0;
    buffer_printf(out, "%*s", indent, "");
    if (!width) {
        terminal_text(out, line, length, "\t");
        length = 0;
    }
    for (size_t at = 0; at < length;) {
        size_t blanks = strspn(line + at, " \t"), word = strcspn(line + at + blanks, " \t\n");
        if (blanks + word > length - at)
            break;
        int wide = columns_of(line + at + blanks, word);
        if (column && column + 1 + wide > width - indent) {
            buffer_printf(out, "\n%*s", indent, "");
            column = 0;
        } else if (blanks) {
            buffer_printf(out, "%*s", column ? 1 : (int)blanks, "");
            column += column ? 1 : (int)blanks;
        }
        terminal_text(out, line + at + blanks, word, "");
        column += wide;
        at += blanks + word;
    }
    buffer_char(out, '\n');
}

void terminal_paragraphs(struct buffer *out, const char *text, int indent, int width)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (length)
            put_line(out, text, length, indent, width);
        else
            buffer_char(out, '\n');
        text += length + (text[length] == '\n');
    }
}

const char *terminal_line(struct arena *arena, const char *text)
{
    CLEANUP(buffer_free) struct buffer one = BUFFER(BUFFER_LARGE), out = BUFFER(BUFFER_LARGE);
    for (const char *at = text; *at; at++) {
        bool space = isspace((unsigned char)*at);
        if (!space)
            buffer_char(&one, *at);
        else if (one.length && one.data[one.length - 1] != ' ')
            buffer_char(&one, ' ');
    }
    while (one.length && one.data[one.length - 1] == ' ')
        one.length--;
    terminal_text(&out, buffer_string(&one), one.length, "");
    return arena_strdup(arena, buffer_string(&out));
}

int terminal_width(int descriptor)
{
    enum { NARROWEST = 20 };
    struct winsize size = {0};
    if (!isatty(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col >= NARROWEST ? size.ws_col : 0;
}

bool terminal_is_live(int descriptor)
{
    const char *terminal = getenv("TERM");
    return isatty(descriptor) && terminal && strcmp(terminal, "dumb") != 0;
}
