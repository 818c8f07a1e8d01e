/* The nearest passages: by meaning, with a little for the same words. */
#include <string.h>

#include "pkg/base/buffer.h"
#include "pkg/base/vector.h"
#include "pkg/rag/search.h"
#include "pkg/value/json.h"

enum { CANDIDATES_LEAST = 40, CANDIDATES_A_RESULT = 8 };

/* Joining ranks with equal weight ruins questions that use other words than the text; a tenth of
 * the best rank, added to the cosine, keeps both kinds of question. */
static const double LEXICAL_BONUS = 0.1;

/* $1 question, $2 vector, $3 candidates, $4 passages wanted, $5 bonus, $6 filter. */
static const char question_part[] = "WITH question AS ("
                                    " SELECT coalesce(array_agg(lexeme), '{}') AS lexemes,"
                                    "  string_agg('''' || replace(replace(lexeme, '\\', '\\\\'), "
                                    "'''', '''''') || '''', ' | ')::tsquery"
                                    "   AS some"
                                    " FROM unnest(to_tsvector('english', $1))),";
static const char near_part[] = "near AS ("
                                " SELECT u.document, u.passage, 1 - (u.embedding <=> $2::halfvec) "
                                "AS similarity FROM rag.units u%s"
                                " ORDER BY u.embedding <=> $2::halfvec LIMIT $3::int),";
static const char no_near_part[] =
    "near AS (SELECT ''::text AS document, 0 AS passage, 0::float8 AS similarity"
    " WHERE $2::halfvec IS NOT NULL AND $3::int < 0),";
static const char worded_part[] =
    "worded AS ("
    " SELECT p.document, p.place AS passage, ts_rank_cd(p.words, q.some) AS rank"
    " FROM question q, rag.passages p%s"
    " WHERE p.words @@ q.some ORDER BY rank DESC LIMIT $3::int),";
static const char last_part[] =
    "candidates AS (SELECT document, passage FROM near UNION SELECT document, passage FROM worded),"
    "scored AS ("
    " SELECT c.document, c.passage,"
    "  coalesce((SELECT max(1 - (u.embedding <=> $2::halfvec)) FROM rag.units u"
    "   WHERE u.document = c.document AND u.passage = c.passage), -1) AS similarity,"
    "  coalesce(w.rank, 0) AS rank, max(w.rank) OVER () AS best"
    " FROM candidates c LEFT JOIN worded w USING (document, passage))"
    "SELECT s.document, d.title, d.source, p.heading, p.start_byte, p.end_byte, p.text,"
    " s.similarity,"
    " coalesce((SELECT count(*) FROM unnest(q.lexemes) l WHERE l = ANY "
    "(tsvector_to_array(p.words)))"
    "  / nullif(cardinality(q.lexemes), 0)::float8, 0) AS lexical,"
    " s.similarity + $5::float8 * coalesce(s.rank / nullif(s.best, 0), 0) AS score "
    "FROM scored s JOIN rag.passages p ON p.document = s.document AND p.place = s.passage"
    " JOIN rag.documents d ON d.id = s.document, question q "
    "WHERE $6::jsonb IS NULL OR d.metadata @> $6::jsonb "
    "ORDER BY score DESC, s.document, s.passage LIMIT $4::int";

static const char *statement(struct arena *arena, const struct search_options *options)
{
    struct buffer sql = BUFFER(PG_STATEMENT_MAXIMUM);
    const char *units_filter = "", *passages_filter = "";
    if (options->filter) {
        units_filter = " JOIN rag.documents d ON d.id = u.document AND d.metadata @> $6::jsonb";
        passages_filter = " JOIN rag.documents d ON d.id = p.document AND d.metadata @> $6::jsonb";
    }
    buffer_text(&sql, question_part);
    if (options->vector)
        buffer_printf(&sql, near_part, units_filter);
    else
        buffer_text(&sql, no_near_part);
    buffer_printf(&sql, worded_part, passages_filter);
    buffer_text(&sql, last_part);
    const char *text = arena_strdup(arena, buffer_string(&sql));
    buffer_free(&sql);
    return text;
}

static struct hit hit_of(const struct pg_rows *rows, size_t row)
{
    return (struct hit){
        .document = pg_cell(rows, row, 0),
        .title = pg_cell(rows, row, 1),
        .source = pg_cell(rows, row, 2),
        .heading = pg_cell(rows, row, 3),
        .start = (size_t)pg_cell_int(rows, row, 4),
        .end = (size_t)pg_cell_int(rows, row, 5),
        .text = pg_cell(rows, row, 6),
        .similarity = pg_cell_real(rows, row, 7),
        .lexical = pg_cell_real(rows, row, 8),
        .score = pg_cell_real(rows, row, 9),
    };
}

/* Passages of a document follow each other without gaps: two that touch are one text. The better
 * place in the order stays, and the better marks. */
static bool merge_into(struct arena *arena, struct hit *hit, const struct hit *other)
{
    bool before = other->end == hit->start, after = other->start == hit->end;
    if (strcmp(hit->document, other->document) != 0 || !(before || after))
        return false;
    hit->text = before ? arena_printf(arena, "%s%s", other->text, hit->text)
                       : arena_printf(arena, "%s%s", hit->text, other->text);
    if (before) {
        hit->start = other->start;
        hit->heading = other->heading;
    } else {
        hit->end = other->end;
    }
    hit->similarity = hit->similarity > other->similarity ? hit->similarity : other->similarity;
    hit->lexical = hit->lexical > other->lexical ? hit->lexical : other->lexical;
    return true;
}

static void take_hit(struct arena *arena, struct hit_list *list, struct hit hit)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!merge_into(arena, &list->items[i], &hit))
            continue;
        for (size_t j = i + 1; j < list->count; j++) { /* it may have closed a gap */
            if (!merge_into(arena, &list->items[i], &list->items[j]))
                continue;
            memmove(&list->items[j], &list->items[j + 1],
                    (list->count - j - 1) * sizeof *list->items);
            list->count--;
            return;
        }
        return;
    }
    vector_push(arena, list, hit);
}

int store_search(struct task *task, struct pg *pg, struct arena *arena,
                 const struct search_options *options, struct hit_list *out, struct error *error)
{
    struct pg_rows rows;
    int candidates = options->top_k * CANDIDATES_A_RESULT;
    struct pg_value vector = options->vector
                                 ? pg_vector(options->vector, (size_t)options->dimensions)
                                 : (struct pg_value){.kind = PG_NULL};
    *out = (struct hit_list){0};
    int result =
        pg_run(task, pg, arena, statement(arena, options),
               PG_VALUES(pg_text(options->question), vector,
                         pg_int(candidates < CANDIDATES_LEAST ? CANDIDATES_LEAST : candidates),
                         pg_int(options->top_k), pg_real(LEXICAL_BONUS),
                         pg_text_or_null(
                             options->filter ? json_text_canonical(arena, options->filter) : NULL)),
               &rows, error);
    for (size_t i = 0; result == 0 && i < rows.count; i++)
        take_hit(arena, out, hit_of(&rows, i));
    return result;
}
