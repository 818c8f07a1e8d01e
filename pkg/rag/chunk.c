#include "pkg/rag/chunk.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "pkg/base/vector.h"

enum {
    UNIT_MAXIMUM = 400,
    PASSAGE_MAXIMUM = 1600,
    HEADING_LEVELS = 6,
    HEADING_WORDS_MAXIMUM = 200
};

/* -- blocks: headings, paragraphs, list items, tables, code -- */

enum block_kind { BLOCK_HEADING, BLOCK_TEXT, BLOCK_CODE, BLOCK_TABLE };

struct block {
    enum block_kind kind;
    size_t start, end; /* blank lines after it included: blocks follow each other without gaps */
    int level;         /* of a heading, from 1 */
};

struct cutting {
    struct arena *arena;
    const char *text;
    size_t length;
    size_t unit_maximum, passage_maximum;
    VECTOR(struct block) blocks;
    char *headings[HEADING_LEVELS + 1]; /* the path down to the current place; NULL: none */
    struct passage_list *out;
};

static size_t line_end(const struct cutting *cutting, size_t at)
{
    const char *newline = memchr(cutting->text + at, '\n', cutting->length - at);
    return newline ? (size_t)(newline - cutting->text) + 1 : cutting->length;
}

static bool is_blank(const struct cutting *cutting, size_t at, size_t end)
{
    for (; at < end; at++) {
        if (!isspace((unsigned char)cutting->text[at]))
            return false;
    }
    return true;
}

static size_t indentation(const struct cutting *cutting, size_t at, size_t end)
{
    size_t start = at;
    while (at < end && (cutting->text[at] == ' ' || cutting->text[at] == '\t'))
        at++;
    return at - start;
}

/* "## Title": 2; 0 for anything else. */
static int heading_level(const struct cutting *cutting, size_t at, size_t end)
{
    int level = 0;
    while (at < end && cutting->text[at] == '#' && level <= HEADING_LEVELS)
        at++, level++;
    bool spaced = at < end && (cutting->text[at] == ' ' || cutting->text[at] == '\t');
    return spaced && level <= HEADING_LEVELS ? level : 0;
}

/* A line of = or - under a line of text makes that a heading. */
static int underline_level(const struct cutting *cutting, size_t at, size_t end)
{
    while (end > at && isspace((unsigned char)cutting->text[end - 1]))
        end--;
    if (end - at < 3)
        return 0;
    char mark = cutting->text[at];
    for (size_t i = at; i < end; i++) {
        if (cutting->text[i] != mark)
            return 0;
    }
    return mark == '=' ? 1 : mark == '-' ? 2 : 0;
}

static bool is_fence(const struct cutting *cutting, size_t at, size_t end)
{
    at += indentation(cutting, at, end);
    return end - at >= 3 &&
           (memcmp(cutting->text + at, "```", 3) == 0 || memcmp(cutting->text + at, "~~~", 3) == 0);
}

static bool is_table_row(const struct cutting *cutting, size_t at, size_t end)
{
    at += indentation(cutting, at, end);
    return at < end && cutting->text[at] == '|';
}

/* "- ", "* ", "+ ", "12. ", "3) " */
static bool is_list_item(const struct cutting *cutting, size_t at, size_t end)
{
    at += indentation(cutting, at, end);
    size_t digits = at;
    while (digits < end && isdigit((unsigned char)cutting->text[digits]))
        digits++;
    if (digits > at && digits < end && strchr(".)", cutting->text[digits]))
        at = digits;
    else if (at >= end || !strchr("-*+", cutting->text[at]))
        return false;
    return at + 1 < end && cutting->text[at + 1] == ' ';
}

static bool begins_block(const struct cutting *cutting, size_t at, size_t end)
{
    return is_blank(cutting, at, end) || heading_level(cutting, at, end) ||
           is_fence(cutting, at, end) || is_table_row(cutting, at, end) ||
           is_list_item(cutting, at, end);
}

