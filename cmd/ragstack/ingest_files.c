/* Folders, files and patterns: which documents they are, and by what names. */
#include <fts.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/ragstack/ingest.h"
#include "pkg/convert/convert.h"
#include "pkg/value/utf8.h"

struct finding {
    struct arena *arena;
    const struct ingest_naming *naming;
    struct ingest_files *out;
    struct map ids; /* const char *, the path that has it */
};

/* `below`: the path below what was named. */
static int add_file(struct finding *finding, const char *path, const char *below, uint64_t bytes,
                    struct error *error)
{
    struct arena *arena = finding->arena;
    const struct ingest_naming *naming = finding->naming;
    path = arena_strdup(arena, path);
    const char *id = arena_printf(arena, "%s%s", naming->prefix, below);
    const char *source = naming->url ? arena_printf(arena, "%s%s", naming->url, below) : path;
    const char *other = map_get(&finding->ids, id);
    if (!utf8_is_valid(path, strlen(path)))
        return error_set(error, ERR_USAGE, "%s: its name is no UTF-8; rename it", path);
    if (other && strcmp(other, path) == 0)
        return 0; /* named twice */
    if (other)
        return error_set(error, ERR_USAGE,
                         "%s and %s would both be the document \"%s\": name the folder above them, "
                         "or ingest one of them with --prefix",
                         other, path, id);
    map_put(&finding->ids, id, (void *)(uintptr_t)path);
    vector_push(arena, &finding->out->items, ((struct ingest_file){path, id, source, bytes}));
    return 0;
}

/* -- folders -- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int visit(struct finding *finding, FTS *tree, FTSENT *entry, size_t root_length,
                 struct error *error)
{
    switch (entry->fts_info) {
    case FTS_D:
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(tree, entry, FTS_SKIP);
        return 0;
    case FTS_F:
        if (entry->fts_name[0] == '.')
            return 0;
        if (convert_knows(entry->fts_name))
            return add_file(finding, entry->fts_path, entry->fts_path + root_length + 1,
                            (uint64_t)entry->fts_statp->st_size, error);
        finding->out->skipped++;
        return 0;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return error_set(error, ERR_FAILED, "%s: %s", entry->fts_path, strerror(entry->fts_errno));
    default:
        return 0;
    }
}

static int add_folder(struct finding *finding, const char *path, struct error *error)
{
    struct arena *arena = finding->arena;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *root = arena_strndup(arena, path, length);
    char *const roots[] = {root, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    FTSENT *entry;
    int result = tree ? 0 : error_set(error, ERR_FAILED, "%s cannot be read", path);
    if (strcmp(root, "/") == 0)
        result = error_set(error, ERR_USAGE, "/: name a folder of documents");
    while (result == 0 && (entry = fts_read(tree)))
        result = visit(finding, tree, entry, length, error);
    if (tree)
        fts_close(tree);
    const struct ingest_naming *naming = finding->naming;
    vector_push(arena, &finding->out->roots,
                naming->url ? naming->url : arena_printf(arena, "%s/", root));
    return result;
}

/* -- what was named -- */

static int add_path(struct finding *finding, const char *path, struct error *error)
{
    struct stat about;
    const char *slash = strrchr(path, '/');
    if (stat(path, &about) != 0)
        return error_set(error, ERR_USAGE, "there is no file or folder \"%s\"", path);
    if (S_ISDIR(about.st_mode))
        return add_folder(finding, path, error);
    return add_file(finding, path, slash ? slash + 1 : path, (uint64_t)about.st_size, error);
}

static int add_pattern(struct finding *finding, const char *pattern, struct error *error)
{
    glob_t matches;
    int result = 0;
    if (glob(pattern, 0, NULL, &matches) != 0)
        return error_set(error, ERR_USAGE, "nothing fits the pattern \"%s\"", pattern);
    for (size_t i = 0; i < matches.gl_pathc && result == 0; i++)
        result = add_path(finding, matches.gl_pathv[i], error);
    globfree(&matches);
    return result;
}

int ingest_files_find(struct task *task, struct arena *arena, const char *const *arguments,
                      const struct ingest_naming *naming, struct ingest_files *out,
                      struct error *error)
{
    struct finding finding = {arena, naming, out, map_in(arena)};
    struct stat about;
    int result = 0;
    task_block_begin(task);
    for (; *arguments && result == 0; arguments++) {
        bool there = stat(*arguments, &about) == 0;
        result = !there && strpbrk(*arguments, "*?[") ? add_pattern(&finding, *arguments, error)
                                                      : add_path(&finding, *arguments, error);
    }
    task_block_end(task);
    if (result == 0 && !out->items.count)
        return error_set(error, ERR_USAGE,
                         "there is nothing to ingest: no files that end with one of %s",
                         convert_endings(arena));
    return result;
}

/* -- as a source -- */

static int next_file(struct task *task, struct ingest_source *source, struct arena *arena,
                     struct ingest_item *out, struct error *error)
{
    struct ingest_files *files = source->data;
    struct converted converted;
    if (files->at == files->items.count)
        return INGEST_END;
    struct ingest_file file = files->items.items[files->at++];
    task_block_begin(task);
    int result = convert_file(arena, file.path, &converted, error);
    task_block_end(task);
    *out = (struct ingest_item){.id = file.id, .source = file.source, .weight = file.bytes};
    if (result < 0)
        return INGEST_UNREADABLE;
    out->title = converted.title;
    out->text = converted.text;
    out->length = converted.length;
    return INGEST_ITEM;
}

struct ingest_source *ingest_files_source(struct arena *arena, struct ingest_files *files)
{
    struct ingest_source *source = arena_new_of(arena, struct ingest_source);
    *source = (struct ingest_source){.next = next_file, .count = files->items.count, .data = files};
    for (size_t i = 0; i < files->items.count; i++)
        source->weight += files->items.items[i].bytes;
    return source;
}
