/* What a stack file says for the floor, for which model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pkg/base/attributes.h"
#include "pkg/rag/embedder.h"

static void a_floor_is_of_its_model(void **state)
{
    (void)state;
    static const struct {
        const char *said, *model;
        double floor;
    } rows[] = {
        {"auto", "a", -1},
        {NULL, "a", -1},
        {"", "a", -1},
        {"0.4", "a", 0.4},
        {"0", "a", 0},
        {"0.4@a", "a", 0.4},
        {"0.4@a", "ab", -1},
        {"0.4@ab", "a", -1},
        {"0.4@a 0.3@b", "b", 0.3},
        {"0.4@a  0.3@b:0", "b", -1},
        {"0.4@a .3@b:0", "b:0", 0.3},
        {"x@a", "a", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(embedder_floor(rows[i].said, rows[i].model) == rows[i].floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_floor_is_of_its_model)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
