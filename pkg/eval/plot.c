#include "pkg/eval/plot.h"

#include <math.h>
#include <string.h>

#include "pkg/eval/html.h"

enum { WIDTH = 420, LEFT = 40, RIGHT = 12, TOP = 10, BOTTOM = 34, ROW = 22, NAMES = 130 };

struct plot {
    struct buffer *out;
    struct arena *arena;
    int width, height, left, top, bottom; /* of the area, in the picture's units */
    double x_low, x_high, y_low, y_high;  /* what it shows */
};

/* -- coordinates -- */

static double x_of(const struct plot *plot, double x)
{
    double share = (x - plot->x_low) / (plot->x_high - plot->x_low);
    return plot->left + fmin(fmax(share, 0), 1) * (WIDTH - RIGHT - plot->left);
}

static double y_of(const struct plot *plot, double y)
{
    double share = (y - plot->y_low) / (plot->y_high - plot->y_low);
    return plot->height - plot->bottom -
           fmin(fmax(share, 0), 1) * (plot->height - plot->bottom - plot->top);
}

static const char *at(const struct plot *plot, double number)
{
    return arena_printf(plot->arena, "%.1f", number);
}

static void put_line(const struct plot *plot, const char *class, double x1, double y1, double x2,
                     double y2)
{
    html_empty(plot->out, "line", "class", class, "x1", at(plot, x1), "y1", at(plot, y1), "x2",
               at(plot, x2), "y2", at(plot, y2), NULL);
}

static void put_label(const struct plot *plot, const char *class, const char *anchor, double x,
                      double y, const char *text)
{
    html_open(plot->out, "text", "class", class, "text-anchor", anchor, "x", at(plot, x), "y",
              at(plot, y), NULL);
    html_text(plot->out, "%s", text);
    html_close(plot->out, "text");
}

static void put_dot(const struct plot *plot, const char *class, double x, double y, double radius)
{
    html_empty(plot->out, "circle", "class", class, "cx", at(plot, x), "cy", at(plot, y), "r",
               at(plot, radius), NULL);
}

/* -- the frame -- */

static void begin(const struct plot *plot, const char *title)
{
    html_open(plot->out, "figure", NULL);
    html_element(plot->out, "figcaption", NULL, "%s", title);
    html_open(plot->out, "svg", "viewBox",
              arena_printf(plot->arena, "0 0 %d %d", WIDTH, plot->height), "role", "img",
              "aria-label", title, NULL);
}

/* `note`: what the plot says, in words. */
static void end(const struct plot *plot, const char *note)
{
    html_close(plot->out, "svg");
    if (note)
        html_element(plot->out, "p", "note", "%s", note);
    html_close(plot->out, "figure");
}

