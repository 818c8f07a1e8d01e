#include "cmd/ragstack/template.h"

#include <stdarg.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/panic.h"

/* name, file below templates/ */
#define TEMPLATES(X)               \
    X(stack_file, "ragstack.yaml") \
    X(prompt, "prompt.md")         \
    X(page, "page.html")           \
    X(eval, "eval.html")           \
    X(ci_github, "ci/github.yml")  \
    X(ci_gitlab, "ci/gitlab.yml")

/* The assembler takes the file in, and ends it like a string. */
#define TEMPLATE_INCLUDE(symbol, file)         \
    __asm__(".pushsection .rodata\n"           \
            "template_" #symbol ":\n"          \
            ".incbin \"templates/" file "\"\n" \
            ".byte 0\n"                        \
            ".popsection\n");                  \
    extern const char symbol[] __asm__("template_" #symbol);
TEMPLATES(TEMPLATE_INCLUDE)

#define TEMPLATE_ROW(symbol, file) {file, symbol},
static const struct {
    const char *name, *text;
} templates[] = {TEMPLATES(TEMPLATE_ROW)};

const char *template_text(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(templates); i++) {
        if (strcmp(templates[i].name, name) == 0)
            return templates[i].text;
    }
    panic("there is no template %s", name);
}

static const char *replace(struct arena *arena, const char *text, const char *key,
                           const char *value)
{
    struct buffer out = BUFFER(BUFFER_LARGE);
    const char *mark = arena_printf(arena, "@%s@", key), *at;
    while ((at = strstr(text, mark))) {
        buffer_append(&out, text, (size_t)(at - text));
        buffer_text(&out, value);
        text = at + strlen(mark);
    }
    buffer_text(&out, text);
    const char *result = arena_strdup(arena, buffer_string(&out));
    buffer_free(&out);
    return result;
}

const char *template_fill(struct arena *arena, const char *name, ...)
{
    const char *text = template_text(name);
    va_list arguments;
    va_start(arguments, name);
    for (const char *key; (key = va_arg(arguments, const char *));)
        text = replace(arena, text, key, va_arg(arguments, const char *));
    va_end(arguments);
    return text;
}
