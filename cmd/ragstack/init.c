#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/ragstack/session.h"
#include "cmd/ragstack/template.h"
#include "pkg/base/file.h"

/* The folder's name, as a stack may be called; "rag" when nothing of it is left. */
static const char *folder_name(struct arena *arena)
{
    enum { LONGEST = 21 };
    char path[4096];
    if (!getcwd(path, sizeof path))
        return "rag";
    char *name = arena_strdup(arena, strrchr(path, '/') + 1);
    size_t length = 0;
    for (const char *at = name; *at && length < LONGEST; at++) {
        char c = (char)tolower((unsigned char)*at);
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (length == 0 ? letter : letter || digit)
            name[length++] = c;
        else if (length && name[length - 1] != '-')
            name[length++] = '-';
    }
    while (length && name[length - 1] == '-')
        length--;
    name[length] = '\0';
    return length < 2 ? "rag" : name;
}

/* What is written must be a valid stack file; only the name can be wrong. */
static int check(struct session *session, const char *text, const char *name, struct error *error)
{
    struct fault_list faults = {0};
    struct stack_options options = {.file = session->file, .types = cloud_types};
    int result = stack_load_text(session->arena, text, strlen(text), &options, &session->stack,
                                 &faults, error);
    if (result == ERR_INPUT)
        return error_set(error, ERR_USAGE,
                         "\"%s\" cannot name a stack: lower-case letters, digits and -, 2 to 21 of "
                         "them, a letter first",
                         name);
    return result;
}

static const char *prompt_path(struct session *session)
{
    const char *slash = strrchr(session->file, '/');
    return arena_printf(session->arena, "%.*sprompt.md",
                        slash ? (int)(slash - session->file) + 1 : 0, session->file);
}

static void say_what_next(const struct session *session, const char *region)
{
    const char *file = strcmp(session->file, "ragstack.yaml") == 0
                           ? ""
                           : arena_printf(session->arena, " --file %s", session->file);
    printf("\nNext:\n"
           "  look it through: the region is %s, and the database the smallest there is\n"
           "  ragstack validate%s   checks it, without AWS\n"
           "  ragstack diff%s       shows what would be made\n"
           "  ragstack up%s         makes it: about fifteen minutes, most of them the database's\n",
           region, file, file, file);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    (void)task;
    struct arena *arena = session->arena;
    const char *name =
        session->options.arguments[0] ? session->options.arguments[0] : folder_name(arena);
    const char *region = aws_default_region(arena, &(struct credential_options){0});
    if (!region)
        region = "us-east-1";
    const char *text = template_fill(arena, "ragstack.yaml", "STACK", name, "REGION", region, NULL);
    int result = check(session, text, name, error);
    if (result == 0)
        result = file_create(arena, session->file, text, error);
    if (result < 0)
        return result;
    const char *prompt = prompt_path(session);
    printf("Wrote %s: the stack %s.\n", session->file, name);
    result = file_create(arena, prompt, template_text("prompt.md"), error);
    if (result == 0)
        printf("Wrote %s: what the model is told.\n", prompt);
    else if (result == ERR_EXISTS)
        printf("%s is there already, and is left as it is.\n", prompt);
    else
        return result;
    say_what_next(session, region);
    return EXIT_DONE;
}

const struct command command_init = {
    .name = "init",
    .arguments = "[NAME]",
    .summary = "Write a commented stack file, and the prompt's template",
    .details = "NAME is the stack's name (default: the folder's). A file that exists is never "
               "overwritten.",
    .examples = "ragstack init\nragstack init acme-docs",
    .most_arguments = 1,
    .run = run,
};
