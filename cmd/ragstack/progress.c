#include "cmd/ragstack/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pkg/base/vector.h"

enum { LINES_ON_SCREEN = 12 };

/* A node under way. */
struct row {
    const char *kind, *id, *verb;
    char detail[100];
    int64_t started_ms;
    int typical_s;
};

struct progress_view {
    struct session *session;
    bool live; /* a terminal that lines can be redrawn on */
    VECTOR(struct row) rows;
    int drawn; /* lines of the live list on the screen */
    int done, total;
};

struct progress_view *progress_new(struct session *session)
{
    struct progress_view *view = arena_new_of(session->arena, struct progress_view);
    view->session = session;
    view->live = session->colour_err && isatty(STDERR_FILENO);
    return view;
}

static int64_t now_ms(const struct progress_view *view)
{
    struct clock *clock = loop_clock(view->session->loop);
    return clock->monotonic_ms(clock);
}

static void wipe(struct progress_view *view)
{
    if (view->drawn)
        fprintf(stderr, "\033[%dA\033[J", view->drawn);
    view->drawn = 0;
}

static void print_time(char *out, size_t size, int64_t milliseconds)
{
    int64_t seconds = milliseconds / 1000;
    if (seconds < 60)
        snprintf(out, size, "%d.%ds", (int)seconds, (int)(milliseconds % 1000 / 100));
    else
        snprintf(out, size, "%dm%02ds", (int)(seconds / 60), (int)(seconds % 60));
}

static void draw(struct progress_view *view)
{
    int64_t now = now_ms(view);
    fprintf(stderr, "  \033[2m%d of %d\033[0m\n", view->done, view->total);
    view->drawn = 1;
    for (size_t i = 0; i < view->rows.count && i < LINES_ON_SCREEN; i++) {
        const struct row *row = &view->rows.items[i];
        char elapsed[24], typical[24] = "", width[40] = "";
        print_time(elapsed, sizeof elapsed, now - row->started_ms);
        if (row->typical_s >= 2) {
            print_time(typical, sizeof typical, (int64_t)row->typical_s * 1000);
            snprintf(width, sizeof width, " of about %s", typical);
        }
        fprintf(stderr, "  … %s %s  %s %s%s%s%.60s\n", row->kind, row->id, row->verb, elapsed,
                width, row->detail[0] ? "  " : "", row->detail);
        view->drawn++;
    }
}

static size_t find_row(const struct progress_view *view, const struct progress *progress)
{
    size_t i = 0;
    while (i < view->rows.count && (strcmp(view->rows.items[i].id, progress->id) != 0 ||
                                    strcmp(view->rows.items[i].verb, progress->verb) != 0))
        i++;
    return i;
}

static void keep_row(struct progress_view *view, const struct progress *progress)
{
    size_t at = find_row(view, progress);
    if (at == view->rows.count)
        vector_push(view->session->arena, &view->rows,
                    ((struct row){.kind = progress->type->kind,
                                  .id = progress->id,
                                  .verb = progress->verb,
                                  .typical_s = progress->typical_s,
                                  .started_ms = now_ms(view) - progress->elapsed_ms}));
    if (progress->detail)
        snprintf(view->rows.items[at].detail, sizeof view->rows.items[at].detail, "%s",
                 progress->detail);
}

static void drop_row(struct progress_view *view, const struct progress *progress)
{
    size_t at = find_row(view, progress);
    if (at == view->rows.count)
        return;
    view->rows.count--;
    memmove(&view->rows.items[at], &view->rows.items[at + 1],
            (view->rows.count - at) * sizeof *view->rows.items);
}

static void print_line(const struct progress_view *view, const struct progress *progress)
{
    static const struct {
        const char *sign, *colour;
    } looks[] = {
        [PROGRESS_START] = {"…", "\033[2m"}, [PROGRESS_WAIT] = {"…", "\033[2m"},
        [PROGRESS_DONE] = {"✓", "\033[32m"}, [PROGRESS_FAIL] = {"✗", "\033[31m"},
        [PROGRESS_SKIP] = {"-", "\033[33m"},
    };
    bool colour = view->session->colour_err;
    char elapsed[24];
    print_time(elapsed, sizeof elapsed, progress->elapsed_ms);
    fprintf(stderr, "  %s%s%s %s %s  %s", colour ? looks[progress->kind].colour : "",
            looks[progress->kind].sign, colour ? "\033[0m" : "", progress->type->kind, progress->id,
            progress->verb);
    if (progress->kind == PROGRESS_DONE)
        fprintf(stderr, "  %s", elapsed);
    if (progress->kind == PROGRESS_SKIP)
        fputs("  not tried: what it needs failed", stderr);
    if (progress->detail)
        fprintf(stderr, ": %s", progress->detail);
    fputc('\n', stderr);
}

void progress_show(void *data, const struct progress *progress)
{
    struct progress_view *view = data;
    bool under_way = progress->kind == PROGRESS_START || progress->kind == PROGRESS_WAIT;
    view->done = progress->done;
    view->total = progress->total;
    if (under_way)
        keep_row(view, progress);
    else
        drop_row(view, progress);
    if (view->live)
        wipe(view);
    if (!under_way || (!view->live && progress->kind == PROGRESS_WAIT))
        print_line(view, progress);
    if (view->live)
        draw(view);
}

void progress_end(struct progress_view *view)
{
    if (view->live)
        wipe(view);
}
