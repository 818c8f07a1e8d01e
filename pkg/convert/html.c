/* HTML to text with Markdown's headings, lists and code blocks. */
#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <pthread.h>
#include <string.h>

#include "pkg/convert/internal.h"
#include "pkg/value/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
enum { UTF8_LONGEST = 4 };

enum look {
    INLINE,  /* part of a line */
    SKIPPED, /* not for readers of the text */
    BLOCK,   /* a paragraph of its own */
    LINE,    /* a line of its own */
    HEADING, /* h1 to h6 */
    ITEM,    /* of a list */
    CELL,    /* of a table's row */
    PREFORMATTED,
    BREAK,
};

static const struct {
    const char *name;
    enum look look;
} elements[] = {
    {"script", SKIPPED},   {"style", SKIPPED},  {"noscript", SKIPPED}, {"template", SKIPPED},
    {"head", SKIPPED},     {"nav", SKIPPED},    {"svg", SKIPPED},      {"iframe", SKIPPED},
    {"select", SKIPPED},   {"button", SKIPPED}, {"h1", HEADING},       {"h2", HEADING},
    {"h3", HEADING},       {"h4", HEADING},     {"h5", HEADING},       {"h6", HEADING},
    {"p", BLOCK},          {"div", BLOCK},      {"section", BLOCK},    {"article", BLOCK},
    {"main", BLOCK},       {"header", BLOCK},   {"footer", BLOCK},     {"aside", BLOCK},
    {"ul", BLOCK},         {"ol", BLOCK},       {"dl", BLOCK},         {"table", BLOCK},
    {"blockquote", BLOCK}, {"figure", BLOCK},   {"form", BLOCK},       {"fieldset", BLOCK},
    {"address", BLOCK},    {"details", BLOCK},  {"hr", BLOCK},         {"caption", BLOCK},
    {"figcaption", BLOCK}, {"dt", LINE},        {"dd", LINE},          {"tr", LINE},
    {"summary", LINE},     {"li", ITEM},        {"td", CELL},          {"th", CELL},
    {"pre", PREFORMATTED}, {"br", BREAK},
};

struct writer {
    struct buffer out;
    bool space; /* one is due before the next word */
    int pre;    /* depth of <pre> */
};

static enum look look_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(elements); i++) {
        if (strcmp(elements[i].name, name) == 0)
            return elements[i].look;
    }
    return INLINE;
}

/* At least so many line ends before what follows. */
static void put_lines(struct writer *writer, size_t count)
{
    struct buffer *out = &writer->out;
    size_t have = 0;
    writer->space = false;
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    if (!out->length)
        return;
    while (have < out->length && out->data[out->length - 1 - have] == '\n')
        have++;
    for (; have < count; have++)
        buffer_char(out, '\n');
}

/* One character. The parser lets bytes through that are no UTF-8 where it knows no encoding. */
static void put_character(struct buffer *out, const char *text, size_t bytes)
{
    if (bytes)
        buffer_append(out, text, bytes);
    else
        buffer_text(out, REPLACEMENT);
}

/* White space runs together, but for preformatted text. */
static void put_text(struct writer *writer, const char *text)
{
    struct buffer *out = &writer->out;
    for (size_t bytes; *text; text += bytes ? bytes : 1) {
        bytes = utf8_character_bytes(text, strnlen(text, UTF8_LONGEST));
        if (writer->pre) {
            if (*text != '\r')
                put_character(out, text, bytes);
            continue;
        }
        if (strchr(" \t\n\r\f", *text)) {
            writer->space = true;
            continue;
        }
        bool begins = !out->length || strchr("\n ", out->data[out->length - 1]);
        if (writer->space && !begins)
            buffer_char(out, ' ');
        writer->space = false;
        put_character(out, text, bytes);
    }
}

static bool is_first_cell(const xmlNode *node)
{
    for (const xmlNode *before = node->prev; before; before = before->prev) {
        if (before->type == XML_ELEMENT_NODE)
            return false;
    }
    return true;
}

