#include <stdio.h>
#include <string.h>

#include "cmd/ragstack/deploy.h"

static int unknown_output(struct session *session, const struct value *outputs, const char *name,
                          struct error *error)
{
    size_t count = value_count(outputs);
    const char **names = arena_array(session->arena, count + 1, sizeof *names);
    const char *all = "";
    for (size_t i = 0; i < count; i++) {
        names[i] = value_entry(outputs, i)->key;
        all = arena_printf(session->arena, "%s%s%s", all, i ? ", " : "", names[i]);
    }
    if (!count)
        return error_set(error, ERR_NOT_FOUND,
                         "nothing of the stack has an address yet; `ragstack up` makes it");
    const char *nearest = nearest_name(name, names);
    return error_set(error, ERR_NOT_FOUND, "there is no output \"%s\"%s%s%s; there are: %s", name,
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "", all);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct found_list found = {0};
    int result = session_observe(task, session, &found, error);
    if (result < 0)
        return result;
    struct arena *arena = session->arena;
    struct value *outputs = outputs_from(arena, attributes_of(arena, &found));
    const char *name = session->options.arguments[0];
    if (name && !value_text(outputs, name))
        return unknown_output(session, outputs, name, error);
    if (name && !session->json) {
        puts(value_text(outputs, name));
        return EXIT_DONE;
    }
    if (name)
        outputs = value_set_text(arena, value_map(arena), name, value_text(outputs, name));
    outputs_give(session, outputs);
    if (!value_count(outputs) && !session->json)
        fputs("Nothing of the stack has an address yet; `ragstack up` makes it.\n", stderr);
    return EXIT_DONE;
}

const struct command command_outputs = {
    .name = "outputs",
    .arguments = "[NAME]",
    .summary = "Print the URLs and names by which the stack is reached",
    .details =
        "With NAME only that value, for scripts: curl \"$(ragstack outputs api_url)/health\".",
    .examples = "ragstack outputs\nragstack outputs api_url\nragstack outputs --json",
    .most_arguments = 1,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
