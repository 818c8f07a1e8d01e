#include "cmd/ragstack/consent.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int consent_ask(struct task *task, struct session *session, const char *question, const char *word,
                struct error *error)
{
    const char *answer = word ? word : "yes";
    char line[128];
    if (option_said(&session->options, "yes"))
        return 0;
    if (!isatty(STDIN_FILENO))
        return error_set(error, ERR_USAGE, "%s Nobody can be asked here: say --yes", question);
    enum interrupt before = session->on_interrupt;
    session->on_interrupt = INTERRUPT_EXITS; /* before anybody can press Ctrl-C at the question */
    fprintf(stderr, "%s Type \"%s\" to go on: ", question, answer);
    task_block_begin(task);
    const char *read = fgets(line, sizeof line, stdin);
    task_block_end(task);
    session->on_interrupt = before;
    if (read)
        line[strcspn(line, "\n")] = '\0';
    if (read && strcmp(line, answer) == 0)
        return 0;
    return error_set(error, ERR_CANCELLED, "nothing was changed");
}