/* A step of 1, 2 or 5 that makes about five marks. */
static double nice_step(double low, double high)
{
    double rough = (high - low) / 5, power = pow(10, floor(log10(rough)));
    double digit = rough / power;
    return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

static void put_x_axis(const struct plot *plot, const char *unit)
{
    double step = nice_step(plot->x_low, plot->x_high), base = plot->height - plot->bottom;
    for (long i = (long)ceil(plot->x_low / step - 1e-6); (double)i * step <= plot->x_high + 1e-9;
         i++) {
        double x = (double)i * step;
        put_line(plot, "grid", x_of(plot, x), plot->top, x_of(plot, x), base);
        put_label(plot, "tick", "middle", x_of(plot, x), base + 15,
                  arena_printf(plot->arena, "%g", fabs(x) < 1e-9 ? 0 : x));
    }
    put_line(plot, "axis", plot->left, base, WIDTH - RIGHT, base);
    put_label(plot, "tick", "middle", (plot->left + WIDTH - RIGHT) / 2.0, plot->height - 4.0, unit);
}

static void put_y_shares(const struct plot *plot)
{
    for (int i = 0; i <= 4; i++) {
        double share = i / 4.0, y = y_of(plot, share);
        put_line(plot, "grid", plot->left, y, WIDTH - RIGHT, y);
        put_label(plot, "tick", "end", plot->left - 6, y + 4,
                  arena_printf(plot->arena, "%d %%", i * 25));
    }
}

static void put_curve(const struct plot *plot, const char *class, const double *xs,
                      const double *ys, size_t count)
{
    CLEANUP(buffer_free) struct buffer points = BUFFER(4 << 20);
    for (size_t i = 0; i < count; i++) {
        if (i) /* a step: it stays, then it jumps */
            buffer_printf(&points, "%.1f,%.1f ", x_of(plot, xs[i]), y_of(plot, ys[i - 1]));
        buffer_printf(&points, "%.1f,%.1f ", x_of(plot, xs[i]), y_of(plot, ys[i]));
    }
    html_empty(plot->out, "polyline", "class", class, "points", buffer_string(&points), NULL);
}

/* -- figures with their intervals, a row each -- */

static void put_interval(const struct plot *plot, int row, const char *name, double value,
                         struct interval interval, const char *class)
{
    double y = plot->top + (row + 0.5) * ROW;
    put_label(plot, "name", "end", plot->left - 8, y + 4, name);
    if (!isnan(interval.low)) {
        put_line(plot, class, x_of(plot, interval.low), y, x_of(plot, interval.high), y);
        put_line(plot, class, x_of(plot, interval.low), y - 4, x_of(plot, interval.low), y + 4);
        put_line(plot, class, x_of(plot, interval.high), y - 4, x_of(plot, interval.high), y + 4);
    }
    put_dot(plot, class, x_of(plot, value), y, 4);
}

static bool is_shown(const struct eval_metric *metric)
{
    return !*metric->unit;
}

void plot_measures(struct buffer *out, struct arena *arena, const struct report *report)
{
    int rows = 0;
    for (const struct measure *one = report->measures; one->metric; one++)
        rows += is_shown(one->metric) && !isnan(one->value);
    struct plot plot = {out, arena, WIDTH, TOP + rows * ROW + BOTTOM, NAMES, TOP, BOTTOM, 0,
                        1,   0,     1};
    begin(&plot, "Figures, with their 95 % intervals");
    put_x_axis(&plot, "share");
    rows = 0;
    for (const struct measure *one = report->measures; one->metric; one++) {
        if (is_shown(one->metric) && !isnan(one->value))
            put_interval(&plot, rows++, one->metric->name, one->value, one->interval, "one");
    }
    end(&plot, NULL);
}

void plot_differences(struct buffer *out, struct arena *arena, const struct report *report)
{
    const struct compared *compared = report->compared;
    double most = 0.05;
    int rows = 0;
    for (size_t i = 0; compared && i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        if (!is_shown(one->metric) || isnan(one->difference.low))
            continue;
        most = fmax(most, fmax(fabs(one->difference.low), fabs(one->difference.high)));
        rows++;
    }
    if (!rows)
        return;
    struct plot plot = {out,  arena, WIDTH, TOP + rows * ROW + BOTTOM, NAMES, TOP, BOTTOM, -most,
                        most, 0,     1};
    begin(&plot, "What changed against the earlier run");
    put_x_axis(&plot, "after - before");
    put_line(&plot, "axis", x_of(&plot, 0), TOP, x_of(&plot, 0), TOP + rows * ROW);
    rows = 0;
    for (size_t i = 0; i < compared->count; i++) {
        const struct comparison *one = &compared->items[i];
        int verdict = comparison_verdict(one);
        if (is_shown(one->metric) && !isnan(one->difference.low))
            put_interval(&plot, rows++, one->metric->name, one->after - one->before,
                         one->difference,
                         verdict > 0   ? "good"
                         : verdict < 0 ? "bad"
                                       : "one");
    }
    end(&plot, "A whisker that crosses the line in the middle: no difference is seen.");
}

/* -- the floor -- */

static bool has_best(const struct eval_row *row)
{
    return eval_has_reply(row) && !isnan(row->best);
}

/* From the least to the greatest of the questions' marks, in tenths. */
static bool floor_range(const struct eval_run *run, double *low, double *high)
{
    size_t count = 0;
    *low = 1;
    *high = 0;
    for (size_t i = 0; i < run->count; i++) {
        if (!has_best(&run->rows[i]))
            continue;
        *low = fmin(*low, run->rows[i].best);
        *high = fmax(*high, run->rows[i].best);
        count++;
    }
    *low = fmax(floor(*low * 10) / 10, 0);
    *high = fmin(ceil(*high * 10 + 0.1) / 10, 1.2);
    return count && *low < *high;
}

static void put_floor_lines(const struct plot *plot, const struct calibration *calibration)
{
    double base = plot->height - plot->bottom;
    if (calibration->current) {
        double x = x_of(plot, calibration->current->floor);
        put_line(plot, "force", x, plot->top, x, base);
    }
    if (calibration->chosen) {
        double x = x_of(plot, calibration->chosen->floor);
        put_line(plot, "proposed", x, plot->top, x, base);
    }
}

void plot_floors(struct buffer *out, struct arena *arena, const struct report *report)
{
    const struct calibration *calibration = report->calibration;
    double xs[CALIBRATION_STEPS], lost[CALIBRATION_STEPS], refused[CALIBRATION_STEPS];
    struct plot plot = {out, arena, WIDTH, 250, LEFT + 6, TOP, BOTTOM, 0, 1, 0, 1};
    if (!floor_range(report->run, &plot.x_low, &plot.x_high) || !calibration->answerable ||
        !calibration->unanswerable)
        return;
    for (size_t i = 0; i < CALIBRATION_STEPS; i++) {
        xs[i] = calibration->table[i].floor;
        lost[i] = (double)calibration->table[i].lost / (double)calibration->answerable;
        refused[i] = (double)calibration->table[i].refused / (double)calibration->unanswerable;
    }
    begin(&plot, "What a floor refuses");
    put_y_shares(&plot);
    put_x_axis(&plot, "floor");
    put_floor_lines(&plot, calibration);
    put_curve(&plot, "curve good", xs, refused, CALIBRATION_STEPS);
    put_curve(&plot, "curve bad", xs, lost, CALIBRATION_STEPS);
    end(&plot, "Solid: refused of what the documents do not say. Broken: lost of what they do. "
               "Vertical: the floor proposed (solid) and in force (dotted).");
}

/* -1 to 1, the same for the same question. */
static double jitter(size_t i)
{
    return (double)((i * 2654435761U) % 1000) / 500 - 1;
}

void plot_bests(struct buffer *out, struct arena *arena, const struct report *report)
{
    const struct eval_run *run = report->run;
    struct plot plot = {out, arena, WIDTH, 170, 76, TOP, BOTTOM, 0, 1, 0, 1};
    double middles[2] = {TOP + 32, TOP + 94};
    if (!floor_range(run, &plot.x_low, &plot.x_high))
        return;
    begin(&plot, "How near the nearest passage is");
    put_x_axis(&plot, "the highest floor that the question passes");
    put_floor_lines(&plot, report->calibration);
    put_label(&plot, "name", "end", plot.left - 8, middles[0] + 4, "in them");
    put_label(&plot, "name", "end", plot.left - 8, middles[1] + 4, "not in them");
    for (size_t i = 0; i < run->count; i++) {
        bool answerable = run->rows[i].question.answerable;
        if (has_best(&run->rows[i]))
            put_dot(&plot, answerable ? "dot good" : "dot bad", x_of(&plot, run->rows[i].best),
                    middles[!answerable] + 20 * jitter(i), 3);
    }
    end(&plot, "One dot a question. Where the two clouds overlap no floor can tell them apart.");
}

/* -- latency -- */

void plot_latency(struct buffer *out, struct arena *arena, const struct report *report)
{
    const struct eval_run *run = report->run;
    double *xs = arena_array(arena, run->count + 2, sizeof *xs);
    double *ys = arena_array(arena, run->count + 2, sizeof *ys);
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        if (eval_has_reply(&run->rows[i]) && run->rows[i].took_ms >= 0)
            xs[count++] = run->rows[i].took_ms;
    }
    if (!count)
        return;
    numbers_sort(xs, count);
    for (size_t i = 0; i < count; i++)
        ys[i] = (double)(i + 1) / (double)count;
    struct plot plot = {out, arena, WIDTH, 230, LEFT + 6, TOP, BOTTOM, 0, fmax(xs[count - 1], 1),
                        0,   1};
    begin(&plot, "Latency");
    put_y_shares(&plot);
    put_x_axis(&plot, "ms, seen from where it was asked");
    for (int i = 0; i < 2; i++) {
        double y = y_of(&plot, i ? 0.95 : 0.5);
        put_line(&plot, "force", plot.left, y, WIDTH - RIGHT, y);
    }
    put_curve(&plot, "curve one", xs, ys, count);
    end(&plot, "The share of questions that were answered within a time; dotted: half, and 95 %.");
}
