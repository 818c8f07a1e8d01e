/* Whatever a server answers: parsed or refused, and what was parsed can be printed and read again;
 * error readers take it too. */
#include <string.h>

#include "pkg/aws/failure.h"
#include "pkg/aws/xml.h"
#include "pkg/base/panic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Empty text and empty elements print alike, and so do lists of one and their item: so only the
 * second round is compared. */
static struct value *round_trip(struct arena *arena, const struct value *value)
{
    CLEANUP(buffer_free) struct buffer text = BUFFER(BUFFER_LARGE);
    struct error error = {0};
    const char *root;
    struct value *again;
    xml_print(&text, "root", "urn:x", value);
    if (xml_parse(arena, text.data, text.length, "printed", &root, &again, &error))
        panic("cannot read what was printed: %s in %s", error.message, text.data);
    require(strcmp(root, "root") == 0);
    return again;
}

static void read_as_failure(struct arena *arena, const char *text, size_t size)
{
    const struct aws_service *const services[] = {&aws_ec2, &aws_iam, &aws_s3, &aws_logs};
    const struct http_reply reply = {.status = 400, .body = text, .body_length = size};
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        struct wire_call call = wire_call_of(services[i], "Operation");
        struct failure failure;
        struct error error = {0};
        struct value *value;
        failure_read(arena, &call, &reply, &failure);
        require(failure.code && failure.message && *failure.message && failure.request_id);
        require(failure_to_error(&call, &failure, &error) < 0 && error.message[0]);
        int result = wire_decode(arena, &call, &reply, &value, &error);
        require(result == 0 ? value != NULL : error.code == result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size), *root;
    struct error error = {0};
    struct value *value;
    int result = xml_parse(arena, text, size, "fuzz", &root, &value, &error);
    read_as_failure(arena, text, size);
    if (result) {
        require(result == ERR_INPUT && error.code == ERR_INPUT && error.message[0] && !value);
        return 0;
    }
    require(root && *root && value);
    struct value *once = round_trip(arena, value);
    require(value_equal(once, round_trip(arena, once)));
    return 0;
}
