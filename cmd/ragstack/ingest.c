#include "cmd/ragstack/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ragstack/consent.h"
#include "cmd/ragstack/terminal_text.h"
#include "pkg/base/panic.h"
#include "pkg/convert/convert.h"

#define SEEN "" /* in place of a sum that was compared */
enum { AT_ONCE = 4, MOST_AT_ONCE = 16, NAMES_SHOWN = 10, SLOWEST_LOCAL_MS = 320000 };

static const struct option_row options[] = {
    {"dry-run", 'n', NULL, false, NULL, "show what would be sent, and send nothing"},
    {"delete-missing", 0, NULL, false, NULL, "delete documents whose files are gone (asks)"},
    {"prefix", 0, "TEXT", false, NULL, "begin the documents' ids with this (\"handbook/\")"},
    {"url", 0, "URL", false, NULL, "where the files are seen: URL + path becomes the source"},
    {"metadata", 'm', "KEY=VALUE", true, NULL, "goes with every document; ask --filter finds it"},
    {"at-once", 0, "N", false, NULL, "requests at a time (default: 4)"},
    {"from", 0, "URL", false, NULL, "read a table of this PostgreSQL in place of files"},
    {"table", 0, "NAME", false, NULL, "with --from: the table (\"schema.name\")"},
    {"id", 0, "COLUMN", false, NULL, "with --from: rows with one id become one document"},
    {"text", 0, "COLUMN", false, NULL, "with --from: the text"},
    {"title", 0, "COLUMN", false, NULL, "with --from: the title (default: the id)"},
    {"source", 0, "COLUMN", false, NULL, "with --from: where it comes from, for citations"},
    {"metadata-column", 0, "COLUMN", false, NULL, "with --from: json or jsonb"},
    {"order", 0, "COLUMN", false, NULL, "with --from: the order of rows with one id"},
    {"embedding", 0, "COLUMN", false, NULL,
     "with --from: a vector, taken over where its model fits"},
    {"embedding-model", 0, "ID", false, NULL, "with --embedding: the model that made the vectors"},
    OPTION_API,
    {0},
};

struct ingest {
    struct session *session;
    struct arena *arena;
    struct api api;
    struct ingest_files files;
    struct ingest_source *source;
    struct ingest_options sending;
    struct ingest_report report;
    VECTOR(const char *) missing; /* ids to delete */
    size_t deleted;
    const char *prefix;
    bool from;          /* a table, not files */
    struct map sums;    /* of its texts, by id */
    size_t there, same; /* documents of the stack; texts with the same sum on both sides */
    int64_t took_ms;
};

static const char *said(const struct ingest *ingest, const char *name)
{
    return option_text(&ingest->session->options, name);
}

/* -- the options -- */

static int read_metadata(struct ingest *ingest, struct error *error)
{
    struct value *map;
    int result = option_pairs(ingest->arena, &ingest->session->options, "metadata", &map, error);
    ingest->sending.metadata = value_count(map) ? map : NULL;
    return result;
}

/* Options of one way are no use in the other. */
static int check_way(const struct ingest *ingest, struct error *error)
{
    static const char *const of_tables[] = {"table",           "id",        "text",
                                            "title",           "source",    "order",
                                            "metadata-column", "embedding", "embedding-model"};
    static const char *const needed[] = {"table", "id", "text"};
    size_t paths = ingest->session->options.argument_count;
    for (size_t i = 0; !ingest->from && i < COUNT_OF(of_tables); i++) {
        if (said(ingest, of_tables[i]))
            return error_set(error, ERR_USAGE, "--%s is of use with --from only", of_tables[i]);
    }
    if (!ingest->from && !paths)
        return error_set(error, ERR_USAGE, "usage: ragstack ingest PATH...");
    if (!ingest->from)
        return 0;
    for (size_t i = 0; i < COUNT_OF(needed); i++) {
        if (!said(ingest, needed[i]))
            return error_set(error, ERR_USAGE, "--from wants --%s", needed[i]);
    }
    if (!said(ingest, "embedding") != !said(ingest, "embedding-model"))
        return error_set(error, ERR_USAGE,
                         "--embedding and --embedding-model go together: vectors of another model "
                         "than the stack's would find nothing");
    if (paths || said(ingest, "url") || option_said(&ingest->session->options, "delete-missing"))
        return error_set(error, ERR_USAGE,
                         "--from reads a table: no paths, no --url and no --delete-missing");
    return 0;
}

static int read_options(struct ingest *ingest, struct error *error)
{
    const char *prefix = said(ingest, "prefix");
    ingest->prefix = prefix ? prefix : "";
    ingest->from = said(ingest, "from") != NULL;
    int result = check_way(ingest, error);
    if (result == 0)
        result = read_metadata(ingest, error);
    ingest->sending.at_once = AT_ONCE;
    return result < 0 ? result
                      : option_number(&ingest->session->options, "at-once", MOST_AT_ONCE,
                                      &ingest->sending.at_once, error);
}

