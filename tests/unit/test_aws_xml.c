#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pkg/aws/xml.h"
#include "pkg/value/json.h"

static void assert_parses(const char *text, const char *root, const char *json)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *name;
    struct value *value;
    struct error error = {0};
    if (xml_parse(arena, text, strlen(text), "test", &name, &value, &error))
        fail_msg("%s", error.message);
    assert_string_equal(name, root);
    assert_string_equal(json_text(arena, value), json);
}

static void elements_become_maps_and_strings(void **state)
{
    (void)state;
    assert_parses("<a/>", "a", "{}");
    assert_parses("<a></a>", "a", "{}");
    assert_parses("<a>text</a>", "a", "\"text\"");
    assert_parses("<a><b>1</b><c>x<!-- no -->y</c></a>", "a", "{\"b\":\"1\",\"c\":\"xy\"}");
    assert_parses("<n:a xmlns:n=\"u\" q=\"1\"><n:b>1</n:b></n:a>", "a", "{\"b\":\"1\"}");
    assert_parses("<a>lost<b>1</b>lost</a>", "a", "{\"b\":\"1\"}");
}

static void repeated_elements_become_lists(void **state)
{
    (void)state;
    assert_parses("<a><i>1</i></a>", "a", "{\"i\":\"1\"}");
    assert_parses("<a><i>1</i><i>2</i></a>", "a", "{\"i\":[\"1\",\"2\"]}");
    assert_parses("<a><i>1</i><j/><i><k>2</k></i><i/></a>", "a",
                  "{\"i\":[\"1\",{\"k\":\"2\"},{}],\"j\":{}}");
}

static void text_is_taken_as_it_is(void **state)
{
    (void)state;
    assert_parses("<a>&lt;&amp;&gt;&quot;&#233;&#x1F600;</a>", "a",
                  "\"<&>\\\"\xc3\xa9\xf0\x9f\x98\x80\"");
    assert_parses("<a><![CDATA[<b>&amp;]]></a>", "a", "\"<b>&amp;\"");
    assert_parses("<a>  </a>", "a", "\"  \"");
    assert_parses("<a> two\nlines </a>", "a", "\" two\\nlines \"");
}

/* What templates leave in an empty element. */
static void layout_is_no_text(void **state)
{
    (void)state;
    assert_parses("<a>\n   <b>\n   </b>\n</a>", "a", "{\"b\":{}}");
}

static void assert_refused(const char *text, size_t length, const char *message)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *name;
    struct value *value = (struct value *)text;
    struct error error = {0};
    assert_int_equal(xml_parse(arena, text, length, "the reply", &name, &value, &error), ERR_INPUT);
    assert_int_equal(error.code, ERR_INPUT);
    assert_null(value);
    if (!strstr(error.message, message) || strncmp(error.message, "the reply, line ", 16) != 0)
        fail_msg("\"%s\" has no \"%s\"", error.message, message);
}

static void what_is_no_xml_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         " ",
                                         "hello",
                                         "{}",
                                         "<a>",
                                         "<a></b>",
                                         "<a/><b/>",
                                         "<a>\xff</a>",
                                         "<a>&unknown;</a>",
                                         "<a b=1/>",
                                         "<html><p>x<br></html>"};
    for (size_t i = 0; i < COUNT_OF(broken); i++)
        assert_refused(broken[i], strlen(broken[i]), "is broken");
    assert_refused("<a>\0</a>", 8, "is broken");
}

static void document_types_are_refused(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>",
    };
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        assert_refused(documents[i], strlen(documents[i]), "declares a document type");
}

static char *nested(struct arena *arena, int depth)
{
    struct buffer text = BUFFER(BUFFER_LARGE);
    for (int i = 0; i < depth; i++)
        buffer_text(&text, "<a>");
    for (int i = 0; i < depth; i++)
        buffer_text(&text, "</a>");
    char *copy = arena_strdup(arena, buffer_string(&text));
    buffer_free(&text);
    return copy;
}

static void depth_is_bounded(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *deepest = nested(arena, 64), *too_deep = nested(arena, 65), *name;
    struct value *value;
    assert_int_equal(xml_parse(arena, deepest, strlen(deepest), "t", &name, &value, NULL), 0);
    assert_refused(too_deep, strlen(too_deep), "nested too deeply");
}

static void the_number_of_elements_is_bounded(void **state)
{
    (void)state;
    enum { ELEMENTS = 1000001 };
    struct buffer text = BUFFER(BUFFER_LARGE);
    buffer_text(&text, "<a>");
    for (int i = 0; i < ELEMENTS; i++)
        buffer_text(&text, "<b/>");
    buffer_text(&text, "</a>");
    assert_refused(text.data, text.length, "too many elements");
    buffer_free(&text);
}

static void what_is_printed_can_be_read_again(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct value *item = value_set_text(arena, value_map(arena), "k", "<&>\"'\r\n\t \xc3\xa9");
    struct value *list =
        value_push(arena, value_push(arena, value_list(arena), item), value_string(arena, "two"));
    struct value *content = value_map(arena);
    value_set(arena, content, "i", list);
    value_set(arena, content, "none", value_null(arena));
    value_set_int(arena, content, "n", -5);
    value_set(arena, content, "r", value_real(arena, 0.5));
    value_set_bool(arena, content, "b", true);
    CLEANUP(buffer_free) struct buffer xml = BUFFER(BUFFER_LARGE);
    xml_print(&xml, "root", "urn:x", content);
    assert_string_equal(xml.data,
                        "<root xmlns=\"urn:x\"><i><k>&lt;&amp;&gt;\"'&#13;&#10;&#9; \xc3\xa9</k>"
                        "</i><i>two</i><n>-5</n><r>0.5</r><b>true</b></root>");
    const char *name;
    struct value *again;
    assert_int_equal(xml_parse(arena, xml.data, xml.length, "t", &name, &again, NULL), 0);
    assert_true(value_equal(value_get(again, "i"), list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_become_maps_and_strings),
        cmocka_unit_test(repeated_elements_become_lists),
        cmocka_unit_test(text_is_taken_as_it_is),
        cmocka_unit_test(layout_is_no_text),
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(document_types_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_number_of_elements_is_bounded),
        cmocka_unit_test(what_is_printed_can_be_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
