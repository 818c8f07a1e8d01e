/* The page of `ragstack watch`: figures as lines of text that fit a terminal's size.
 *
 * What matters less gives way first when lines are few; small graphs grow with the columns. Colours
 * only underline what words and signs say. */
#ifndef RAGSTACK_WATCH_WATCH_PAGE_H
#define RAGSTACK_WATCH_WATCH_PAGE_H

#include "pkg/base/buffer.h"
#include "pkg/watch/figures.h"

struct watch_page {
    const char *title; /* "acme-docs prod  aws, us-east-1" */
    int columns;       /* at least 20 */
    int lines;         /* 0: as many as there are */
    bool colour;
    bool live;              /* tells the key that ends it */
    const char *trouble;    /* why the figures are old; NULL: they are not */
    double stack_month_usd; /* of all but the models, by the price table; NAN: not known */
};

/* Appends the lines, each ended by a newline. */
void watch_page_print(struct buffer *out, const struct watch_page *page,
                      const struct figures *figures);

/* One line of what matters most, for logs: "2026-01-31T08:00:00Z questions=40 refused=2 p50_ms=812
 * ...", with a newline; "-" for what was not measured. */
void watch_line_print(struct buffer *out, const struct figures *figures);

/* -- numbers for people, in the arena -- */
/* "-" for NAN; "1,234", "3.2", "$0.0123", "12 %", "17.2 GiB". */
const char *figure_words(struct arena *arena, double value, enum metric_unit unit);
/* "28 min", "3 h", "2 d" */
const char *duration_words(struct arena *arena, int64_t milliseconds);
/* Block characters of rising height for the series (from 0 to its highest), at most `columns` of
 * them: neighbours are taken together by the row's statistic. */
const char *sparkline(struct arena *arena, const double *series, size_t count, size_t columns,
                      const char *statistic);

#endif