/* -- where they come from -- */

static int open_table(struct task *task, struct ingest *ingest, struct error *error)
{
    const struct ingest_table table = {.url = said(ingest, "from"),
                                       .table = said(ingest, "table"),
                                       .id = said(ingest, "id"),
                                       .text = said(ingest, "text"),
                                       .title = said(ingest, "title"),
                                       .source = said(ingest, "source"),
                                       .metadata = said(ingest, "metadata-column"),
                                       .order = said(ingest, "order"),
                                       .embedding = said(ingest, "embedding"),
                                       .embedder = said(ingest, "embedding-model"),
                                       .prefix = ingest->prefix};
    return ingest_table_open(task, ingest->arena, &table, &ingest->source, error);
}

static int open_files(struct task *task, struct ingest *ingest, struct error *error)
{
    const char *url = said(ingest, "url");
    if (url && url[0] && url[strlen(url) - 1] != '/')
        url = arena_printf(ingest->arena, "%s/", url);
    const struct ingest_naming naming = {ingest->prefix, url};
    int result = ingest_files_find(task, ingest->arena, ingest->session->options.arguments, &naming,
                                   &ingest->files, error);
    if (result == 0)
        ingest->source = ingest_files_source(ingest->arena, &ingest->files);
    if (result == 0 && ingest->files.skipped && !ingest->session->json)
        fprintf(stderr, "%zu files of other kinds are left out (known: %s).\n",
                ingest->files.skipped, convert_endings(ingest->arena));
    return result;
}

/* -- a look without sending -- */

static void show_item(struct ingest *ingest, const struct ingest_item *item)
{
    struct arena *arena = ingest->report.arena;
    if (!ingest->session->json) {
        printf("%s  \"%s\"  %zu bytes\n", terminal_line(arena, item->id),
               terminal_line(arena, item->title), item->length);
        return;
    }
    struct value *row = value_map(arena);
    value_set_text(arena, row, "id", item->id);
    value_set_text(arena, row, "status", "would be sent");
    value_set_text(arena, row, "title", item->title);
    value_set_int(arena, row, "bytes", (int64_t)item->length);
    value_push(arena, ingest->report.rows, row);
}

static int look(struct task *task, struct ingest *ingest, struct error *error)
{
    require(ingest->source);
    for (;;) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct ingest_item item;
        struct error why = {0};
        int next = ingest->source->next(task, ingest->source, arena, &item, &why);
        if (next < 0)
            *error = why;
        if (next == INGEST_END || next < 0)
            return next;
        if (next == INGEST_ITEM)
            show_item(ingest, &item);
        else
            ingest_fail(&ingest->report, item.id, why.message);
        if (task_cancelled(task))
            return error_set(error, ERR_CANCELLED, "interrupted; nothing was sent");
    }
}

/* -- what is gone -- */

/* A document that came from one of these folders, and is not in it any more. */
struct comparing {
    struct ingest *ingest;
    struct map there; /* ids */
};

static int compare(void *data, const struct value *document)
{
    struct comparing *comparing = data;
    struct ingest *ingest = comparing->ingest;
    const char *id = value_text(document, "id"), *source = value_text(document, "source");
    size_t prefix = strlen(ingest->prefix);
    if (!id || !source || map_get(&comparing->there, id) ||
        strncmp(id, ingest->prefix, prefix) != 0)
        return 0;
    for (size_t i = 0; i < ingest->files.roots.count; i++) {
        const char *root = ingest->files.roots.items[i];
        size_t length = strlen(root);
        if (strncmp(source, root, length) == 0 && strcmp(source + length, id + prefix) == 0) {
            vector_push(ingest->arena, &ingest->missing, arena_strdup(ingest->arena, id));
            break;
        }
    }
    return 0;
}

static int find_missing(struct task *task, struct ingest *ingest, struct error *error)
{
    struct comparing comparing = {ingest, map_in(ingest->arena)};
    if (!ingest->files.roots.count)
        return error_set(error, ERR_USAGE,
                         "--delete-missing compares with a folder: name one, not its files");
    for (size_t i = 0; i < ingest->files.items.count; i++)
        map_put(&comparing.there, ingest->files.items.items[i].id, ingest);
    return ingest_list(task, &ingest->api, false, compare, &comparing, error);
}

static void show_missing(const struct ingest *ingest, const char *what)
{
    size_t count = ingest->missing.count;
    fprintf(stderr, "%zu document%s %s:\n", count, count == 1 ? "" : "s", what);
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        fprintf(stderr, "  - %s\n", terminal_line(ingest->arena, ingest->missing.items[i]));
    if (count > NAMES_SHOWN)
        fprintf(stderr, "  ... and %zu more\n", count - NAMES_SHOWN);
}

