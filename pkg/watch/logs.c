#include "pkg/watch/logs.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/watch/seen.h"

enum {
    CALL_MS = 250,            /* FilterLogEvents: five a second for the whole account and region */
    ROUND_MS = 2000,          /* at least, from one round's start to the next one's */
    SHORT_OVERLAP_MS = 30000, /* asked again in every round */
    LONG_OVERLAP_MS = 600000, /* asked again in every LONG_EVERYth round */
    LONG_EVERY = 15,
    REMEMBERED = 131072,
    TROUBLE_LIMIT_MS = 300000,
    TROUBLE_PAUSE_MS = 5000,
};

/* One source in a round: the page that is being told. */
struct reader {
    const struct log_source *source;
    struct arena *arena; /* of the page */
    struct log_page page;
    const struct log_event **sorted; /* its lines by time */
    size_t at;
    bool begun, ended;
};

struct reading {
    const struct log_options *options;
    struct reader *readers; /* one a source */
    struct seen seen;       /* used when following */
    int64_t next_call_ms;   /* monotonic: no page before */
    int64_t keep_ms;        /* no later round asks for older lines */
    bool first_round;       /* nothing of it can have been told */
};

/* Lines of one millisecond stay in their order: they are compared by their place in the page. */
static int by_time(const void *a, const void *b)
{
    const struct log_event *first = *(const struct log_event *const *)a;
    const struct log_event *second = *(const struct log_event *const *)b;
    if (first->time_ms != second->time_ms)
        return first->time_ms < second->time_ms ? -1 : 1;
    return first < second ? -1 : first > second;
}

static void sort_page(struct reader *reader)
{
    reader->sorted = arena_array(reader->arena, reader->page.count + 1, sizeof *reader->sorted);
    for (size_t i = 0; i < reader->page.count; i++)
        reader->sorted[i] = &reader->page.events[i];
    qsort(reader->sorted, reader->page.count, sizeof *reader->sorted, by_time);
}

static int wait_for_turn(struct task *task, struct reading *reading, struct error *error)
{
    int64_t now_ms = task_now_ms(task), wait_ms = reading->next_call_ms - now_ms;
    int result = wait_ms > 0 ? task_sleep(task, wait_ms, error) : 0;
    reading->next_call_ms = (wait_ms > 0 ? reading->next_call_ms : now_ms) +
                            (reading->options->call_ms ? reading->options->call_ms : CALL_MS);
    return result;
}

static int read_page(struct task *task, struct reading *reading, struct reader *reader,
                     const struct log_request *round, struct error *error)
{
    struct log_request request = *round;
    struct arena *arena = arena_new();
    if (reader->begun)
        request.page = arena_strdup(arena, reader->page.next);
    reader->page = (struct log_page){0};
    reader->at = 0;
    int result = wait_for_turn(task, reading, error);
    if (result == 0)
        result =
            reader->source->read(task, reader->source->data, arena, &request, &reader->page, error);
    if (result == ERR_NOT_FOUND) {
        reader->page = (struct log_page){0};
        error_clear(error);
        result = 0;
    }
    arena_free(reader->arena); /* the token was copied out of it */
    reader->arena = arena;
    reader->begun = true;
    sort_page(reader);
    return result;
}

/* Reads on until the reader has a line, or has ended. */
static int fill(struct task *task, struct reading *reading, struct reader *reader,
                const struct log_request *round, struct error *error)
{
    while (!reader->ended && reader->at == reader->page.count) {
        if (reader->begun && !reader->page.next) {
            reader->ended = true;
            break;
        }
        int result = read_page(task, reading, reader, round, error);
        if (result < 0)
            return result;
    }
    return 0;
}

/* The reader whose line is the oldest; NULL when all have ended. */
static int oldest(struct task *task, struct reading *reading, const struct log_request *round,
                  struct reader **out, struct error *error)
{
    *out = NULL;
    for (size_t i = 0; i < reading->options->source_count; i++) {
        struct reader *reader = &reading->readers[i];
        int result = fill(task, reading, reader, round, error);
        if (result < 0)
            return result;
        if (!reader->ended &&
            (!*out || reader->sorted[reader->at]->time_ms < (*out)->sorted[(*out)->at]->time_ms))
            *out = reader;
    }
    return 0;
}

static bool is_new(struct reading *reading, const struct reader *reader,
                   const struct log_event *event, int64_t from_ms)
{
    if (!reading->options->follow)
        return true;
    if (event->time_ms < from_ms)
        return false;
    if (event->time_ms < reading->keep_ms) /* the first round alone reads so far back */
        return true;
    if (event->time_ms < reading->seen.floor_ms)
        return reading->first_round;
    return seen_add(&reading->seen, reader->source->name, event->id, event->time_ms);
}

