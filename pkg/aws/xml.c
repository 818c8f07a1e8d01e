#include "pkg/aws/xml.h"

#include <ctype.h>
#include <expat.h>
#include <limits.h>
#include <string.h>

#include "pkg/value/number.h"

/* The older of the two is deprecated since 2.9, where the other is new. */
#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 9
#define LINE_NUMBER(parser) XML_GetCurrentLineNumber64(parser)
#else
#define LINE_NUMBER(parser) XML_GetCurrentLineNumber(parser)
#endif

enum { MAXIMUM_DEPTH = 64, MAXIMUM_ELEMENTS = 1000000 };

/* An element that has begun and not ended. */
struct open_element {
    const char *name;
    struct value *children; /* NULL until the first */
};

struct parsing {
    struct arena *arena;
    XML_Parser parser;
    struct open_element open[MAXIMUM_DEPTH];
    int depth, elements;
    struct buffer text;  /* of the innermost element, while it has no children */
    const char *refusal; /* why parsing was stopped, by us */
    const char *root;
    struct value *content;
};

static void refuse(struct parsing *parsing, const char *why)
{
    if (!parsing->refusal)
        parsing->refusal = why;
    XML_StopParser(parsing->parser, XML_FALSE);
}

/* Without its prefix, when what follows it is a name by itself. */
static const char *local_name(const char *name)
{
    const char *colon = strchr(name, ':');
    return colon && (isalpha((unsigned char)colon[1]) || colon[1] == '_') ? colon + 1 : name;
}

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct parsing *parsing = data;
    (void)attributes;
    if (parsing->depth == MAXIMUM_DEPTH) {
        refuse(parsing, "is nested too deeply");
        return;
    }
    if (++parsing->elements > MAXIMUM_ELEMENTS) {
        refuse(parsing, "has too many elements");
        return;
    }
    if (parsing->depth && !parsing->open[parsing->depth - 1].children)
        parsing->open[parsing->depth - 1].children = value_map(parsing->arena);
    parsing->open[parsing->depth++] =
        (struct open_element){arena_strdup(parsing->arena, local_name(name)), NULL};
    buffer_reset(&parsing->text);
}

static void on_text(void *data, const XML_Char *text, int length)
{
    struct parsing *parsing = data;
    if (parsing->depth && !parsing->open[parsing->depth - 1].children)
        buffer_append(&parsing->text, text, (size_t)length);
}

/* Indentation in an element that a template left empty is no text. */
static bool is_layout(const struct buffer *text)
{
    bool newline = false;
    for (size_t i = 0; i < text->length; i++) {
        if (!isspace((unsigned char)text->data[i]))
            return false;
        newline = newline || text->data[i] == '\n';
    }
    return newline || text->length == 0;
}

static void add_child(struct parsing *parsing, const char *name, struct value *content)
{
    struct value *siblings = parsing->open[parsing->depth - 1].children;
    struct value *same = value_get(siblings, name);
    if (!same) {
        value_set(parsing->arena, siblings, name, content);
        return;
    }
    if (same->kind != VALUE_LIST) {
        same = value_push(parsing->arena, value_list(parsing->arena), same);
        value_set(parsing->arena, siblings, name, same);
    }
    value_push(parsing->arena, same, content);
}

static void on_end(void *data, const XML_Char *name)
{
    struct parsing *parsing = data;
    struct open_element *element = &parsing->open[--parsing->depth];
    (void)name;
    struct value *content = element->children;
    if (!content)
        content = is_layout(&parsing->text)
                      ? value_map(parsing->arena)
                      : value_string_n(parsing->arena, buffer_string(&parsing->text),
                                       parsing->text.length);
    if (parsing->depth) {
        add_child(parsing, element->name, content);
    } else {
        parsing->root = element->name;
        parsing->content = content;
    }
}

static void on_doctype(void *data, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    refuse(data, "declares a document type");
}

static int fail(struct parsing *parsing, const char *name, struct error *error)
{
    const char *why = parsing->refusal;
    if (!why)
        why = XML_ErrorString(XML_GetErrorCode(parsing->parser));
    return error_set(error, ERR_INPUT, "%s, line %lu: the XML %s%s", name,
                     (unsigned long)LINE_NUMBER(parsing->parser),
                     parsing->refusal ? "" : "is broken: ", why);
}

int xml_parse(struct arena *arena, const char *text, size_t length, const char *name,
              const char **root, struct value **out, struct error *error)
{
    *out = NULL;
    if (length > INT_MAX)
        return error_set(error, ERR_INPUT, "%s: the XML is too large", name);
    struct parsing parsing = {.arena = arena, .parser = XML_ParserCreate(NULL)};
    parsing.text = BUFFER(length);
    XML_SetUserData(parsing.parser, &parsing);
    XML_SetElementHandler(parsing.parser, on_start, on_end);
    XML_SetCharacterDataHandler(parsing.parser, on_text);
    XML_SetStartDoctypeDeclHandler(parsing.parser, on_doctype);
    int result = 0;
    if (XML_Parse(parsing.parser, text, (int)length, XML_TRUE) != XML_STATUS_OK)
        result = fail(&parsing, name, error);
    XML_ParserFree(parsing.parser);
    buffer_free(&parsing.text);
    if (result == 0) {
        *root = parsing.root;
        *out = parsing.content;
    }
    return result;
}

/* -- printing -- */

static void print_escaped(struct buffer *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '&')
            buffer_text(out, "&amp;");
        else if (c == '<')
            buffer_text(out, "&lt;");
        else if (c == '>')
            buffer_text(out, "&gt;");
        else if (c < ' ')
            buffer_printf(out, "&#%d;", c);
        else
            buffer_char(out, (char)c);
    }
}

static void print_scalar(struct buffer *out, const struct value *value)
{
    char number[NUMBER_TEXT_BYTES];
    if (value->kind == VALUE_STRING) {
        print_escaped(out, value->string.text, value->string.length);
    } else if (value->kind == VALUE_BOOL) {
        buffer_text(out, value->boolean ? "true" : "false");
    } else if (value->kind == VALUE_INT) {
        buffer_printf(out, "%lld", (long long)value->integer);
    } else if (value->kind == VALUE_REAL) {
        number_print_real(value->real, number, sizeof number);
        buffer_text(out, number);
    }
}

static void print_element(struct buffer *out, const char *name, const struct value *value);

static void print_content(struct buffer *out, const struct value *value)
{
    if (!value_is(value, VALUE_MAP)) {
        if (value)
            print_scalar(out, value);
        return;
    }
    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_entry *entry = value_entry(value, i);
        const struct value *item;
        if (entry->value->kind == VALUE_NULL)
            continue;
        value_each(item, entry->value) print_element(out, entry->key, item);
    }
}

static void print_element(struct buffer *out, const char *name, const struct value *value)
{
    buffer_printf(out, "<%s>", name);
    print_content(out, value);
    buffer_printf(out, "</%s>", name);
}

void xml_print(struct buffer *out, const char *root, const char *namespace,
               const struct value *content)
{
    buffer_printf(out, "<%s xmlns=\"%s\">", root, namespace);
    print_content(out, content);
    buffer_printf(out, "</%s>", root);
}