static void begin(struct writer *writer, const xmlNode *node, enum look look)
{
    switch (look) {
    case BLOCK:
        put_lines(writer, 2);
        break;
    case HEADING:
        put_lines(writer, 2);
        for (int i = node->name[1] - '0'; i > 0; i--)
            buffer_char(&writer->out, '#');
        buffer_char(&writer->out, ' ');
        break;
    case PREFORMATTED:
        put_lines(writer, 2);
        buffer_text(&writer->out, "```\n");
        writer->pre++;
        break;
    case ITEM:
        put_lines(writer, 1);
        buffer_text(&writer->out, "- ");
        break;
    case CELL:
        if (!is_first_cell(node))
            buffer_text(&writer->out, " | ");
        break;
    case LINE:
    case BREAK:
        put_lines(writer, 1);
        break;
    case INLINE:
    case SKIPPED:
        break;
    }
}

static void end(struct writer *writer, enum look look)
{
    if (look == PREFORMATTED) {
        writer->pre--;
        put_lines(writer, 1);
        buffer_text(&writer->out, "```");
    }
    if (look == BLOCK || look == HEADING || look == PREFORMATTED)
        put_lines(writer, 2);
    else if (look == LINE || look == ITEM)
        put_lines(writer, 1);
}

static void put_image(struct writer *writer, xmlNode *node)
{
    xmlChar *text = xmlGetProp(node, BAD_CAST "alt");
    if (text)
        put_text(writer, (const char *)text);
    xmlFree(text);
}

/* The parser nests no deeper than 256. */
static void walk(struct writer *writer, xmlNode *node)
{
    for (; node; node = node->next) {
        if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
            put_text(writer, (const char *)node->content);
        if (node->type != XML_ELEMENT_NODE)
            continue;
        enum look look = look_of((const char *)node->name);
        if (look == SKIPPED)
            continue;
        if (strcmp((const char *)node->name, "img") == 0)
            put_image(writer, node);
        begin(writer, node, look);
        walk(writer, node->children);
        end(writer, look);
    }
}

/* The first element of this name, in the order of the document. */
static xmlNode *find(xmlNode *node, const char *name)
{
    for (; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0)
            return node;
        xmlNode *below = find(node->children, name);
        if (below)
            return below;
    }
    return NULL;
}

static const char *text_of(struct arena *arena, xmlNode *node)
{
    struct writer writer = {.out = BUFFER(4096)};
    if (node)
        walk(&writer, node->children);
    put_lines(&writer, 0);
    const char *text = arena_strdup(arena, buffer_string(&writer.out));
    buffer_free(&writer.out);
    return *text ? text : NULL;
}

/* <main> where there is one: what stands around it is the same on every page of a site. */
static int write_text(struct arena *arena, xmlDoc *document, struct converted *out,
                      struct error *error)
{
    struct writer writer = {.out = BUFFER(CONVERT_FILE_MAXIMUM)};
    xmlNode *root = xmlDocGetRootElement(document), *main_part = find(root, "main");
    out->title = text_of(arena, find(root, "h1"));
    if (!out->title)
        out->title = text_of(arena, find(root, "title"));
    if (root)
        walk(&writer, main_part ? main_part->children : root);
    while (writer.out.length && strchr(" \n", writer.out.data[writer.out.length - 1]))
        writer.out.data[--writer.out.length] = '\0';
    put_lines(&writer, 1);
    out->text = arena_strdup(arena, buffer_string(&writer.out));
    out->length = writer.out.length;
    bool overflow = writer.out.overflow;
    buffer_free(&writer.out);
    return overflow ? error_set(error, ERR_INPUT, "its text is larger than %d MB",
                                CONVERT_FILE_MAXIMUM >> 20)
                    : 0;
}

int convert_html(struct arena *arena, const char *bytes, size_t length, struct converted *out,
                 struct error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, xmlInitParser);
    bool marked =
        length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0);
    if (marked && text_decode(arena, bytes, length, &bytes, &length, error) < 0)
        return ERR_INPUT;
    if (memchr(bytes, '\0', length))
        return error_set(error, ERR_INPUT, "it is no HTML");
    /* What is UTF-8 is taken for it whatever it says; else by its own word (<meta charset>). */
    xmlDoc *document = htmlReadMemory(
        bytes, (int)length, NULL, utf8_is_valid(bytes, length) ? "UTF-8" : NULL,
        HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    if (!document)
        return error_set(error, ERR_INPUT, "it is no HTML");
    int result = write_text(arena, document, out, error);
    xmlFreeDoc(document);
    return result;
}
