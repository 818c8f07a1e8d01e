#include "cmd/ragstack/options.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/base/vector.h"
#include "pkg/resource/resource.h"

struct parser {
    struct arena *arena;
    const struct command *command;
    int argc, at;
    char **argv;
    struct options *out;
};

static const struct option_row *row_by_name(const struct option_row *rows, const char *name,
                                            size_t length)
{
    for (; rows && rows->name; rows++) {
        if (strlen(rows->name) == length && strncmp(rows->name, name, length) == 0)
            return rows;
    }
    return NULL;
}

static const struct option_row *row_by_letter(const struct option_row *rows, char letter)
{
    for (; rows && rows->name; rows++) {
        if (rows->letter == letter)
            return rows;
    }
    return NULL;
}

static int unknown_option(const struct parser *parser, const char *word, struct error *error)
{
    const char *names[64];
    size_t count = 0;
    const struct option_row *tables[] = {common_options, parser->command->options};
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        for (const struct option_row *row = tables[i]; row && row->name; row++) {
            if (count + 1 < COUNT_OF(names))
                names[count++] = row->name;
        }
    }
    names[count] = NULL;
    const char *nearest = strncmp(word, "--", 2) == 0 ? nearest_name(word + 2, names) : NULL;
    if (nearest)
        return error_set(error, ERR_USAGE, "unknown option %s; did you mean --%s?", word, nearest);
    return error_set(error, ERR_USAGE, "unknown option %s; see `ragstack %s --help`", word,
                     parser->command->name);
}

static int check_choices(const struct option_row *row, const char *text, struct error *error)
{
    while (row->choices && text) {
        size_t length = row->repeats ? strcspn(text, ",") : strlen(text);
        if (!is_choice(row->choices, text, length))
            return error_set(error, ERR_USAGE, "--%s: \"%.*s\" is none of %s", row->name,
                             (int)length, text, row->choices);
        text = text[length] ? text + length + 1 : NULL;
    }
    return 0;
}

static int take_value(struct parser *parser, const struct option_row *row, const char *word,
                      const char *joined, struct error *error)
{
    const char *text = joined;
    if (row->argument && !text && parser->at + 1 < parser->argc)
        text = parser->argv[++parser->at];
    if (row->argument && !text)
        return error_set(error, ERR_USAGE, "%s wants %s", word, row->argument);
    if (!row->argument && joined)
        return error_set(error, ERR_USAGE, "--%s takes no value", row->name);
    vector_push(parser->arena, parser->out, ((struct option_value){row, text}));
    return check_choices(row, text, error);
}

static int take_letters(struct parser *parser, const char *word, struct error *error)
{
    for (const char *letter = word + 1; *letter; letter++) {
        const struct option_row *row = row_by_letter(parser->command->options, *letter);
        if (!row)
            row = row_by_letter(common_options, *letter);
        if (!row)
            return unknown_option(parser, word, error);
        const char *rest = row->argument && letter[1] ? letter + 1 : NULL;
        int result = take_value(parser, row, word, rest, error);
        if (result < 0 || row->argument)
            return result;
    }
    return 0;
}

static int take_name(struct parser *parser, const char *word, struct error *error)
{
    size_t length = strcspn(word + 2, "=");
    const struct option_row *row = row_by_name(common_options, word + 2, length);
    if (!row)
        row = row_by_name(parser->command->options, word + 2, length);
    if (!row)
        return unknown_option(parser, word, error);
    return take_value(parser, row, word, word[2 + length] ? word + 3 + length : NULL, error);
}

static int check_count(const struct parser *parser, struct error *error)
{
    const struct command *command = parser->command;
    size_t count = parser->out->argument_count;
    if (option_said(parser->out, "help"))
        return 0;
    if (count < (size_t)command->least_arguments)
        return error_set(error, ERR_USAGE, "usage: ragstack %s %s", command->name,
                         command->arguments);
    if (command->most_arguments >= 0 && count > (size_t)command->most_arguments)
        return error_set(error, ERR_USAGE, "\"%s\" is one word too many; usage: ragstack %s %s",
                         parser->out->arguments[command->most_arguments], command->name,
                         command->arguments);
    return 0;
}

int options_parse(struct arena *arena, const struct command *command, int argc, char **argv,
                  struct options *out, struct error *error)
{
    struct parser parser = {arena, command, argc, 0, argv, out};
    bool only_arguments = false;
    *out = (struct options){.arguments = arena_array(arena, (size_t)argc + 1, sizeof(char *))};
    for (; parser.at < argc; parser.at++) {
        const char *word = argv[parser.at];
        int result = 0;
        if (only_arguments || word[0] != '-' || word[1] == '\0')
            out->arguments[out->argument_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_arguments = true;
        else
            result = word[1] == '-' ? take_name(&parser, word, error)
                                    : take_letters(&parser, word, error);
        if (result < 0)
            return result;
    }
    return check_count(&parser, error);
}

const char *option_text(const struct options *options, const char *name)
{
    for (size_t i = options->count; i-- > 0;) {
        if (strcmp(options->items[i].row->name, name) == 0)
            return options->items[i].text;
    }
    return NULL;
}

bool option_said(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->items[i].row->name, name) == 0)
            return true;
    }
    return false;
}

size_t option_count(const struct options *options, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < options->count; i++)
        count += strcmp(options->items[i].row->name, name) == 0;
    return count;
}

const char *const *option_texts(struct arena *arena, const struct options *options,
                                const char *name)
{
    const char **texts = arena_array(arena, options->count + 1, sizeof *texts);
    size_t count = 0;
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->items[i].row->name, name) == 0)
            texts[count++] = options->items[i].text;
    }
    return texts;
}

int option_parse_number(const char *text, int most, const char *what, int *out, struct error *error)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < 1 || number > most)
        return error_set(error, ERR_USAGE, "\"%s\" is no %s (1 to %d)", text, what, most);
    *out = (int)number;
    return 0;
}

int option_number(const struct options *options, const char *name, int most, int *out,
                  struct error *error)
{
    const char *text = option_text(options, name);
    if (text && option_parse_number(text, most, "number", out, NULL) < 0)
        return error_set(error, ERR_USAGE, "--%s: \"%s\" is no number from 1 to %d", name, text,
                         most);
    return 0;
}

int option_pairs(struct arena *arena, const struct options *options, const char *name,
                 struct value **out, struct error *error)
{
    const char *const *said = option_texts(arena, options, name);
    *out = value_map(arena);
    for (; *said; said++) {
        const char *equals = strchr(*said, '=');
        if (!equals || equals == *said)
            return error_set(error, ERR_USAGE, "--%s: \"%s\" is not KEY=VALUE", name, *said);
        value_set_text(arena, *out, arena_strndup(arena, *said, (size_t)(equals - *said)),
                       equals + 1);
    }
    return 0;
}
