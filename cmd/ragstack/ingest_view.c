/* How far an ingest is. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/ragstack/ingest.h"
#include "cmd/ragstack/terminal_text.h"

enum { LIVE_MS = 200, PLAIN_MS = 5000, BAR_COLUMNS = 24, ROOM_FOR_WORDS = 60 };

struct ingest_view {
    struct session *session;
    const struct ingest_source *source;
    const struct ingest_report *report;
    struct task *ticker;
    bool live;
    int64_t started_ms;
};

static double share_done(const struct ingest_view *view)
{
    if (view->source->weight)
        return (double)view->report->weight / (double)view->source->weight;
    return view->source->count ? (double)ingest_done(view->report) / (double)view->source->count
                               : 1;
}

static void put_bar(struct buffer *out, double share)
{
    int full = (int)(share * BAR_COLUMNS);
    for (int i = 0; i < BAR_COLUMNS; i++)
        buffer_text(out, i < full ? "█" : "░");
    buffer_char(out, ' ');
}

static void put_left(struct buffer *out, double seconds)
{
    if (seconds < 3600)
        buffer_printf(out, ", %d:%02d left", (int)seconds / 60, (int)seconds % 60);
    else
        buffer_printf(out, ", %dh%02d left", (int)seconds / 3600, (int)seconds % 3600 / 60);
}

static void put_words(const struct ingest_view *view, struct buffer *out)
{
    struct clock *clock = loop_clock(view->session->loop);
    double seconds = (double)(clock->monotonic_ms(clock) - view->started_ms) / 1000;
    double share = share_done(view);
    buffer_printf(out, "%zu of %zu documents, %d %%", ingest_done(view->report),
                  view->source->count, (int)(share * 100));
    if (seconds >= 1 && view->report->passages)
        buffer_printf(out, ", %.0f passages/s", (double)view->report->passages / seconds);
    if (seconds >= 2 && share > 0.01 && share < 1)
        put_left(out, seconds / share - seconds);
}

static void draw(const struct ingest_view *view)
{
    CLEANUP(buffer_free) struct buffer line = BUFFER(1024);
    int width = terminal_width(STDERR_FILENO);
    if (view->live)
        buffer_text(&line, "\r\033[K  ");
    if (view->live && width >= BAR_COLUMNS + ROOM_FOR_WORDS)
        put_bar(&line, share_done(view));
    put_words(view, &line);
    fprintf(stderr, "%s%s", buffer_string(&line), view->live ? "" : "\n");
    fflush(stderr);
}

static int tick(struct task *task, void *argument, struct error *error)
{
    struct ingest_view *view = argument;
    int result = 0;
    while ((result = task_sleep(task, view->live ? LIVE_MS : PLAIN_MS, error)) == 0)
        draw(view);
    return result;
}

struct ingest_view *ingest_view_begin(struct session *session, const struct ingest_source *source,
                                      const struct ingest_report *report)
{
    struct ingest_view *view = arena_new_of(session->arena, struct ingest_view);
    struct clock *clock = loop_clock(session->loop);
    *view = (struct ingest_view){
        .session = session,
        .source = source,
        .report = report,
        .live = terminal_is_live(STDERR_FILENO),
        .started_ms = clock->monotonic_ms(clock),
    };
    view->ticker = task_start(session->loop, "progress", tick, view);
    return view;
}

void ingest_view_end(struct task *task, struct ingest_view *view)
{
    struct error ignored;
    task_cancel(view->ticker);
    task_mask_cancel(task, true);
    task_join(task, view->ticker, &ignored);
    task_mask_cancel(task, false);
    if (view->live)
        fputs("\r\033[K", stderr);
}
