/* What a stack costs, line by line, from its resources and a table of prices. Pure.
 *
 * Three parts: what is billed while it stands, before any question (a month of 730 hours); what
 * 1,000 questions cost, from assumptions that are told; and what comes by use that nobody can know
 * here, as a price alone. Free allowances of an account are not counted. Each amount is rounded
 * (months to a cent, questions to a hundredth of a cent) and totals are sums of those, so that what
 * is printed adds up. */
#ifndef RAGSTACK_WATCH_COST_H
#define RAGSTACK_WATCH_COST_H

#include "pkg/plan/plan.h"
#include "pkg/watch/price_table.h"

enum { COST_HOURS_A_MONTH = 730, COST_QUESTIONS = 1000 };

/* A resource, as the file wants it or as it was found. */
struct cost_item {
    const char *kind, *id;
    const char *name; /* the cloud's name; NULL: not known */
    const struct value *props;
};
struct cost_item_list {
    struct cost_item *items;
    size_t count, capacity;
};
/* What the plan finds, or what stands when it is done. */
struct cost_item_list cost_items_of_plan(struct arena *arena, const struct plan *plan, bool after);
/* What the file alone says. */
struct cost_item_list cost_items_of_file(struct arena *arena, const struct resource_list *wanted);

enum cost_part { COST_MONTH, COST_BY_QUESTION, COST_BY_USE };

struct cost_line {
    enum cost_part part;
    const char *what;   /* "database: instance"; tells it from the other lines */
    const char *detail; /* "db.t4g.micro, 730 h x $0.016" */
    const char *price;  /* the key of its price */
    double usd;         /* < 0: the table has no such price; COST_BY_USE: of one unit */
};

/* What a question is taken to be, by the stack's settings. All zero: nothing asks. */
struct cost_question {
    int question_tokens, prompt_tokens, passage_tokens; /* what goes in */
    int output_tokens;                                  /* at most */
    double seconds;                                     /* of the function */
    const char *model;
};

struct cost {
    struct cost_line *items;
    size_t count, capacity;
    double month_usd, questions_usd; /* of the lines that have a price */
    int unpriced;                    /* lines without */
    struct cost_question question;
};

struct cost cost_of(struct arena *arena, const struct prices *prices,
                    const struct cost_item_list *items);

/* The instance that a proxy stands before; NULL: none. */
const struct cost_item *cost_instance_of(struct arena *arena, const struct cost_item_list *items,
                                         const struct cost_item *proxy);

/* One thing that would do for less, as a sentence. */
struct cost_advice {
    const char *text;
    double saves_usd; /* a month */
};
struct cost_advice_list {
    struct cost_advice *items;
    size_t count, capacity;
};
/* Of what saves a dollar a month or more, the most first. */
struct cost_advice_list cost_advise(struct arena *arena, const struct prices *prices,
                                    const struct cost_item_list *items);

/* -- before and after a change -- */

struct cost_report {
    struct prices prices;
    struct cost before, after;
    struct cost_advice_list advice; /* about what is wanted */
};
struct cost_report cost_report_of_plan(struct arena *arena, const struct plan *plan,
                                       const struct value *table);

struct cost_style {
    bool all;    /* lines that stay as they are, what comes by use, and the assumptions, too */
    bool single; /* one column, `after`: there is nothing to compare with */
};
void cost_print_text(struct buffer *out, const struct cost_report *report,
                     const struct cost_style *style);
void cost_print_markdown(struct buffer *out, const struct cost_report *report);
/* {"region":, "date":, "about":, "source":, "before": {..}, "after": {..}, "advice": [..]} */
struct value *cost_to_value(struct arena *arena, const struct cost_report *report);

#endif