static int delete_missing(struct task *task, struct ingest *ingest, struct error *error)
{
    int result = find_missing(task, ingest, error);
    if (result < 0 || !ingest->missing.count)
        return result;
    show_missing(ingest, "came from here, and their files are gone");
    if (option_said(&ingest->session->options, "dry-run"))
        return 0;
    result = consent_ask(task, ingest->session, "Delete them?", NULL, error);
    for (size_t i = 0; i < ingest->missing.count && result == 0; i++) {
        result = ingest_delete(task, &ingest->api, ingest->missing.items[i], error);
        ingest->deleted += result == 0;
    }
    return result;
}

/* -- the end of it -- */

static void give_json(const struct ingest *ingest)
{
    struct arena *arena = ingest->arena;
    const struct ingest_report *report = &ingest->report;
    struct value *document = value_set_int(arena, value_map(arena), "schema", 1);
    struct value *failed = value_list(arena), *deleted = value_list(arena);
    struct value *summary = value_map(arena);
    for (size_t i = 0; i < report->failures.count; i++) {
        struct value *row = value_map(arena);
        value_set_text(arena, row, "id", report->failures.items[i].id);
        value_push(arena, failed, value_set_text(arena, row, "why", report->failures.items[i].why));
    }
    for (size_t i = 0; i < ingest->deleted; i++)
        value_push_text(arena, deleted, ingest->missing.items[i]);
    value_set_int(arena, summary, "documents", (int64_t)ingest->source->count);
    value_set_int(arena, summary, "stored", (int64_t)report->stored);
    value_set_int(arena, summary, "unchanged", (int64_t)report->unchanged);
    value_set_int(arena, summary, "failed", (int64_t)report->failures.count);
    value_set_int(arena, summary, "deleted", (int64_t)ingest->deleted);
    value_set_int(arena, summary, "passages", report->passages);
    value_set_int(arena, summary, "embedded", report->embedded);
    value_set(arena, summary, "usd", value_real(arena, report->usd));
    value_set_int(arena, summary, "took_ms", ingest->took_ms);
    if (ingest->from)
        value_set_int(arena, summary, "same_sum", (int64_t)ingest->same);
    value_set(arena, document, "documents", report->rows);
    value_set(arena, document, "failed", failed);
    value_set(arena, document, "deleted", deleted);
    print_json(value_set(arena, document, "summary", summary));
}

static void print_summary(const struct ingest *ingest)
{
    const struct ingest_report *report = &ingest->report;
    printf("%zu document%s: %zu stored, %zu unchanged", ingest->source->count,
           ingest->source->count == 1 ? "" : "s", report->stored, report->unchanged);
    if (report->failures.count)
        printf(", %zu failed", report->failures.count);
    if (ingest->deleted)
        printf(", %zu deleted", ingest->deleted);
    if (report->stored)
        printf("; %lld passages", (long long)report->passages);
    printf(" in %.1f s", (double)ingest->took_ms / 1000);
    if (report->usd > 0)
        printf(", $%.4f", report->usd);
    putchar('\n');
}

static void print_failures(const struct ingest *ingest)
{
    const struct ingest_report *report = &ingest->report;
    for (size_t i = 0; i < report->failures.count; i++)
        fprintf(stderr, "  %s: %s\n", terminal_line(ingest->arena, report->failures.items[i].id),
                terminal_line(ingest->arena, report->failures.items[i].why));
}

static int finish(const struct ingest *ingest, struct error *error)
{
    const struct ingest_report *report = &ingest->report;
    bool dry = option_said(&ingest->session->options, "dry-run");
    if (ingest->session->json)
        give_json(ingest);
    else if (!dry)
        print_summary(ingest);
    fflush(stdout);
    if (!report->failures.count)
        return EXIT_DONE;
    print_failures(ingest);
    return error_set(error, ERR_PARTIAL, "%zu of %zu documents could not be %s",
                     report->failures.count, ingest->source->count, dry ? "read" : "ingested");
}

/* What was done before something stopped it is kept, and free to repeat. */
static int stopped(const struct ingest *ingest, int result, struct error *error)
{
    size_t done = ingest_done(&ingest->report) - ingest->report.failures.count;
    if (done && result == ERR_CANCELLED)
        return error_set(error, result,
                         "interrupted: %zu of %zu documents are stored; run it again, and it goes "
                         "on from there",
                         done, ingest->source->count);
    if (done)
        fprintf(stderr,
                "%zu of %zu documents are stored; run it again, and it goes on from there.\n", done,
                ingest->source->count);
    return result;
}

/* -- counted and summed on both sides -- */