/* The end of the block that starts with the line at..end. */
static size_t block_end(const struct cutting *cutting, struct block *block, size_t end)
{
    if (block->kind == BLOCK_HEADING)
        return end;
    while (end < cutting->length) {
        size_t next = line_end(cutting, end);
        if (block->kind == BLOCK_CODE) {
            bool closes = is_fence(cutting, end, next);
            end = next;
            if (closes)
                return end;
            continue;
        }
        if (block->kind == BLOCK_TABLE ? !is_table_row(cutting, end, next)
                                       : begins_block(cutting, end, next))
            return end;
        int level = underline_level(cutting, end, next);
        end = next;
        if (block->kind == BLOCK_TEXT && level) {
            block->kind = BLOCK_HEADING;
            block->level = level;
            return end;
        }
    }
    return end;
}

static size_t take_block(struct cutting *cutting, size_t at)
{
    size_t end = line_end(cutting, at);
    struct block block = {
        .kind = BLOCK_TEXT, .start = at, .level = heading_level(cutting, at, end)};
    if (block.level)
        block.kind = BLOCK_HEADING;
    else if (is_fence(cutting, at, end))
        block.kind = BLOCK_CODE;
    else if (is_table_row(cutting, at, end))
        block.kind = BLOCK_TABLE;
    block.end = block_end(cutting, &block, end);
    while (block.end < cutting->length) {
        size_t next = line_end(cutting, block.end);
        if (!is_blank(cutting, block.end, next))
            break;
        block.end = next;
    }
    vector_push(cutting->arena, &cutting->blocks, block);
    return block.end;
}

/* -- places where a long text may be cut -- */

/* Words that end with a stop and do not end a sentence. */
static bool is_abbreviation(const char *text, size_t stop)
{
    static const char *const known[] = {"e.g", "i.e", "etc", "vs", "cf",  "al",  "Dr",
                                        "Mr",  "Ms",  "Mrs", "St", "No",  "Fig", "approx",
                                        "Inc", "Ltd", "Co",  "Jr", "Sec", "p",   "pp"};
    size_t start = stop;
    while (start > 0 && (isalpha((unsigned char)text[start - 1]) || text[start - 1] == '.'))
        start--;
    size_t length = stop - start;
    if (length == 1 && isupper((unsigned char)text[start]))
        return true; /* an initial */
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (strlen(known[i]) == length && memcmp(known[i], text + start, length) == 0)
            return true;
    }
    return false;
}

/* The bytes of a sentence's end mark at `at`, or 0. */
static size_t end_mark(const char *text, size_t at, size_t end)
{
    static const char *const wide[] = {"\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f"}; /* 。！？ */
    if (strchr(".!?", text[at]) && text[at])
        return 1;
    for (size_t i = 0; i < COUNT_OF(wide); i++) {
        if (end - at >= 3 && memcmp(text + at, wide[i], 3) == 0)
            return 3;
    }
    return 0;
}

/* Where the sentence that starts at `at` ends: after its mark, closing quotes and blanks. */
static size_t sentence_end(const struct cutting *cutting, size_t at, size_t end)
{
    const char *text = cutting->text;
    for (size_t start = at; at < end; at++) {
        size_t mark = end_mark(text, at, end), after = at + mark;
        if (!mark || (text[at] == '.' && is_abbreviation(text + start, at - start)))
            continue;
        while (after < end && strchr("\"')]*_", text[after]))
            after++;
        if (mark == 1 && after < end && !isspace((unsigned char)text[after]))
            continue;
        while (after < end && isspace((unsigned char)text[after]))
            after++;
        return after;
    }
    return end;
}

/* The best place to cut a text that is too long, at most `maximum` bytes from its start: after a
 * line, after a word, or between characters. */
