#include "pkg/aws/words.h"

#include <stdbool.h>
#include <string.h>

#include "pkg/base/vector.h"

struct splitter {
    const char *at; /* in the text */
    char *end;      /* of the word being made */
};

static bool is_space(char c)
{
    return c && strchr(" \t\r\n", c);
}

/* At an opening quote; copies up to the closing one. Inside double quotes a backslash protects a
 * double quote and itself, and is a plain character otherwise. */
static int copy_quoted(struct splitter *splitter, struct error *error)
{
    char quote = *splitter->at++;
    while (*splitter->at && *splitter->at != quote) {
        bool protects = quote == '"' && *splitter->at == '\\' &&
                        (splitter->at[1] == '"' || splitter->at[1] == '\\');
        splitter->at += protects;
        *splitter->end++ = *splitter->at++;
    }
    if (*splitter->at != quote)
        return error_set(error, ERR_INPUT, "a %s quote is not closed",
                         quote == '"' ? "double" : "single");
    splitter->at++;
    return 0;
}

static int copy_word(struct splitter *splitter, struct error *error)
{
    while (*splitter->at && !is_space(*splitter->at)) {
        if (*splitter->at == '"' || *splitter->at == '\'') {
            int result = copy_quoted(splitter, error);
            if (result < 0)
                return result;
            continue;
        }
        splitter->at += *splitter->at == '\\';
        if (!*splitter->at)
            return error_set(error, ERR_INPUT, "a backslash protects nothing");
        *splitter->end++ = *splitter->at++;
    }
    return 0;
}

int words_split(struct arena *arena, const char *text, char ***words, size_t *count,
                struct error *error)
{
    VECTOR(char *) list = {0};
    /* Words are never longer than their text; each needs one NUL, and has a space after it. */
    struct splitter splitter = {.at = text, .end = arena_alloc(arena, strlen(text) + 2)};
    for (;;) {
        while (is_space(*splitter.at))
            splitter.at++;
        if (!*splitter.at)
            break;
        vector_push(arena, &list, splitter.end);
        int result = copy_word(&splitter, error);
        if (result < 0)
            return result;
        *splitter.end++ = '\0';
    }
    vector_push(arena, &list, NULL);
    *words = list.items;
    *count = list.count - 1;
    return 0;
}
