/* ${env:NAME} and ${git:commit} in every string of the file. */
#include <stdlib.h>
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/stack/internal.h"

/* The text that a variable stands for; NULL when there is none (a fault was added). */
static const char *variable(struct loading *loading, struct mark mark, const char *name)
{
    if (strncmp(name, "env:", 4) == 0) {
        const char *(*look)(const char *) = loading->options->getenv;
        const char *text = look ? look(name + 4) : getenv(name + 4);
        if (!text)
            add_fault(loading, mark, "${%s}: the environment variable %s is not set", name,
                      name + 4);
        return text;
    }
    if (strcmp(name, "git:commit") == 0) {
        if (!loading->stack->git.commit)
            add_fault(loading, mark, "${git:commit}: %s is not in a git repository with a commit",
                      loading->stack->file);
        return loading->stack->git.commit;
    }
    add_fault(loading, mark, "${%s}: only ${env:NAME} and ${git:commit} are variables", name);
    return NULL;
}

static void replace_in_text(struct loading *loading, struct value *value)
{
    struct buffer out = BUFFER(1 << 20);
    const char *text = value->string.text;
    while (*text) {
        const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        const char *colon = end ? memchr(text, ':', (size_t)(end - text)) : NULL;
        bool escaped = text > value->string.text && text[-1] == '$';
        if (!colon || escaped) {
            buffer_char(&out, *text++);
            continue;
        }
        const char *name = arena_strndup(loading->arena, text + 2, (size_t)(end - text - 2));
        const char *word = variable(loading, value->mark, name);
        if (word)
            buffer_text(&out, word);
        else /* one fault is enough: what is left is not judged */
            buffer_printf(&out, "${%s}", name);
        text = end + 1;
    }
    value->string.text = arena_strndup(loading->arena, buffer_string(&out), out.length);
    value->string.length = out.length;
    buffer_free(&out);
}

void replace_variables(struct loading *loading, struct value *value)
{
    if (value_is(value, VALUE_STRING) && strstr(value->string.text, "${"))
        replace_in_text(loading, value);
    for (size_t i = 0; value_is(value, VALUE_LIST) && i < value->list.count; i++)
        replace_variables(loading, value->list.items[i]);
    for (size_t i = 0; value_is(value, VALUE_MAP) && i < value->map.count; i++)
        replace_variables(loading, value->map.entries[i].value);
}
