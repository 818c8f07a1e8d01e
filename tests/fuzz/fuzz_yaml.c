/* Whatever the text, the tree stays within its limits and has marks that are in the text. */
#include "pkg/base/panic.h"
#include "pkg/value/json.h"
#include "pkg/value/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Counts the nodes as YAML does, keys among them. */
static size_t check_tree(const struct value *value, int depth)
{
    size_t nodes = 1;
    require(depth <= YAML_MAXIMUM_DEPTH);
    require(value->mark.line >= 1 && value->mark.column >= 1);
    if (value->kind == VALUE_LIST)
        for (size_t i = 0; i < value->list.count; i++)
            nodes += check_tree(value->list.items[i], depth + 1);
    for (size_t i = 0; value_entry(value, i); i++) {
        const struct value_entry *entry = value_entry(value, i);
        require(entry->mark.line >= 1 && value_get(value, entry->key) == entry->value);
        nodes += 1 + check_tree(entry->value, depth + 1);
    }
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error error = {0};
    struct value *value;
    int status = yaml_parse(arena, (const char *)data, size, "fuzz", &value, &error);
    if (status) {
        require(status == ERR_INPUT && error.code == ERR_INPUT);
        require(error.line >= 1 && error.column >= 1 && error.message[0] && !value);
        return 0;
    }
    require(check_tree(value, 1) <= YAML_MAXIMUM_NODES);
    require(value_equal(value, value_copy(arena, value)));
    json_text_canonical(arena, value);
    return 0;
}
