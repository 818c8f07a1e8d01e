/* Whatever the text, sections and options are texts of the file, and a refusal has a place in it.
 */
#include <string.h>

#include "pkg/aws/ini.h"
#include "pkg/aws/words.h"
#include "pkg/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_option(const struct map_entry *entry, size_t size)
{
    const struct ini_option *option = entry->value;
    require(entry->key[0] && option->line >= 1 && option->value);
    require(strlen(option->value) <= size);
    for (size_t i = 0; i < option->nested.count; i++)
        require(option->value[0] == '\n' && option->nested.entries[i].value);
}

static void check_words(struct arena *arena, const char *text)
{
    char **words;
    size_t count;
    struct error error = {0};
    int result = words_split(arena, text, &words, &count, &error);
    require(result == 0 || (result == ERR_INPUT && error.message[0]));
    for (size_t i = 0; result == 0 && i <= count; i++)
        require((words[i] == NULL) == (i == count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_erasep) struct arena *arena = arena_new();
    struct error error = {0};
    struct ini ini;
    if (ini_parse(arena, (const char *)data, size, "fuzz", &ini, &error)) {
        require(error.code == ERR_INPUT && error.line >= 1 && error.message[0]);
        return 0;
    }
    for (size_t i = 0; i < ini.sections.count; i++) {
        const struct ini_section *section = ini.sections.entries[i].value;
        require(section->line >= 1 && section->name[0]);
        check_words(arena, section->name);
        for (size_t j = 0; j < section->options.count; j++)
            check_option(&section->options.entries[j], size);
    }
    return 0;
}
