#include "cmd/ragstack/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/ragstack/terminal_text.h"
#include "pkg/base/vector.h"

enum { LIVE_MS = 200, PLAIN_MS = 60000, WORTH_TELLING_MS = 100, NARROWEST = 40, FEWEST_LINES = 6 };

/* A node under way. */
struct row {
    const char *kind, *id, *verb;
    char detail[160];
    int64_t started_ms;
    int typical_s;
};

struct progress_view {
    struct session *session;
    bool live; /* a terminal that lines can be redrawn on */
    struct task *ticker;
    VECTOR(struct row) rows;
    int drawn; /* lines of the live list on the screen */
    int done, total;
    int kind_width, id_width;
    int64_t started_ms;
};

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int64_t now_ms(const struct progress_view *view)
{
    struct clock *clock = loop_clock(view->session->loop);
    return clock->monotonic_ms(clock);
}

static const char *paint(const struct progress_view *view, const char *colour)
{
    return view->session->colour_err ? colour : "";
}

static void put_duration(struct buffer *out, int64_t milliseconds)
{
    int64_t seconds = milliseconds / 1000;
    if (seconds < 60)
        buffer_printf(out, "%d.%ds", (int)seconds, (int)(milliseconds % 1000 / 100));
    else
        buffer_printf(out, "%dm%02ds", (int)(seconds / 60), (int)(seconds % 60));
}

/* -- the live list -- */

static void wipe(struct progress_view *view)
{
    if (view->drawn)
        fprintf(stderr, "\033[%dA\033[J", view->drawn);
    view->drawn = 0;
}

/* At most `width` characters: a line that wraps could not be wiped. */
static void put_cut(const struct buffer *line, int width)
{
    const char *text = buffer_string(line);
    size_t end = 0;
    for (int columns = 0; text[end]; end++) {
        columns += ((unsigned char)text[end] & 0xc0) != 0x80;
        if (columns > width)
            break;
    }
    fwrite(text, 1, end, stderr);
}

static void put_row(const struct progress_view *view, struct buffer *out, const struct row *row,
                    int64_t at_ms)
{
    buffer_printf(out, "%-*s  %-*s  %s ", view->kind_width, row->kind, view->id_width, row->id,
                  row->verb);
    put_duration(out, at_ms - row->started_ms);
    if (row->typical_s >= 2) {
        buffer_text(out, " of about ");
        put_duration(out, (int64_t)row->typical_s * 1000);
    }
    if (row->detail[0])
        buffer_printf(out, "  %s", row->detail);
}

static void terminal_size(int *width, int *lines)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
    *width = known && size.ws_col > NARROWEST ? size.ws_col : NARROWEST;
    *lines = known && size.ws_row / 2 > FEWEST_LINES ? size.ws_row / 2 : FEWEST_LINES;
}

static void draw_head(struct progress_view *view, int64_t at_ms, int hidden)
{
    CLEANUP(buffer_free) struct buffer line = BUFFER(256);
    buffer_printf(&line, "%d of %d steps, ", view->done, view->total);
    put_duration(&line, at_ms - view->started_ms);
    if (hidden > 0)
        buffer_printf(&line, ", %d more under way", hidden);
    fprintf(stderr, "  %s%s%s\n", paint(view, "\033[2m"), buffer_string(&line),
            paint(view, "\033[0m"));
    view->drawn++;
}

static void draw(struct progress_view *view)
{
    int64_t at_ms = now_ms(view);
    int width, lines, count = (int)view->rows.count;
    terminal_size(&width, &lines);
    draw_head(view, at_ms, count - lines);
    for (int i = 0; i < count && i < lines; i++) {
        CLEANUP(buffer_free) struct buffer line = BUFFER(4096);
        bool last = i + 1 == count || i + 1 == lines;
        put_row(view, &line, &view->rows.items[i], at_ms);
        fprintf(stderr, "  %s ", last ? "└" : "├");
        put_cut(&line, width - 5);
        fputc('\n', stderr);
        view->drawn++;
    }
    fflush(stderr);
}

/* -- rows -- */

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

/* -- lines that stay -- */

static void print_line(const struct progress_view *view, const struct progress *progress)
{
    static const struct {
        const char *sign, *colour;
    } looks[] = {
        [PROGRESS_START] = {"…", "\033[2m"}, [PROGRESS_WAIT] = {"…", "\033[2m"},
        [PROGRESS_DONE] = {"✓", "\033[32m"}, [PROGRESS_FAIL] = {"✗", "\033[31m"},
        [PROGRESS_SKIP] = {"-", "\033[33m"},
    };
    CLEANUP(buffer_free) struct buffer line = BUFFER(16384);
    buffer_printf(&line, "  %s%s%s %-*s  %-*s  %s", paint(view, looks[progress->kind].colour),
                  looks[progress->kind].sign, paint(view, "\033[0m"), view->kind_width,
                  progress->type->kind, view->id_width, progress->id, progress->verb);
    if (progress->kind == PROGRESS_DONE && progress->elapsed_ms >= WORTH_TELLING_MS) {
        buffer_text(&line, "  ");
        put_duration(&line, progress->elapsed_ms);
    }
    if (progress->kind == PROGRESS_SKIP && !progress->detail)
        buffer_text(&line, "  not tried: what it needs failed");
    else if (progress->detail)
        buffer_printf(&line, ": %s", progress->detail);
    fprintf(stderr, "%s\n", buffer_string(&line));
}

/* What a pipeline's log shows once a minute. */
static void print_awaited(const struct progress_view *view)
{
    int64_t at_ms = now_ms(view);
    for (size_t i = 0; i < view->rows.count; i++) {
        CLEANUP(buffer_free) struct buffer line = BUFFER(4096);
        if (at_ms - view->rows.items[i].started_ms < PLAIN_MS / 2)
            continue;
        put_row(view, &line, &view->rows.items[i], at_ms);
        fprintf(stderr, "  … %s\n", buffer_string(&line));
    }
}

static int tick(struct task *task, void *argument, struct error *error)
{
    struct progress_view *view = argument;
    int result = 0;
    while ((result = task_sleep(task, view->live ? LIVE_MS : PLAIN_MS, error)) == 0) {
        if (!view->live) {
            print_awaited(view);
        } else if (view->drawn) {
            wipe(view);
            draw(view);
        }
    }
    return result;
}

struct progress_view *progress_begin(struct session *session, const struct plan *plan)
{
    struct progress_view *view = arena_new_of(session->arena, struct progress_view);
    view->session = session;
    view->live = terminal_is_live(STDERR_FILENO);
    view->started_ms = now_ms(view);
    for (size_t i = 0; i < plan->step_count; i++) {
        view->kind_width = larger(view->kind_width, (int)strlen(plan->steps[i].type->kind));
        view->id_width = larger(view->id_width, (int)strlen(plan->steps[i].id));
    }
    view->ticker = task_start(session->loop, "progress", tick, view);
    return view;
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

void progress_end(struct task *task, struct progress_view *view)
{
    struct error ignored;
    task_cancel(view->ticker);
    task_join(task, view->ticker, &ignored);
    if (view->live)
        wipe(view);
}
