/* The command line, parsed by the tables of command.h. */
#ifndef RAGSTACK_CMD_OPTIONS_H
#define RAGSTACK_CMD_OPTIONS_H

#include "cmd/ragstack/command.h"
#include "pkg/base/arena.h"
#include "pkg/value/value.h"

struct option_value {
    const struct option_row *row;
    const char *text; /* NULL for options without argument */
};

struct options {
    struct option_value *items;
    size_t count, capacity;
    const char **arguments; /* what is no option; ends with NULL */
    size_t argument_count;
};

/* ERR_USAGE with a suggestion for a misspelt option. `argv` starts after the command's name. */
int options_parse(struct arena *arena, const struct command *command, int argc, char **argv,
                  struct options *out, struct error *error);
bool option_said(const struct options *options, const char *name);
/* How often it was said (-v, -vv). */
size_t option_count(const struct options *options, const char *name);
/* The last value, or NULL. */
const char *option_text(const struct options *options, const char *name);
/* "12", from 1 to `most`; ERR_USAGE names it as no `what`. */
int option_parse_number(const char *text, int most, const char *what, int *out,
                        struct error *error);
/* The option's last value, a number from 1 to `most`; not said: *out stays. */
int option_number(const struct options *options, const char *name, int most, int *out,
                  struct error *error);
/* All values of an option that is KEY=VALUE, as a map of texts; empty if none. */
int option_pairs(struct arena *arena, const struct options *options, const char *name,
                 struct value **out, struct error *error);
/* All values, ends with NULL. */
const char *const *option_texts(struct arena *arena, const struct options *options,
                                const char *name);

#endif
