#include "pkg/eval/questions.h"

#include <string.h>

#include "pkg/base/map.h"
#include "pkg/base/vector.h"
#include "pkg/resource/resource.h"
#include "pkg/value/yaml.h"

static const struct field answered_fields[] = {
    {.name = "question", .type = FIELD_STRING, .flags = REQUIRED, .allowed = "^.*[^ ].*$"},
    {.name = "document", .type = FIELD_STRING},
    {.name = "documents", .type = FIELD_LIST, .item = FIELD_STRING},
    {.name = "words", .type = FIELD_LIST, .item = FIELD_STRING},
    {.name = "kind", .type = FIELD_STRING},
    {.name = "filter", .type = FIELD_MAP},
    {0},
};
static const struct field unanswered_fields[] = {
    {.name = "question", .type = FIELD_STRING, .flags = REQUIRED, .allowed = "^.*[^ ].*$"},
    {.name = "near", .type = FIELD_STRING},
    {.name = "kind", .type = FIELD_STRING},
    {.name = "filter", .type = FIELD_MAP},
    {0},
};
static const struct field file_fields[] = {
    {.name = "answered", .type = FIELD_LIST, .fields = answered_fields},
    {.name = "unanswered", .type = FIELD_LIST, .fields = unanswered_fields},
    {0},
};

struct reading {
    struct arena *arena;
    struct question_list *list;
    struct map seen; /* the questions so far */
    int faults;
    struct mark first_mark;
    const char *first;
};

static void take_fault(void *data, struct mark mark, const char *message)
{
    struct reading *reading = data;
    if (!reading->faults++) {
        reading->first = arena_strdup(reading->arena, message);
        reading->first_mark = mark;
    }
}

static const struct value *documents_of(struct arena *arena, const struct value *row)
{
    struct value *list = value_list(arena), *item, *one = value_get(row, "document");
    if (one)
        value_push(arena, list, one);
    value_each(item, value_get(row, "documents")) value_push(arena, list, item);
    return list;
}

static void take_row(struct reading *reading, const struct value *row, bool answerable)
{
    struct arena *arena = reading->arena;
    const char *text = value_text(row, "question"), *kind = value_text(row, "kind");
    struct question question = {.text = text,
                                .kind = kind ? kind : "",
                                .answerable = answerable,
                                .documents = documents_of(arena, row),
                                .words = value_get(row, "words"),
                                .near = value_text(row, "near"),
                                .filter = value_get(row, "filter"),
                                .mark = row->mark};
    if (!text)
        return;
    if (answerable && !value_count(question.documents))
        take_fault(reading, row->mark,
                   "document: say in which document the answer stands, or put the question under "
                   "`unanswered`");
    if (map_get(&reading->seen, text))
        take_fault(reading, row->mark, "this question is in the file twice");
    map_put(&reading->seen, text, (void *)text);
    vector_push(arena, reading->list, question);
}

int questions_from_value(struct arena *arena, const struct value *tree, const char *name,
                         struct question_list *out, struct error *error)
{
    struct reading reading = {.arena = arena, .list = out, .seen = map_in(arena)};
    struct mark top = {name, 1, 1};
    struct value *row;
    *out = (struct question_list){0};
    if (!value_is(tree, VALUE_MAP))
        return error_set_at(error, ERR_INPUT, top,
                            "a file of questions has the keys `answered` and `unanswered`");
    fields_check(arena, file_fields, tree, "questions", top, take_fault, &reading);
    if (!reading.faults) {
        value_each(row, value_get(tree, "answered")) take_row(&reading, row, true);
        value_each(row, value_get(tree, "unanswered")) take_row(&reading, row, false);
    }
    if (!reading.faults && (!out->count || out->count > QUESTIONS_MAXIMUM))
        return error_set_at(error, ERR_INPUT, top, "%zu questions: 1 to %d can be asked",
                            out->count, QUESTIONS_MAXIMUM);
    if (!reading.faults)
        return 0;
    if (reading.faults == 1)
        return error_set_at(error, ERR_INPUT, reading.first_mark, "%s", reading.first);
    return error_set_at(error, ERR_INPUT, reading.first_mark, "%s (and %d more faults)",
                        reading.first, reading.faults - 1);
}

int questions_read(struct arena *arena, const char *path, struct question_list *out,
                   struct error *error)
{
    struct value *tree;
    int result = yaml_parse_file(arena, path, &tree, error);
    return result < 0 ? result : questions_from_value(arena, tree, path, out, error);
}
