/* Text in whatever encoding, and Markdown. */
#include <ctype.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "pkg/convert/internal.h"
#include "pkg/value/utf8.h"

/* -- encodings -- */

static int from_encoding(struct arena *arena, const char *encoding, const char *bytes,
                         size_t length, const char **out, size_t *out_length, struct error *error)
{
    enum { BYTES_A_BYTE = 3 }; /* of UTF-8, for one of Windows-1252; fewer for UTF-16 */
    size_t room = length * BYTES_A_BYTE, left = room;
    char *from = (char *)bytes, *text = arena_alloc(arena, room + 1), *to = text;
    iconv_t conversion = iconv_open("UTF-8", encoding);
    if (conversion == (iconv_t)-1)
        return error_set(error, ERR_INPUT, "it is in %s, which this machine does not know",
                         encoding);
    size_t failed = iconv(conversion, &from, &length, &to, &left);
    iconv_close(conversion);
    if (failed == (size_t)-1)
        return error_set(error, ERR_INPUT, "it is neither UTF-8 nor %s", encoding);
    *out = text;
    *out_length = room - left;
    return 0;
}

/* All lines end with \n; false for NUL, which no text has. */
static bool tidy(char *text, size_t *length)
{
    size_t used = 0;
    for (size_t i = 0; i < *length; i++) {
        if (text[i] == '\0')
            return false;
        if (text[i] == '\r' && i + 1 < *length && text[i + 1] == '\n')
            continue;
        text[used++] = text[i] == '\r' ? '\n' : text[i];
    }
    text[used] = '\0';
    *length = used;
    return true;
}

int text_decode(struct arena *arena, const char *bytes, size_t length, const char **out,
                size_t *out_length, struct error *error)
{
    static const struct {
        const char *mark, *encoding; /* NULL: it is UTF-8 */
        size_t bytes;
    } marks[] = {
        {"\xef\xbb\xbf", NULL, 3}, {"\xff\xfe", "UTF-16LE", 2}, {"\xfe\xff", "UTF-16BE", 2}};
    const char *encoding = NULL;
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        if (length < marks[i].bytes || memcmp(bytes, marks[i].mark, marks[i].bytes) != 0)
            continue;
        bytes += marks[i].bytes;
        length -= marks[i].bytes;
        encoding = marks[i].encoding;
        break;
    }
    if (!encoding && memchr(bytes, '\0', length))
        return error_set(error, ERR_INPUT, "it is no text");
    if (!encoding && !utf8_is_valid(bytes, length))
        encoding = "WINDOWS-1252";
    *out = bytes;
    *out_length = length;
    int result =
        encoding ? from_encoding(arena, encoding, bytes, length, out, out_length, error) : 0;
    if (result < 0)
        return result;
    char *text = arena_strndup(arena, *out, *out_length);
    *out = text;
    return tidy(text, out_length) ? 0 : error_set(error, ERR_INPUT, "it is no text");
}

/* -- headings -- */

/* Without markup around, and cut to what a list can show. */
static const char *heading_text(struct arena *arena, const char *text, size_t length)
{
    enum { LONGEST = 200 };
    while (length && strchr(" \t*_`", *text))
        text++, length--;
    while (length && strchr(" \t*_`#", text[length - 1]))
        length--;
    if (length > LONGEST) {
        for (length = LONGEST; ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    }
    return arena_strndup(arena, text, length);
}

static bool is_underline(const char *line)
{
    size_t length = strcspn(line, "\n");
    size_t run = length ? strspn(line, line[0] == '=' ? "=" : "-") : 0;
    while (length > run && line[length - 1] == ' ')
        length--;
    return run >= 3 && run == length;
}

const char *first_heading(struct arena *arena, const char *text)
{
    bool fenced = false;
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n"), marks = strspn(line, "#");
        const char *next = line + length + (line[length] == '\n');
        if (strncmp(line, "```", 3) == 0 || strncmp(line, "~~~", 3) == 0)
            fenced = !fenced;
        else if (!fenced && marks >= 1 && marks <= 6 && (line[marks] == ' ' || line[marks] == '\t'))
            return heading_text(arena, line + marks, length - marks);
        else if (!fenced && length && isalnum((unsigned char)line[0]) && is_underline(next))
            return heading_text(arena, line, length);
        line = next;
    }
    return NULL;
}

/* -- the kinds -- */

int convert_text(struct arena *arena, const char *bytes, size_t length, struct converted *out,
                 struct error *error)
{
    int result = text_decode(arena, bytes, length, &out->text, &out->length, error);
    const char *end = result == 0 ? strchr(out->text, '\n') : NULL;
    if (end && is_underline(end + 1) && end > out->text) /* reStructuredText, and many READMEs */
        out->title = heading_text(arena, out->text, (size_t)(end - out->text));
    return result;
}

/* "title: Leave" between the two lines of --- that a file may begin with. Where the text goes on.
 */
static const char *skip_front_matter(struct arena *arena, const char *text, const char **title)
{
    const char *end = strncmp(text, "---\n", 4) == 0 ? strstr(text + 3, "\n---\n") : NULL;
    if (!end)
        return text;
    for (const char *line = text + 4; line < end; line += strcspn(line, "\n") + 1) {
        if (strncasecmp(line, "title:", 6) != 0)
            continue;
        const char *value = line + 6 + strspn(line + 6, " \t\"'");
        size_t length = strcspn(value, "\n");
        while (length && strchr(" \t\"'", value[length - 1]))
            length--;
        *title = heading_text(arena, value, length);
    }
    return end + 5;
}

int convert_markdown(struct arena *arena, const char *bytes, size_t length, struct converted *out,
                     struct error *error)
{
    const char *text;
    int result = text_decode(arena, bytes, length, &text, &length, error);
    if (result < 0)
        return result;
    out->text = skip_front_matter(arena, text, &out->title);
    out->length = length - (size_t)(out->text - text);
    if (!out->title)
        out->title = first_heading(arena, out->text);
    return 0;
}