static void begin_round(struct reading *reading)
{
    for (size_t i = 0; i < reading->options->source_count; i++) {
        arena_free(reading->readers[i].arena);
        reading->readers[i] = (struct reader){.source = &reading->options->sources[i]};
    }
}

static int nobody_reads_on(struct error *error)
{
    return error_set(error, ERR_CANCELLED, "nobody reads on");
}

static int tell_lines(struct task *task, struct reading *reading, const struct log_request *round,
                      struct error *error)
{
    const struct log_options *options = reading->options;
    begin_round(reading);
    for (;;) {
        struct reader *reader;
        int result = oldest(task, reading, round, &reader, error);
        if (result < 0 || !reader)
            return result;
        const struct log_event *event = reader->sorted[reader->at++];
        if (is_new(reading, reader, event, round->from_ms) &&
            options->tell(options->data, reader->source, event) != 0)
            return nobody_reads_on(error);
    }
}

static int tell_round(struct task *task, struct reading *reading, const struct log_request *round,
                      struct error *error)
{
    const struct log_options *options = reading->options;
    int result = tell_lines(task, reading, round, error);
    if (options->pause && options->pause(options->data) != 0 && result == 0)
        return nobody_reads_on(error);
    return result;
}

/* -- following -- */

static bool worth_another_try(int code)
{
    return code != ERR_CANCELLED && code != ERR_DENIED && code != ERR_INPUT && code != ERR_USAGE;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From where the next round reads: what the last whole round began with, less the overlap. */
static int64_t round_from(struct reading *reading, int64_t last_ms, int number)
{
    int64_t overlap = number % LONG_EVERY == 0 ? LONG_OVERLAP_MS : SHORT_OVERLAP_MS;
    int64_t from_ms = number == 0 ? reading->options->from_ms : last_ms - overlap;
    return later(later(from_ms, reading->options->from_ms), reading->seen.floor_ms);
}

static void begin_keeping(struct reading *reading, int64_t last_ms)
{
    reading->keep_ms = later(last_ms - LONG_OVERLAP_MS, reading->options->from_ms);
    seen_forget(&reading->seen, reading->keep_ms);
}

/* 0 when the round may be tried again. */
static int bear(struct task *task, const struct log_options *options, int code,
                int64_t failing_since_ms, struct error *error)
{
    if (!worth_another_try(code) || task_now_ms(task) - failing_since_ms > TROUBLE_LIMIT_MS)
        return code;
    if (options->trouble)
        options->trouble(options->data, error);
    error_clear(error);
    return task_sleep(task, TROUBLE_PAUSE_MS, error);
}

static int follow(struct task *task, struct reading *reading, struct error *error)
{
    const struct log_options *options = reading->options;
    int64_t last_ms = task_wall_ms(task), failing_since_ms = 0;
    begin_keeping(reading, last_ms);
    for (int number = 0;;) {
        int64_t start_ms = task_now_ms(task), wall_ms = task_wall_ms(task);
        reading->first_round = number == 0;
        struct log_request round = {.from_ms = round_from(reading, last_ms, number),
                                    .filter = options->filter};
        int result = tell_round(task, reading, &round, error);
        if (result < 0) {
            failing_since_ms = failing_since_ms ? failing_since_ms : start_ms;
            result = number ? bear(task, options, result, failing_since_ms, error) : result;
        } else {
            failing_since_ms = 0;
            last_ms = wall_ms;
            number++;
            begin_keeping(reading, last_ms);
            int64_t pace_ms = options->round_ms ? options->round_ms : ROUND_MS;
            int64_t rest_ms = start_ms + pace_ms - task_now_ms(task);
            result = rest_ms > 0 ? task_sleep(task, rest_ms, error) : 0;
        }
        if (result < 0)
            return result;
    }
}

static int read_once(struct task *task, struct reading *reading, struct error *error)
{
    const struct log_options *options = reading->options;
    struct log_request round = {.from_ms = options->from_ms,
                                .to_ms = options->to_ms ? options->to_ms : task_wall_ms(task),
                                .filter = options->filter};
    return tell_round(task, reading, &round, error);
}

int logs_read(struct task *task, const struct log_options *options, struct error *error)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct reading reading = {
        .options = options,
        .readers = arena_array(arena, options->source_count + 1, sizeof *reading.readers)};
    seen_begin(&reading.seen, options->remembered ? options->remembered : REMEMBERED);
    int result = options->follow ? follow(task, &reading, error) : read_once(task, &reading, error);
    begin_round(&reading); /* frees the pages */
    seen_end(&reading.seen);
    return result;
}
