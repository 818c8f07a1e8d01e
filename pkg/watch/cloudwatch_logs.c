#include "pkg/watch/cloudwatch_logs.h"

struct group {
    struct aws_client *client;
    const char *name;
};

static void decode(struct arena *arena, const struct value *reply, struct log_page *page)
{
    const struct value *event, *events = value_get(reply, "events");
    page->next = value_text(reply, "nextToken");
    page->events = arena_array(arena, value_item_count(events) + 1, sizeof *page->events);
    value_each(event, events)
    {
        const char *stream = value_text(event, "logStreamName");
        const char *message = value_text(event, "message"), *id = value_text(event, "eventId");
        page->events[page->count++] =
            (struct log_event){.time_ms = value_as_int(value_get(event, "timestamp"), 0),
                               .id = id ? id : "",
                               .stream = stream ? stream : "",
                               .message = message ? message : ""};
    }
}

/* https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
static int read_group(struct task *task, void *data, struct arena *arena,
                      const struct log_request *request, struct log_page *page, struct error *error)
{
    struct group *group = data;
    struct value *parameters = value_map(arena), *reply;
    value_set_text(arena, parameters, "logGroupName", group->name);
    value_set_int(arena, parameters, "startTime", request->from_ms > 0 ? request->from_ms : 0);
    if (request->to_ms)
        value_set_int(arena, parameters, "endTime", request->to_ms);
    if (request->filter)
        value_set_text(arena, parameters, "filterPattern", request->filter);
    if (request->page)
        value_set_text(arena, parameters, "nextToken", request->page);
    int result = aws_call(task, group->client, arena, &aws_logs, "FilterLogEvents", parameters,
                          &reply, error);
    if (result == 0)
        decode(arena, reply, page);
    return result;
}

struct log_source cloudwatch_log_source(struct arena *arena, struct aws_client *client,
                                        const char *name, const char *group)
{
    struct group *data = arena_new_of(arena, struct group);
    *data = (struct group){client, group};
    return (struct log_source){.name = name, .read = read_group, .data = data};
}
