/* A saved plan is a file that anybody may have changed: it is taken whole, or refused. */
#include <string.h>

#include "cmd/ragstack/plan_file.h"
#include "pkg/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken can be read as `up` reads it. */
static void check_taken(const struct value *saved)
{
    const struct value *target, *targets = value_get(saved, "targets");
    require(value_text(saved, "fingerprint"));
    value_each(target, targets) require(strlen(target->string.text) <= target->string.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error error = {0};
    struct value *saved = NULL;
    int result = plan_file_parse(arena, (const char *)data, size, "fuzz", &saved, &error);
    if (result < 0) {
        require(result == ERR_INPUT && error.code == ERR_INPUT && error.message[0]);
        return 0;
    }
    check_taken(saved);
    struct identity identity = {.target = "aws",
                                .account = "123456789012",
                                .region = "us-east-1",
                                .stack = "demo",
                                .environment = ""};
    struct target target = {.name = "aws", .identity = &identity};
    struct plan plan = {.arena = arena, .target = &target, .fingerprint = "no plan has this"};
    result = plan_file_check(saved, &plan, &error);
    require(result == ERR_CONFLICT ||
            strcmp(value_text(saved, "fingerprint"), plan.fingerprint) == 0);
    return 0;
}
