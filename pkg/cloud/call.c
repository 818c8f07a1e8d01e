/* Calls with patience: AWS's refusals that pass by themselves are waited for here, and nowhere
 * else. */
#include <string.h>

#include "pkg/base/log.h"
#include "pkg/cloud/cloud.h"

enum { FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 10000 };

/* EC2, and IAM more so, answer "not found" for seconds after the reply that made a thing. */
static const struct patience too_early = {NULL, NULL,
                                          "what was just made is not known everywhere yet", 90, 0};

/* -- which refusal is this? -- */

/* Does a parameter name this id, alone or inside an ARN? */
static bool names(const struct value *parameters, const char *id)
{
    if (value_is(parameters, VALUE_STRING))
        return strstr(parameters->string.text, id) != NULL;
    for (size_t i = 0; i < value_count(parameters); i++) {
        const struct value *inner = value_is(parameters, VALUE_MAP)
                                        ? value_entry(parameters, i)->value
                                        : value_item(parameters, i);
        if (names(inner, id))
            return true;
    }
    return false;
}

static bool names_new_thing(const struct action *action, const struct value *parameters)
{
    const struct cloud *cloud = action->target;
    if (!action->have && action->physical_id && names(parameters, action->physical_id))
        return true;
    for (size_t i = 0; i < cloud->made.count; i++) {
        if (names(parameters, cloud->made.entries[i].key))
            return true;
    }
    return false;
}

static const struct patience *
patience_for(const struct action *action, const struct value *parameters, const struct error *error)
{
    for (const struct patience *row = action->type->patience; row && row->code; row++) {
        if (strcmp(row->code, error->aws_code) == 0 &&
            (!row->message || strstr(error->message, row->message)))
            return row;
    }
    if (error->code == ERR_NOT_FOUND && names_new_thing(action, parameters))
        return &too_early;
    return NULL;
}

static int64_t pause_ms(const struct patience *patience, int attempt)
{
    if (patience->poll_s)
        return (int64_t)patience->poll_s * 1000;
    int64_t pause = attempt < 8 ? (int64_t)FIRST_PAUSE_MS << attempt : LONGEST_PAUSE_MS;
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

static int give_up(const struct patience *patience, int64_t waited_ms, struct error *error)
{
    if (waited_ms < 1000)
        return error->code;
    return error_wrap(error, "waited %d s (%s)", (int)(waited_ms / 1000), patience->what);
}

/* -- calls in verbs -- */

static int call_patiently(struct task *task, struct action *action,
                          const struct aws_service *service, const char *operation,
                          const struct value *parameters, struct value **reply,
                          bool gone_is_success, struct error *error)
{
    struct cloud *cloud = action->target;
    int64_t started_ms = task_now_ms(task);
    struct error local;
    error = error ? error : &local;
    for (int attempt = 0;; attempt++) {
        error_clear(error);
        int result = aws_call(task, cloud->client, action->arena, service, operation, parameters,
                              reply, error);
        if (result == ERR_NOT_FOUND && gone_is_success)
            return error_clear(error), 0;
        if (result == 0 || result == ERR_LOST_REPLY || result == ERR_CANCELLED)
            return result;
        const struct patience *patience = patience_for(action, parameters, error);
        int64_t waited_ms = task_now_ms(task) - started_ms;
        if (!patience)
            return result;
        if (waited_ms >= (int64_t)patience->longest_s * 1000)
            return give_up(patience, waited_ms, error);
        log_debug("%s: %s; %s", operation, error->aws_code, patience->what);
        result = action->waiting ? action->waiting(action->waiting_data, patience->what, error) : 0;
        if (result == 0)
            result = task_sleep(task, pause_ms(patience, attempt), error);
        if (result < 0)
            return result;
    }
}

int cloud_call(struct task *task, struct action *action, const struct aws_service *service,
               const char *operation, const struct value *parameters, struct value **reply,
               struct error *error)
{
    return call_patiently(task, action, service, operation, parameters, reply, false, error);
}

int cloud_remove(struct task *task, struct action *action, const struct aws_service *service,
                 const char *operation, const struct value *parameters, struct error *error)
{
    return call_patiently(task, action, service, operation, parameters, NULL, true, error);
}

/* -- calls in observe -- */

int cloud_get(struct task *task, struct observation *observation, const struct aws_service *service,
              const char *operation, const struct value *parameters, struct value **reply,
              struct error *error)
{
    struct cloud *cloud = observation->target;
    int result = aws_call(task, cloud->client, observation->arena, service, operation, parameters,
                          reply, error);
    if (result != ERR_NOT_FOUND)
        return result;
    *reply = NULL;
    error_clear(error);
    return 0;
}

int cloud_list(struct task *task, struct observation *observation,
               const struct aws_service *service, const char *operation,
               const struct value *parameters, struct value **items, struct error *error)
{
    struct cloud *cloud = observation->target;
    int result = aws_list(task, cloud->client, observation->arena, service, operation, parameters,
                          items, error);
    if (result != ERR_NOT_FOUND)
        return result;
    *items = NULL;
    error_clear(error);
    return 0;
}

/* -- what is asked once -- */

struct answer {
    struct value *items; /* NULL: not asked, or it failed */
    bool asking;
    struct signal answered;
};

static struct answer *answer_for(struct cloud *cloud, const char *key)
{
    struct answer *answer = map_get(&cloud->answers, key);
    if (!answer) {
        answer = arena_new_of(cloud->arena, struct answer);
        map_put(&cloud->answers, arena_strdup(cloud->arena, key), answer);
    }
    return answer;
}

int cloud_ask_once(struct task *task, struct cloud *cloud, const char *key,
                   const struct aws_service *service, const char *operation,
                   const struct value *parameters, const struct value **items, struct error *error)
{
    struct answer *answer = answer_for(cloud, key);
    int result = 0;
    while (answer->asking && result == 0)
        result = task_wait(task, &answer->answered, 0, operation, error);
    if (result == 0 && !answer->items) {
        struct value *list = NULL;
        answer->asking = true;
        result = aws_list(task, cloud->client, cloud->arena, service, operation, parameters, &list,
                          error);
        answer->asking = false;
        if (result == 0)
            answer->items = list ? list : value_list(cloud->arena);
        signal_all(&answer->answered);
    }
    *items = answer->items;
    return result;
}

/* -- several at once -- */

static int read_text(struct task *task, struct cloud_read *read, struct error *error)
{
    struct observation *observation = read->observation_;
    struct cloud *cloud = observation->target;
    struct aws_reply reply = {0};
    int result = aws_call_raw(task, cloud->client, observation->arena, read->service,
                              read->operation, read->parameters, &reply, error);
    if (result == 0)
        read->reply = value_string_n(observation->arena, reply.http.body, reply.http.body_length);
    if (result != ERR_NOT_FOUND)
        return result;
    error_clear(error);
    return 0;
}

static int do_read(struct task *task, void *argument, struct error *error)
{
    struct cloud_read *read = argument;
    switch (read->how) {
    case READ_LIST:
        return cloud_list(task, read->observation_, read->service, read->operation,
                          read->parameters, &read->reply, error);
    case READ_TEXT:
        return read_text(task, read, error);
    case READ_ONE:
        break;
    }
    return cloud_get(task, read->observation_, read->service, read->operation, read->parameters,
                     &read->reply, error);
}

int cloud_get_all(struct task *task, struct observation *observation, struct cloud_read *reads,
                  size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        reads[i].reply = NULL;
        reads[i].observation_ = observation;
    }
    return task_each(task, "read", do_read, reads, sizeof *reads, count, 0, error);
}