static int check_one(void *data, const struct value *document)
{
    struct ingest *ingest = data;
    const char *id = value_text(document, "id"), *there = value_text(document, "sha256");
    const char *sent = id ? map_get(&ingest->sums, id) : NULL;
    ingest->there += id && strncmp(id, ingest->prefix, strlen(ingest->prefix)) == 0;
    if (!sent || !there)
        return 0;
    if (strcmp(sent, there) == 0)
        ingest->same++;
    else
        ingest_fail(&ingest->report, id, "its text in the stack is not the one that was read");
    map_put(&ingest->sums, id, (void *)(uintptr_t)SEEN);
    return 0;
}

static int check_both(struct task *task, struct ingest *ingest, struct error *error)
{
    int result = ingest_list(task, &ingest->api, true, check_one, ingest, error);
    if (result < 0)
        return result;
    for (size_t i = 0; i < ingest->sums.count; i++) {
        const struct map_entry *entry = &ingest->sums.entries[i];
        if (strcmp(entry->value, SEEN) != 0)
            ingest_fail(&ingest->report, entry->key,
                        "it was sent, and the stack does not tell the sum of its text");
    }
    if (!ingest->session->json)
        fprintf(stderr,
                "%zu documents in the table, %zu in the stack%s%s; %zu of %zu texts have the same "
                "SHA-256 on both sides.\n",
                ingest->source->count, ingest->there, *ingest->prefix ? " below " : "",
                ingest->prefix, ingest->same, ingest->sums.count);
    return 0;
}

/* -- the command -- */

static int send(struct task *task, struct ingest *ingest, struct error *error)
{
    bool local = option_said(&ingest->session->options, "local");
    int64_t started_ms = task_now_ms(task);
    struct ingest_view *view = ingest_view_begin(ingest->session, ingest->source, &ingest->report);
    ingest->sending.api = &ingest->api;
    ingest->sending.timeout_ms = local ? SLOWEST_LOCAL_MS : 0;
    int result = ingest_send(task, &ingest->sending, ingest->source, &ingest->report, error);
    ingest_view_end(task, view);
    ingest->took_ms = task_now_ms(task) - started_ms;
    return result < 0 ? stopped(ingest, result, error) : 0;
}

static int run_all(struct task *task, struct ingest *ingest, struct error *error)
{
    bool dry = option_said(&ingest->session->options, "dry-run");
    bool compares = option_said(&ingest->session->options, "delete-missing");
    int result = 0;
    if (!dry || compares)
        result = api_open(task, ingest->session, &ingest->api, error);
    if (result == 0)
        result = dry ? look(task, ingest, error) : send(task, ingest, error);
    if (result == 0 && compares)
        result = delete_missing(task, ingest, error);
    if (result == 0 && ingest->from && !dry)
        result = check_both(task, ingest, error);
    return result < 0 ? result : finish(ingest, error);
}

static int run(struct task *task, struct session *session, struct error *error)
{
    struct ingest ingest = {
        .session = session, .arena = session->arena, .report = {.arena = session->arena}};
    if (session->json)
        ingest.report.rows = value_list(session->arena);
    int result = read_options(&ingest, error);
    ingest.sums = map_in(session->arena);
    ingest.report.sums = ingest.from ? &ingest.sums : NULL;
    if (result == 0)
        result = ingest.from ? open_table(task, &ingest, error) : open_files(task, &ingest, error);
    if (result < 0)
        return result;
    result = run_all(task, &ingest, error);
    if (ingest.source->close)
        ingest.source->close(task, ingest.source);
    return result;
}

const struct command command_ingest = {
    .name = "ingest",
    .arguments = "PATH...",
    .summary = "Send documents: text, Markdown, HTML and PDF",
    .details =
        "Folders are walked, hidden files left out; a document's id is its path below the folder.\n"
        "Files become text here (PDF by poppler's pdftotext), and go in batches. What is stored\n"
        "already, word for word, costs nothing: after an interruption run it again. Files that\n"
        "cannot be read are told at the end, and the exit code is 6.\n"
        "--from brings the documents of another PostgreSQL (a RAG of before): the rows of a "
        "table,\n"
        "those with one id joined to one document. They are embedded anew, unless --embedding "
        "names\n"
        "vectors of the stack's own model and length. At the end documents are counted, and the\n"
        "SHA-256 of each text compared, on both sides.",
    .examples =
        "ragstack ingest handbook\nragstack ingest --local --dry-run docs 'notes/*.md'\nragstack "
        "ingest handbook --delete-missing --url https://wiki.example.com\nragstack ingest --from "
        "postgres://localhost/old --table docs --id id --text body",
    .options = options,
    .most_arguments = -1,
    .needs = NEED_STACK | NEED_CLOUD,
    .run = run,
};