static size_t hard_cut(const struct cutting *cutting, size_t start, size_t maximum)
{
    const char *text = cutting->text;
    size_t limit = start + maximum;
    for (size_t at = limit; at > start + maximum / 2; at--) {
        if (text[at - 1] == '\n')
            return at;
    }
    for (size_t at = limit; at > start + maximum / 2; at--) {
        if (isspace((unsigned char)text[at - 1]))
            return at;
    }
    while (limit > start + 1 && ((unsigned char)text[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}

/* -- units -- */

static void add_unit(struct cutting *cutting, struct passage *passage, size_t *capacity,
                     size_t start, size_t end)
{
    if (is_blank(cutting, start, end))
        return;
    if (passage->unit_count == *capacity) {
        size_t more = *capacity ? *capacity * 2 : 4;
        passage->units =
            arena_grow(cutting->arena, passage->units, *capacity * sizeof *passage->units,
                       more * sizeof *passage->units);
        *capacity = more;
    }
    passage->units[passage->unit_count++] = (struct unit){start, end};
}

/* Sentences are packed until a unit is full. The blanks after the last one belong to nobody's
 * meaning, but stay inside: units of a passage touch. */
static void cut_units(struct cutting *cutting, struct passage *passage)
{
    size_t capacity = 0, start = passage->start, at = start;
    while (at < passage->end) {
        size_t next = sentence_end(cutting, at, passage->end);
        if (next - start > cutting->unit_maximum && at > start) {
            add_unit(cutting, passage, &capacity, start, at);
            start = at;
        }
        while (next - start > cutting->unit_maximum) {
            size_t cut = hard_cut(cutting, start, cutting->unit_maximum);
            add_unit(cutting, passage, &capacity, start, cut);
            start = cut;
        }
        at = next;
    }
    add_unit(cutting, passage, &capacity, start, passage->end);
}

/* -- passages -- */

static const char *heading_path(struct cutting *cutting)
{
    const char *path = "";
    for (int level = 1; level <= HEADING_LEVELS; level++) {
        if (cutting->headings[level])
            path = arena_printf(cutting->arena, "%s%s%s", path, *path ? " > " : "",
                                cutting->headings[level]);
    }
    return path;
}

static void enter_heading(struct cutting *cutting, const struct block *block)
{
    size_t start = block->start + strspn(cutting->text + block->start, "# \t"), end = start;
    while (end < block->end && cutting->text[end] != '\n')
        end++;
    while (end > start && strchr("# \t\r", cutting->text[end - 1]))
        end--;
    if (end - start > HEADING_WORDS_MAXIMUM)
        end = hard_cut(cutting, start, HEADING_WORDS_MAXIMUM);
    cutting->headings[block->level] =
        arena_strndup(cutting->arena, cutting->text + start, end - start);
    for (int level = block->level + 1; level <= HEADING_LEVELS; level++)
        cutting->headings[level] = NULL;
}

static void add_passage(struct cutting *cutting, size_t start, size_t end)
{
    if (start == end)
        return;
    struct passage passage = {.start = start, .end = end, .heading = heading_path(cutting)};
    cut_units(cutting, &passage);
    vector_push(cutting->arena, cutting->out, passage);
}

/* A block that is too long for any passage is cut between sentences, or where it must be. */
static size_t add_long_block(struct cutting *cutting, size_t start, size_t end)
{
    size_t at = start;
    while (at < end) {
        size_t next = sentence_end(cutting, at, end);
        if (next - start > cutting->passage_maximum && at > start) {
            add_passage(cutting, start, at);
            start = at;
        }
        while (next - start > cutting->passage_maximum) {
            size_t cut = hard_cut(cutting, start, cutting->passage_maximum);
            add_passage(cutting, start, cut);
            start = cut;
        }
        at = next;
    }
    return start;
}

static void cut_passages(struct cutting *cutting)
{
    size_t start = 0;
    bool only_headings = true;
    for (size_t i = 0; i < cutting->blocks.count; i++) {
        const struct block *block = &cutting->blocks.items[i];
        bool heading = block->kind == BLOCK_HEADING;
        bool full = block->end - start > cutting->passage_maximum;
        if ((heading || full) && !only_headings) {
            add_passage(cutting, start, block->start);
            start = block->start;
        }
        if (heading)
            enter_heading(cutting, block);
        if (block->end - start > cutting->passage_maximum)
            start = add_long_block(cutting, start, block->end);
        only_headings = heading && (only_headings || start == block->start);
    }
    add_passage(cutting, start, cutting->length);
}

void chunk_document(struct arena *arena, const char *text, size_t length,
                    const struct chunk_sizes *sizes, struct passage_list *out)
{
    struct cutting *cutting = arena_new_of(arena, struct cutting);
    *cutting = (struct cutting){
        .arena = arena,
        .text = text,
        .length = length,
        .unit_maximum = sizes && sizes->unit_maximum ? sizes->unit_maximum : UNIT_MAXIMUM,
        .passage_maximum =
            sizes && sizes->passage_maximum ? sizes->passage_maximum : PASSAGE_MAXIMUM,
        .out = out,
    };
    *out = (struct passage_list){0};
    for (size_t at = 0; at < length;)
        at = take_block(cutting, at);
    cut_passages(cutting);
}
